"""The `files:` of the pre-commit hook, from the names of the files that `check` reads: `python -m tests.tools.hook`."""

from __future__ import annotations

import re

from bertshape.checkpoint.read_weights import PICKLES
from bertshape.checkpoint.small_files import SMALL_FILES, VOCABULARY_FILES
from bertshape.contract.read import CONTRACT_NAME, PROJECT_NAME
from tests.tools.pages import ROOT

HOOKS = ROOT / ".pre-commit-hooks.yaml"
RECIPE = ROOT / "docs" / "recipes" / "pre-commit.md"
_LINE = re.compile(r"^( *files: )\(\^\|/\)\(.*$", flags=re.MULTILINE)


def pattern() -> str:
    """What the hook is run for: contracts, the small files of checkpoints, and weights with their indexes."""
    names = {*SMALL_FILES, *VOCABULARY_FILES, *PICKLES, CONTRACT_NAME, PROJECT_NAME}
    return rf"(^|/)({'|'.join(map(re.escape, sorted(names)))}|[^/]*\.safetensors)$".replace(r"\-", "-")


def written(text: str) -> str:
    """A file with every `files:` of a hook as it should be."""
    return _LINE.sub(lambda found: f"{found[1]}{pattern()}", text)


if __name__ == "__main__":
    for path in (HOOKS, RECIPE):
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
