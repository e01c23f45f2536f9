"""What is written reads back equal, in a form that people can review."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertshape.contract.contract import CASE_KEYS, CheckpointContract, ContractCase
from bertshape.contract.read import read_contract
from bertshape.contract.shape_pattern import ShapePattern
from bertshape.contract.write import write_contract
from bertshape.errors import UsageError
from tests.contract.contracts import CONTRACTS, DIGEST, written
from tests.contract.test_expectations import expectations
from tests.test_shapes import patterns

if TYPE_CHECKING:
    from pathlib import Path

some_text = st.text() | st.text("\"'\\\n\r\t\0\x1f\x7f\x85\u2028#[]={}é\U0001f642", min_size=1)
models = some_text.filter(lambda text: bool(text.strip()) and not text.startswith(".")).map(lambda text: f"hub:{text}")
cases = st.builds(
    ContractCase,
    text=some_text.filter(bool),
    pair=st.none() | some_text,
    input_ids=st.none() | st.lists(st.integers(0, 10**9), max_size=60).map(tuple),
    shapes=st.dictionaries(some_text.filter(lambda name: name not in CASE_KEYS), patterns(), max_size=3),
)
contracts = st.builds(
    CheckpointContract,
    model=models,
    revision=st.none() | some_text,
    expect=st.lists(expectations, max_size=3).map(tuple),
    tokenizer=st.none() | st.just(DIGEST),
    tensors=st.dictionaries(some_text, patterns(), max_size=3),
    cases=st.lists(cases, max_size=3).map(tuple),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(contracts, min_size=1, max_size=3).map(tuple))
def test_what_is_written_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, contracts: tuple[CheckpointContract, ...]
) -> None:
    text = write_contract(contracts)
    path = written(tmp_path_factory.getbasetemp(), text, "written.toml")
    assert read_contract(path) == contracts
    assert write_contract(read_contract(path)) == text
    assert all(line.isprintable() for line in text.split("\n"))


def test_the_written_form() -> None:
    assert (
        write_contract(CONTRACTS)
        == f"""\
[[checkpoint]]
model = "org/minilm"
revision = "main"
tokenizer = "{DIGEST}"
expect = [
    "hidden_size=384",
    "last_hidden_state=[batch_size, sequence_length, 384]",
]

[checkpoint.tensors]
"embeddings.word_embeddings.weight" = [30522, 384]
"encoder.layer.{{0-5}}.output.dense.weight" = ["hidden_size", "_"]

[[checkpoint.case]]
text = "This is an example sentence."
input_ids = [101, 2023, 102]
last_hidden_state = [1, 8, 384]
"pooled.mean" = ["batch_size", "..."]

[[checkpoint.case]]
text = "a"
pair = "b"

[[checkpoint]]
model = "embedded:bert-tiny-uncased"
"""
    )


def test_long_lists_are_wrapped() -> None:
    text = write_contract([CheckpointContract("m", cases=(ContractCase("a", input_ids=tuple(range(1000, 1100))),))])
    assert max(map(len, text.split("\n"))) <= 100


@pytest.mark.parametrize("contract", [
    CheckpointContract("\ud800"),
    CheckpointContract("m", cases=(ContractCase("a", shapes={"input_ids": ShapePattern((1, 8))}),)),
])  # fmt: skip
def test_what_toml_cannot_hold_is_refused(contract: CheckpointContract) -> None:
    with pytest.raises(UsageError) as raised:
        write_contract([contract])
    assert raised.value.code == "contract-unwritable"


@pytest.mark.parametrize("character", ["\x1b", "\x85", "\u202e", "\u2028", "\U000e0041", "\x7f"])
def test_what_cannot_be_seen_is_escaped(character: str) -> None:
    """A right-to-left override in a text would show reviewers another line than the one that is read."""
    text = write_contract([CheckpointContract("m", cases=(ContractCase(f"a{character}b"),))])
    assert character not in text
    assert tomllib.loads(text)["checkpoint"][0]["case"][0]["text"] == f"a{character}b"


def test_inside_of_other_tables(tmp_path: Path) -> None:
    text = write_contract(CONTRACTS, ("tool", "bertshape"))
    assert text.startswith("[[tool.bertshape.checkpoint]]\n")
    assert read_contract(written(tmp_path, text, "pyproject.toml")) == CONTRACTS
