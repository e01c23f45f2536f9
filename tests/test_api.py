"""The public Python API: what it exports, and that a call changes nothing outside its own objects."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy
import pytest

import bertshape

if TYPE_CHECKING:
    from pathlib import Path


def test_every_public_name_is_there() -> None:
    assert set(bertshape.__all__) <= set(dir(bertshape))
    for name in bertshape.__all__:
        assert getattr(bertshape, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'inspect_txts'"):
        getattr(bertshape, "inspect_txts")  # noqa: B009 - a type checker would refuse the plain form


def test_nothing_outside_changes() -> None:
    """Seeds, garbage collector, logging and warnings stay as they were; in a process of its own, for all is global."""
    code = """
import gc, logging, random, warnings
import numpy, torch, transformers
from transformers.utils import logging as hf
import bertshape
def state():
    bars, level = hf.is_progress_bar_enabled(), logging.getLogger("huggingface_hub").level
    collector = gc.get_freeze_count(), gc.isenabled(), gc.get_threshold()
    modes = torch.get_default_dtype(), torch.is_grad_enabled(), len(warnings.filters)
    return collector, modes, hf.get_verbosity(), bars, level
# Once before: what the import of a module of transformers does to the warnings is its own.
bertshape.inspect_texts("x", model="embedded:bert-tiny-uncased")
before = state()
assert before[0][0] == 0, before
torch.manual_seed(1); numpy.random.seed(1); random.seed(1)
expected = torch.rand(2), numpy.random.rand(), random.random()
torch.manual_seed(1); numpy.random.seed(1); random.seed(1)
report = bertshape.inspect_texts("x", model="embedded:bert-tiny-uncased")
assert report.run.executed
actual = torch.rand(2), numpy.random.rand(), random.random()
assert torch.equal(expected[0], actual[0]), (expected, actual)
assert expected[1:] == actual[1:]
assert state() == before, (before, state())
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)


def test_the_calls_are_those_of_the_commands(minilm: Path, tmp_path: Path) -> None:
    assert bertshape.check_checkpoint(minilm, "hidden_size=384").passed
    assert not bertshape.check_checkpoint(minilm, "hidden_size=385").passed
    assert bertshape.diff_checkpoints(minilm, minilm).same
    assert bertshape.snapshot_checkpoint(minilm, texts="Hi").cases[-1].text == "Hi"
    (tmp_path / "a.txt").write_text("one\\ntwo\\n")
    assert bertshape.profile_files([str(tmp_path / "a.txt")]).counts.texts == 1
    report = bertshape.embed_texts(["a", "b"], tmp_path / "v.npz", model=minilm)
    assert report.written
    assert report.saved["sentence_embedding"].sizes == (2, 384)


def test_an_embedder_gives_what_embed_writes(minilm: Path, tmp_path: Path) -> None:
    """For any number of batches, each as if it came alone; lists and arrays are columns alike."""
    texts = ["a text", "", "one that is cut " + "word " * 300, "a pair of words"]
    bertshape.embed_texts(texts, tmp_path / "v.npy", model=minilm)
    embedder = bertshape.Embedder(minilm)
    for batch in ([texts], [texts[:1], texts[1:3], texts[3:]]):
        made = [embedder({"id": part, "text": numpy.array(part, dtype=object)}) for part in batch]
        assert [list(part) for part in made] == [["id", "text", "vector"]] * len(batch)
        vectors = numpy.concatenate([part["vector"] for part in made])
        numpy.testing.assert_allclose(vectors, numpy.load(tmp_path / "v.npy"), atol=1e-6)
    assert embedder.cut == 2
    empty = embedder({"text": []})["vector"]
    assert (empty.shape, empty.dtype) == ((0, 384), vectors.dtype)


def test_an_embedder_refuses_what_would_be_wrong(tmp_path: Path, minilm: Path) -> None:
    (tmp_path / "m").mkdir()
    for path in minilm.iterdir():
        if path.is_file() and path.name not in ("modules.json", "config.json"):
            (tmp_path / "m" / path.name).symlink_to(path)
    config = (minilm / "config.json").read_text().replace('"num_hidden_layers": 6', '"num_hidden_layers": 8')
    (tmp_path / "m" / "config.json").write_text(config)
    with pytest.raises(bertshape.BertshapeError, match="its vectors would be wrong") as caught:
        bertshape.Embedder(tmp_path / "m")
    assert caught.value.code == "layers-mismatch"
    assert bertshape.Embedder(tmp_path / "m", allow_unsound=True).encode(["a"]).shape == (1, 384)
    embedder = bertshape.Embedder("embedded:bert-tiny-uncased", pooling="mean", text_column="body", vector_column="v")
    assert embedder({"body": ["a", "b c"]})["v"].shape == (2, 128)
    wrong: tuple[tuple[dict[str, list[object]], str], ...] = (
        ({"text": ["a"]}, "column-missing"),
        ({"body": ["a", None]}, "text-invalid"),
        ({"body": ["\ud800"]}, "text-not-unicode"),
    )
    for batch, code in wrong:
        with pytest.raises(bertshape.BertshapeError) as caught:
            embedder(batch)
        assert caught.value.code == code
    with pytest.raises(bertshape.BertshapeError, match="several vectors per text"):
        bertshape.Embedder(minilm, pooling="tokens")
