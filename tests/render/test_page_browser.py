"""Pages in a real browser: what lights up, what unfolds, colours, widths, keyboards, screen readers, hostile texts."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from bertshape import inspect_texts
from bertshape.render.page.pages import fragment, page
from bertshape.render.page.snippets import snippets
from bertshape.render.reads import shown_text
from tests.support.browser import Watched, chromium, keep
from tests.support.checkpoints import minilm_folder
from tests.support.pages import TEXTS, pages_of_every_kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Locator, Page

    from bertshape.report.report import Report

KINDS = ("inspect", "batch", "embedded", "check", "diff", "profile")
HOSTILE = "</script><script>document.title='hacked'</script><img src=x onerror=alert(1)>\"'&lt;\u202e\x00"
_DARK = "rgb(20, 24, 29)"
_NONE = "rgba(0, 0, 0, 0)"
_MARKS = "(marks) => marks.map((one) => Number(one.style.getPropertyValue('--w')))"


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with chromium() as browser:
        yield Watched(browser, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return pages_of_every_kind(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def batch() -> Report:
    return inspect_texts(TEXTS, model=minilm_folder(), weights="none")


def row_of(shown: Page, strategy: str) -> Locator:
    return shown.locator(f'tr[data-reads][aria-label^="{strategy},"]')


@pytest.mark.parametrize("how", ["hover", "focus"])
def test_a_row_lights_the_tokens_that_its_strategy_reads(window: Watched, batch: Report, how: str) -> None:
    """Every strategy, every token of every text; and the bands of the text that the flow shows."""
    with window.show(page(batch)) as shown:
        for strategy in batch.pooled:
            getattr(row_of(shown, strategy), how)()
            for text in range(len(TEXTS)):
                expected = pytest.approx(list(batch.reads(text)[strategy]), abs=2e-3)
                assert shown.locator(f".t[data-t='{text}']").evaluate_all(_MARKS) == expected, strategy
            expected = pytest.approx(list(batch.reads(shown_text(batch.tokenization.rows))[strategy]), abs=2e-3)
            assert shown.locator(".states .band").evaluate_all(_MARKS) == expected
        keep(shown, f"batch-{how}")


def test_lit_tokens_look_lit(window: Watched, batch: Report) -> None:
    """What has weight 1 and what has 0 differ in colour, and go back to what they were."""
    colour = "(one) => getComputedStyle(one).backgroundColor"
    with window.show(page(batch), reduced_motion="reduce") as shown:
        first, second = shown.locator(".t[data-t='1']").nth(0), shown.locator(".t[data-t='1']").nth(1)
        before = first.evaluate(colour), second.evaluate(colour)
        row_of(shown, "cls").hover()
        lit = first.evaluate(colour), second.evaluate(colour)
        assert lit[0] != before[0]
        assert lit[1] == shown.locator(".bertshape").evaluate(colour).replace("rgb", "oklab") or lit[1] != before[1]
        shown.mouse.move(0, 0)
        assert (first.evaluate(colour), second.evaluate(colour)) == before


def test_the_flow_shows_which_axis_goes(window: Watched, batch: Report) -> None:
    with window.show(page(batch)) as shown:
        stage = shown.locator(".stage.shown")
        before = stage.inner_html()
        for strategy, sizes, gone in (
            ("cls", "[2, 384]", ["sequence_length 14"]),
            ("last4_concat", "[2, 1536]", ["sequence_length 14"]),
            ("words", "[2, 8, 384]", ["sequence_length 14"]),
            ("tokens", "[2, 14, 384]", []),
        ):
            height = shown.locator(".canvas").evaluate("(one) => one.offsetHeight")
            row_of(shown, strategy).hover()
            assert stage.locator(".op").inner_text() == strategy
            assert stage.locator("code").inner_text() == sizes
            assert stage.locator("s").all_inner_texts() == gone
            # Nothing moves under the pointer.
            assert shown.locator(".canvas").evaluate("(one) => one.offsetHeight") == height
        shown.mouse.move(0, 0)
        assert stage.inner_html() == before


def test_a_click_keeps_a_row_lit_and_escape_puts_it_out(window: Watched, batch: Report) -> None:
    with window.show(page(batch)) as shown:
        row_of(shown, "cls").click()
        shown.mouse.move(0, 0)
        assert shown.locator("tr.on").get_attribute("aria-label") == row_of(shown, "cls").get_attribute("aria-label")
        shown.keyboard.press("Escape")
        assert shown.locator("tr.on").count() == 0
        assert shown.locator(".bertshape.lit").count() == 0


def test_keys_move_over_tokens_and_show_what_they_are(window: Watched, batch: Report) -> None:
    with window.show(page(batch)) as shown:
        shown.locator(".t[data-t='1']").first.focus()
        tip = shown.locator(".tip")
        assert tip.inner_text() == "[CLS]: id 101, special, segment 0, position 0"
        shown.keyboard.press("ArrowRight")
        assert tip.inner_text() == "un: id 4895, word start, characters 0-2, word 0, segment 0, position 1"
        shown.keyboard.press("End")
        assert tip.inner_text().startswith("[SEP]")
        shown.keyboard.press("Home")
        assert tip.inner_text().startswith("[CLS]")
        shown.keyboard.press("Escape")
        assert tip.is_hidden()
        # One stop of the Tab key for each text, however many tokens it has.
        assert shown.locator(".t[tabindex='0']").count() == len(TEXTS)


def test_folds_open(window: Watched) -> None:
    text = "word " * 300
    report = inspect_texts([text, "Short."], model=minilm_folder(), weights="none", pooling="mean", max_length=None)
    with window.show(page(report)) as shown:
        more = shown.locator("details.more")
        assert more.locator("summary").all_inner_texts() == ["246 more tokens", "293 more padding"]
        assert shown.locator(".t[data-i='100']").first.is_hidden()
        more.first.locator("summary").click()
        assert shown.locator(".t[data-i='100']").first.is_visible()
        layers = shown.locator(".arrow details")
        assert layers.locator("li").count() == 6
        layers.locator("summary").click()
        assert layers.locator("li").first.is_visible()
        table = shown.get_by_text("All tokens as a table")
        table.focus()
        shown.keyboard.press("Enter")
        assert shown.locator("table caption").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["batch", "check", "diff", "profile"])
def test_axe_finds_nothing(window: Watched, sources: dict[str, str], kind: str, scheme: Any) -> None:
    """Contrast, names, roles, order of headings, in both schemes; with all that is folded unfolded."""
    sync = pytest.importorskip("axe_playwright_python.sync_playwright")
    with window.show(sources[kind], color_scheme=scheme, reduced_motion="reduce") as shown:
        background = shown.evaluate("getComputedStyle(document.querySelector('.bertshape')).backgroundColor")
        assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[scheme]
        keep(shown, f"{kind}-{scheme}")
        shown.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        found = sync.Axe().run(shown, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == []


@pytest.mark.parametrize("kind", [*KINDS, "long"])
def test_no_page_scrolls_sideways(window: Watched, sources: dict[str, str], kind: str) -> None:
    wide = f"{'x' * 200} {HOSTILE}"
    source = sources.get(kind) or page(inspect_texts([wide, "a"], model=minilm_folder(), weights="none", tasks="all"))
    with window.show(source) as shown:
        for width in (360, 800, 1280, 2000):
            shown.set_viewport_size({"width": width, "height": 900})
            assert shown.evaluate("document.documentElement.scrollWidth") <= width, width
            cut = shown.evaluate(
                "[...document.querySelectorAll('.canvas *')].filter((one) => one.checkVisibility() && "
                "one.getBoundingClientRect().right > document.querySelector('.canvas').getBoundingClientRect().right)"
                ".map((one) => one.outerHTML.slice(0, 200))"
            )
            assert cut == [], width
            if width in (360, 1280):
                keep(shown, f"{kind}-{width}")


def test_hostile_texts_stay_text(window: Watched) -> None:
    made = inspect_texts([HOSTILE, f"a {HOSTILE}"], model=minilm_folder(), weights="none")
    rows = tuple(
        replace(row, tokens=tuple(replace(token, token=HOSTILE) for token in row.tokens))
        for row in made.tokenization.rows
    )
    made = replace(
        made,
        tokenization=replace(made.tokenization, rows=rows),
        checkpoint=replace(made.checkpoint, model=HOSTILE),
    )
    seen = HOSTILE.replace("\u202e", r"\u202e").replace("\x00", r"\x00")
    with window.show(page(made)) as shown:
        assert shown.locator("h1").inner_text() == seen
        assert shown.locator(".t b").first.text_content() == seen
        assert shown.title().startswith(seen)
        assert shown.locator("img").count() == 0
        assert shown.evaluate("document.scripts.length") == 1
        shown.locator(".t").first.hover()
        assert seen in shown.locator(".tip").inner_text()


def test_programs_are_copied_as_they_run(window: Watched, batch: Report) -> None:
    programs = snippets(batch)
    with window.show(page(batch)) as shown:
        for strategy in ("cls", "weightedmean"):
            shown.get_by_role("button", name=f"Copy the Python of {strategy}", exact=True).click()
            assert shown.evaluate("navigator.clipboard.readText()") == programs[strategy]
        shown.locator(".program").first.get_by_role("button").click()
        assert shown.evaluate("navigator.clipboard.readText()") == programs["mean"]


def test_all_can_be_read_without_script_and_on_paper(window: Watched, sources: dict[str, str]) -> None:
    with window.show(sources["inspect"], java_script_enabled=False) as shown:
        assert shown.get_by_role("button", name="Copy").count() == 0
        assert shown.locator(".bars").first.is_visible()
        shown.locator(".arrow summary").click()
        assert shown.locator(".arrow li").count() == 6
    with window.show(sources["batch"], 720, color_scheme="dark") as shown:
        shown.emulate_media(media="print", color_scheme="dark")
        # As wide as the text of a sheet of A4: nothing is cut off there.
        assert shown.evaluate("document.documentElement.scrollWidth") <= 720
        keep(shown, "paper")
        assert shown.locator("button").first.is_hidden()
        colour = shown.evaluate("getComputedStyle(document.querySelector('.bertshape')).backgroundColor")
        assert colour == "rgb(255, 255, 255)"


def test_a_notebook_shows_fragments_side_by_side(window: Watched, batch: Report) -> None:
    """Dark as the notebook is, whatever the system says; its own elements keep their styles; two results live."""
    other = fragment(inspect_texts("Another.", model=minilm_folder(), weights="none", pooling=["cls", "mean"]))
    # What notebooks say of elements inside their cells, as JupyterLab does.
    theirs = (
        "<style>.cell ul, .cell ol { padding-left: 3em } .cell code { background: red } .cell h2 { color: red }</style>"
    )
    outside = f"{theirs}<p id=own>a</p><table id=table><tr><td>1</td></tr></table>"
    notebook = (
        f"<!doctype html><title>n</title><body data-jp-theme-light=false><div class=cell>{outside}{{}}</div></body>"
    )
    styles = "['own', 'table'].map((id) => JSON.stringify({...getComputedStyle(document.getElementById(id))}))"
    with window.show(notebook.replace("{}", ""), color_scheme="light") as shown:
        before = shown.evaluate(styles)
    with window.show(notebook.replace("{}", fragment(batch) + other), color_scheme="light") as shown:
        assert shown.evaluate(styles) == before
        for number in (0, 1):
            root = shown.locator(".bertshape").nth(number)
            assert root.evaluate("(one) => getComputedStyle(one).backgroundColor") == _DARK
            assert root.locator("ol.chips").first.evaluate("(one) => getComputedStyle(one).paddingLeft") == "0px"
            assert root.locator("code").first.evaluate("(one) => getComputedStyle(one).backgroundColor") == _NONE
            root.locator("tr[data-reads][aria-label^='cls,']").hover()
            assert root.locator(".t").nth(0).evaluate("(one) => one.style.getPropertyValue('--w')") == "1.000"
            assert root.locator(".t").nth(1).evaluate("(one) => one.style.getPropertyValue('--w')") == "0.000"


def test_a_notebook_without_scripts_or_with_frames_shows_fragments(window: Watched, batch: Report) -> None:
    """An untrusted notebook runs no script; marimo shows what has one in a frame of 400 pixels."""
    made = fragment(batch)
    dark = f"<!doctype html><title>n</title><body class=dark>{made}</body>"
    with window.show(dark, color_scheme="light", java_script_enabled=False) as shown:
        assert shown.locator(".t").first.is_visible()
        assert shown.locator(".bertshape").evaluate("(one) => getComputedStyle(one).backgroundColor") == _DARK
    inside = escape(f"<body>{made}</body>", quote=True)
    frame = f"<!doctype html><title>n</title><body class=dark><iframe height=400 width=900 srcdoc='{inside}'></iframe>"
    with window.show(frame, color_scheme="light") as shown:
        content = shown.frames[1]
        content.locator("tr[data-reads]").last.wait_for()
        shown.wait_for_function("document.querySelector('iframe').offsetHeight > 2000")
        assert content.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert content.locator(".bertshape").evaluate("(one) => getComputedStyle(one).backgroundColor") == _DARK


def long_batch() -> Sequence[str]:
    return [" ".join(["word"] * length) for length in (510, 400, 300, 200, 100, 50, 10, 1)]


def test_a_long_batch_is_shown(window: Watched) -> None:
    """Eight texts of 512 tokens; how long that takes is measured by people."""
    report = inspect_texts(long_batch(), model=minilm_folder(), weights="none")
    assert report.tokenization.sequence_length == 512
    with window.show(page(report)) as shown:
        assert shown.locator(".t").count() == 8 * 512
        row_of(shown, "mean").hover()
        assert shown.locator(".t[data-t='7']").evaluate_all(_MARKS) == [1.0] * 3 + [0.0] * 509
        assert shown.locator(".states .band").count() <= 32
        keep(shown, "long")
