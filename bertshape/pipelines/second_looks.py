"""What `which` tries on a few texts where nothing fits: usual prompts, other cuts, other tokens, padding pooled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from bertshape.pipelines.candidates import MOST_PROMPTS, USUAL_CUTS, cut_row, kept_row, variants
from bertshape.run.recipes import DECLARED, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bertshape.corpus.text_file import Record
    from bertshape.pipelines.candidates import Tokenized
    from bertshape.pipelines.model import Model
    from bertshape.run.recipes import Score, ScoreJob
    from bertshape.run.runner import Runner
    from bertshape.tokens.encode import EncodedRow

USUAL_PROMPTS = (
    "query: ",
    "passage: ",
    "search_query: ",
    "search_document: ",
    "clustering: ",
    "classification: ",
    "Query: ",
    "Represent this sentence for searching relevant passages: ",
    "Represent this query for searching relevant passages: ",
    "为这个句子生成表示以用于检索相关文章：",
    "title: none | text: ",
    "task: search result | query: ",
    "task: sentence similarity | query: ",
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:",
)
"""Prompts of the model cards of e5, BGE, nomic, mxbai, EmbeddingGemma and Qwen3."""
_EDITS: Mapping[str, Callable[[str], str]] = {
    "each line break is a blank": lambda text: text.replace("\n", " "),
    "blanks at both ends of a text are left out": str.strip,
    "white space in a row is one blank": lambda text: " ".join(text.split()),
}
_FEW = 4
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
_STEPS = 12


@dataclass(frozen=True)
class Looks:
    """What was found so far.

    Attributes:
        tokenized: The ways of making tokens that were tried.
        scores: The candidates.
        lacks: What fits on the texts that it was tried on, in words.
        alone: Whether only runs of one text at a time give the vectors.
    """

    tokenized: tuple[Tokenized, ...]
    scores: tuple[Score, ...]
    lacks: tuple[str, ...] = ()
    alone: bool = False


@dataclass(frozen=True)
class SecondLooks:
    """Looks again, until something fits.

    Attributes:
        model: The model.
        runner: What runs it.
        job: What to compare.
        records: The texts.
        name: What messages call them.
        whole: Whether these are all texts, so that their batches can be made again.
    """

    model: Model
    runner: Runner
    job: ScoreJob
    records: Sequence[Record]
    name: str
    whole: bool

    def look(self, found: Looks) -> Looks:
        """What fits, where nothing did; the same where nothing does."""
        for look in (self._prompts, self._cuts, self._alone, self._edits, self._tokens, self._padding):
            if found.lacks or self._fits(found.scores) or any(row.lacks for row in found.scores):
                return found
            found = look(found)
        return found

    def _fits(self, scores: Sequence[Score]) -> bool:
        return any(score.difference <= self.job.tolerance for score in scores)

    def _score(self, indices: Sequence[int], tried: Sequence[Variant], batch_size: int = 32) -> tuple[Score, ...]:
        job = replace(self.job, given=self.job.given[list(indices)], batch_size=batch_size)
        job = replace(job, places=tuple(self.job.places[index] for index in indices))
        return self.runner.score(tried, job)

    def _fitting(self, indices: Sequence[int], tried: Variant, batch_size: int = 32) -> Score | None:
        """The plainest that fits on these texts."""
        scores = [row for row in self._score(indices, [tried], batch_size) if row.difference <= self.job.tolerance]
        return min(scores, key=lambda row: (row.strategy != DECLARED, row.truncated, len(row.strategy)), default=None)

    def _best(self, found: Looks) -> Score:
        """The candidate that fits for most texts."""
        return max(found.scores, key=lambda row: sum(value <= self.job.tolerance for value in row.row_differences))

    def _shortest(self, rows: Sequence[EncodedRow], least: int = 0) -> list[int]:
        """Indices of a few short rows, no two alike."""
        order = {rows[index].input_ids.tobytes(): index for index in range(len(rows)) if len(rows[index]) > least}
        return sorted(sorted(order.values(), key=lambda index: len(rows[index]))[:_FEW])

    def _prompts(self, found: Looks) -> Looks:
        if any(value <= self.job.tolerance for row in found.scores for value in row.row_differences):
            return found  # Some texts fit as they are.
        few = self._shortest(found.tokenized[0].whole)
        records = [self.records[index] for index in few]
        known = {way.meta.prompt for way in found.tokenized}
        prompts = [prompt for prompt in USUAL_PROMPTS if prompt not in known]
        tried = variants(self.model, records, self.name, prompts)
        fitting = self._fitting_prompts(few, tried)
        if not fitting and self.job.padding_side == "left":
            # Padding on the left moves positions. The longest text of all has none, in batches of any size.
            longest = max(range(len(self.records)), key=lambda index: len(found.tokenized[0].rows[index]))
            tried = variants(self.model, [self.records[longest]], self.name, prompts)
            fitting = self._fitting_prompts([longest], tried)
        if not fitting:
            return found
        return self._add(found, variants(self.model, self.records, self.name, fitting[:MOST_PROMPTS]))

    def _fitting_prompts(self, indices: Sequence[int], tried: Sequence[Tokenized]) -> list[str]:
        scores = self._score(indices, [Variant(way.rows, way.prompt_length) for way in tried])
        fitting = (tried[row.variant].meta.prompt for row in scores if row.difference <= self.job.tolerance)
        return list(dict.fromkeys(fitting))

    def _add(self, found: Looks, more: Sequence[Tokenized]) -> Looks:
        added = self.runner.score([Variant(way.rows, way.prompt_length) for way in more], self.job)
        moved = tuple(replace(row, variant=row.variant + len(found.tokenized)) for row in added)
        return replace(found, tokenized=(*found.tokenized, *more), scores=(*found.scores, *moved))

    def _cuts(self, found: Looks) -> Looks:
        """Seek the length at which the long texts were cut, where the short ones fit or none does."""
        best = self._best(found)
        base = found.tokenized[best.variant]
        allowed = self.job.tolerance
        fits = [len(row) for row, value in zip(base.whole, best.row_differences, strict=True) if value <= allowed]
        fails = [index for index, value in enumerate(best.row_differences) if value > allowed]
        index = min(fails, key=lambda index: len(base.whole[index]))
        between = range(max(fits, default=3), len(base.whole[index]))
        if not between:
            return found
        for side in (base.side, "left" if base.side == "right" else "right"):
            cut = self._seek(base.whole[index], index, best, between, side)
            if cut is not None and side == base.side:
                return self._add(found, [base.cut_again(cut[0])])
            if cut is not None:
                end = "beginning" if side == "left" else "end"
                return self._fitted(found, cut[1], f"texts are cut to {cut[0]} tokens at their {end}", base)
        return found

    def _seek(self, row: EncodedRow, index: int, best: Score, between: range, side: str) -> tuple[int, Score] | None:
        """The cut by which one text gets its vector, and how: the nearest of some, then of those around it."""
        step = max(1, len(between) // _STEPS)
        cuts = sorted({*between[::step], *(cut for cut in USUAL_CUTS if cut in between)})
        while True:
            # One by one: which of the ways to scale fits is seen at the right cut alone.
            scores = self._score([index], [Variant((cut_row(row, cut, side),)) for cut in cuts])
            same = [score for score in scores if score.strategy == best.strategy] or scores
            near = min(same, key=lambda score: score.difference)
            cut = cuts[near.variant]
            if near.difference <= self.job.tolerance:
                return cut, near
            if step == 1:
                return None
            around = range(max(cut - step, between[0]), min(cut + step, between[-1]) + 1)
            step = step // _STEPS or 1
            cuts = list(around[::step])

    def _alone(self, found: Looks) -> Looks:
        """Padding may change what this model gives: one text at a time there is none."""
        tried = [Variant(way.rows, way.prompt_length) for way in found.tokenized]
        count = 1 if self.job.padding_side == "right" else len(tried)
        first = self.runner.score(tried[:count], replace(self.job, batch_size=1))
        return replace(found, scores=(*first, *found.scores), alone=True) if self._fits(first) else found

    def _edits(self, found: Looks) -> Looks:
        best = self._best(found)
        way = found.tokenized[best.variant]
        for words, edit in _EDITS.items():
            changed = [
                index
                for index, record in enumerate(self.records)
                if best.row_differences[index] > self.job.tolerance and edit(record.text) != record.text
            ]
            few = sorted(changed, key=lambda index: len(way.whole[index]))[:_FEW]
            records = [replace(self.records[index], text=edit(self.records[index].text)) for index in few]
            for edited in variants(self.model, records, self.name, [way.meta.prompt]) if records else ():
                before = tuple(way.rows[index].input_ids for index in few)
                score = self._fitting(few, Variant(edited.rows, edited.prompt_length))
                if score is not None and before != tuple(row.input_ids for row in edited.rows):
                    return self._fitted(found, score, words, way)
        return found

    def _tokens(self, found: Looks) -> Looks:
        way = found.tokenized[0]
        few = self._shortest(way.whole, 3)
        ends = {"without special tokens": None, "without the first token": 0, "without the last token": -1}
        for words, end in ends.items():
            rows = tuple(_less(way.whole[index], end) for index in few)
            lengths = [len(row) for row in rows]
            if few and min(lengths) > 0 and max(lengths) < max(len(way.whole[index]) for index in few):
                score = self._fitting(few, Variant(rows, 0))
                if score is not None:
                    return self._fitted(found, score, f"texts are tokenized {words}", way)
        return found

    def _padding(self, found: Looks) -> Looks:
        """Padding that takes part: in batches of the order of the texts, or up to a fixed length."""
        rows = found.tokenized[0].rows
        tried: list[tuple[str, list[int], dict[str, Any], int]] = []
        for size in [*(size for size in _BATCHES if size < len(rows)), len(rows)] if self.whole else []:
            first = list(range(size))
            if len({len(row) for row in rows[:size]}) > 1:
                tried.append((f"batches of {size} in the order of the texts", first, {"in_order": True}, size))
        few = self._shortest(rows)
        longest, usable = max(len(rows[index]) for index in few), self.model.architecture.usable_length or 512
        for length in sorted({64, 128, 256, 512, *(way.meta.cut_to or 64 for way in found.tokenized)}):
            if longest < length <= min(usable, 512):
                tried.append((f"rows of {length} tokens", few, {"pad_to": length}, 32))
        ways: tuple[tuple[Literal["in the model", "nowhere"], str], ...]
        ways = ("in the model", "is pooled too"), ("nowhere", "is attended too")
        for masked, words in ways:
            for where, indices, how, size in tried:
                variant = Variant(tuple(rows[index] for index in indices), 0, masked, **how)
                score = self._fitting(indices, variant, size)
                if score is not None and how.get("in_order"):  # The first texts may fit in several sizes.
                    score = self._fitting(range(len(rows)), replace(variant, rows=rows), size)
                if score is not None:
                    return self._fitted(found, score, f"padding {words}, in {where}", found.tokenized[0])
        return found

    def _fitted(self, found: Looks, score: Score, words: str, way: Tokenized) -> Looks:
        """What fits, and as the nearest the same strategy on the tokens of all texts as they are."""
        parts = self.job.ranges.get(score.strategy, ("", (score.strategy,)))[1]
        ranges = {name: how for name, how in self.job.ranges.items() if name == score.strategy}
        chosen = tuple(row for row in self.job.strategies if row.name in parts)
        job = replace(self.job, strategies=chosen, ranges=ranges)
        same = [
            replace(row, variant=found.tokenized.index(way))
            for row in self.runner.score([Variant(way.rows, way.prompt_length)], job)
            if (row.strategy, row.steps) == (score.strategy, score.steps)
        ]
        name = "the declared recipe" if score.strategy == DECLARED else score.strategy
        name += ", normalised" if score.normalized else ""
        others = [
            row for row in found.scores if all((row.strategy, row.variant) != (it.strategy, it.variant) for it in same)
        ]
        return replace(found, scores=(*same, *others), lacks=(f"{name} is right for the texts tried where {words}",))


def _less(row: EncodedRow, end: int | None) -> EncodedRow:
    """A row without its special tokens, or without its first or last token where that is one."""
    special = row.special_tokens_mask
    if end is None:
        return kept_row(row, [index for index in range(len(row)) if not special[index]])
    last = end % len(row)
    return kept_row(row, [index for index in range(len(row)) if index != last or not special[index]])
