"""A sound checkpoint of a few kilobytes, made without torch: what every row of the corpus breaks in its own way."""

from __future__ import annotations

import functools
import json
import math
from array import array
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from bertshape.predict.config import resolve
from tests.support.weight_files import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CONFIG: Mapping[str, Any] = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "vocab_size": 12,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "pad_token_id": 0,
}
VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "text", "##s", "two", "words", "!", "[red]")
INSPECT = ("inspect", "a text", "--model", "m", "--weights", "none")
CHECK = ("check", "m")


def sound(here: Path) -> Path:
    """The checkpoint as it should be, in the folder `m`."""
    folder = here / "m"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(dict(CONFIG)))
    (folder / "tokenizer.json").write_text(tokenizer_json())
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    (folder / "model.safetensors").write_bytes(weights_of(shapes()))
    return folder


@functools.cache
def tokenizer_json(vocabulary: tuple[str, ...] = VOCABULARY) -> str:
    """A WordPiece tokenizer of a dozen words."""
    ids = {token: index for index, token in enumerate(vocabulary)}
    backend = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    backend.add_special_tokens([token for token in VOCABULARY[:5] if token in ids])
    return str(backend.to_str())


def shapes(**config: object) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of the checkpoint."""
    expected = resolve({**CONFIG, **config}, "config.json").expected_tensors()
    assert expected is not None
    return expected


def weights_of(tensors: Mapping[str, tuple[int, ...]]) -> bytes:
    """A safetensors file of numbers that differ, for zeros give every token the same vector."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in tensors.items():
        start, end = end, end + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    numbers = array("f", map(math.sin, range(end // 4)))
    return packed(header, 0) + numbers.tobytes()


def with_file(name: str, content: str | bytes | None) -> Callable[[Path], None]:
    """A maker of the sound checkpoint with another content of one file; None removes it."""

    def make(here: Path) -> None:
        path = sound(here) / name
        path.unlink(missing_ok=True)
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)

    return make


def with_config(**values: object) -> Callable[[Path], None]:
    """A maker of the sound checkpoint with other values in config.json; `...` leaves one out."""
    config = {name: value for name, value in {**CONFIG, **values}.items() if value is not ...}
    return with_file("config.json", json.dumps(config))
