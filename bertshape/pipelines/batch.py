"""Texts of a request -> one batch for a model, with what is wanted of it settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.pipelines.lengths import check_exact, check_ids, check_length, settle_lengths
from bertshape.pipelines.prompts import prompt_length
from bertshape.pooling.shapes import select
from bertshape.pooling.strategies import STRATEGIES
from bertshape.predict.heads import declared_task, select_tasks
from bertshape.tokens.batch import tokenize

if TYPE_CHECKING:
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.request import LengthOptions, Texts, Wanted
    from bertshape.pooling.strategy import Strategy
    from bertshape.report.report import Report
    from bertshape.tokens.batch import Tokenization


@dataclass(frozen=True)
class Batch:
    """One batch for a model.

    Attributes:
        model: The checkpoint, read.
        tokenization: The batch.
        strategies: Pooling strategies to show.
        tasks: Task heads to show.
        dtype: Dtype of the parameters.
        wanted: What else to show.
        prompt_length: Tokens of the prompt, for Pooling steps that leave it out.
    """

    model: Model
    tokenization: Tokenization
    strategies: tuple[Strategy, ...]
    tasks: tuple[str, ...]
    dtype: str
    wanted: Wanted
    prompt_length: int = 0


def make_batch(
    model: Model, texts: Texts, lengths: LengthOptions, wanted: Wanted, dtype: str, *, prompt: str = ""
) -> Batch:
    """Tokenize texts, and settle what to show of them.

    Args:
        model: The model.
        texts: The texts.
        lengths: How rows get their length.
        wanted: What to show.
        dtype: Dtype that was asked for, or `auto`.
        prompt: What to put before each text.

    Raises:
        UsageError: The texts do not fit the model, or an option does not fit the texts.
        CheckpointError: A token has no row in the embedding.
    """
    strategies = select(wanted.pooling)
    tasks = select_tasks(wanted.tasks) or _declared_tasks(model)
    check_truncate_dim(wanted.truncate_dim, model)
    settled = settle_lengths(lengths, model)
    tokenization = tokenize(
        model.tokenizer,
        [prompt + text for text in texts.texts],
        texts.pairs or None,
        padding=lengths.padding,
        truncation=settled.cut_to is not None,
        max_length=settled.pad_to if settled.cut_to is None else settled.cut_to,
    )
    _check_fits(model, tokenization, settled.usable)
    declared = model.recipe.pooling
    if not wanted.pooling and declared is not None and declared not in STRATEGIES:
        # A declared combination such as cls+mean is shown too; the table of single strategies lacks it.
        strategies = (*strategies, *select([declared]))
    of_prompt = prompt_length(prompt, model, settled.cut_to)
    return Batch(model, tokenization, strategies, tasks, model.dtype(dtype), wanted, of_prompt)


def check_strategies(wanted: Wanted, report: Report) -> None:
    """Refuse a strategy that was asked for by name and gives nothing here.

    Args:
        wanted: What was asked for.
        report: The prediction.

    Raises:
        UsageError: The model lacks what the strategy needs.
    """
    for name in wanted.pooling:
        row = report.pooled[name]
        if row.shape is None:
            layers = report.checkpoint.dimensions["num_hidden_layers"]
            hint = f"hidden_states run from 0, the embeddings, to {layers}, the last layer; see bertshape poolings."
            raise UsageError(f"--pooling {name}: {row.reason}", hint=hint, code="pooling-unavailable")


def _declared_tasks(model: Model) -> tuple[str, ...]:
    """The task of a fine-tuned checkpoint; a sentence embedding is made without its head."""
    if model.recipe.has_chain:
        return ()
    task = declared_task(model.architecture.model_type, model.checkpoint.config.get("architectures"))
    return () if task is None else (task,)


def check_truncate_dim(truncate_dim: int | None, model: Model) -> None:
    """Refuse to cut a sentence embedding that is not declared.

    Raises:
        UsageError: The checkpoint declares none.
    """
    if truncate_dim is not None and not model.recipe.has_chain:
        raise UsageError(
            f"--truncate-dim cuts a sentence embedding, and {model.checkpoint.name} declares none (no modules.json)",
            hint="Leave it out.",
            code="no-sentence-embedding",
        )


def _check_fits(model: Model, tokenization: Tokenization, usable: int | None) -> None:
    length = tokenization.sequence_length
    if usable is not None and length > usable:
        longest = max(range(tokenization.batch_size), key=lambda row: length - tokenization.rows[row].padding)
        hint = f"Pass --max-length {usable} or less." if tokenization.padding == "max_length" else ""
        check_length(length, f"text {longest + 1}", model, hint)
    for number, row in enumerate(tokenization.rows, start=1):
        check_exact(len(row.tokens) - row.padding, f"text {number}", model)
    check_ids(tokenization.largest_id, model)
