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
    """By no public function: what is global stays as it was; in a process of its own, for all is global."""
    code = """
import gc, logging, os, random, signal, sys, tempfile, threading, warnings
from pathlib import Path
import numpy, torch
from transformers.utils import logging as hf
import bertshape
from tests.support.checkpoints import build_checkpoint
folder = Path(tempfile.mkdtemp())
own, texts, vectors = build_checkpoint("bert", folder / "m"), ["a", "b c", "some more words"], folder / "v.npz"
(folder / "t.txt").write_text("one text")
calls = {
    "inspect_texts": lambda: bertshape.inspect_texts("x", model=own, layers=True, attentions=True, tasks="all"),
    "check_checkpoint": lambda: bertshape.check_checkpoint(own, "hidden_size=48", texts="a", run=True, values=True),
    "diff_checkpoints": lambda: bertshape.diff_checkpoints(own, own, texts="a", corpus=texts, values=True),
    "snapshot_checkpoint": lambda: bertshape.snapshot_checkpoint(own, texts="a", values=True),
    "profile_files": lambda: bertshape.profile_files([str(folder / "t.txt")], model=own),
    "profile_texts": lambda: bertshape.profile_texts(texts, model=own),
    "memory_of": lambda: bertshape.memory_of(own),
    "embed_texts": lambda: bertshape.embed_texts(texts, vectors, model=own, pooling="mean"),
    "Embedder": lambda: bertshape.Embedder(own, pooling="mean").encode(texts),
    "which_recipe": lambda: bertshape.which_recipe(vectors, texts, model=own),
    "probe_texts": lambda: bertshape.probe_texts(own),
}
def state():
    loggers = [logging.getLogger(name) for name in (None, "transformers", "huggingface_hub", "torch")]
    signals = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    return {
        "collector": (gc.get_freeze_count(), gc.isenabled(), gc.get_threshold()),
        "torch": (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()),
        "random": (random.getstate(), str(numpy.random.get_state()), torch.get_rng_state().tolist()),
        "warnings": (list(warnings.filters), warnings.showwarning, numpy.geterr()),
        "logging": ([(row.level, row.disabled, len(row.handlers)) for row in loggers], logging.root.manager.disable),
        "transformers": (hf.get_verbosity(), hf.is_progress_bar_enabled()),
        "process": (dict(os.environ), os.getcwd(), [signal.getsignal(number) for number in signals]),
        "left open": (len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0, threading.enumerate()),
        "python": (list(sys.path), sys.excepthook, sys.stdout, sys.stderr, sys.getrecursionlimit()),
    }
functions = [name for name in bertshape.__all__ if name.islower() and callable(getattr(bertshape, name))]
assert set(calls) == {*functions, "Embedder"}, functions
for name, call in calls.items():
    call()  # What the import of a module of transformers does to the warnings is its own.
    gc.collect()
    before = state()
    assert before["collector"][0] == 0, name
    call()
    gc.collect()
    changed = [part for part, value in state().items() if value != before[part]]
    assert not changed, (name, changed)
random.random()
assert state()["random"] != before["random"]
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
