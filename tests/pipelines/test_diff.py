"""What `diff` counts, on small checkpoints; tests/pipelines/test_check.py has it on real ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.hostile.model import VOCABULARY, sound, tokenizer_json

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Command


@pytest.mark.parametrize(
    ("before", "after", "differing"),
    [
        (VOCABULARY, VOCABULARY, 0),
        (VOCABULARY, (*VOCABULARY, "more"), 1),
        ((*VOCABULARY, "more"), VOCABULARY, 1),
        ((*VOCABULARY, "one"), (*VOCABULARY, "other"), 2),
        ((*VOCABULARY, "one", "two"), (*VOCABULARY, "two", "one"), 2),
    ],
    ids=["none", "one more", "one less", "another", "exchanged"],
)
def test_tokens_of_both_sides_are_counted(
    run_cli: Command, tmp_path: Path, before: tuple[str, ...], after: tuple[str, ...], differing: int
) -> None:
    """A token counts that one side lacks, whichever it is, and one that has another id."""
    for name, vocabulary in (("before", before), ("after", after)):
        (sound(tmp_path / name) / "tokenizer.json").write_text(tokenizer_json(vocabulary))
    done = run_cli("diff", "before/m", "after/m", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["tokens_differing"] == differing
    assert done.returncode == (1 if differing else 0)
