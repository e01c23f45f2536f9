"""The report as Markdown: foreign text has no effect in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.hostile.model import CONFIG, VOCABULARY, shapes, sound, tokenizer_json, weights_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Command

# Whatever begins markup in CommonMark or in GitHub's dialect: ~~struck~~, $formula$, @mention, #1, a cell's border.
MARKUP = "\\`*_{}[]<>()#+.!|~&$@:-"


def test_every_character_of_markup_is_escaped(run_cli: Command, tmp_path: Path) -> None:
    folder = sound(tmp_path)
    vocabulary = (*VOCABULARY, *sorted(set(MARKUP) - {"!"}))
    (folder / "tokenizer.json").write_text(tokenizer_json(vocabulary))
    (folder / "config.json").write_text(json.dumps({**CONFIG, "vocab_size": len(vocabulary)}))
    (folder / "model.safetensors").write_bytes(weights_of(shapes(vocab_size=len(vocabulary))))
    command = ("inspect", MARKUP[:12], MARKUP[12:], "--model", "m", "--weights", "none", "--format", "markdown")
    done = run_cli(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    cells = re.findall(r"^\| \d+ \| (\S+) \|", done.stdout, flags=re.MULTILINE)
    shown = set(cells) - {"\\[CLS\\]", "\\[SEP\\]", "\\[PAD\\]"}
    assert shown == {f"\\{character}" for character in MARKUP}
