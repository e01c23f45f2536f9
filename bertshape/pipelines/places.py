"""Which line of which file is to blame: of the contract for what it expects, of the checkpoint's files for findings."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.contract.lines import ContractLines
from bertshape.errors import BertshapeError
from bertshape.files import read_text
from bertshape.report.place import Place

if TYPE_CHECKING:
    from bertshape.pipelines.check_request import CheckRequest
    from bertshape.report.check import CheckReport, Outcome

_CONFIG = "config.json"


def with_places(report: CheckReport, request: CheckRequest) -> CheckReport:
    """The report with the place of each problem, as far as files that are here hold it."""
    contract = _contract(request)
    folder = Path(request.source.name or "")
    inside = folder if request.source.name and os.path.isdir(folder) else None
    named = None if contract is None else Place(request.contract, contract.entry())
    default = named if inside is None else _in_checkpoint(inside, None) or named
    places = {
        finding: place
        for finding in report.findings
        if (place := (None if inside is None else _in_checkpoint(inside, finding.where)) or default)
    }
    outcomes = tuple(_placed(outcome, request, contract, inside, default) for outcome in report.outcomes)
    return replace(report, place=named or default, places=places, outcomes=outcomes)


def _placed(
    outcome: Outcome, request: CheckRequest, contract: ContractLines | None, folder: Path | None, default: Place | None
) -> Outcome:
    if not outcome.problems or outcome.name == "soundness":
        return replace(outcome, place=default)
    if contract is not None:
        return replace(outcome, place=Place(request.contract, _line(outcome.name, request, contract)))
    key = re.split("[=<>!. ]", outcome.name)[0]
    found = None if folder is None else _in_checkpoint(folder, f"{_CONFIG} {key}")
    return replace(outcome, place=found or default)


def _line(name: str, request: CheckRequest, contract: ContractLines) -> int:
    """Line of what an outcome is about, by its name."""
    for item in request.expect:
        if name == str(item) or name.startswith(f"{item} for "):
            return contract.expectation(item)
    if name == "tokenizer":
        return contract.key("tokenizer")
    if name.startswith("tensor:"):
        return contract.key(name.removeprefix("tensor:").partition("=")[0])
    for case in request.cases:
        if name.endswith(f" for {case.label!r}") or name == f"run of {case.label!r}":
            return contract.text(case.text)
    return contract.entry()


def _contract(request: CheckRequest) -> ContractLines | None:
    if not request.contract:
        return None
    try:
        return ContractLines(read_text(Path(request.contract)), request.index)
    except BertshapeError:
        return None


def _in_checkpoint(folder: Path, where: str | None) -> Place | None:
    """The line that a finding blames: `config.json hidden_size` is that of the key; a file alone is its first line.

    What names no file, such as a tensor, is blamed on config.json, which says what the tensors should be.
    """
    name, _, key = (where or "").partition(",")[0].partition(" ")
    for file in (name, f"{name}/{_CONFIG}"):
        if name and os.path.isfile(folder / file):
            return Place(str(folder / file), _key_line(folder / file, key))
    found = [file for file in (_CONFIG, "modules.json") if os.path.isfile(folder / file)]
    return Place(str(folder / found[0])) if found else None


def _key_line(path: Path, key: str) -> int:
    """Line of a key of a JSON file, `outer.inner` being one in another; 1 where it is not there."""
    if not key or path.suffix != ".json":
        return 1
    try:
        text = read_text(path)
    except BertshapeError:
        return 1
    at = 0
    for part in key.split("."):
        found = re.compile(rf'"{re.escape(part)}"\s*:').search(text, at)
        if found is None:
            break
        at = found.start()
    return text.count("\n", 0, at) + 1
