"""What `embed` writes, read back by other libraries; windows, lines that are skipped, memory that runs out."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow
import pytest
from pyarrow import parquet
from safetensors.numpy import load_file

from bertshape.corpus.text_file import BadRecord, Record
from bertshape.errors import DeviceError, UsageError
from bertshape.pipelines import windows
from bertshape.pipelines.embed import embed
from bertshape.pipelines.embed_request import FORMATS, EmbedRequest
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.request import LengthOptions, SaveOptions
from bertshape.run import embed as run_embed
from bertshape.run.forward import forward
from tests.pipelines.test_embed import TINY, run, some_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bertshape.report.embed import EmbedReport
    from tests.conftest import Run

TEXTS = some_texts(23)


def read(path: Path) -> Any:
    """The vectors of a file. Shape: (number of texts, size of the vector)."""
    if path.suffix == ".safetensors":
        return load_file(path)["sentence_embedding"]
    if path.suffix in (".npz", ".npy"):
        found = numpy.load(path)
        return found if path.suffix == ".npy" else found["sentence_embedding"]
    if path.suffix == ".jsonl":
        return numpy.array([json.loads(line)["vector"] for line in path.read_text().splitlines()], numpy.float32)
    if path.suffix == ".parquet":
        table = parquet.read_table(path)
    else:
        with pyarrow.memory_map(str(path)) as source:
            table = pyarrow.ipc.open_file(source).read_all()
    assert table.column_names == ["id", "text", "vector"]
    assert table.schema.field("vector").type == pyarrow.list_(pyarrow.float32(), 384)
    assert table["text"].to_pylist() == TEXTS
    assert table["id"].to_pylist() == [str(line) for line in range(1, len(TEXTS) + 1)]
    about = json.loads(table.schema.metadata[b"bertshape"])
    assert (about["weights"], about["max_length"]) == ("checkpoint", "20")
    return numpy.array(table["vector"].to_pylist(), numpy.float32)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_holds_the_same_in_windows(
    suffix: str, minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole.safetensors", tmp_path / f"parts{suffix}"
    run(TEXTS, whole, model=str(minilm), max_length=20)
    monkeypatch.setattr(windows, "WINDOW", 7)
    report = run(TEXTS, parts, model=str(minilm), max_length=20, verify=5)
    assert report.verified is not None
    assert report.verified.passed
    assert report.saved["sentence_embedding"].sizes == (23, 384)
    numpy.testing.assert_allclose(read(parts), read(whole), atol=1e-6)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("suffix", FORMATS)
def test_verify_sees_a_wrong_row(suffix: str, minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared is what lies in the file, whatever its format."""
    monkeypatch.setattr(run_embed, "_vectors", _moved(run_embed._vectors))
    report = run(TEXTS[:6], tmp_path / f"v{suffix}", model=str(minilm), verify=6)
    assert report.verified is not None
    assert not report.verified.passed


def _moved(vectors: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    return lambda *given: {name: value + 0.01 for name, value in vectors(*given).items()}


@pytest.mark.parametrize("reader", ["pandas", "polars", "duckdb"])
def test_other_libraries_read_parquet(reader: str, tmp_path: Path) -> None:
    if find_spec(reader) is None:
        pytest.skip(f"{reader} is not installed")
    library: Any = pytest.importorskip(reader)
    path = tmp_path / "v.parquet"
    run(TEXTS, path, model=TINY)
    if reader == "duckdb":
        assert library.sql(f"select count(*), len(any_value(vector)) from '{path}'").fetchall() == [(23, 128)]
    else:
        assert len(library.read_parquet(path)["vector"][0]) == 128


def test_several_arrays_are_columns_of_their_names(tmp_path: Path) -> None:
    run(["a", "b"], tmp_path / "v.parquet", ["c", "d"], model=TINY, pooling=("cls", "mean"))
    table = parquet.read_table(tmp_path / "v.parquet")
    assert table.column_names == ["id", "text", "pair", "pooled.cls", "pooled.mean"]
    with pytest.raises(UsageError, match="holds one array"):
        run(["a"], tmp_path / "v.npy", model=TINY, pooling=("cls", "mean"))


def embed_lines(lines: list[Record | BadRecord], path: Path, *, skip: bool) -> EmbedReport:
    request = EmbedRequest(
        save=SaveOptions(path), source=ModelSource(TINY), skip=skip, lengths=LengthOptions(truncation=False)
    )
    return embed(request, lines, "texts")


def test_lines_without_a_text_are_skipped(tmp_path: Path) -> None:
    wrong = BadRecord(2, UsageError("texts, line 2 is no text", code="line-invalid"), "x")
    lines: list[Record | BadRecord] = [Record(1, "a"), wrong, Record(3, "word " * 600, id="y"), Record(4, "b")]
    with pytest.raises(UsageError, match="line 2") as caught:
        embed_lines(lines, tmp_path / "v.npy", skip=False)
    assert caught.value.text is not None
    with pytest.raises(UsageError, match="602 tokens") as caught:
        embed_lines(lines[2:], tmp_path / "v.npy", skip=False)
    assert caught.value.text is not None
    assert (caught.value.text.index, caught.value.text.line, caught.value.text.id) == (0, 3, "y")
    assert list(tmp_path.iterdir()) == []
    report = embed_lines(lines, tmp_path / "v.npy", skip=True)
    assert (report.ok, report.written, report.texts, report.skipped) == (False, True, 2, 2)
    document = report.to_dict()
    assert [(row["index"], row["line"], row["id"]) for row in document["failures"]] == [(1, 2, "x"), (2, 3, "y")]
    assert numpy.load(tmp_path / "v.npy").shape == (2, 128)


def test_skipping_is_an_option(bertshape: Callable[..., Run], tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "a"}\n{"no": 1}\n')
    done = bertshape("embed", str(texts), "-o", str(tmp_path / "v.jsonl"), "-m", TINY, "--on-error", "skip")
    assert done.returncode == 1
    assert "1 of 2 lines skipped" in " ".join(done.stdout.split())
    assert len((tmp_path / "v.jsonl").read_text().splitlines()) == 1


def test_batches_are_halved_when_memory_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 2

    def failing(model: Any, inputs: Any, **options: Any) -> Any:
        if len(inputs["input_ids"]) > most:
            raise RuntimeError("CUDA error: out of memory")
        return forward(model, inputs, **options)

    run(TEXTS, tmp_path / "whole.npy", model=TINY)
    monkeypatch.setattr(run_embed, "forward", failing)
    report = run(TEXTS, tmp_path / "v.npy", model=TINY, batch_size=16)
    numpy.testing.assert_allclose(numpy.load(tmp_path / "v.npy"), numpy.load(tmp_path / "whole.npy"), atol=1e-5)
    assert "batch-halved" in {row.code for row in report.findings}
    most = 0
    with pytest.raises(DeviceError, match=r"out of memory on cpu, with a single text of \d+ tokens") as caught:
        run(TEXTS, tmp_path / "w.npy", model=TINY, batch_size=16)
    assert "Cut texts to" in caught.value.hint
    assert not (tmp_path / "w.npy").exists()
