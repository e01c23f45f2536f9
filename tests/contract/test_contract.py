"""The contract file: what is read, what is refused and in which line, and that what is written reads back equal."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertshape.checkpoint.weights import read_local
from bertshape.contract.contract import CASE_KEYS, CheckpointContract, ContractCase
from bertshape.contract.expectations import Expectation
from bertshape.contract.folded_names import fold_names, unfold_name
from bertshape.contract.lines import find_lines
from bertshape.contract.read import find_contract, read_contract
from bertshape.contract.shape_pattern import ShapePattern, parse_pattern
from bertshape.contract.write import write_contract
from bertshape.errors import ExitCode, UsageError
from tests.contract.test_expectations import expectations
from tests.test_shapes import patterns

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def refused(path: Path) -> UsageError:
    with pytest.raises(UsageError) as raised:
        read_contract(path)
    assert raised.value.code == "contract-invalid"
    assert raised.value.exit_code == ExitCode.USAGE
    assert str(path) in raised.value.message
    assert "expected" in raised.value.message
    return raised.value


# Reading


def test_everything_a_contract_can_say(tmp_path: Path) -> None:
    assert read_contract(written(tmp_path, FULL)) == CONTRACTS


def test_the_same_in_pyproject_beside_other_tools(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n' + FULL.replace("[checkpoint", "[tool.bertshape.checkpoint") + "[tool.ruff]\n"
    assert read_contract(written(tmp_path, text, "pyproject.toml")) == CONTRACTS


@pytest.mark.parametrize("spelling", ["\ufeff{}", "{}\n\n\n", "{}# end without a newline"])
def test_byte_order_marks_and_ends_do_not_matter(tmp_path: Path, spelling: str) -> None:
    assert read_contract(written(tmp_path, spelling.format(FULL))) == CONTRACTS
    assert read_contract(written(tmp_path, spelling.format(FULL).replace("\n", "\r\n"))) == CONTRACTS


@pytest.mark.parametrize(
    ("model", "seen"),
    [
        ("models/minilm", "{folder}/models/minilm"),
        ("./models/minilm", "{folder}/models/minilm"),
        ("./absent", "{folder}/absent"),
        ("../absent", "{parent}/absent"),
        (".", "{folder}"),
        ("org/minilm", "org/minilm"),
        ("embedded:bert-base-uncased", "embedded:bert-base-uncased"),
        ("/absent", "/absent"),
        ("a\\u0000b", "a\0b"),
    ],
)
def test_a_path_is_seen_from_the_file_and_a_hub_id_stays(tmp_path: Path, model: str, seen: str) -> None:
    folder = tmp_path / "project"
    (folder / "models" / "minilm").mkdir(parents=True)
    (contract,) = read_contract(written(folder, f'[[checkpoint]]\nmodel = "{model}"\n'))
    assert contract.model == seen.format(folder=folder, parent=tmp_path)


def test_a_path_beside_a_relative_file_never_looks_like_a_hub_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (contract,) = read_contract(written(Path(), '[[checkpoint]]\nmodel = "./org/absent"\n'))
    assert contract.model == os.path.join(".", "org", "absent")


# Refusals

HEAD = '[[checkpoint]]\nmodel = "m"\n'
CASE = HEAD + '[[checkpoint.case]]\ntext = "a"\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        # Broken TOML, in tomllib's words and ours.
        ("[[checkpoint]]\nmodel = m\n", 2, "invalid value; expected a string in quotes, a number, a list or a table"),
        ("[[checkpoint]]\nmodel\n", 2, "expected '=' after a key"),
        ("[[checkpoint]\n", 1, "expected ']]' at the end of an array declaration"),
        ('\n\n[[checkpoint]]\nmodel = "m\n', 4, "expected a closing quote"),
        (HEAD + 'model = "n"\n', 3, "cannot overwrite a value; expected each name once"),
        (HEAD + 'expect = ["a=1"\n', 3, "unclosed array; expected ]"),
        (HEAD + "tensors = {a = [1]\n", 3, "unclosed inline table; expected }"),
        (HEAD + "[checkpoint.tensors]\n[checkpoint.tensors]\n", 4, "cannot declare"),
        (HEAD + "?\n", 3, "invalid statement; expected KEY = VALUE or [TABLE]"),
        ('[[checkpoint]]\nmodel = "a\\q"\n', 2, "unescaped"),
        # Keys.
        ('checkpont = "m"\n', 1, "unknown key 'checkpont'; expected checkpoint"),
        ("[[checkpoint]]\n\nmodle = 1\n", 3, "unknown key 'modle'; expected one of model, revision"),
        (HEAD + 'text = "a"\n', 3, "unknown key 'text'"),
        (CASE + 'pear = "b"\n', 5, "unknown key 'pear'; expected text, pair, input_ids, or a shape as NAME"),
        (CASE + "[checkpoint.case.pooled]\n", 5, "pooled is a table; expected a list"),
        (CASE + '"pooled.mean" = [1]\n\n[checkpoint.case.pooled]\nmean = [1]\n', 8, "pooled.mean stands twice"),
        # Kinds.
        ("", 1, "there is no checkpoint; expected [[checkpoint]]"),
        ("checkpoint = []\n", 1, "there is no checkpoint; expected [[checkpoint]]"),
        ('# one\n[checkpoint]\nmodel = "m"\n', 2, "one table checkpoint; expected [[checkpoint]]"),
        (HEAD + '[checkpoint.case]\ntext = "a"\n', 3, "one table case; expected [[checkpoint.case]]"),
        ("checkpoint = 1\n", 1, "checkpoint is a whole number; expected a list"),
        ("checkpoint = [\n  1\n]\n", 2, "checkpoint.0 is a whole number; expected a table"),
        ("[[checkpoint]]\n", 1, "model is missing or empty; expected model = ..."),
        ('[[checkpoint]]\nmodel = " "\n', 2, "model is missing or empty"),
        ("[[checkpoint]]\nmodel = 1\n", 2, "model is a whole number; expected text in quotes"),
        (HEAD + "revision = true\n", 3, "revision is true or false; expected text"),
        (HEAD + "revision = 1979-05-27\n", 3, "revision is a date or time; expected text"),
        (HEAD + 'tokenizer = "sha256:abc"\n', 3, "expected sha256: and 64 hexadecimal digits"),
        (HEAD + 'expect = "a=1"\n', 3, "expect is text in quotes; expected a list"),
        (HEAD + 'expect = [\n  "a=1",\n  # two\n  2,\n]\n', 6, "expect.1 is a whole number; expected text"),
        (HEAD + 'expect = [\n  "a=1",\n  "b",\n]\n', 5, "the expectation 'b' has no operator; expected one of"),
        (HEAD + 'expect = ["a=1",\n"b=[1"]\n', 4, "the shape '[1' has the end at position 3; expected ',' or ']'"),
        (HEAD + "tensors = 1\n", 3, "tensors is a whole number; expected a table"),
        (HEAD + "[checkpoint.tensors]\na = [1]\nb = 2\n", 5, "b is a whole number; expected a list"),
        (HEAD + '[checkpoint.tensors]\n"a.b" = [true]\n', 4, "entry 1 of a shape is True; expected a size"),
        (HEAD + '[checkpoint.tensors]\na = ["...", 1, "..."]\n', 4, "expected it once at most"),
        (HEAD + '[[checkpoint.case]]\npair = "b"\n', 3, "text is missing or empty; expected text = ..."),
        (CASE + '\n[[checkpoint.case]]\ntext = """\na\n"""\npair = 2\n', 10, "pair is a whole number"),
        (CASE + "input_ids = [1,\n2,\n-3]\n", 7, "the token id -3; expected 0 or more"),
        (CASE + "input_ids = [1, true]\n", 5, "input_ids.1 is true or false; expected a whole number"),
        (CASE + "last_hidden_state = [-1]\n", 5, "entry 1 of a shape is -1; expected a size"),
        ("[[checkpoint]]\nmodel = " + "1" * 5000, 2, "thousands of digits; expected 18 at most"),
        ("a = " + "[" * 5000, 1, "nested too deeply; expected"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    error = refused(written(tmp_path, text))
    assert f"bertshape.toml, line {line}" in error.message
    assert message in error.message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[[chekpoint]]\n", "Did you mean checkpoint?"),
        ("[[checkpoint]]\nmodle = 1\n", "Did you mean model?"),
        (HEAD + "tensor = 1\n", "Did you mean tensors or"),
        (CASE + 'txt = "a"\n', "Did you mean text?"),
        (HEAD + "zzz zzz\n", "The line reads: zzz zzz"),
        (HEAD + "zzz \x1b[31m\n", "The line reads: zzz \N{REPLACEMENT CHARACTER}[31m"),
        ("", "Write one: [[checkpoint]]"),
    ],
)
def test_the_hint_leads_on(tmp_path: Path, text: str, hint: str) -> None:
    assert hint in refused(written(tmp_path, text)).hint


def test_pyproject_lines_count_from_the_top_of_the_file(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n\n[[tool.bertshape.checkpoint]]\nmodel = "m"\nexpct = []\n'
    assert "line 6: unknown key 'expct'" in refused(written(tmp_path, text, "pyproject.toml")).message
    assert "no [tool.bertshape]" in refused(written(tmp_path, "[tool]\nx = 1", "pyproject.toml")).message
    assert (
        "line 2: bertshape is a whole number"
        in refused(written(tmp_path, "[tool]\nbertshape = 1", "pyproject.toml")).message
    )


def test_files_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "bertshape.toml"
    path.write_bytes(b"[[checkpoint]]\nmodel = '\xff'\n")
    assert "line 2; expected UTF-8" in refused(path).message
    assert "absent.toml" in refused(tmp_path / "absent.toml").message


@settings(deadline=None)
@given(text=st.text() | st.text("[]{}='\"\n.,#\\a1 "), head=st.sampled_from(["", HEAD, CASE]))
def test_any_text_is_a_contract_or_a_usage_error(
    text: str, head: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes((head + text).encode())
    try:
        contracts = read_contract(path)
    except UsageError:
        refused(path)
    else:
        assert contracts[0].model == "m"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a=", "}")])
def test_no_depth_of_nesting_is_too_much(tmp_path: Path, opening: str, closing: str) -> None:
    """At some depths tomllib still reads the file, and its values are too deep for those who walk them."""
    for levels in (*range(200, 500, 3), 5000):
        refused(written(tmp_path, CASE + "x = " + opening * levels + "1" + closing * levels))


# Lines


def paths_of(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths_of(inner, (*path, key))


TOML = [
    FULL,
    "",
    "# only a comment",
    "a.b.c = 1\na.b.d = [[1, 2], [], [[3]]]\n[a.e]\nf = {g = 1, 'h.i' = {\"j\\u0041\" = [1]}}\n",
    '"" = 1\n\'q\' = 2\n"a b" . c = 3 # d = 4\n',
    's = """\n[[x]]\ny = "1"\\"""" \nt = \'\'\'a\'b\n\'\'\'\'\'\nu = """"""\nv = \'\'\nw = "#]"\nx = """[y]\n"""""\n',
    "[a]\nx = 1979-05-27 07:32:00\ny = [1.5, inf, # ]\n 0x1F, ] \n[b.c]\n[[b.d]]\n[[b.d]]\n[b.d.e]\nz = true\n",
    "[[a]]\n[[a.b]]\nc = 1\n[[a.b]]\n[[a]]\n[[a.b]]\nc = 2\n[a.b.d]\ne = [{f = 1}, {f = [2, 3]}]\n",
]


@pytest.mark.parametrize("text", TOML)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_value_of_a_document_has_a_line(text: str, newline: str) -> None:
    lines = find_lines(text.replace("\n", newline))
    assert set(lines) == set(paths_of(tomllib.loads(text)))


def test_lines_are_those_of_the_keys_and_elements() -> None:
    lines = find_lines('a = """\n\n"""\nb = [\n  1,\n  2]\n[[c]]\n[[c]]\nd.e = {f = 1}\n')
    assert lines == {
        ("a",): 1, ("b",): 4, ("b", 0): 5, ("b", 1): 6, ("c",): 7, ("c", 0): 7, ("c", 1): 8,
        ("c", 1, "d"): 9, ("c", 1, "d", "e"): 9, ("c", 1, "d", "e", "f"): 9,
    }  # fmt: skip


@settings(deadline=None)
@given(st.text("[]{}='\"\n.,#\\a1 ", max_size=30))
def test_lines_of_any_valid_document(text: str) -> None:
    try:
        values = tomllib.loads(text)
    except ValueError:
        return
    assert set(find_lines(text)) == set(paths_of(values))


# Finding


def test_the_contract_of_a_folder(tmp_path: Path) -> None:
    assert find_contract(tmp_path) is None
    project = tmp_path / "pyproject.toml"
    for text in ("", "tool = 'bertshape'\n", "[tool.ruff]\n"):
        written(tmp_path, text, "pyproject.toml")
        assert find_contract(tmp_path) is None
    written(tmp_path, "[tool.bertshape]\n", "pyproject.toml")
    assert find_contract(tmp_path) == project
    written(tmp_path, "[tool.bertshape\n", "pyproject.toml")
    assert find_contract(tmp_path) == project, "reading it says what is broken"
    own = written(tmp_path, "")
    assert find_contract(tmp_path) == own


# Writing

some_text = st.text() | st.text("\"'\\\n\r\t\0\x1f\x7f\x85\u2028#[]={}é\U0001f642", min_size=1)
# A model that exists beside the file is resolved; see the tests of reading.
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


# Folding


def test_minilm_folds_to_a_page(minilm: Path) -> None:
    headers = read_local(minilm)
    assert headers is not None
    shapes = {name: tensor.shape for name, tensor in headers.tensors.items()}
    folded = fold_names(shapes)
    assert len(shapes) == 6 * 16 + 6 + 2
    assert len(folded) == 16 + 6 + 2
    assert folded["encoder.layer.{0-5}.intermediate.dense.weight"] == (1536, 384)


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        (["l.0.w", "l.1.w", "l.2.w"], ["l.{0-2}.w"]),
        (["l.2.w", "l.0.w", "l.1.w"], ["l.{0-2}.w"]),
        (["l.0.w", "l.2.w", "l.3.w"], ["l.0.w", "l.{2-3}.w"]),
        (["l.9.w", "l.10.w"], ["l.{9-10}.w"]),
        (["l.00.w", "l.01.w"], ["l.00.w", "l.01.w"]),
        (["0.l.0.w", "0.l.1.w"], ["0.l.{0-1}.w"]),
        (["l.0.e.0", "l.0.e.1", "l.1.e.0", "l.1.e.1"], ["l.{0-1}.e.{0-1}"]),
        (["l.0.w", "l.1.w", "l.{0-1}.w"], ["l.0.w", "l.1.w", "l.{0-1}.w"]),
        (["x.w", "l.0.w", "y.w", "l.1.w"], ["x.w", "l.{0-1}.w", "y.w"]),
    ],
)
def test_folding(names: list[str], folded: list[str]) -> None:
    assert list(fold_names(dict.fromkeys(names, (2, 3)))) == folded


def test_layers_of_another_shape_stay_apart() -> None:
    shapes = {"l.0.w": (1,), "l.1.w": (1,), "l.2.w": (2,), "l.3.w": (1,)}
    assert fold_names(shapes) == {"l.{0-1}.w": (1,), "l.2.w": (2,), "l.3.w": (1,)}


parts = st.sampled_from(["a", "b", "", "0", "1", "2", "3", "10", "01", "é"])
dotted = st.lists(parts, min_size=1, max_size=4).map(".".join)


@given(st.dictionaries(dotted, st.sampled_from([(1,), (2, 3)]), max_size=40))
def test_unfolding_gives_every_name_back(tensors: dict[str, tuple[int, ...]]) -> None:
    folded = fold_names(tensors)
    unfolded = [(name, shape) for folded_name, shape in folded.items() for name in unfold_name(folded_name)]
    assert len(unfolded) == len(tensors)
    assert dict(unfolded) == tensors
    assert len(folded) <= len(tensors)


@pytest.mark.parametrize("name", ["a", "a.{5-2}", "a.{x-y}", "a.{0-999999999}", "a.{0-}", "{01-2}", ""])
def test_what_is_no_range_stands_for_itself(name: str) -> None:
    assert unfold_name(name) == [name]
