"""Pages of every kind, made in this process from predictions alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape import check_checkpoint, diff_checkpoints, inspect_texts, profile_files
from bertshape.render.page.pages import page
from tests.support.checkpoints import minilm_folder

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = ("Short.", "Unbelievably long words are cut into pieces.")


def pages_of_every_kind(folder: Path) -> dict[str, str]:
    """Pages by what they show.

    Args:
        folder: Where the corpus of the profile is written.
    """
    minilm = minilm_folder()
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join("word " * length for length in (3, 5, 8, 9, 30, 61, 140, 300)))
    checks = [check_checkpoint(minilm, "hidden_size=384", "pooling=cls"), check_checkpoint(folder / "nowhere")]
    tasks = ["sequence-classification", "masked-lm", "question-answering"]
    return {
        "inspect": page(inspect_texts("This is an example sentence.", model=minilm, weights="none")),
        "batch": page(
            inspect_texts(TEXTS, model=minilm, weights="none", layers=True, words=True, tasks=tasks), explain=True
        ),
        "embedded": page(inspect_texts("a b", ["c"], weights="none", pooling=["cls+mean", "mean@-2", "words"])),
        "check": page(checks),
        "diff": page(diff_checkpoints(minilm, "embedded:bert-base-uncased")),
        "profile": page(profile_files(corpus, model=minilm)),
    }
