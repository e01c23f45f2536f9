"""Nothing that does not need torch imports it: a guard of speed that is no timer."""

from __future__ import annotations

import pytest

from tests.support.checkpoints import minilm_folder
from tests.support.imports import imported_by, imported_by_code

MINILM = str(minilm_folder())
LIGHT = [
    ("--help",),
    ("--version",),
    ("inspect", "--help"),
    ("families",),
    ("poolings", "--json"),
    ("inspect", "a text", "--weights", "none"),
    ("inspect", "a text", "--weights", "none", "--json"),
    ("inspect", "a text", "--weights", "none", "--format", "markdown", "--model", MINILM),
    ("check", MINILM),
    ("check", MINILM, "--text", "a", "--expect", "hidden_size=384"),
    ("snapshot", MINILM),
    ("diff", MINILM, MINILM),
    ("profile", __file__),
    ("memory", MINILM, "--fit", "8GB"),
]


@pytest.mark.parametrize("arguments", LIGHT, ids=lambda arguments: " ".join(arguments).replace(MINILM, "MINILM"))
def test_what_needs_no_run_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments) == set()


def test_a_run_imports_torch_and_one_family() -> None:
    """The test above can fail; and a run imports no Auto classes, which take a second."""
    code = (
        "from bertshape.cli.main import run\nrun(sys.argv[1:])\n"
        "families = {name.split('.')[2] for name in sys.modules if '.modeling_' in name and '.models.' in name}\n"
        "assert families - {'auto'} == {'bert'}, families"
    )
    assert {"torch", "transformers"} <= imported_by_code(code, "inspect", "a", "--model", MINILM, "--pooling", "mean")


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert imported_by_code("from bertshape import *") == set()


def test_completion_imports_nothing_heavy() -> None:
    code = (
        "from bertshape.cli import completion as c; c.complete_model(''), c.complete_task(''), c.complete_pooling('')"
    )
    assert imported_by_code(code) == set()
