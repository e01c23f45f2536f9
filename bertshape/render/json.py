"""JSON: documents as text, and the documents of tables. Never through Rich, which would wrap and colour it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bertshape.report.envelope import envelope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bertshape.pipelines.doctor import Fact
    from bertshape.pooling.strategy import Strategy
    from bertshape.predict.family import Family, Length
    from bertshape.report import documents

_LENGTHS: Mapping[Length, documents.FittingLength] = {
    "positions": "positions",
    "positions - pad_token_id - 1": "positions_after_pad_token_id",
    "unbounded": "unbounded",
}


def render_json(document: Mapping[str, object], *, indent: bool = False) -> str:
    """A document as text, in ASCII alone, so that no terminal or pipe can harm it.

    Args:
        document: The document.
        indent: A line for each value, for people; else all on one line, for programs.
    """
    separators = None if indent else (",", ":")
    return json.dumps(document, indent=2 if indent else None, separators=separators, allow_nan=False) + "\n"


def families_document(families: Sequence[Family]) -> documents.FamiliesDocument:
    """The table of families."""
    rows: dict[str, documents.FamilyEntry] = {
        family.model_type: {
            "group": family.group,
            "causal_when": list(family.causal_when),
            "grouped_heads": family.groups_heads,
            "window": family.window,
            "pooler": "pooler_output" in family.outputs,
            "token_type_ids": family.token_type_ids,
            "length": _LENGTHS[family.length],
            "unbounded_when": family.unbounded_when,
            "outputs": list(family.outputs),
            "observed_only": list(family.ever_observed_only),
        }
        for family in families
    }
    return {**envelope(ok=True), "families": rows}


def poolings_document(strategies: Iterable[Strategy], grammar: str) -> documents.PoolingsDocument:
    """The table of strategies."""
    rows: dict[str, documents.PoolingEntry] = {
        strategy.name: {
            "axes": list(strategy.axes),
            "formula": strategy.formula,
            "over": strategy.over(),
            "source": strategy.source,
        }
        for strategy in strategies
    }
    return {**envelope(ok=True), "grammar": grammar, "poolings": rows}


def doctor_document(facts: Sequence[Fact], *, usable: bool) -> documents.DoctorDocument:
    """What `doctor` found.

    Args:
        facts: All facts.
        usable: Whether bertshape works here; the exit code says the same.
    """
    rows: list[documents.DoctorFact] = [
        {
            "area": fact.area,
            "name": fact.name,
            "value": fact.value,
            "state": fact.state,
            "meaning": fact.meaning,
            "numbers": dict(fact.numbers),
        }
        for fact in facts
    ]
    return {**envelope(ok=usable), "facts": rows}
