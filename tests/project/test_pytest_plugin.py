"""The pytest plugin, run by pytest on projects of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bertshape.contract.write import write_contract
from bertshape.pipelines.snapshot import snapshot
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]


def test_the_fixture_checks_a_checkpoint(pytester: pytest.Pytester, minilm: Path) -> None:
    pytester.makepyfile(
        f"""
        def test_good(bertshape_check):
            report = bertshape_check({str(minilm)!r}, "hidden_size=384", "pooled.mean=[_, 384]", text="Hi.")
            assert report.backbone_tensors == 103

        def test_bad(bertshape_check):
            bertshape_check({str(minilm)!r}, "hidden_size=768", "num_hidden_layers=12")

        def test_absent(bertshape_check):
            bertshape_check("./nosuch")
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*hidden_size: expected 768, got 384*", "*num_hidden_layers: expected 12, got 6*"])
    result.stdout.fnmatch_lines(["*./nosuch does not exist*"])


def test_contracts_are_items_where_asked(pytester: pytest.Pytester, minilm: Path) -> None:
    edited_copy(minilm, pytester.path / "good")
    edited_copy(minilm, pytester.path / "bad", intermediate_size=1000)
    contract = snapshot(str(minilm))
    good, bad = (type(contract)(**{**vars(contract), "model": f"./{name}"}) for name in ("good", "bad"))
    (pytester.path / "bertshape.toml").write_text(write_contract([good, bad]), encoding="utf-8")
    assert pytester.runpytest_subprocess("-p", "no:cacheprovider").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--bertshape")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*intermediate_size: expected 1536, got 1000*"])
    assert "Traceback" not in result.stdout.str()


def test_a_broken_contract_is_a_collection_error(pytester: pytest.Pytester) -> None:
    (pytester.path / "bertshape.toml").write_text("[[checkpoint]]\nmodel = 3\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--bertshape")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*bertshape.toml: checkpoint?0?.model is a whole number*"])


def test_the_plugin_costs_nothing_until_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_lean():
            assert not {"torch", "transformers", "tokenizers", "bertshape.pipelines.check"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_values_of_a_checkpoint_do_not_reach_the_terminal(pytester: pytest.Pytester, minilm: Path) -> None:
    edited_copy(minilm, pytester.path / "evil", model_type="be\x1b[31mrt")
    pytester.makepyfile("def test_it(bertshape_check): bertshape_check('./evil', 'model_type=bert')")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--color=no")
    result.assert_outcomes(failed=1)
    assert "be\\x1b[31mrt" in result.stdout.str()
    assert "\x1b" not in result.stdout.str()


def _contracts(folder: Path, minilm: Path) -> None:
    """A contract with two entries for one checkpoint through a link, one in pyproject.toml, and one of another name."""
    edited_copy(minilm, folder / "models" / "deep" / "good")
    (folder / "linked").symlink_to(folder / "models" / "deep", target_is_directory=True)
    entry = '[[checkpoint]]\nmodel = "./linked/good"\n'
    (folder / "bertshape.toml").write_text(f'{entry}expect = ["hidden_size=384"]\n\n{entry}')
    (folder / "other").mkdir()
    (folder / "other" / "nightly.toml").write_text('[[checkpoint]]\nmodel = "../linked/good"\n')
    (folder / "other" / "noise.toml").write_text("a = 1\n")
    project = '[[tool.bertshape.checkpoint]]\nmodel = "models/deep/good"\nexpect = ["hidden_size=385"]\n'
    settings = 'bertshape_contracts = ["bertshape.toml", "pyproject.toml", "other/night*.toml"]'
    (folder / "pyproject.toml").write_text(f"{project}\n[tool.pytest.ini_options]\n{settings}\n")


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_contracts_of_every_place_have_the_names_that_are_written(
    pytester: pytest.Pytester, minilm: Path, options: tuple[str, ...]
) -> None:
    _contracts(pytester.path, minilm)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--bertshape", "-v", *options)
    result.assert_outcomes(passed=3, failed=1)
    shown = result.stdout.str()
    for name in ("bertshape.toml::./linked/good#2", "other/nightly.toml::../linked/good"):
        assert name in shown
    assert "FAILED pyproject.toml::models/deep/good - models/deep/good is not as expected" in shown
    assert "hidden_size: expected 385, got 384" in shown
    alone = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--bertshape", "bertshape.toml::./linked/good#2")
    alone.assert_outcomes(passed=1)


def test_a_project_file_without_a_contract_is_none(pytester: pytest.Pytester) -> None:
    (pytester.path / "below").mkdir()
    (pytester.path / "pyproject.toml").write_text("[tool.other]\n")
    (pytester.path / "below" / "pyproject.toml").write_text("not toml [")
    (pytester.path / "pytest.ini").write_text("[pytest]\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--bertshape")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_settings_reach_the_check(pytester: pytest.Pytester) -> None:
    (pytester.path / "bertshape.toml").write_text('[[checkpoint]]\nmodel = "embedded:bert-tiny-uncased"\n')
    (pytester.path / "pytest.ini").write_text("[pytest]\nbertshape_run = true\nbertshape_values = true\n")
    (pytester.path / "conftest.py").write_text(
        """
from bertshape.cli import pytest_items
from bertshape.report.check import CheckReport

def check(request):
    assert request.run and request.values
    return CheckReport("fine")

pytest_items.check = check
"""
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "--bertshape").assert_outcomes(passed=1)
