"""Verdicts on mutants of all families agree with `output_loading_info`: no false alarm, and nothing missed.

`python -m tests.differential --area verdicts --seconds 600` goes on for as long as one wants.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.differential import verdicts
from tests.differential.mutants import CHANGES, build_sound, classes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEED = 14
OF_A_CLASS = len(CHANGES)


@pytest.mark.parametrize("model_type", sorted(classes()))
def test_verdicts_are_those_of_transformers(
    model_type: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Each change of the base model or of a head, by chance; every family has its share of both."""
    chance, count, found = random.Random(f"{SEED} {model_type}"), Counter[str](), []
    base, *heads = classes()[model_type]
    drawn = [build_sound(model_type, name) for name in (base, *([chance.choice(heads)] if heads else []))]
    with verdicts.quiet():
        for change in CHANGES:
            mutant = change(chance.choice(drawn), chance)
            if mutant is not None:
                count[mutant.kind] += 1
                found.append(verdicts.disagreement(mutant, tmp_path))
    print(f"{model_type}: {count.total()} mutants, {dict(count)}")
    record_property("mutants", count.total())
    assert count.total() >= OF_A_CLASS - 2  # Some have no LayerNorm, or no vocabulary.
    assert list(filter(None, found)) == []


def test_a_rule_that_says_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail, either way."""
    sound = build_sound("bert", "BertForMaskedLM")
    mutant = CHANGES[0](sound, random.Random(0))
    assert mutant is not None
    lacking = replace(mutant, state={name: row for name, row in mutant.state.items() if ".0.output" not in name})
    with verdicts.quiet():
        assert verdicts.disagreement(mutant, tmp_path) is None
        assert verdicts.disagreement(lacking, tmp_path) is None
        monkeypatch.setattr(verdicts, "check_soundness", lambda *_: [])
        assert "bertshape:    Word(level='clean'" in str(verdicts.disagreement(lacking, tmp_path))
