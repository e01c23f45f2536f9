"""What newcomers find in the repository: a workflow that runs what .ci/run runs, hooks, issue templates."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from typing import Any

import yaml

from tests.support.command_line import SECONDS
from tests.tools.pages import ROOT


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_workflow_runs_ci_on_every_python_of_the_metadata() -> None:
    (job,) = read(".github/workflows/ci.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    named = [line.rpartition(" ")[2] for line in project()["project"]["classifiers"] if "Python :: 3." in line]
    assert job["strategy"]["matrix"]["python"] == named
    assert f">={named[0]}" == project()["project"]["requires-python"]


def test_bug_reports_ask_for_doctor() -> None:
    asked = {field["id"]: field for field in read(".github/ISSUE_TEMPLATE/bug.yml")["body"]}
    assert "bertshape doctor --json" in asked["doctor"]["attributes"]["label"]
    assert asked["doctor"]["validations"]["required"] is True


def test_hooks_run_what_ci_runs() -> None:
    """Each tool that `.ci/run` calls is a hook too, and the files that the hooks name exist."""
    hooks = [hook for repo in read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    entries = [hook["entry"] for hook in hooks]
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for tool in ("ruff format", "ruff check", "mypy", "lint-imports"):
        assert any(entry.startswith(tool) for entry in entries), tool
        assert re.search(rf"^ *{tool}", ci, flags=re.MULTILINE), tool
    for path in re.findall(r"\S+/\S+\.py", " ".join(entries)):
        assert (ROOT / path).is_file(), path


def test_readme_leads_to_changelog_and_contributing() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "](docs/changelog.md)" in readme
    assert "](docs/contributing.md)" in readme
    urls = project()["project"]["urls"]
    assert {"Homepage", "Documentation", "Changelog", "Issues"} <= set(urls)


def test_imports_stand_at_the_top_but_for_a_few_doors() -> None:
    """An import inside a function is a door, or saves a start-up cost that a comment names: at most 30 in all."""
    command = [sys.executable, "-m", "ruff", "check", "--select", "PLC0415", "--output-format", "json", "bertshape"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS)
    found = json.loads(done.stdout)
    assert 0 < len(found) <= 30, [f"{item['filename']}:{item['location']['row']}" for item in found]


def test_files_and_functions_stay_small() -> None:
    """A file has at most 300 lines, a function at most 40 below its docstring; lists of options are no such lines."""
    for path in sorted((ROOT / "bertshape").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 300, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and node.body[1:] else node.body
                assert (body[-1].end_lineno or 0) - body[0].lineno < 40, f"{path}: {node.name}"


def test_the_package_has_few_rooms_and_few_loose_modules() -> None:
    entries = list((ROOT / "bertshape").iterdir())
    assert sum((entry / "__init__.py").is_file() for entry in entries) <= 12
    assert sum(entry.suffix == ".py" for entry in entries) <= 8
