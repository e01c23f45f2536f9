"""What a person has before the eyes: reports of real runs on terminals of 80x40 and 120x40."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console, Group

from bertshape import inspect_texts
from bertshape.cli.console import print_plain
from bertshape.pooling.strategies import STRATEGIES
from bertshape.render.findings import hint_lines
from bertshape.render.layout import Page
from bertshape.render.tables import UNICODE
from bertshape.report.finding import Finding
from tests.conftest import EXAMPLE
from tests.support.screen import Screen, show, show_report

if TYPE_CHECKING:
    from pathlib import Path

    from bertshape.report.report import Report

HEADERS = (
    "#  token       id  word   span  kind",
    "output             shape        axes",
    "strategy              shape        formula                   reads",
)
RULE = UNICODE.rule.head_row_horizontal


@pytest.fixture(scope="session")
def real(minilm: Path) -> Report:
    """A real run of MiniLM, once for all tests."""
    return inspect_texts(EXAMPLE, model=str(minilm))


@pytest.fixture(scope="session")
def default() -> Report:
    """What the command gives that README begins with: random weights, a real run."""
    return inspect_texts(EXAMPLE)


@pytest.fixture(params=["real", "default"])
def report(request: pytest.FixtureRequest) -> Report:
    found: Report = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def predicted(minilm: Path) -> Report:
    return inspect_texts(EXAMPLE, model=str(minilm), weights="none")


def headers(screen: Screen) -> list[str]:
    """The line above each rule; tables that stand side by side share one."""
    return [above for above, line in zip(screen.lines, screen.lines[1:], strict=False) if RULE * 9 in line]


@pytest.mark.parametrize("columns", [80, 120])
def test_each_table_has_a_header_and_each_row_one_line(report: Report, columns: int) -> None:
    screen = show_report(report, columns)
    assert all(any(header in line for line in headers(screen)) for header in HEADERS)
    for name, pooled in report.pooled.items():
        assert pooled.shape is not None
        assert pooled.shape.by_size in screen.row(name)
        assert pooled.formula in screen.row(name)
    for name, output in report.outputs.items():
        assert output.shape.by_size in screen.row(name)
    # Three lines of a title, a header and a rule for each table, which nothing but its rows follows.
    top = next(index for index, line in enumerate(screen.lines) if "strategy" in line)
    table = screen.lines[top + 2 : top + 2 + len(STRATEGIES)]
    assert [next(name for name in STRATEGIES if f" {name} " in f" {line} ") for line in table] == list(STRATEGIES)


def test_shapes_and_findings_are_in_sight_at_80_columns(report: Report) -> None:
    screen = show_report(report, 80)
    seen = "\n".join(screen.seen)
    assert "Outputs   observed on cpu, float32" in seen
    assert all(screen.row(name) in screen.seen for name in STRATEGIES)
    assert screen.lines[-1].startswith("use  ")
    assert not screen.seen[-1], "the prompt has a line"
    assert len(screen.lines) > 40, "tokens have scrolled away: else this test proves nothing"


def test_the_whole_report_is_one_screen_at_120_columns(report: Report) -> None:
    screen = show_report(report, 120)
    assert len(screen.lines) < 40
    side_by_side = screen.row("Outputs")
    assert side_by_side.startswith("Tokens   8 = 6 content + 2 special")


def test_tokens_stand_above_the_shapes_where_they_would_push_them_out_of_sight(minilm: Path) -> None:
    """Beside a list of tokens that is longer than a screen, the shapes would scroll away with its beginning."""
    for words, beside in ((20, True), (50, False)):
        long = inspect_texts("word " * words, model=str(minilm), weights="none")
        screen = show_report(long, 130)
        assert (screen.row("Outputs").startswith("Tokens")) is beside
        assert any("last_hidden_state" in line for line in screen.seen)
    piped = show_report(long, 130, beside=False)
    assert not piped.row("Outputs").startswith("Tokens")


def test_what_is_the_same_for_all_rows_is_said_once(real: Report) -> None:
    text = "\n".join(show_report(real, 80).lines)
    assert text.count("observed") == 2, "in the titles of two tables"
    assert text.count("float32") == text.count("cpu") == 1
    assert text.count("256") == text.count("128") == 1, "limits"
    assert "at most 512 tokens; encode() cuts at 256, tokenizer.json at 128" in text
    assert "limits disagree" not in text
    assert "segment" not in text


def test_a_row_that_differs_says_so(real: Report) -> None:
    outputs = dict(real.outputs)
    state = outputs["last_hidden_state"]
    outputs["last_hidden_state"] = replace(state, evidence="predicted", shape=replace(state.shape, dtype="float16"))
    pooled = dict(real.pooled) | {"max": replace(real.pooled["max"], evidence="predicted")}
    screen = show_report(replace(real, outputs=outputs, pooled=pooled), 120)
    row = screen.row("last_hidden_state")
    assert "float16" in row
    assert "predicted" in row
    assert "predicted" not in screen.row("pooler_output")
    assert "predicted" in screen.row("max")
    assert "predicted" not in screen.row("mean")


def test_the_declared_strategy_has_a_star_in_its_place(real: Report) -> None:
    screen = show_report(real, 80)
    starred = [line for line in screen.lines if line.startswith("★")]
    assert [line.split()[1] for line in starred] == ["mean"]
    assert not any("★" in line for line in show_report(inspect_texts(EXAMPLE, weights="none"), 80).lines)


def test_findings_stand_at_the_end_the_gravest_last(real: Report) -> None:
    findings = (
        Finding("a", "error", "an error " * 12, "the hint"),
        Finding("b", "note", "a note"),
        Finding("c", "warning", "a warning"),
    )
    lines = show_report(replace(real, findings=findings), 80).lines
    labels = [line.split()[0] for line in lines if line.startswith(("note", "warning", "error", "use", "encode"))]
    assert labels == ["encode()", "note", "warning", "error"], "and nothing is said of use where something is wrong"
    assert lines[-1].strip() == "the hint"
    assert re.match(r" {10}(an|error) ", lines[-2]), "a long message stays in its column"


@pytest.mark.parametrize(("count", "shown"), [(38, 40), (39, 31), (60, 31)])
def test_a_list_of_more_than_40_tokens_is_folded_in_the_middle(minilm: Path, count: int, shown: int) -> None:
    report = inspect_texts("word " * count, model=str(minilm), weights="none", pooling=["mean"])
    lines = show_report(report, 80).lines
    top = next(index for index, line in enumerate(lines) if line.lstrip().startswith("#")) + 2
    rows = lines[top : lines.index("", top)]
    assert len(rows) == shown
    positions = [row.split()[0] for row in rows]
    total = count + 2
    if shown == 40:
        assert positions == [str(index) for index in range(40)]
    else:
        assert positions == [*map(str, range(15)), "…", *map(str, range(total - 15, total))]
        assert f"{total - 30} more" in rows[15]
    whole = show_report(report, 80, all_tokens=True).lines
    assert sum(" word " in line and line.split()[0].isdigit() for line in whole) == count


def test_padding_is_one_row_with_its_count(minilm: Path) -> None:
    report = inspect_texts(["Short.", "A text that is a little longer."], model=str(minilm), weights="none")
    screen = show_report(report, 80)
    assert screen.row("6 x [PAD]").split() == ["4-9", "6", "x", "[PAD]", "0", "–", "–", "padding"]
    assert sum("[PAD]" in line for line in show_report(report, 80, all_tokens=True).lines) == 6


def test_reads_show_padding_that_a_plain_mean_takes_in(minilm: Path) -> None:
    """The second text has padding: the bars are about it."""
    report = inspect_texts(["A text that is a little longer.", "Short."], model=str(minilm), weights="none")
    screen = show_report(report, 80)
    assert any("text 2 reads" in line for line in screen.lines)
    bars = {name: screen.row(name).split()[-1] for name in ("cls", "mean", "mean_unmasked", "mean_no_special")}
    assert bars == {
        "cls": "▇·········",
        "mean": "▇▇▇▇······",
        "mean_unmasked": "▇▇▇▇▇▇▇▇▇▇",
        "mean_no_special": "·▇▇·······",
    }


@pytest.mark.parametrize("columns", [40, 50, 60, 70, 80, 100, 120, 140, 160, 200])
@pytest.mark.parametrize("texts", [EXAMPLE, ["Short.", "A text that is a little longer."], "word " * 100])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut(minilm: Path, columns: int, texts: str) -> None:
    report = inspect_texts(texts, model=str(minilm), weights="none", tasks=["all"], layers=True, words=True)
    lines = show_report(report, columns).lines
    assert max(map(len, lines)) <= columns
    text = " ".join(" ".join(lines).split())
    for name, pooled in report.pooled.items():
        assert pooled.shape is not None
        assert name in text
        assert pooled.shape.by_size in text


def test_one_line_per_row_down_to_60_columns(predicted: Report) -> None:
    for columns in (60, 70):
        screen = show_report(predicted, columns)
        assert all(
            pooled.shape and pooled.shape.by_size in screen.row(name) for name, pooled in predicted.pooled.items()
        )


def test_while_the_model_loads_predicted_rows_stand_in_the_places_of_observed_ones(
    real: Report, predicted: Report
) -> None:
    predicted = replace(predicted, checkpoint=replace(predicted.checkpoint, weights="checkpoint"))
    for columns in (80, 120):
        page = Page(columns)
        before = show(page.parts(predicted, "importing torch")[1], columns).lines
        after = show(page.parts(real)[1], columns).lines
        assert before[-1].split(maxsplit=1) == ["…", "importing torch"]
        assert [line.split("   ")[0] for line in before[:-1]] == [
            line.split("   ")[0] for line in after[: len(before) - 1]
        ]
        assert show(page.parts(predicted)[0], columns).lines == show(page.parts(real)[0], columns).lines


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize(
    "command",
    [
        f"cd '/a folder' && python -c 'import torch; w = \"{'long' * 60}\"; print(w)'",
        "pip install one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
        "hf download organisation/model-name --local-dir ./model-name",
    ],
)
def test_a_command_in_a_hint_can_be_copied(command: str, columns: int) -> None:
    """The terminal wraps it: no blank and no line end is put into it."""
    console = Console(file=io.StringIO(), width=columns, force_terminal=True, no_color=True, highlight=False)
    print_plain(console, Group(*hint_lines(f"A first sentence that is long enough to be wrapped: {command}")))
    assert isinstance(console.file, io.StringIO)
    printed = re.sub(r"\x1b\[[\d;]*m", "", console.file.getvalue())
    assert command in [line.strip() for line in printed.splitlines()]
