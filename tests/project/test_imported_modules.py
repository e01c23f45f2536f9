"""What each command imports, pinned: a guard of speed that is no timer. An import that is not listed here fails.

A name is added with its reason, or its import moves to where it is needed.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.checkpoints import minilm_folder
from tests.support.command_line import SECONDS

if TYPE_CHECKING:
    from pathlib import Path

# Why each package from outside is there, in the commands that run no model.
REASONS = {
    "typer": "reads the command line; 40 ms",
    "annotated_doc": "imported by typer",
    "shellingham": "imported by typer, to install completion",
    "rich": "draws tables; 30 ms, and not for JSON",
    "tokenizers": "makes tokens; 15 ms",
}
COMMAND_LINE = {"typer", "annotated_doc", "shellingham"}
CORE = {"cli", "errors"}
# What reading a checkpoint takes, whatever is done with it.
CHECKPOINT = {
    *("architectures", "checkpoint", "declared", "files", "locate", "report", "sentence_embedding", "shapes"),
    *("soundness", "strict_json", "tokenizer", "weights"),
}
# What a prediction takes besides.
PREDICTION = {
    *("case", "inspection", "notes", "pooling", "prediction", "request", "tokenization"),
}
CHECKING = {"checking", "expectations", "facts", "folding", "patterns"}
MINILM = str(minilm_folder())
TABLE = COMMAND_LINE | {"rich"}

COMMANDS: dict[tuple[str, ...], tuple[set[str], set[str]]] = {
    ("--help",): (COMMAND_LINE, CORE),
    ("--version",): (COMMAND_LINE, CORE),
    ("poolings",): (TABLE, CORE | {"pooling", "rendering", "shapes"}),
    ("families",): (TABLE, CORE | {"architectures", "rendering"}),
    ("inspect", "a", "--weights", "none"): (TABLE | {"tokenizers"}, CORE | CHECKPOINT | PREDICTION | {"rendering"}),
    ("inspect", "a", "--weights", "none", "--json"): (
        COMMAND_LINE | {"tokenizers"},
        CORE | CHECKPOINT | PREDICTION | {"rendering"},
    ),
    ("check", MINILM): (TABLE | {"tokenizers"}, CORE | CHECKPOINT | CHECKING | {"rendering"}),
    ("check", MINILM, "--text", "a", "--expect", "hidden_size=384"): (
        TABLE | {"tokenizers"},
        # The chain of sentence-transformers is MiniLM's; the embedded checkpoint has none.
        CORE | CHECKPOINT | CHECKING | PREDICTION | {"embedding", "rendering", "tasks"},
    ),
    ("profile", __file__): (
        TABLE | {"tokenizers"},
        CORE
        | CHECKPOINT
        | {"case", "facts", "pooling", "prediction", "profiling", "records", "rendering", "tokenization"},
    ),
}
# Packages that transformers takes where they are installed; a run must not wait for them.
NEVER = {"sentence_transformers", "sklearn", "pandas", "datasets", "torchvision", "accelerate", "pyarrow", "matplotlib"}


def imported_by(*arguments: str) -> set[str]:
    """All modules that a command line has imported when it ends."""
    code = (
        "import sys; from bertshape.cli.main import run; code = run(sys.argv[1:]);"
        "print('MODULES', *sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split()[1:])


def outside(modules: set[str]) -> set[str]:
    """Packages that are neither ours nor Python's own; start-up files of an environment begin with an underscore."""
    tops = {name.partition(".")[0] for name in modules}
    return {name for name in tops - set(sys.stdlib_module_names) - {"bertshape"} if not name.startswith("_")}


def inside(modules: set[str]) -> set[str]:
    """Our own modules, as docs/architecture.md counts them."""
    return {name.split(".")[1] for name in modules if name.startswith("bertshape.")}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command).replace(MINILM, "MINILM"))
def test_imports_are_those_listed(command: tuple[str, ...]) -> None:
    packages, own = COMMANDS[command]
    modules = imported_by(*command)
    assert outside(modules) == packages
    assert inside(modules) == own


def test_every_package_has_its_reason() -> None:
    assert set().union(*(packages for packages, _ in COMMANDS.values())) == set(REASONS)


def test_a_run_imports_torch_and_the_family_alone(minilm: Path) -> None:
    """Neither the Auto classes' other families, nor what transformers would take if it were asked."""
    modules = imported_by("inspect", "a", "--model", str(minilm), "--pooling", "mean")
    assert {"torch", "transformers", "safetensors"} <= outside(modules)
    assert not outside(modules) & NEVER
    families = {
        name.split(".")[2] for name in modules if name.startswith("transformers.models.") and ".modeling_" in name
    }
    assert families <= {"bert", "auto"}
    assert not {"profiling", "vectors", "checking", "contract", "hub"} & inside(modules)
