"""Sound checkpoints, which the tests break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.soundness.editing import (
    Tiny,
    settings,
)
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def sound(minilm: Path, tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Sound checkpoints by name: `minilm`, a family, `sentence` (a chain with Dense), `sharded`."""
    made = {"minilm": minilm}

    def get(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp("sound") / name
            if name == "sentence":
                _save_sentence(get("bert"), folder)
            elif name == "sharded":
                _save_sharded(get("bert"), folder)
            else:
                edited_copy(tiny(name), folder)
                # The tiny ones declare as many tokens as positions; families that count from the padding lose two.
                usable = 62 if name in ("roberta", "xlm-roberta", "mpnet") else 64
                settings("tokenizer_config.json", model_max_length=usable)(folder)
            made[name] = folder
        return made[name]

    return get


def _save_sentence(source: Path, folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    transformer = Transformer(str(source), max_seq_length=32)
    chain = [transformer, Pooling(48, "mean"), Normalize(), Dense(48, 12), Dense(12, 6)]
    SentenceTransformer(modules=chain, device="cpu").save(str(folder))


def _save_sharded(source: Path, folder: Path) -> None:
    import transformers

    edited_copy(source, folder)
    (folder / "model.safetensors").unlink()
    transformers.AutoModel.from_pretrained(source).save_pretrained(folder, max_shard_size="50KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
