"""The Python that a page offers runs, and gives the tensors that the report is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bertshape import inspect_texts
from bertshape.pooling.strategies import STRATEGIES
from bertshape.render.page.snippets import ENCODE, LAST_HIDDEN_STATE, snippets
from tests.support.pages import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bertshape.report.report import Report

WRITTEN = (
    "mean@-2",
    "cls@0",
    "mean@-4:concat",
    "max@1:3:sum",
    "lasttoken@-2:",
    "cls+mean@0+max",
    "weightedmean+pooler",
)
QUOTES = 'It\'s a "quoted" \\ text\nof two lines, \u202eand more'


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each program loads its model; here all of a test share one."""
    import transformers

    loaded: dict[tuple[object, ...], Any] = {}
    load = transformers.AutoModel.from_pretrained

    def once(name: str, **options: object) -> Any:
        if options.keys() != {"dtype"}:  # Not one of ours: sentence-transformers loads.
            return load(name, **options)
        if (name, options["dtype"]) not in loaded:
            loaded[name, options["dtype"]] = load(name, **options)
        return loaded[name, options["dtype"]]

    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", once)


def saved(tmp_path: Path, texts: object, **options: Any) -> tuple[Report, Mapping[str, Any]]:
    file = tmp_path / "tensors.npz"
    report = inspect_texts(texts, save=file, device="cpu", **options)  # type: ignore[arg-type]
    return report, np.load(file)


def result(program: str, name: str) -> Any:
    names: dict[str, Any] = {}
    exec(compile(program, "page", "exec"), names)
    return np.asarray(names[name])


def agree(report: Report, tensors: Mapping[str, Any], *, but: frozenset[str] = frozenset()) -> None:
    """Every tensor that a program gives is that of the report; every strategy but those named has one."""
    programs = snippets(report)
    assert set(report.pooled) - set(programs) == but
    for name, program in programs.items():
        variable, key = {
            LAST_HIDDEN_STATE: ("last_hidden_state", "last_hidden_state"),
            ENCODE: ("embeddings", "sentence_embedding"),
        }.get(name, ("pooled", f"pooled.{name}"))
        given = result(program, variable)
        assert given.shape == tensors[key].shape, name
        np.testing.assert_allclose(given, tensors[key], atol=2e-5, err_msg=f"{name}\n{program}")


def test_every_strategy_of_a_padded_batch(minilm: Path, tmp_path: Path) -> None:
    report, tensors = saved(tmp_path, TEXTS, model=minilm)
    assert set(report.pooled) == set(STRATEGIES)
    agree(report, tensors)
    assert ENCODE in snippets(report)


def test_layers_and_combinations(minilm: Path, tmp_path: Path) -> None:
    report, tensors = saved(tmp_path, [*TEXTS, QUOTES], model=minilm, pooling=WRITTEN)
    agree(report, tensors)


def test_pairs_limits_and_other_families(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Words of a pair are counted on over both texts, which takes more than a few lines."""
    options: dict[str, Any] = {"model": tiny("roberta"), "padding": "max_length", "max_length": 12, "truncation": True}
    report, tensors = saved(tmp_path, ["naïve café", "long words are cut"], pairs=["東京", "b"], **options)
    agree(report, tensors, but=frozenset({"words", "words_first"}))


def test_cut_embeddings(minilm: Path, tmp_path: Path) -> None:
    report, tensors = saved(tmp_path, TEXTS, model=minilm, truncate_dim=8, pooling="mean")
    assert "truncate_dim=8" in snippets(report)[ENCODE]
    agree(report, tensors)


def test_no_program_where_there_are_no_weights_to_load(minilm: Path) -> None:
    assert snippets(inspect_texts("a", weights="none")) == {}
    assert snippets(inspect_texts("a", model=minilm, weights="random", pooling="mean")) == {}
