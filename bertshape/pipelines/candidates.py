"""The candidates of `which`: every tokenization of the texts, and every strategy on every layer."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import TYPE_CHECKING

from bertshape.pipelines.lengths import check_ids, encode_limit
from bertshape.pipelines.prompts import prompt_length
from bertshape.pooling.shapes import Unavailable, predict_shape, select
from bertshape.pooling.strategies import STRATEGIES
from bertshape.predict.outputs import pooling_facts
from bertshape.run.recipes import DECLARED, SENTENCE_MODES
from bertshape.tokens.encode import EncodedRow, encode_rows
from bertshape.tokens.tokenizer import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.corpus.text_file import Record
    from bertshape.pipelines.model import Model
    from bertshape.pooling.strategy import Strategy
    from bertshape.run.recipes import Score

USUAL_CUTS = (16, 32, 64, 100, 128, 192, 200, 250, 256, 300, 384, 400, 500, 510, 512, 768, 1024, 2048, 4096, 8192)
"""Lengths that people cut texts to."""
MOST_PROMPTS = 12
_RANGED = ("mean", "cls")
"""Strategies that every range of layers is tried with; the others are tried with the last ones alone."""


@dataclass(frozen=True)
class Meta:
    """One way of making tokens of texts.

    Attributes:
        prompt: What stands before each text.
        lower_case: Whether texts are put into lower case first.
        cut_to: Tokens that longer texts are cut to; None for none.
    """

    prompt: str
    lower_case: bool
    cut_to: int | None


@dataclass(frozen=True)
class Tokenized:
    """The texts, tokenized in one way.

    Attributes:
        meta: The way.
        rows: The tokens of each text.
        whole: The same without a cut.
        side: Where texts are cut.
        prompt_length: Tokens of the prompt that Pooling steps may leave out.
        same: Other ways that give the same tokens for these texts.
    """

    meta: Meta
    rows: tuple[EncodedRow, ...]
    whole: tuple[EncodedRow, ...]
    side: str
    prompt_length: int = 0
    same: tuple[Meta, ...] = ()

    def cut_again(self, cut_to: int) -> Tokenized:
        """The same texts with another cut."""
        rows = tuple(cut_row(row, cut_to, self.side) for row in self.whole)
        return replace(self, meta=replace(self.meta, cut_to=cut_to), rows=rows, same=())


def declared_meta(model: Model) -> Meta:
    """How `encode` of sentence-transformers makes tokens of texts."""
    recipe = model.recipe
    return Meta(recipe.prompt or "", recipe.transformer.lower_case, encode_limit(model))


def variants(model: Model, records: Sequence[Record], name: str, prompts: Sequence[str]) -> list[Tokenized]:
    """Every tokenization that gives tokens of its own, the declared one first.

    Args:
        model: The model.
        records: The texts.
        name: What messages call them.
        prompts: Prompts to try.
    """
    declared = declared_meta(model)
    cuts: list[int | None] = list(known_cuts(model)) or [None]
    found: dict[object, Tokenized] = {}
    for prompt in prompts:
        for lower_case in (declared.lower_case, not declared.lower_case):
            whole = _encode(model, records, name, prompt, lower_case=lower_case, declared=declared.lower_case)
            for cut in cuts:
                side = model.tokenizer.truncation_side
                rows = tuple(row if cut is None else cut_row(row, cut, side) for row in whole)
                key = tuple(row.input_ids.tobytes() for row in rows)
                meta = Meta(prompt, lower_case, cut)
                if key in found:
                    found[key] = replace(found[key], same=(*found[key].same, meta))
                else:
                    length = prompt_length(prompt, model, cut)
                    found[key] = Tokenized(meta, rows, whole, side, length)
    check_ids(max(max(row.input_ids, default=0) for item in found.values() for row in item.rows), model)
    return list(found.values())


def known_prompts(model: Model, more: Sequence[str]) -> list[str]:
    """Prompts to try first: the default one, none, those that a person named, and those of the checkpoint."""
    declared = declared_meta(model).prompt
    return list(dict.fromkeys([declared, "", *more, *model.recipe.prompts.values()]))[:MOST_PROMPTS]


def known_cuts(model: Model) -> tuple[int, ...]:
    """Lengths at which texts may be cut by what the checkpoint declares, that of `encode` first."""
    usable = model.architecture.usable_length
    declared = model.checkpoint.declared_lengths().values()
    limits = [encode_limit(model), model.tokenizer.file_max_length, *declared, usable]
    return tuple(dict.fromkeys(min(limit, usable or limit) for limit in limits if limit and limit < 1_000_000))


def _encode(
    model: Model, records: Sequence[Record], name: str, prompt: str, *, lower_case: bool, declared: bool
) -> tuple[EncodedRow, ...]:
    tokenizer = model.tokenizer
    if declared and not lower_case:
        tokenizer = load_tokenizer(model.checkpoint)
    elif lower_case and not declared:
        records = [replace(row, text=row.text.lower(), pair=row.pair and row.pair.lower()) for row in records]
        prompt = prompt.lower()
    given = (replace(record, text=prompt + record.text) for record in records)
    return tuple(encode_rows(tokenizer, given, name, cut_to=None))


def cut_row(row: EncodedRow, cut_to: int, side: str) -> EncodedRow:
    """A row of one text without what is longer than a length; special tokens stay."""
    over = len(row) - cut_to
    if over <= 0:
        return row
    content = [index for index, special in enumerate(row.special_tokens_mask) if not special]
    away = set(content[:over] if side == "left" else content[-over:])
    return kept_row(row, [index for index in range(len(row)) if index not in away])


def kept_row(row: EncodedRow, kept: Sequence[int]) -> EncodedRow:
    """Some tokens of a row."""
    ids, types, special = (
        array(column.typecode, [column[index] for index in kept])
        for column in (row.input_ids, row.token_type_ids, row.special_tokens_mask)
    )
    return EncodedRow(ids, types, special, True, row.line, row.unit)


def strategies(model: Model) -> tuple[Strategy, ...]:
    """All of the table that give one vector per text, and each of them on every layer."""
    facts = pooling_facts(model.architecture, (1, 1, 1), "float32")
    if model.architecture.family is None:
        facts = replace(facts, has_pooler=True)  # Only a run shows it.
    names = []
    for name, strategy in STRATEGIES.items():
        if len(strategy.axes) == 2:
            names.append(name)
            if not strategy.layers_needed and name != "pooler":
                names += [f"{name}@{layer}" for layer in _layers(facts.num_hidden_layers)]
    chosen = select(names)
    return tuple(row for row in chosen if not isinstance(predict_shape(row, facts), Unavailable))


def _layers(count: int) -> list[int]:
    """The layers before the last, as they are written, and the embeddings."""
    return [*range(-2, -count - 1, -1), 0]


def ranges(model: Model, dimension: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Candidates made of those on single layers: neighbouring layers joined, and strategies side by side.

    Args:
        model: The model.
        dimension: Numbers of the vectors; only those of this size are joined side by side.
    """
    count = model.architecture.dimensions.num_hidden_layers
    size = model.architecture.dimensions.hidden_size
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    last = count + 2  # One after the last layer, counted with the embeddings.
    names = [row.name for row in STRATEGIES.values() if len(row.axes) == 2 and not row.layers_needed]
    for name in names:
        if name == "pooler":
            continue
        parts = [f"{name}@0", *(f"{name}@{index}" for index in range(-count, -1)), name]
        for start, end in combinations(range(last), 2):
            if end - start > 1 and (name in _RANGED or end == last - 1):
                begins = str(start - count - 1) if start else "0"
                ends = f"{begins}:{'' if end == count + 1 else end - count - 1}"
                for join in ("mean", "sum", "concat"):
                    found[f"{name}@{ends}:{join}"] = (join, tuple(parts[start:end]))
    if dimension % size == 0 and dimension // size in (2, 3):
        for chosen in permutations(SENTENCE_MODES, dimension // size):
            found["+".join(chosen)] = ("concat", chosen)
    return found


def rank(score: Score, tolerance: float, close: float) -> tuple[object, ...]:
    """Order of candidates: those that fit first, of these the declared and the simplest; the others by nearness.

    Args:
        score: The candidate.
        tolerance: Largest difference that passes; where numbers are rounded, another recipe may pass too.
        close: Largest difference that is no reason to put it after another that passes.
    """
    order = [DECLARED, *STRATEGIES]
    place = order.index(score.strategy) if score.strategy in order else len(order)
    if score.strategy == "second_to_last":
        place = len(order) + 1  # mean@-2 says which layer.
    simplest = (score.truncated, place, score.steps, score.normalized, ":" in score.strategy, score.variant)
    return (score.order(tolerance), score.difference > close, *simplest)
