"""`embed`: the vector of every text of a file, in its order, whatever the batches."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense

from bertshape import inspect_texts
from bertshape.corpus.text_file import Record
from bertshape.errors import UsageError
from bertshape.pipelines.embed import embed
from bertshape.pipelines.embed_request import EmbedRequest
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.request import LengthOptions, RunOptions, SaveOptions
from tests.predict.test_sentence_chain import edit, save_chain
from tests.support.command_line import call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bertshape.report.embed import EmbedReport
    from tests.conftest import Run

WORDS = ["sentence", "embeddings", "average", "the", "vectors", "of", "unbelievably", "long", "tokens"]
TINY = "embedded:bert-tiny-uncased"


def some_texts(count: int, seed: int = 0) -> list[str]:
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(WORDS, k=chosen.randint(0, 30))) for _ in range(count)]


def run(
    texts: list[str], path: Path, pairs: list[str] | None = None, batch_size: int = 8, **options: Any
) -> EmbedReport:
    seconds: list[str | None] = list(pairs) if pairs else [None] * len(texts)
    records = [Record(line, text, pair) for line, (text, pair) in enumerate(zip(texts, seconds, strict=True), 1)]
    parts: dict[str, Any] = {"save": SaveOptions(path), "batch_size": batch_size}
    parts["source"] = ModelSource(options.pop("model", None))
    parts["run"] = RunOptions(**{key: options.pop(key) for key in ("weights", "device", "dtype") if key in options})
    lengths = {key: options.pop(key) for key in ("max_length", "truncation") if key in options}
    return embed(EmbedRequest(**parts, lengths=LengthOptions(**lengths), **options), records, "texts")


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_vectors_are_those_of_encode(minilm: Path, tmp_path: Path, batch_size: int) -> None:
    """In the order of the texts; sentence-transformers takes other batches, so that padding differs."""
    folder, path, texts = save_chain(tmp_path / "m", minilm, Dense(384, 32)), tmp_path / "v.safetensors", some_texts(40)
    report = run(texts, path, model=str(folder), batch_size=batch_size)
    expected = SentenceTransformer(str(folder), device="cpu").encode(texts, convert_to_tensor=True)
    torch.testing.assert_close(load_file(path)["sentence_embedding"], expected, atol=1e-6, rtol=1e-5)
    assert report.batches == -(-40 // batch_size)
    assert report.saved["sentence_embedding"].sizes == (40, 32)
    assert report.saved["sentence_embedding"].axes == ("num_texts", "embedding_dimension")


STRATEGIES = ("cls", "mean", "max", "mean_no_special", "pooler", "mean@-2", "mean@0:concat", "cls+mean", "weightedmean")


@pytest.mark.parametrize("family", ["bert", "roberta", "albert"])
def test_vectors_are_those_of_inspect(family: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    texts, one = some_texts(12), tmp_path / "one.safetensors"
    names = [name for name in STRATEGIES if family != "albert" or name != "mean@0:concat"]
    run(
        texts,
        tmp_path / "all.safetensors",
        model=str(tiny(family)),
        pooling=tuple(names),
        batch_size=5,
        truncation=True,
    )
    together = load_file(tmp_path / "all.safetensors")
    assert set(together) == {f"pooled.{name}" for name in names}
    for index, text in enumerate(texts):
        inspect_texts(text, model=str(tiny(family)), pooling=names, save=one, truncation=True)
        alone = load_file(one)
        for name in together:
            torch.testing.assert_close(together[name][index], alone[name][0], atol=1e-5, rtol=1e-4)


def test_pairs_and_left_padding(minilm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    for source in minilm.iterdir():
        if source.is_file():
            (folder / source.name).symlink_to(source)
    (folder / "modules.json").unlink()
    config = json.loads((folder / "tokenizer_config.json").read_text()) | {"padding_side": "left"}
    (folder / "tokenizer_config.json").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    texts, pairs, one = some_texts(6), some_texts(6, seed=1), tmp_path / "one.safetensors"
    for model in (minilm, folder):
        pool = ("cls", "mean", "lasttoken", "mean_no_special")
        run(texts, tmp_path / "all.safetensors", pairs, model=str(model), pooling=pool)
        # One batch in both: padding on the left moves BERT's positions, and so the numbers.
        inspect_texts(texts, pairs, model=str(model), pooling=pool, save=one)
        together, expected = load_file(tmp_path / "all.safetensors"), load_file(one)
        for name, vectors in together.items():
            torch.testing.assert_close(vectors, expected[name], atol=1e-5, rtol=1e-4)


def test_positions_are_counted(minilm: Path, tmp_path: Path) -> None:
    texts = ["a", "a b c", "a b"]
    report = run(texts, tmp_path / "v.npz", model=str(minilm), batch_size=2)
    # Longest first: 5 and 4 tokens together, then 3 alone.
    assert (report.texts, report.tokens, report.padding, report.batches) == (3, 12, 1, 2)


def test_long_texts_are_refused_or_cut(tmp_path: Path) -> None:
    texts = ["a", "word " * 600]
    with pytest.raises(UsageError, match=r"texts, line 2 gives 602 tokens; .* takes at most 512"):
        run(texts, tmp_path / "v.npz", model=TINY, truncation=False)
    report = run(texts, tmp_path / "v.npz", model=TINY)
    assert (report.tokens, report.cut) == (3 + 512, 1)
    assert "1 of 2 texts was cut to 512 tokens" in next(row.message for row in report.findings if row.code == "cut")
    assert run(texts, tmp_path / "v.npz", model=TINY, truncation=True).tokens == 3 + 512
    assert run(texts, tmp_path / "v.npz", model=TINY, max_length=10).tokens == 3 + 10


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        ("words", "several vectors per"),
        ("tokens", "several vectors"),
        ("mean@9", "2 layers"),
        ("nosuch", "nosuch"),
    ],
)
def test_strategies_must_give_one_vector(pool: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        run(["a"], tmp_path / "v.npz", model=TINY, pooling=(pool,))
    assert not (tmp_path / "v.npz").exists()


def test_a_chain_that_cannot_be_followed_is_refused(minilm: Path, tmp_path: Path) -> None:
    folder = edit(save_chain(tmp_path / "m", minilm, Dense(384, 24)), "2_Dense/config.json", in_features=99)
    report = run(["a"], tmp_path / "v.npz", model=str(folder))
    assert not report.written
    assert not (tmp_path / "v.npz").exists()
    assert any("it takes 99 numbers" in finding.message for finding in report.findings)


def test_the_command(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "a b"}\n{"text": "c", "pair": "d"}\n')
    command = ("embed", str(texts), "-o", str(tmp_path / "v.safetensors"), "--model", TINY)
    shown = bertshape(*command).stdout
    assert "2 texts, 9 tokens in 1 batch" in shown
    assert "pooled.mean" in shown
    document = json.loads(bertshape(*command, "--json", "--pooling", "cls").stdout)
    assert document["saved"]["pooled.cls"]["shape"] == [2, 128]
    assert (document["ok"], document["weights"], document["texts"]) == (True, "random", 2)
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    for arguments in ([str(empty)], [str(tmp_path / "nosuch")], [str(texts), "-o", "v.pt"]):
        done = bertshape("embed", "-o", str(tmp_path / "v.npz"), "--model", TINY, *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_rows_of_a_table_are_texts(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    """A header once gave a vector, and each line of a quoted field another."""
    path = tmp_path / "texts.csv"
    path.write_text('key,text\nx,"two\nlines"\ny,one\n')
    for options in ((), ("--id-column", "key", "--input-format", "csv")):
        done = bertshape(
            "embed",
            str(path),
            "-o",
            str(tmp_path / "v.safetensors"),
            "--json",
            *options,
            "--weights",
            "random",
            "--model",
            TINY,
        )
        assert json.loads(done.stdout)["texts"] == 2
    vectors = load_file(tmp_path / "v.safetensors")["pooled.mean"]
    run(["two\nlines", "one"], tmp_path / "w.safetensors", model=TINY, weights="random")
    torch.testing.assert_close(vectors, load_file(tmp_path / "w.safetensors")["pooled.mean"])


def test_texts_come_from_a_pipe(tmp_path: Path) -> None:
    command = ("embed", "-", "-o", str(tmp_path / "v.safetensors"), "--model", TINY)
    done = call(*command, stdin=b"one\ntwo words\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert load_file(tmp_path / "v.safetensors")["pooled.mean"].shape == (2, 128)
    done = call(*command, stdin=b"one\n\xff\n")
    assert done.returncode == 2
    assert "stdin, line 2" in done.stderr


def test_half_precision_is_asked_for_by_name(minilm: Path, tmp_path: Path) -> None:
    """The dtype `auto` is the same on every device."""
    assert run(["a"], tmp_path / "v.npz", model=str(minilm)).saved["sentence_embedding"].dtype == "float32"


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gives_the_vectors_of_the_cpu(minilm: Path, tmp_path: Path) -> None:
    texts = some_texts(50)
    report = run(texts, tmp_path / "v.safetensors", model=str(minilm))
    assert report.saved["sentence_embedding"].dtype == "float32"
    run(texts, tmp_path / "w.safetensors", model=str(minilm), device="cpu")
    one, other = (load_file(tmp_path / name)["sentence_embedding"] for name in ("v.safetensors", "w.safetensors"))
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)
