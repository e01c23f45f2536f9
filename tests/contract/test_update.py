"""An edited contract brought up to date: what a person wrote stays, what a snapshot wrote is as it is now."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bertshape.contract.contract import CheckpointContract, ContractCase
from bertshape.contract.expectations import parse_expectation
from bertshape.contract.read import read_contract
from bertshape.contract.shape_pattern import parse_pattern
from bertshape.contract.update import add_contract, kept_expectations, update_contract
from bertshape.contract.write import write_contract
from bertshape.errors import UsageError
from tests.contract.contracts import DIGEST, written

if TYPE_CHECKING:
    from pathlib import Path

NOW = CheckpointContract(
    model="./m",
    expect=tuple(map(parse_expectation, ("hidden_size=8", "num_hidden_layers=2", "dtype=float32"))),
    tokenizer=DIGEST,
    tensors={
        "embeddings.word_embeddings.weight": parse_pattern("[12, 8]"),
        "layer.{0-1}.weight": parse_pattern("[8, 8]"),
    },
    cases=(
        ContractCase(
            "a text",
            input_ids=(2, 5, 3),
            shapes={"last_hidden_state": parse_pattern("[1, 3, 8]"), "pooled.mean": parse_pattern("[1, 8]")},
        ),
    ),
)
EDITED = f"""\
# The search index relies on this.
[[checkpoint]]
model = "./m"  # trained in May
tokenizer = "{DIGEST}"  # do not touch
expect = [
    "hidden_size=8",  # as the index
    # own:
    "num_layers>=2",
    "dtype=fp32",
    "pooled.mean=[_, hidden_size]",
]

[checkpoint.tensors]  # stored
"embeddings.word_embeddings.weight" = ["_", "hidden_size"]  # the vocabulary may grow
"layer.{{0-1}}.weight" = [8, 8]  # both

[[checkpoint.case]]
text = "a text"  # the usual one
last_hidden_state = [1, "sequence_length", 8]  # ids are left out on purpose
pooled.mean = [1, 8]  # without quotes
pooled.max = [1, 8]  # own

[[checkpoint.case]]  # own
text = "a"
pair = "text"
input_ids = [2, 5, 3, 6, 3]
"""


def update(text: str, contract: CheckpointContract = NOW, known: tuple[str, ...] = ()) -> tuple[str, tuple[str, ...]]:
    return update_contract(text, 0, contract, known=lambda name: name in known)


def test_what_still_holds_stays_as_it_is_written() -> None:
    """What was taken out stays out too: an expectation, the ids of a text."""
    assert update(EDITED) == (EDITED, ())
    assert update(write_contract([NOW])) == (write_contract([NOW]), ())


def test_new_values_come_where_the_old_ones_are() -> None:
    """Every line that is not to be changed is there as before, with its comment."""
    other = "sha256:" + "1a" * 32
    case = replace(
        NOW.cases[0], shapes={name: parse_pattern("[1, 16]") for name in ("pooled.mean", "last_hidden_state")}
    )
    new = replace(
        NOW,
        expect=(parse_expectation("hidden_size=16"), *NOW.expect[1:]),
        tokenizer=other,
        tensors={**NOW.tensors, "layer.{0-1}.weight": parse_pattern("[16, 16]")},
        cases=(case,),
    )
    text, changes = update(EDITED, new)
    expected = EDITED.replace(DIGEST, other).replace('"hidden_size=8"', '"hidden_size=16"')
    expected = expected.replace('weight" = ["_", "hidden_size"]', 'weight" = ["_", "hidden_size"]')
    expected = expected.replace('["_", "hidden_size"]', "[12, 8]")  # 8 is no hidden_size any more
    expected = expected.replace('weight" = [8, 8]', 'weight" = [16, 16]').replace("mean = [1, 8]", "mean = [1, 16]")
    expected = expected.replace('[1, "sequence_length", 8]', "[1, 16]")
    assert text == expected
    assert changes == (
        f"tokenizer {DIGEST} -> {other}",
        "hidden_size=8 -> hidden_size=16",
        "tensor embeddings.word_embeddings.weight [_, hidden_size] -> [12, 8]",
        "tensor layer.{0-1}.weight [8, 8] -> [16, 16]",
        "text 'a text': last_hidden_state [1, sequence_length, 8] -> [1, 16], pooled.mean [1, 8] -> [1, 16]",
    )


def test_token_ids_are_updated_where_they_are_written() -> None:
    text, changes = update(EDITED.replace('text = "a text"', 'input_ids = [1]  # ids\ntext = "a text"'))
    assert "input_ids = [2, 5, 3]  # ids\n" in text
    assert changes == ("text 'a text': other input_ids, 1 -> 3 of them",)


def test_tensors_that_come_and_go(tmp_path: Path) -> None:
    """Three layers where there were two: the folded name goes, the new one comes, and all reads back as it is."""
    tensors = {"layer.{0-2}.weight": parse_pattern("[8, 8]"), "head.bias": parse_pattern("[2]")}
    text, changes = update(EDITED, replace(NOW, tensors=tensors))
    assert changes == (
        "tensor embeddings.word_embeddings.weight [_, hidden_size] -> nothing",
        "tensor layer.2.weight [8, 8] added",
        "tensor head.bias [2] added",
    )
    (read,) = read_contract(written(tmp_path, text))
    assert dict(read.tensors) == {
        "layer.{0-1}.weight": parse_pattern("[8, 8]"),
        "layer.2.weight": parse_pattern("[8, 8]"),
        "head.bias": parse_pattern("[2]"),
    }
    assert "# stored" in text


def test_what_is_not_stated_any_more_is_taken_out() -> None:
    """Only names that a snapshot writes: an own expectation of another name stays, and fails until a person looks."""
    text = EDITED.replace('"dtype=fp32"', '"pooling=mean", "logits=3"')
    new, changes = update(text, known=("pooling", "dtype"))
    assert changes == ("pooling=mean -> nothing",)
    assert '"logits=3"' in new
    assert "pooling" not in new
    new, changes = update(EDITED, replace(NOW, tokenizer=None))
    assert changes == (f"tokenizer {DIGEST} -> none",)
    assert "\ntokenizer" not in new


def test_the_revision_is_that_of_the_snapshot_if_it_has_one() -> None:
    text = EDITED.replace('model = "./m"', 'model = "org/m"\nrevision = "v1"')
    assert update(text) == (text, ())
    assert update(text, replace(NOW, revision="v2")) == (text.replace("v1", "v2"), ("revision v1 -> v2",))


@pytest.mark.parametrize("cut", ["\n[[checkpoint.case]]\ntext", "\n[checkpoint.tensors]"])
def test_texts_are_added_with_an_empty_line_before(tmp_path: Path, cut: str) -> None:
    text = EDITED[: EDITED.index(cut)]
    new, changes = update(text, replace(NOW, cases=(replace(NOW.cases[0], text="a new one"),)))
    assert changes == ("text 'a new one' added",)
    assert new.startswith(text)
    assert new[len(text) :].startswith('\n[[checkpoint.case]]\ntext = "a new one"\ninput_ids = [2, 5, 3]\n')
    assert read_contract(written(tmp_path, new))[0].cases[0].text == "a new one"


def test_only_the_checkpoint_in_question_is_touched() -> None:
    second = EDITED.replace("hidden_size=8", "hidden_size=9").replace("./m", "./other")
    text, changes = update_contract(f"{EDITED}\n{second}", 1, NOW)
    assert text == f"{EDITED}\n{EDITED.replace('./m', './other')}"
    assert changes == ("hidden_size=9 -> hidden_size=8",)


def test_in_a_project_between_other_tables() -> None:
    def project(text: str) -> str:
        tables = text.replace("[checkpoint", "[tool.bertshape.checkpoint")
        return f'[project]\nname = "x"  # y\n\n[tool.ruff]\nline-length = 3\n\n{tables}\n[tool.mypy]\nstrict = true\n'

    old = project(EDITED.replace("hidden_size=8", "hidden_size=9"))
    text, changes = update_contract(old, 0, NOW, within=("tool", "bertshape"))
    assert text == project(EDITED)
    assert changes == ("hidden_size=9 -> hidden_size=8",)


INLINE = (
    'checkpoint = [{model = "./m", expect = ["hidden_size=9"], tensors = {"layer.{0-1}.weight" = [1]}, '
    'case = [{text = "a text", input_ids = [1]}]}]  # all in one line\n'
)


def test_tables_in_a_line_are_updated_too() -> None:
    text, changes = update(INLINE)
    entry = tomllib.loads(text)["checkpoint"][0]
    assert entry["expect"] == ["hidden_size=8"]
    assert entry["tensors"]["layer.{0-1}.weight"] == [8, 8]
    assert entry["case"][0]["input_ids"] == [2, 5, 3]
    assert "# all in one line" in text
    assert len(changes) == 4


def test_a_checkpoint_is_added_at_the_end(tmp_path: Path) -> None:
    text = add_contract(EDITED, replace(NOW, model="./other"))
    assert text.startswith(f"{EDITED}\n[[checkpoint]]\n")
    assert [contract.model for contract in read_contract(written(tmp_path, text))] == ["./m", "./other"]
    with pytest.raises(UsageError, match="cannot be edited"):
        add_contract(INLINE, NOW)


def test_what_cannot_be_edited_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever tomlkit makes of a file is read once more before anything is written."""
    monkeypatch.setattr("tomlkit.dumps", lambda _: "a = ")
    with pytest.raises(UsageError, match="cannot be edited"):
        update(EDITED)
    monkeypatch.setattr("tomlkit.dumps", lambda _: "a = 1")
    with pytest.raises(UsageError, match="cannot be edited"):
        update(EDITED)


def test_an_expectation_with_two_signs_is_a_persons_own() -> None:
    """A snapshot writes `=`: what a person wrote with `==` stays, and is spoken of where it does not hold any more."""
    old = '[[checkpoint]]\nmodel = "m"\nexpect = ["hidden_size==1", "num_hidden_layers=1"]\n'
    now = CheckpointContract("m", expect=tuple(map(parse_expectation, ("hidden_size=2", "num_hidden_layers=2"))))
    text, changes = update_contract(old, 0, now)
    assert text == old.replace("layers=1", "layers=2")
    assert changes == ("num_hidden_layers=1 -> num_hidden_layers=2",)
    assert kept_expectations(old, 0, now) == ("hidden_size==1 is yours and stays; it is 2 now",)
    assert kept_expectations(old.replace("==1", "==2"), 0, now) == ()


def test_facts_that_an_older_version_did_not_write_are_added() -> None:
    """As a whole kind; of a kind that the file knows, what was taken out stays out."""
    later = ("config.hidden_act=gelu", "config.layer_norm_eps=1e-12", "modules=2", "modules.0=Transformer")
    new = replace(NOW, expect=(*NOW.expect, *map(parse_expectation, later)))
    group = {"config": "config", "modules": "recipe"}

    def brought(text: str, now: CheckpointContract = new) -> tuple[str, tuple[str, ...]]:
        return update_contract(text, 0, now, group=lambda name: group.get(name.partition(".")[0], ""))

    text, changes = brought(EDITED)
    assert changes == tuple(f"{line} added" for line in later)
    lines = tomllib.loads(text)["checkpoint"][0]["expect"]
    assert lines == [*tomllib.loads(EDITED)["checkpoint"][0]["expect"], *later]
    assert brought(text) == (text, ())
    assert brought(text.replace('    "config.layer_norm_eps=1e-12",\n', ""))[1] == ()
    more = replace(new, expect=(*new.expect[:-2], *map(parse_expectation, ("modules=3", "modules.1=Pooling"))))
    assert brought(text, more)[1] == ("modules=2 -> modules=3", "modules.1=Pooling added")
    assert brought(EDITED.replace(f'tokenizer = "{DIGEST}"  # do not touch\n', ""))[1] == ()
