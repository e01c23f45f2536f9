"""What differs between two checkpoints, or a checkpoint and a contract: meaning first, then tensors folded by layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.checkpoint.stored_values import unwatched
from bertshape.checkpoint.value_digests import part_digests
from bertshape.contract.folded_names import fold_names
from bertshape.pipelines import facts
from bertshape.pipelines.diff_sides import Side, read_side, source_of
from bertshape.pipelines.diff_texts import TextComparison, compare_texts
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.stored_names import common_names, renamed
from bertshape.report.envelope import envelope
from bertshape.report.inspect_document import finding_entries
from bertshape.report.shown import Shown
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertshape.checkpoint.stored_values import Read
    from bertshape.report import documents
    from bertshape.report.check import Scalar
    from bertshape.report.drift import Drift
    from bertshape.report.finding import Finding

STORED_NAME = "stored_name"
"""What a row about the name of one tensor is called."""


@dataclass(frozen=True)
class Change:
    """One thing on both sides; `None` where a side lacks it."""

    name: str
    before: Scalar
    after: Scalar

    @property
    def differs(self) -> bool:
        """Whether the sides disagree."""
        return self.before != self.after

    def to_dict(self) -> documents.Change:
        """The change as the JSON document holds it."""
        return {"before": self.before, "after": self.after}


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two sides, compared.

    Attributes:
        before: Name of the first side.
        after: Name of the second side.
        scalars: Every scalar that at least one side has.
        tensors: Tensors that differ, folded by layer.
        same_tensors: Number of tensors that do not.
        tokens_differing: Tokens that have another id, or that one side lacks; None where a side is a contract.
        tokenizer_differs: Whether the tokenizer files differ; None where that is not known.
        values_differing: Tensors of the same name and shape, or parts of the model, that hold other numbers, folded by
            layer; None where values were not compared.
        texts: What both give for texts.
        drift: What both make of a corpus; None where none was given.
        findings: What `check` says of the first side, and of the second.
    """

    before: str
    after: str
    scalars: tuple[Change, ...]
    tensors: tuple[Change, ...]
    same_tensors: int
    tokens_differing: int | None
    tokenizer_differs: bool | None
    values_differing: tuple[str, ...] | None = None
    texts: tuple[TextComparison, ...] = ()
    drift: Drift | None = None
    findings: tuple[tuple[Finding, ...], tuple[Finding, ...]] = ((), ())

    @property
    def ok(self) -> bool:
        """Whether the answer is good: nothing differs, or no more texts of a corpus change than may."""
        limited = self.drift is not None and self.drift.most is not None
        return self.drift.passes if limited and self.drift is not None else self.same

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        changed = any(change.differs for change in self.scalars) or bool(self.tensors)
        alike = all(text.same for text in self.texts)
        changed = changed or bool(self.tokens_differing) or bool(self.tokenizer_differs) or bool(self.values_differing)
        changed = changed or bool(self.drift and self.drift.changed)
        return alike and not changed

    @property
    def lacking(self) -> str | None:
        """Which side gives no stored tensor, and why, where the other gives some."""
        if not self.tensors or self.same_tensors:
            return None
        lacks_a, lacks_b = (all(getattr(row, side) is None for row in self.tensors) for side in ("before", "after"))
        if not lacks_a and not lacks_b:
            return None
        unread = any(found.code.startswith("weights-") for found in self.findings[0 if lacks_a else 1])
        letter = "A" if lacks_a else "B"
        return f"the weights of {letter} cannot be read" if unread else f"{letter} stores no weights"

    def brief(self) -> str:
        """The result in one line."""
        facts_differing = sum(change.differs for change in self.scalars)
        differ = f"{counted(facts_differing, 'fact')} and {counted(len(self.tensors), 'tensor')} differ"
        return f"{self.before!r}, {self.after!r}: {'the same' if self.same else differ}"

    def to_dict(self) -> documents.DiffDocument:
        """The JSON document, as plain dicts and lists."""
        return {
            **envelope(ok=self.ok),
            "before": self.before,
            "after": self.after,
            "differences": {change.name: change.to_dict() for change in self.scalars if change.differs},
            "equal": {change.name: change.before for change in self.scalars if not change.differs},
            "tensors": {change.name: change.to_dict() for change in self.tensors},
            "same_tensors": self.same_tensors,
            "tokens_differing": self.tokens_differing,
            "tokenizer_differs": self.tokenizer_differs,
            "values_differing": None if self.values_differing is None else list(self.values_differing),
            "texts": [text.to_dict() for text in self.texts],
            "drift": self.drift.to_dict() if self.drift else None,
            "findings": {"before": finding_entries(self.findings[0]), "after": finding_entries(self.findings[1])},
        }


def diff(
    before: str,
    after: str,
    texts: Sequence[str] = (),
    *,
    offline: bool = False,
    values: bool = False,
    read: Read = unwatched,
    events: Events = SILENT,
) -> Comparison:
    """Compare two checkpoints, or a checkpoint and a contract file, and what two checkpoints give for texts.

    Args:
        before: One side: folder, Hub id (`NAME@REVISION`), embedded name or contract file.
        after: The other side.
        texts: Texts to give to both.
        offline: Use the Hub's cache alone.
        values: Compare the stored numbers too.
        read: Takes how far reading them is.
        events: Who watches a run.

    Raises:
        BertshapeError: A side cannot be read, or cannot take a text.
    """
    compared = compare(*(read_side(side, offline=offline, values=values, read=read) for side in (before, after)))
    if not texts:
        return compared
    return replace(
        compared, texts=compare_texts((source_of(before, offline), source_of(after, offline)), texts, events)
    )


def compare(before: Side, after: Side) -> Comparison:
    """Compare two sides, a tensor that both store under two names as one."""
    stored_names = _stored_names(before, after)
    before, after = _renamed(before, after), _renamed(after, before)
    names = dict.fromkeys((*facts.SCALAR_NAMES, *before.scalars, *after.scalars))
    # What a contract does not speak of is nothing that differs.
    spoken = [side.scalars.keys() for side in (before, after) if side.is_contract]
    named = [name for name in names if all(name in keys for keys in spoken)]
    changes = [Change(name, before.scalars.get(name), after.scalars.get(name)) for name in named] + stored_names
    tokens = None
    if before.vocabulary is not None and after.vocabulary is not None:
        tokens = len({token for token, _ in before.vocabulary.items() ^ after.vocabulary.items()})
    known = before.tokenizer is not None and after.tokenizer is not None
    shared = before.tensors.items() & after.tensors.items()
    return Comparison(
        before=before.name,
        after=after.name,
        scalars=tuple(change for change in changes if (change.before, change.after) != (None, None)),
        tensors=_tensor_changes(before.tensors, after.tensors),
        same_tensors=len(shared),
        tokens_differing=tokens,
        tokenizer_differs=before.tokenizer != after.tokenizer if known else None,
        values_differing=_values_differing(before, after),
        findings=(before.findings, after.findings),
    )


def _renamed(side: Side, other: Side) -> Side:
    names = common_names(side.loaded, other.loaded)
    values = None if side.values is None else renamed(side.values, names)
    return replace(side, tensors=renamed(side.tensors, names), values=values)


def _stored_names(before: Side, after: Side) -> list[Change]:
    """The first tensor that two checkpoints store under two names, which readers other than transformers may miss."""
    if before.is_contract or after.is_contract:
        return []
    theirs = {loaded: name for name, loaded in after.loaded.items()}
    pairs = ((name, theirs[loaded]) for name, loaded in before.loaded.items() if loaded in theirs)
    return [Change(STORED_NAME, *pair) for pair in pairs if pair[0] != pair[1]][:1]


def _values_differing(before: Side, after: Side) -> tuple[str, ...] | None:
    if before.values is None or after.values is None:
        return None
    one, other = before.values, after.values
    if before.is_contract or after.is_contract:
        one = one if before.is_contract else part_digests(one)
        other = other if after.is_contract else part_digests(other)
    # What one side lacks, or has in another shape, is said of the tensors already.
    names = [name for name in one if name in other and one[name] != other[name]]
    return tuple(fold_names(dict.fromkeys(names, ())))


def _tensor_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Differing tensors, those of several layers in one line where they differ alike."""
    kinds: list[tuple[str | None, str | None]] = []
    indexed: dict[str, tuple[int, ...]] = {}
    for name in dict.fromkeys((*before, *after)):
        kind = (before.get(name), after.get(name))
        if kind[0] == kind[1]:
            continue
        if kind not in kinds:
            kinds.append(kind)
        indexed[name] = (kinds.index(kind),)
    return tuple(Change(name, *kinds[kind]) for name, (kind,) in fold_names(indexed).items())
