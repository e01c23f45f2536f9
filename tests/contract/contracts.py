"""A contract with everything that one can say, as text and as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.contract.contract import CheckpointContract, ContractCase
from bertshape.contract.expectations import Expectation
from bertshape.contract.shape_pattern import parse_pattern

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "sha256:" + "0f" * 32
FULL = f"""\
# What the search index relies on.
[[checkpoint]]
model = "org/minilm"
revision = "main"
tokenizer = "{DIGEST}"
expect = [
    "hidden_size=384",  # a comment
    "last_hidden_state=[batch_size, sequence_length, 384]",
]
[checkpoint.tensors]
"embeddings.word_embeddings.weight" = [30522, 384]
"encoder.layer.{{0-5}}.output.dense.weight" = ["hidden_size", "_"]

[[checkpoint.case]]
text = "This is an example sentence."
input_ids = [101, 2023, 102]
last_hidden_state = [1, 8, 384]
pooled.mean = ["batch_size", "..."]

[[checkpoint.case]]
text = "a"
pair = "b"

[[checkpoint]]
model = "embedded:bert-tiny-uncased"
"""
CONTRACTS = (
    CheckpointContract(
        model="org/minilm",
        revision="main",
        tokenizer=DIGEST,
        expect=(
            Expectation("hidden_size", "=", 384),
            Expectation("last_hidden_state", "=", parse_pattern("[batch_size, sequence_length, 384]")),
        ),
        tensors={
            "embeddings.word_embeddings.weight": parse_pattern("[30522, 384]"),
            "encoder.layer.{0-5}.output.dense.weight": parse_pattern("[hidden_size, _]"),
        },
        cases=(
            ContractCase(
                text="This is an example sentence.",
                input_ids=(101, 2023, 102),
                shapes={
                    "last_hidden_state": parse_pattern("[1, 8, 384]"),
                    "pooled.mean": parse_pattern("[batch_size, ...]"),
                },
            ),
            ContractCase(text="a", pair="b"),
        ),
    ),
    CheckpointContract(model="embedded:bert-tiny-uncased"),
)


def written(folder: Path, text: str, name: str = "bertshape.toml") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path
