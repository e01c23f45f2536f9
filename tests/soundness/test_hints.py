"""What a hint says is done as it stands: then the finding is gone. And what `check` finds, `inspect` finds too."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.soundness.editing import settings
from tests.soundness.test_broken import BROKEN
from tests.soundness.test_cases import CASES, rows
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Command
    from tests.soundness.editing import Tiny

ELSEWHERE = re.compile(
    r"original checkpoint|[Dd]ownload|lfs pull|Save the model again|Run that code|Use the code|Take it for what|Look up"
    r"|pip install|Merge the two|config\.json and the weights belong|Do not use pooler_output|Quantize the model again"
    r"|Restore model_type|Pass the checkpoint that holds|Use the tokenizer that belongs|Compare with|Restore num_att"
    r"|as it is in the original|Correct id2label in config\.json, or remove it|Restore (the|d_head)|^$"
)
"""Hints that ask for what is not in the folder: another file, another package, a decision of a person's own."""


def _config(folder: Path) -> Any:
    return json.loads((folder / "config.json").read_text())


def _python(folder: Path, found: re.Match[str]) -> None:
    exec(shlex.split(found[0])[2], {})


def _relabel(folder: Path, _: re.Match[str]) -> None:
    names = _config(folder)["id2label"].values()
    named = {str(number): name for number, name in enumerate(names)}
    settings("config.json", id2label=named, label2id={name: int(number) for number, name in named.items()})(folder)


def _invert(folder: Path, _: re.Match[str]) -> None:
    labels = {name: int(number) for number, name in _config(folder)["id2label"].items()}
    settings("config.json", label2id=labels)(folder)


def _labels(folder: Path, found: re.Match[str]) -> None:
    named = {str(number): f"L{number}" for number in range(int(found[1]))}
    labels = {name: int(number) for number, name in named.items()}
    settings("config.json", id2label=named, label2id=labels)(folder)


def _distinct(folder: Path, _: re.Match[str]) -> None:
    _labels(folder, re.match("(.)", str(len(_config(folder)["id2label"]))))  # type: ignore[arg-type]


def _json(folder: Path, found: re.Match[str]) -> None:
    settings("config.json", **json.loads(f"{{{found[1]}}}"))(folder)


def _number(folder: Path, found: re.Match[str]) -> None:
    outer, _, key = found[1].rpartition(".")
    path = folder / found[3]
    document = json.loads(path.read_text())
    (document[outer] if outer else document)[key] = int(found[2])
    path.write_text(json.dumps(document))


ACTIONS: tuple[tuple[str, Callable[[Path, re.Match[str]], object]], ...] = (
    (r"python -c .*", _python),
    (r"Set ([\w.]+) to (\d+) in ([\w.]+\.json)", _number),
    (r"Number the \d+ labels from 0", _relabel),
    (r"Write label2id in config\.json as id2label turned around", _invert),
    (r"Give id2label in config\.json (\d+) entries", _labels),
    (r"Give each label of id2label a name of its own", _distinct),
    (r"(?:Add|Write) (\"\w+\": .*?)(?:,? (?:in|to) config\.json)", _json),
)


def _build(name: str, folder: Path, sound: Tiny, tiny: Tiny) -> None:
    if name in CASES:
        CASES[name].build(folder, tiny)
        return
    broken = BROKEN[name]
    edited_copy(sound(broken.base), folder, **broken.config)
    if broken.edit is not None:
        broken.edit(folder)


def _found(folder: Path, run_cli: Command) -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in rows(json.loads(run_cli("check", str(folder), "--json").stdout))}


def _carry_out(hint: str, folder: Path) -> bool:
    """Whether it could be done."""
    for pattern, action in ACTIONS:
        found = re.search(pattern, hint)
        if found is not None:
            action(folder, found)
            return True
    return False


DONE_HERE = {
    "dimension-mismatch",
    "head-missing",
    "label-maps-disagree",
    "label-numbers",
    "labels-mismatch",
    "layers-mismatch",
    "length-exceeds-positions",
    "model-type-missing",
    "names-prefixed",
    "pad-id-disagrees",
    "tensors-nested",
}
"""Findings whose hints need nothing else than the folder."""


@pytest.mark.parametrize("name", [*CASES, *BROKEN])
def test_a_hint_that_can_be_done_here_helps(
    name: str, sound: Tiny, tiny: Tiny, tmp_path: Path, run_cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "it"
    _build(name, folder, sound, tiny)
    code = CASES[name].code if name in CASES else BROKEN[name].code
    document = run_cli("inspect", "a text", "--model", str(folder), "--weights", "none", "--json")
    found = _found(folder, run_cli)
    _says_the_same(found, json.loads(document.stdout).get("findings"), json.loads(document.stdout))
    compared = json.loads(run_cli("diff", str(folder), str(tiny("bert")), "--json").stdout)
    _says_the_same(found, compared.get("findings", {}).get("before"), compared)
    hint = found[code]["hint"]
    monkeypatch.chdir(folder if folder.is_dir() else tmp_path)
    passed = re.search(r"Pass (?:one of them|the folder below it|them)?.*?: (/\S+?)\.?$", hint)
    if name == "11 an adapter alone":
        assert "merge_and_unload" in hint  # It needs peft, and the base model.
    elif passed is not None:
        assert code not in _found(Path(passed[1]), run_cli)
    elif _carry_out(hint, folder):
        assert code not in _found(folder, run_cli)
    else:
        assert code not in DONE_HERE
        assert ELSEWHERE.search(hint), hint


def _says_the_same(found: dict[str, dict[str, str]], findings: Any, document: Any) -> None:
    """What `check` says of the checkpoint, `inspect` and `diff` say too; only a run needs weights."""
    if "error" in document:
        assert document["error"]["code"] in found
        return
    of_check = {"weights-missing"}
    assert set(found) - of_check <= {row["code"] for row in findings}
