"""The commands from Python: the same pipelines, results as frozen dataclasses, nothing printed.

A call changes nothing outside its own objects: no seed, no logging level, no garbage collector setting.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.contract.expectations import parse_expectation
from bertshape.corpus.text_file import Record
from bertshape.pipelines.check import check
from bertshape.pipelines.check_request import CheckCase, CheckRequest
from bertshape.pipelines.diff import diff
from bertshape.pipelines.diff_sides import source_of
from bertshape.pipelines.drift import drift_records
from bertshape.pipelines.embed import embed
from bertshape.pipelines.embed_request import EmbedRequest
from bertshape.pipelines.inspect import inspect
from bertshape.pipelines.model_source import ModelSource, device_name
from bertshape.pipelines.prompts import prompting_of
from bertshape.pipelines.request import InspectionRequest, LengthOptions, RunOptions, SaveOptions, Texts, Wanted
from bertshape.pipelines.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.contract.contract import CheckpointContract
    from bertshape.pipelines.diff import Comparison
    from bertshape.pipelines.request import DType
    from bertshape.report.check import CheckReport
    from bertshape.report.embed import EmbedReport
    from bertshape.report.report import Report, Weights
    from bertshape.tokens.batch import Padding


def inspect_texts(
    texts: str | Sequence[str],
    pairs: str | Sequence[str] = (),
    *,
    model: str | Path | None = None,
    revision: str | None = None,
    offline: bool = False,
    weights: Weights | None = None,
    device: str = "auto",
    dtype: DType = "auto",
    pooling: str | Sequence[str] = (),
    max_length: int | None = None,
    truncation: bool | None = None,
    prompt_name: str | None = None,
    prompt: str | None = None,
    padding: Padding = "longest",
    attentions: bool = False,
    truncate_dim: int | None = None,
    tasks: str | Sequence[str] = (),
    layers: bool = False,
    statistics: bool = False,
    words: bool = False,
    save: str | Path | None = None,
) -> Report:
    """Inspect texts: tokens, outputs and pooled vectors, each with its shape; as `bertshape inspect` does.

    Args:
        texts: One text, or several that make one batch.
        pairs: Second texts, as many as first ones.
        model: Folder, Hub id or `embedded:` name; None for the embedded default.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        weights: `checkpoint`, `random` or `none`; None takes the checkpoint's own where it has some.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        dtype: Dtype of the parameters; `auto` is what transformers would load.
        pooling: Strategies, such as `mean` or `mean@-2`; empty for all.
        max_length: Tokens that a row may have.
        truncation: Cut longer rows; None cuts where `max_length` is given.
        prompt_name: Name of a prompt of the checkpoint, to put before each text.
        prompt: What to put before each text.
        padding: How the rows of a batch get one length.
        attentions: Ask for attention weights too.
        truncate_dim: Cut the sentence embedding to so many numbers.
        tasks: Task heads, such as `masked-lm`, or `all`.
        layers: Look at the shapes inside the model.
        statistics: Say what the numbers of each tensor are like.
        words: Show words beside tokens.
        save: File for the tensors, `.safetensors` or `.npz`.

    Returns:
        The report; `report.to_dict()` is the JSON document of the command line.

    Raises:
        BertshapeError: Any failure, with a hint.
    """
    return inspect(
        InspectionRequest(
            texts=Texts(_several(texts), _several(pairs)),
            source=ModelSource(_name(model), revision, offline),
            run=RunOptions(weights, device_name(device), dtype),
            prompting=prompting_of(prompt_name, prompt),
            lengths=LengthOptions(max_length, truncation, padding),
            wanted=Wanted(_several(pooling), _several(tasks), layers, words, attentions, truncate_dim, statistics),
            save=SaveOptions(Path(save)) if save is not None else None,
        )
    )


def check_checkpoint(
    model: str | Path,
    *expect: str,
    texts: str | Sequence[str] = (),
    revision: str | None = None,
    offline: bool = False,
    values: bool = False,
    run: bool = False,
    device: str = "auto",
) -> CheckReport:
    """Check a checkpoint for soundness and for what you expect of it; as `bertshape check` does.

    Args:
        model: Folder, Hub id or `embedded:` name.
        expect: Expectations, such as `hidden_size=384` or `pooled.mean=[_, 384]`.
        texts: Texts of the expectations on shapes.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        values: Read all weights: look for NaN and infinities.
        run: Run the model on every text too.
        device: Where to run.

    Returns:
        The report; `report.passed` is the answer. A checkpoint that cannot be read has the reason in `report.error`.

    Raises:
        UsageError: An expectation names something that does not exist, or a text is none.
    """
    return check(
        CheckRequest(
            ModelSource(_name(model), revision, offline),
            expect=tuple(map(parse_expectation, expect)),
            cases=tuple(map(CheckCase, _several(texts))),
            values=values,
            run=run,
            device=device_name(device),
        )
    )


def diff_checkpoints(
    before: str | Path,
    after: str | Path,
    *,
    texts: str | Sequence[str] = (),
    corpus: Sequence[str] = (),
    max_drift: float | None = None,
    offline: bool = False,
    values: bool = False,
) -> Comparison:
    """Compare two checkpoints, or a checkpoint and a contract file (.toml); as `bertshape diff` does.

    Args:
        before: One side.
        after: The other side.
        texts: Texts to give to both checkpoints; they run where their sentence embeddings have one size.
        corpus: Texts to count those of that get other tokens or another sentence embedding.
        max_drift: Share of the corpus that may change, from 0 to 1; `report.ok` is then the answer to that alone.
        offline: Use the Hub's cache alone.
        values: Compare the stored numbers too, which reads all weights.

    Raises:
        BertshapeError: A side cannot be read, or cannot take a text.
    """
    compared = diff(str(before), str(after), _several(texts), offline=offline, values=values)
    if not corpus:
        return compared
    both = source_of(str(before), offline), source_of(str(after), offline)
    records = (Record(line, text, unit="text") for line, text in enumerate(corpus, start=1))
    return replace(compared, drift=drift_records(both, records, "corpus", max_drift))


def snapshot_checkpoint(
    model: str | Path,
    *,
    revision: str | None = None,
    offline: bool = False,
    texts: str | Sequence[str] = (),
    values: bool = False,
) -> CheckpointContract:
    """The contract of a checkpoint as it is now; as `bertshape snapshot` writes it.

    Args:
        model: Folder, Hub id or `embedded:` name.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        texts: Texts whose token ids and shapes to write down, besides the probe texts.
        values: Write down digests of the stored numbers too, which reads all weights.

    Raises:
        BertshapeError: The checkpoint cannot be read, or a text is none.
    """
    return snapshot(str(model), revision=revision, offline=offline, texts=_several(texts), values=values)


def embed_texts(
    texts: Sequence[str],
    output: str | Path,
    *,
    model: str | Path | None = None,
    revision: str | None = None,
    offline: bool = False,
    weights: Weights | None = None,
    device: str = "auto",
    dtype: DType = "auto",
    pooling: str | Sequence[str] = (),
    batch_size: int | None = None,
    max_length: int | None = None,
    truncation: bool | None = None,
    prompt_name: str | None = None,
    prompt: str | None = None,
    truncate_dim: int | None = None,
    allow_unsound: bool = False,
    verify: int | None = None,
) -> EmbedReport:
    """Write one vector for every text to a file; as `bertshape embed` does.

    Args:
        texts: The texts.
        output: The file: `.safetensors`, `.npz`, `.npy`, `.parquet`, `.arrow` or `.jsonl`.
        model: Folder, Hub id or `embedded:` name; needed unless `weights` is `random`.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        weights: `checkpoint` or `random`.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        dtype: Dtype of the parameters; `auto` is what transformers would load.
        pooling: Strategies; empty for what the checkpoint declares.
        batch_size: Texts that run together; None for as many as have some thousand tokens.
        max_length: Tokens that a row may have.
        truncation: Cut longer rows; None cuts where `encode` does, or where `max_length` is given.
        prompt_name: Name of a prompt of the checkpoint, to put before each text; None for its default prompt.
        prompt: What to put before each text; empty for nothing.
        truncate_dim: Cut the sentence embedding to so many numbers.
        allow_unsound: Write vectors of a model with errors among its findings too.
        verify: Give so many of the texts to sentence-transformers too, and compare; `report.ok` is the answer.

    Returns:
        What was written. Nothing is written where the model is unsound; `report.findings` says why.

    Raises:
        BertshapeError: Any failure, with a hint.
    """
    request = EmbedRequest(
        save=SaveOptions(Path(output)),
        source=ModelSource(_name(model), revision, offline),
        run=RunOptions(weights, device_name(device), dtype),
        prompting=prompting_of(prompt_name, prompt),
        lengths=LengthOptions(max_length, truncation),
        pooling=_several(pooling),
        truncate_dim=truncate_dim,
        batch_size=batch_size,
        allow_unsound=allow_unsound,
        verify=verify,
    )
    return embed(request, (Record(line, text, unit="text") for line, text in enumerate(texts, start=1)), "texts")


def _several(values: str | Sequence[str]) -> tuple[str, ...]:
    """One string stands for a list of one."""
    return (values,) if isinstance(values, str) else tuple(values)


def _name(model: str | Path | None) -> str | None:
    return None if model is None else str(model)
