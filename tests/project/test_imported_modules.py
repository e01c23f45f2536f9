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
# What opens a browser, hashes with OpenSSL, reads pickles and asks transformers, each 2 to 5 ms.
_APART = ("hashlib", "logging", "pickletools", "tempfile", "webbrowser", "zipfile")
_OF_TEXTS = tuple(f"bertshape.{name}" for name in ("pipelines.inspect", "report.report", "run.request", "tokens.batch"))
STARTS = {
    ("check", MINILM): (135, _OF_TEXTS),
    ("memory", MINILM): (122, _OF_TEXTS),
    ("inspect", "a text", "--weights", "none", "-m", MINILM): (165, ()),
}
"""Modules of bertshape that a command may import, each some 0.3 ms, and those that it does not need."""


@pytest.mark.parametrize("arguments", LIGHT, ids=lambda arguments: " ".join(arguments).replace(MINILM, "MINILM"))
def test_what_needs_no_run_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments) == set()


@pytest.mark.parametrize("arguments", STARTS, ids=lambda arguments: arguments[0])
def test_a_command_imports_what_it_uses(arguments: tuple[str, ...]) -> None:
    most, apart = STARTS[arguments]
    code = (
        "before = set(sys.modules)\nfrom bertshape.cli.main import run\nassert run(sys.argv[1:]) == 0\n"
        f"needless = {set(_APART + apart)} & set(sys.modules) - before\nassert not needless, needless\n"
        "own = [name for name in sys.modules if name.startswith('bertshape')]\n"
        f"assert {most} - 15 < len(own) <= {most}, len(own)"
    )
    imported_by_code(code, *arguments)


def test_a_run_imports_torch_and_one_family() -> None:
    """The test above can fail; and a run imports no Auto classes, which take a second."""
    code = (
        "from bertshape.cli.main import run\nrun(sys.argv[1:])\n"
        "families = {name.split('.')[2] for name in sys.modules if '.modeling_' in name and '.models.' in name}\n"
        "assert families - {'auto'} == {'bert'}, families"
    )
    found = imported_by_code(code, "inspect", "a", "--model", MINILM, "--pooling", "mean")
    assert {"torch", "transformers"} <= found
    assert "scipy" not in found  # A tenth of all imports, for losses of object detection.


def test_a_run_within_another_program_leaves_transformers_whole() -> None:
    code = (
        f"import bertshape\nbertshape.inspect_texts(['a'], model={MINILM!r})\n"
        "from transformers.loss import loss_for_object_detection as losses\n"
        "from transformers.utils import is_scipy_available\n"
        "assert hasattr(losses, 'linear_sum_assignment') == is_scipy_available()"
    )
    assert "torch" in imported_by_code(code)


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert imported_by_code("from bertshape import *") == set()


def test_completion_imports_nothing_heavy() -> None:
    code = (
        "from bertshape.cli import completion as c; c.complete_model(''), c.complete_task(''), c.complete_pooling('')"
    )
    assert imported_by_code(code) == set()
