"""Results in a real notebook kernel, and the types of the public API as pyright sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import bertshape
from tests.support.command_line import SECONDS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CELLS = (
    "from bertshape import check_checkpoint, diff_checkpoints, inspect_texts",
    "inspect_texts('A text.', model='embedded:bert-tiny-uncased', weights='none')",
    "check_checkpoint('embedded:bert-tiny-uncased')",
    "diff_checkpoints('embedded:bert-tiny-uncased', 'embedded:bert-mini-uncased')",
)

TYPED = """
from bertshape import (
    BertshapeError,
    CheckpointContract,
    CheckReport,
    Comparison,
    Embedder,
    EmbedReport,
    ExitCode,
    Finding,
    MemoryReport,
    ProfileReport,
    Report,
    WhichReport,
    __version__,
    check_checkpoint,
    diff_checkpoints,
    embed_texts,
    inspect_texts,
    memory_of,
    probe_texts,
    profile_files,
    profile_texts,
    snapshot_checkpoint,
    which_recipe,
)

report: Report = inspect_texts(["a"], weights="none")
dtype: str = report.to_dict()["checkpoint"]["dtype"]
sizes: tuple[int, ...] = report.outputs["last_hidden_state"].shape.sizes
checked: CheckReport = check_checkpoint("m", "hidden_size=1", run=False)
passed: bool = checked.to_dict()["checkpoints"][0]["passed"]
compared: Comparison = diff_checkpoints("a", "b")
same: int = compared.to_dict()["same_tensors"]
written: EmbedReport = embed_texts(["a"], "v.npz", model="m")
texts: int = written.to_dict()["texts"]
size: int = Embedder("m", pooling="mean").encode(["a"]).shape[1]
columns: list[str] = list(Embedder("m")({"text": ["a"]}))
found: WhichReport = which_recipe("v.npy", ["a"], model="m")
passed_over: bool = found.to_dict()["ok"]
room: MemoryReport = memory_of("m", fit="24GB")
known: bool = room.to_dict()["ok"]
probes: tuple[str, ...] = probe_texts("m")
version: str = __version__
counted: ProfileReport = profile_files("a.txt")
more: ProfileReport = profile_texts(["a b"])
contract: CheckpointContract = snapshot_checkpoint("m")
first: Finding = report.findings[0]
code: ExitCode = ExitCode.OK
try:
    print(counted.to_dict()["schema_version"], contract.model, first.hint, code)
except BertshapeError as error:
    print(error.hint)
"""


def test_a_kernel_shows_pages() -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=int(SECONDS), kernel_name="python3").execute()
    for cell in notebook.cells[1:]:
        (output,) = cell.outputs
        assert "<table" in output.data["text/html"]
        assert output.data["text/plain"].startswith("<")
        assert "\n" not in output.data["text/plain"]


def test_pyright_takes_the_api_and_no_misspelt_name(tmp_path: Path) -> None:
    assert [name for name in bertshape.__all__ if name not in TYPED] == []
    pytest.importorskip("pyright")
    (tmp_path / "good.py").write_text(TYPED)
    wrong = ("from bertshape import inspect_text\n", TYPED.replace('["same_tensors"]', '["same_tensor"]'))
    for number, text in enumerate((*wrong, TYPED.replace("report.outputs", "report.output"))):
        (tmp_path / f"wrong_{number}.py").write_text(text)
    settings = {"typeCheckingMode": "strict", "include": ["."]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    if not done.stdout.startswith("{"):
        pytest.skip("pyright cannot fetch its Node.js here")
    found = json.loads(done.stdout)["generalDiagnostics"]
    problems = [item for item in found if item["severity"] == "error"]
    assert [item["message"] for item in problems if item["file"].endswith("good.py")] == []
    assert {item["file"][-10:] for item in problems} == {f"wrong_{number}.py"[-10:] for number in range(3)}
