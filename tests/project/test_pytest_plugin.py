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
