"""The recipes name things that exist, and their commands and files work as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools.pages import PAGES, ROOT, make_place

DOCS = ROOT / "docs"
_YAML = re.compile(r"^( *)```yaml\n(?P<text>.*?)^ *```", flags=re.DOTALL | re.MULTILINE)


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
        assert done.returncode == (0 if command.endswith("|| true") else code), done.stderr
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
