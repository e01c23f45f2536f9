"""The import table of docs/architecture.md, held to the code; and what is not imported while a command runs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import SECONDS

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "bertshape"
OUTSIDE = {
    "torch": {"forward"},
    "transformers": {"forward", "tokenizer"},
    "huggingface_hub": {"hub"},
    "tokenizers": {"tokenizer", "tokenization"},
    "typer": {"cli"},
    "rich": {"rendering", "cli"},
    "pyarrow": {"profiling"},
    "numpy": {"forward", "soundness"},
}
HEAVY = ("torch", "transformers", "numpy", "huggingface_hub", "safetensors")


def table() -> dict[str, set[str]]:
    """The table: module -> modules it may import."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|[^|]+\|([^|]*)\|$", text, flags=re.MULTILINE)
    return {module: set(re.findall(r"`(\w+)`", allowed)) for module, allowed in rows}


def module_of(path: Path) -> str:
    """The row of the table that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every import of a file, those inside functions included, and whether it is for type checkers alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide from this test"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found += [(name, id(node) in typing_only) for name in names]
    return found


FILES = sorted(path for path in PACKAGE.rglob("*.py") if module_of(path) not in ("__init__", "__main__"))


def test_every_module_has_a_row() -> None:
    assert {module_of(path) for path in FILES} == set(table())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_keep_to_the_table(path: Path) -> None:
    own = module_of(path)
    allowed = table()[own] | {own, "__version__"}
    inside = {name.split(".")[1] for name, _ in imports(path) if name.startswith("bertshape.")}
    assert inside <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_outside_packages_have_one_importer(path: Path) -> None:
    own = module_of(path)
    for name, typing_only in imports(path):
        allowed = OUTSIDE.get(name.split(".")[0])
        assert typing_only or allowed is None or own in allowed, f"{own} imports {name}"


def imported_by(*arguments: str) -> set[str]:
    """Heavy packages that a command line has imported when it ends."""
    code = (
        "import sys; from bertshape.cli.main import run; code = run(sys.argv[1:]);"
        f"print('HEAVY', *[name for name in {HEAVY} if name in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["inspect", "--help"],
        ["poolings"],
        ["families"],
        ["inspect", "a text", "--weights", "none"],
        ["inspect", "a text", "--weights", "none", "--json"],
        ["inspect", "a text", "--weights", "none", "--format", "markdown"],
    ],
    ids=" ".join,
)
def test_torch_free_commands_import_nothing_heavy(arguments: list[str]) -> None:
    assert imported_by(*arguments) == set()


def test_prediction_on_a_real_checkpoint_imports_nothing_heavy(minilm: Path) -> None:
    assert imported_by("inspect", "a text", "--model", str(minilm), "--weights", "none") == set()


def test_the_test_above_can_fail() -> None:
    """A real run does import torch, and the same check sees it."""
    assert {"torch", "transformers"} <= imported_by("inspect", "a", "--model", "embedded:bert-tiny-uncased")


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sys, bertshape; from bertshape import inspect_texts; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=SECONDS)
