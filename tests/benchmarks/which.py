"""`which` against `embed` of the same texts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.checkpoint.locate import locate
from tests.benchmarks.processes import BERTSHAPE, Row, in_turn, median_wall
from tests.benchmarks.profile import write_lines
from tests.support.checkpoints import minilm_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXTS = 200


def rows() -> Iterator[Row]:
    """All recipes of MiniLM on some hundred texts."""
    minilm, tokenizer = str(minilm_folder()), locate(None).tokenizer_folder / "tokenizer.json"
    with tempfile.TemporaryDirectory() as name:
        texts = write_lines(Path(name) / "texts.txt", _TEXTS, tokenizer)
        vectors = Path(name) / "vectors.npy"
        embed = (*BERTSHAPE, "embed", str(texts), "-m", minilm, "-p", "mean@-2", "-o", str(vectors))
        which = (*BERTSHAPE, "which", str(vectors), "--texts", str(texts), "-m", minilm)
        in_turn(embed, embed, runs=0)  # Its vectors are there before `which` reads them.
        pairs = in_turn(which, embed, runs=3)
    yield Row(f"`which` on MiniLM and {_TEXTS} texts, all recipes, wall time against `embed`", pairs.ratio, 3.0)
    yield Row(f"`which` on MiniLM and {_TEXTS} texts, wall time", median_wall(pairs.first), unit=" s")
