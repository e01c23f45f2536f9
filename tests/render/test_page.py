"""Pages without a browser: they stand alone, hold all that is known, and take foreign text for text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bertshape
from bertshape import check_checkpoint, diff_checkpoints, inspect_texts, profile_files
from bertshape.pipelines.diff import Change, Comparison
from bertshape.pipelines.diff_texts import Given, TextComparison
from bertshape.predict.family import family_names
from bertshape.render.page.boxes import across, box_of, down
from bertshape.render.page.pages import fragment, page
from bertshape.render.page.reads import runs
from bertshape.report.check import CheckReport, Outcome
from bertshape.report.finding import Finding
from bertshape.shapes import TensorShape
from tests.support.pages import pages_of_every_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from bertshape.tokens.batch import Token
    from tests.conftest import Run

EMBEDDED = Path(bertshape.__file__).parent / "checkpoint" / "embedded" / "bert-base-uncased"
EVIL = "\"'></td><script>alert(1)</script><img src=x onerror=alert(1)>&amp;{{ 7*7 }}\u202e\x00\x1b[31m"
_EMPTY = {"meta", "img", "br", "hr", "input", "link", "rect", "path"}


class Elements(HTMLParser):
    """Elements, attributes and text of a page; every element is closed where it should be."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.inline: dict[str, str] = {}
        self.feed(source)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the base class calls it so
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.inline[self.open[-1]] = data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return pages_of_every_kind(tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("kind", ["inspect", "batch", "embedded", "check", "diff", "profile"])
def test_a_page_stands_alone(every: dict[str, str], kind: str) -> None:
    """Title, viewport and language; styles and script inline under a policy that admits nothing else."""
    source = every[kind]
    elements = Elements(source)
    assert source.startswith("<!doctype html>")
    assert elements.tags.count("script") == elements.tags.count("style") == elements.tags.count("h1") == 1
    assert ("html", "lang", "en") in elements.attributes
    assert re.search(r"<title>[^<]+</title>", source)
    assert re.search(r'name="viewport" content="width=device-width', source)
    policy = next(value for tag, _, value in elements.attributes if tag == "meta" and "default-src" in value)
    assert "default-src 'none'" in policy
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        digest = base64.b64encode(hashlib.sha256(elements.inline[element].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy
    assert "unsafe" not in policy
    names = {name for _, name, _ in elements.attributes}
    assert not names & {"style", "src", "href", "srcset"}
    assert not [name for name in names if name.startswith("on")]
    assert "url(" not in elements.inline["style"]


def test_a_page_is_small(every: dict[str, str]) -> None:
    assert len(every["inspect"].encode()) < 150_000
    assert len(every["embedded"].encode()) < 150_000


def test_the_page_holds_what_the_report_says(minilm: Path) -> None:
    report = inspect_texts(
        ["Short.", "Unbelievably long words."], model=minilm, weights="none", tasks="masked-lm", layers=True
    )
    text = Elements(page(report)).text
    for name, pooled in report.pooled.items():
        assert pooled.shape is not None
        assert f"{name} {pooled.shape.by_size}" in text or f"★ {name}" in text, name
        assert pooled.formula in text
    for name, output in report.outputs.items():
        assert name in text
        assert output.shape.by_size in text
    for found in report.findings:
        assert found.message in text or found.code == "length-limits-disagree"
    for row in report.tokenization.rows:
        assert all(str(token.input_id) in text for token in row.tokens)
    for part in (
        "batch_size 2",
        "sequence_length",
        "hidden_size 384",
        "6 × layer",
        "encode()",
        "masked-lm",
        "BertModel",
    ):
        assert part in text, part


@pytest.mark.parametrize("family", family_names())
def test_every_family_has_a_page(family: str, tmp_path: Path) -> None:
    """Also those without last_hidden_state, without hidden_states of one shape, or without a pooler."""
    folder = tmp_path / family
    shutil.copytree(EMBEDDED, folder)
    (folder / "config.json").write_text(json.dumps({"model_type": family, "vocab_size": 30522}))
    report = inspect_texts(["a b c", "d"], model=folder, weights="none", pooling=_poolings(family), layers=True)
    text = Elements(page(report)).text
    for name, output in report.outputs.items():
        assert f"{name} {output.shape.by_size}" in text or f"{name} {output.count} × {output.shape.by_size}" in text


def _poolings(family: str) -> list[str]:
    return ["pooler"] if family == "dpr" else ["mean", "words"]


def test_explanations_are_unfolded_where_they_are_asked_for(every: dict[str, str]) -> None:
    assert '<details class="howto">' in every["inspect"]
    assert '<details class="howto" open>' in every["batch"]
    assert '<details class="howto">' not in every["batch"]


def test_axes_are_as_long_as_their_logarithm() -> None:
    """Pooling takes an axis away, and the box shows where it was."""
    hidden = box_of(TensorShape(("batch_size", "sequence_length", "hidden_size"), (1, 8, 384), "float32"))
    assert (hidden.height, hidden.width) == (down(8), across(384))
    assert down(512) / down(8) == pytest.approx(9.0 / 3.17, rel=0.01)
    pooled = box_of(TensorShape(("batch_size", "hidden_size"), (1, 384), "float32"), ghost=down(8))
    assert pooled.width == hidden.width
    assert pooled.height < hidden.height / 5
    assert pooled.total_height == hidden.total_height
    several = box_of(TensorShape(("batch_size", "hidden_size"), (8, 384), "float32"))
    assert several.depth == pytest.approx(27.0)


def test_weights_are_written_as_runs() -> None:
    assert runs([[1, 1, 1, 0, 0], [0.25, 0.5, 1, 1, 1]]) == "1*3 0*2;0.25*1 0.5*1 1*3"


def test_foreign_text_stays_text(minilm: Path) -> None:
    """A text, tokens, the name of the checkpoint, labels: none is markup, and none is obeyed."""
    made = inspect_texts([f"a {EVIL}", EVIL], model=minilm, weights="none", words=True)

    def hostile(token: Token) -> Token:
        return replace(token, token=EVIL) if token.position == 1 else token

    rows = tuple(replace(row, tokens=tuple(map(hostile, row.tokens))) for row in made.tokenization.rows)
    made = replace(
        made,
        tokenization=replace(made.tokenization, rows=rows),
        checkpoint=replace(made.checkpoint, model=EVIL, model_type=EVIL),
    )
    for source in (page(made), fragment(made)):
        elements = Elements(source)
        assert elements.tags.count("script") == 1
        assert "img" not in elements.tags
        assert not {"\x00", "\x1b", "\u202e"} & set(source)
        assert r"\u202e\x00\x1b[31m" in elements.text
        assert "{{ 7*7 }}" in elements.text


def test_foreign_names_and_values_stay_text(tmp_path: Path) -> None:
    """Of checks, differences and profiles."""
    found = Finding("code", "error", EVIL, EVIL)
    checked = CheckReport(EVIL, {EVIL: EVIL}, findings=(found,), outcomes=(Outcome(EVIL, (EVIL,)),))
    compared = Comparison(EVIL, EVIL, (Change(EVIL, EVIL, None), Change(EVIL, EVIL, EVIL)), (), 0, 3, True)
    (tmp_path / "texts.txt").write_text("one text\n")
    counted = profile_files(tmp_path / "texts.txt", model="embedded:bert-tiny-uncased")
    counted = replace(counted, files=((EVIL, 1), (EVIL, 2)), model=EVIL, findings=(found,))
    for result in ([checked, checked], compared, counted):
        elements = Elements(page(result))
        assert elements.tags.count("script") == 1
        assert "img" not in elements.tags
        assert elements.text.count(r"\u202e\x00\x1b[31m") > 2


def test_a_difference_shows_what_both_give_for_texts() -> None:
    """Which token parts them, shapes, cosine; and whether stored numbers were compared at all."""
    sides = (
        Given((101, 2023, 102), ("[CLS]", "this", "[SEP]"), {"last_hidden_state": (1, 3, 384)}),
        Given((101, 7, 102, 9), ("[CLS]", "This", "[SEP]", EVIL), {"last_hidden_state": (1, 4, 384)}),
    )
    compared = Comparison("a", "b", (), (), 5, 0, False, texts=(TextComparison(EVIL, *sides, 0.25, None),))
    text = Elements(page(compared)).text
    for shown in ("this (2023) This (7)", "[1, 3, 384] [1, 4, 384]", "0.250000", "not compared (--values does)"):
        assert text.count(shown) == 1
    valued = replace(compared, values_differing=("encoder.layer.{0-5}.x",), texts=())
    assert "differ in encoder.layer.{0-5}.x" in Elements(page(valued)).text
    assert "numbers of equal tensors are equal" in Elements(page(replace(valued, values_differing=()))).text


def test_results_of_the_api_are_shown_in_notebooks(minilm: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("one text\nanother one\n")
    results = (
        inspect_texts("A text.", model=minilm, weights="none"),
        check_checkpoint(minilm),
        diff_checkpoints(minilm, minilm),
        profile_files(tmp_path / "texts.txt", model=minilm),
    )
    for result in results:
        shown = result._repr_html_()
        assert shown is not None
        assert "<style>" in shown
        assert "<html" not in shown
        assert Elements(shown).tags.count("h1") == 1
    with pytest.raises(TypeError, match="no page of int"):
        fragment(1)


@pytest.mark.parametrize(
    ("arguments", "name", "begins"),
    [
        (("inspect", "a b"), "page.html", "<!doctype html>"),
        (("inspect", "a b"), "PAGE.HTM", "<!doctype html>"),
        (("inspect", "a b"), "r.json", "{"),
        (("inspect", "a b"), "r.md", "## "),
        (("inspect", "a b"), "r.svg", "<svg"),
        (("inspect", "a b"), "r.txt", "embedded:"),
        (("inspect", "a b", "--json"), "page.html", "{"),
        (("check", "embedded:bert-tiny-uncased"), "page.html", "<!doctype html>"),
        (("check", "embedded:bert-tiny-uncased"), "r.xml", "<?xml"),
        (("diff", "embedded:bert-tiny-uncased", "embedded:bert-tiny-uncased"), "page.html", "<!doctype html>"),
        (("profile", "texts.txt"), "page.html", "<!doctype html>"),
        (("profile", "texts.txt"), "r.csv", "table,"),
    ],
)
def test_the_ending_of_the_file_names_the_format(
    run_cli: Callable[..., Run], tmp_path: Path, arguments: tuple[str, ...], name: str, begins: str
) -> None:
    (tmp_path / "texts.txt").write_text("one text\n")
    more = ("--weights", "none", "-m", "embedded:bert-tiny-uncased") if arguments[0] == "inspect" else ()
    done = run_cli(*arguments, *more, "-o", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / name).read_text().startswith(begins)


@pytest.mark.parametrize("output", [(), ("-o", "own.html"), ("-q", "-o", "quiet.html")])
def test_open_shows_the_page_in_the_browser(
    run_cli: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: tuple[str, ...]
) -> None:
    opened: list[str] = []

    def show(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", show)
    monkeypatch.setattr("tempfile.mkdtemp", lambda **_: str(tmp_path))
    done = run_cli("inspect", "a", "--weights", "none", "--open", *output, cwd=tmp_path)
    path = tmp_path / (output[-1] if output else "page.html")
    assert opened == [path.as_uri()]
    assert path.read_text().startswith("<!doctype html>")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith(f"the page is {output[-1] if output else path}\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_a_page_is_the_same_in_every_encoding_of_stdout(run_cli: Callable[..., Run], encoding: str) -> None:
    """The hashes of the policy are those of the style and the script as they are written."""
    command = ("inspect", "naïve 東京", "--weights", "none", "-m", "embedded:bert-tiny-uncased", "--format", "html")
    plain = run_cli(*command).stdout
    made = run_cli(*command, PYTHONIOENCODING=encoding).stdout
    assert made.isascii()
    assert Elements(made).inline == Elements(plain).inline
    assert Elements(made).text == Elements(plain).text
    assert "naïve 東京" in Elements(made).text


def test_open_shows_pages_alone(run_cli: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", pytest.fail)
    done = run_cli("inspect", "a", "--weights", "none", "--open", "--json")
    assert done.returncode == 2
    assert "--open shows a page, and json was asked for" in done.stdout + done.stderr
    failed = run_cli("inspect", "a", "--open", "-m", "./nowhere")
    assert failed.returncode == 3
