"""The documentation as a site: it builds strictly, fetches nothing, and its recipes and pictures are those of today."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from bertshape import __version__, inspect_texts
from bertshape.cli.app import COMMANDS
from tests.project.test_docs import PAGES, ROOT, make_place
from tests.tools.json_reference import PAGE, write_reference
from tests.tools.pictures import FOLDER, TERMINAL, draw_terminal, picture_texts

DOCS = ROOT / "docs"
_YAML = re.compile(r"^( *)```yaml\n(?P<text>.*?)^ *```", flags=re.DOTALL | re.MULTILINE)
# Attributes by which a browser fetches without being asked; links that a reader follows are not among them.
_FETCHING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", ".mkdocs.yml", "-d", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return folder


class _Fetches(HTMLParser):
    """Addresses on other hosts that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" and values.get("rel") in ("canonical", "prev", "next"):
            return
        self.found += [
            value for name, value in attrs if (tag, name) in _FETCHING and value and re.match(r"(https?:)?//", value)
        ]


def fetches(html: str) -> list[str]:
    parser = _Fetches()
    parser.feed(html)
    return parser.found


def yaml_blocks() -> list[tuple[str, str]]:
    """Each yaml block with its page; blocks in lists lose their indentation."""
    found = []
    for page in PAGES:
        for match in _YAML.finditer(page.read_text(encoding="utf-8")):
            lines = [line.removeprefix(match[1]) for line in match["text"].splitlines()]
            found.append((page.relative_to(ROOT).as_posix(), "\n".join(lines)))
    return found


def block_of(page: str, start: str) -> Any:
    """The yaml block of a page that begins with this line, as a value."""
    (text,) = [text for name, text in yaml_blocks() if name == page and text.startswith(start)]
    return yaml.safe_load(text)


def test_site_builds_strictly_and_holds_every_page(site: Path) -> None:
    """Dead links, missing anchors and pages outside the navigation are warnings, and strict makes them errors."""
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix("")
        built = site / ("index.html" if name.name == "index" else f"{name}/index.html")
        assert built.is_file(), page


def test_a_dead_link_fails_the_build(tmp_path: Path) -> None:
    """The test above can fail: the same settings refuse a page whose link leads nowhere."""
    settings = (ROOT / ".mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[0]
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(settings, encoding="utf-8")
    (tmp_path / "docs" / "index.md").write_text("# A page\n\n[Gone](gone.md) and [here](#nowhere)\n", encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode != 0
    assert "gone.md" in done.stderr
    assert "#nowhere" in done.stderr


def test_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    assert fetches('<script src="https://cdn.example/x.js"></script>') == ["https://cdn.example/x.js"]
    for page in site.rglob("*.html"):
        assert fetches(page.read_text(encoding="utf-8")) == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet


def test_python_page_shows_docstrings_and_signatures(site: Path) -> None:
    """Every name of the package's interface is there, with what its docstring says."""
    html = (site / "python" / "index.html").read_text(encoding="utf-8")
    for name in ("inspect_texts", "inspect", "InspectionRequest", "Report", "Finding", "BertshapeError", "ExitCode"):
        assert re.search(rf'id="bertshape[\w.]*\.{name}"', html), name
    assert "Inspect texts from Python" in html
    assert "truncate_dim" in html


@pytest.mark.parametrize("name", TERMINAL)
def test_pictures_show_what_the_commands_show(name: str, tmp_path: Path) -> None:
    """`python -m tests.tools.pictures` mends this. Only texts are compared."""
    kept = (FOLDER / name).read_text(encoding="utf-8")
    assert picture_texts(kept) == picture_texts(draw_terminal(TERMINAL[name], make_place(tmp_path)))
    assert len(picture_texts(kept)) > 20


def test_pictures_stand_below_their_commands() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    found = re.findall(r"```sh\nbertshape inspect (.+)\n```\n\n!\[[^\]]+\]\(pictures/([\w.]+)\)", pages)
    assert {name: tuple(shlex.split(command)) for command, name in found} == TERMINAL


def test_json_reference_is_made_from_the_schema() -> None:
    """`python -m tests.tools.json_reference` mends this."""
    assert PAGE.read_text(encoding="utf-8") == write_reference()


def test_json_reference_names_every_field_of_a_document() -> None:
    """What a report holds is in the page, by the path that the page would give it."""
    made = inspect_texts("A text.", model="embedded:bert-tiny-uncased", weights="none", words=True, pool=["mean"])
    report: dict[str, Any] = made.to_dict()
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition("### `checkpoint`")[2].partition("\n### ")[0]
    for name, value in report["checkpoint"].items():
        assert f"| `{name}` |" in section
        for inner in value if name == "dimensions" else ():
            assert f"| `dimensions.{inner}` |" in section
    for name in (*report, *report["sequences"][0], *report["pooled"]["mean"]):
        assert f"| `{name}` |" in page


def test_pictures_are_used_and_self_contained() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for picture in FOLDER.iterdir():
        assert f"pictures/{picture.name})" in pages
        text = picture.read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert "url(http" not in text
        assert "@font-face" not in text


@pytest.mark.parametrize(("page", "text"), yaml_blocks(), ids=lambda value: value if value.endswith(".md") else "")
def test_yaml_blocks_are_valid(page: str, text: str) -> None:
    assert yaml.safe_load(text), page


def test_workflow_uses_inputs_that_the_action_has() -> None:
    action = yaml.safe_load((ROOT / ".github" / "actions" / "check" / "action.yml").read_text(encoding="utf-8"))
    workflow = block_of("docs/recipes/ci.md", "# .github/workflows/")
    # YAML 1.1 reads the key `on` as true.
    assert set(workflow) == {"name", True, "permissions", "jobs"}
    (step,) = [step for step in workflow["jobs"]["check"]["steps"] if ".github/actions/check" in step["uses"]]
    assert set(step["with"]) <= set(action["inputs"])


def test_hooks_are_those_of_the_repository() -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    texts = [text for name, text in yaml_blocks() if name == "docs/recipes/pre-commit.md"]
    used = [hook for text in texts for repo in yaml.safe_load(text)["repos"] for hook in repo["hooks"]]
    assert {hook["id"] for hook in used} <= set(hooks)
    local = next(hook for hook in used if "entry" in hook)
    assert local["entry"] == hooks[local["id"]]["entry"]
    assert re.search(local["files"], "models/minilm/config.json")
    assert not re.search(local["files"], "README.md")


def ci_commands() -> list[str]:
    """Commands of the CI recipes that run bertshape."""
    job = block_of("docs/recipes/ci.md", "# .gitlab-ci.yml")["checkpoint"]
    assert job["artifacts"]["reports"]["junit"] == "bertshape.xml"
    steps = block_of("docs/recipes/ci.md", "# steps of a job")
    return [line for line in [*job["script"], *(step["run"] for step in steps)] if line.startswith("bertshape")]


@pytest.mark.parametrize("command", ci_commands())
def test_commands_of_ci_recipes_run(command: str, tmp_path: Path) -> None:
    """With the contract of a sound checkpoint they pass; with that of a broken one they stop the job."""
    place = make_place(tmp_path)
    folder = str(Path(sys.executable).parent)
    for model, code in (("./all-MiniLM-L6-v2", 0), ("./eight-layers", 1)):
        (place / "bertshape.toml").write_text(f'[[checkpoint]]\nmodel = "{model}"\n', encoding="utf-8")
        done = subprocess.run(
            ["bash", "-c", f'PATH="{folder}:$PATH"; {command}'], cwd=place, capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr
    if "junit" in command:
        assert ElementTree.parse(place / "bertshape.xml").getroot().tag == "testsuites"


def test_pytest_recipe_passes_and_fails_as_it_says(tmp_path: Path) -> None:
    text = (DOCS / "recipes" / "pytest.md").read_text(encoding="utf-8")
    code, lines = (
        re.search(r"```py\n(# test_model.py\n.*?)```", text, re.DOTALL),
        re.search(r"```text\n(E .*?)```", text, re.DOTALL),
    )
    assert code is not None
    assert lines is not None
    place = make_place(tmp_path)
    (place / "test_model.py").write_text(code[1], encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_model.py"]
    done = subprocess.run(command, cwd=place, capture_output=True, encoding="utf-8", check=False)
    assert "1 failed, 1 passed" in done.stdout
    assert lines[1] in done.stdout


def test_commands_page_has_a_section_for_each_command() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert set(COMMANDS) <= set(re.findall(r"^## (\w+)$", text, flags=re.MULTILINE))


def test_installation_names_extras_that_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for page in PAGES:
        for names in re.findall(r"(?:\.|bertshape)\[([\w,]+)\]", page.read_text(encoding="utf-8")):
            assert set(names.split(",")) <= set(extras), page


def test_changelog_has_the_version_of_the_package() -> None:
    assert f"\n## {__version__}\n" in (DOCS / "changelog.md").read_text(encoding="utf-8")
