"""docs/check.md lists every finding of every command, with its severity; the code is where the list comes from."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import bertshape
from bertshape.checkpoint.foreign_kinds import KINDS
from bertshape.soundness.purpose import _KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(bertshape.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "check.md"
SEVERITIES = {"error", "warning", "note"}
# Codes that no literal in a call of Finding says.
MADE = {
    **{key: {"note", "warning"} for key in _KINDS},
    **{key: {"note"} for key in ("tokenizer-settings", "config-settings", "model-settings")},
    **{key: {"error"} for key in ("tensors-missing", "tensors-unexpected")},
    "limit-cuts-too-many": {"error"},
}
ERRORS = ("checkpoint", "tokens", "predict", "files")
"""Rooms, and a file, whose errors mean that a checkpoint, or a part of it, cannot be read."""
ELSEWHERE = {"embedded-not-found", "model-empty", "model-name-invalid", "padding-needed", "revision-local"}
TENSOR_SUBJECTS = ("dtype", "entry", "offsets", "shape")
BEGINNINGS = {
    "file": ("-duplicate", "-json"),
    "weights-header": ("-duplicate", "-json", "-size"),
    "weights-index": ("-duplicate", "-json", "-size"),
}
ELSEWHERE |= {
    "output-failed",
    "text-not-unicode",
    "text-too-large",
    "max-length-too-small",
    "unknown-task",
    "tokenizer-no-padding",
}
"""Usage errors: of the command line and of texts, not of checkpoints."""


def calls(*rooms: str) -> Iterator[tuple[Path, ast.Call]]:
    for room in rooms:
        for path in sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield path, node


def words(node: ast.expr) -> set[str]:
    """Every text in an expression, such as those of both branches of a choice."""
    parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def findings_in_code() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for _, node in calls("soundness", "predict", "pipelines", "run"):
        if not isinstance(node.func, ast.Name) or node.func.id != "Finding" or len(node.args) < 2:
            continue
        for code in words(node.args[0]):
            found[code] |= words(node.args[1]) & SEVERITIES
    return found | {code: set(severities) for code, severities in MADE.items()}


def errors_in_code() -> set[str]:
    found = {kind.code for kind in KINDS} | {f"weights-tensor-{subject}" for subject in TENSOR_SUBJECTS}
    for path, node in calls(*ERRORS):
        if not path.stem.startswith("hub"):
            found |= {code for keyword in node.keywords if keyword.arg == "code" for code in words(keyword.value)}
    # Readers of JSON are given the beginning of a code.
    begun = {code for code in found if code in BEGINNINGS}
    found |= {f"{code}{ending}" for code in begun for ending in BEGINNINGS[code]}
    return found - begun - ELSEWHERE


def rows(heading: str) -> dict[str, list[str]]:
    """Rows of the table under a heading, by the code in their first cell."""
    section = PAGE.read_text().split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {line[0].strip().strip("`"): [cell.strip() for cell in line] for line in lines}


def test_the_page_lists_the_findings_of_the_code() -> None:
    listed, found = rows("## Findings"), findings_in_code()
    assert sorted(listed) == sorted(found)
    assert list(listed) == sorted(listed)


def test_each_finding_has_severity_example_and_what_to_do() -> None:
    found = findings_in_code()
    for code, (_, severities, example, action) in rows("## Findings").items():
        named = set(re.findall("[a-z]+", severities))
        assert named <= SEVERITIES, code
        assert found[code] <= named, code
        assert len(example) > 10, code
        assert len(action) > 5, code


def test_the_page_lists_the_errors_of_checkpoints() -> None:
    listed = rows("## What cannot be read")
    assert sorted(listed) == sorted(errors_in_code())
    for code, _, example, action in listed.values():
        assert min(map(len, (example, action))) > 3, code
    assert {row[1] for row in listed.values()} == {"1", "3", "1, 3"}
