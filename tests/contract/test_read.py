"""The contract file: what is read, what is refused and at which place, and where its paths lead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertshape.contract.read import find_contract, read_contract
from bertshape.errors import ExitCode, UsageError
from tests.contract.contracts import CONTRACTS, FULL, written


def refused(path: Path) -> UsageError:
    with pytest.raises(UsageError) as raised:
        read_contract(path)
    assert raised.value.code == "contract-invalid"
    assert raised.value.exit_code == ExitCode.USAGE
    assert str(path) in raised.value.message
    assert "expected" in raised.value.message
    return raised.value


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
    assert contract.location == seen.format(folder=folder, parent=tmp_path)
    assert contract.model == model.replace("\\u0000", "\0"), "as a person wrote it"


@pytest.mark.parametrize(
    ("file", "model", "seen"),
    [
        (".", "./org/absent", "./org/absent"),
        (".", "minilm", "./minilm"),
        ("sub", "../minilm", "./minilm"),
        ("sub", "../../absent", "../absent"),
    ],
)
def test_a_path_beside_a_relative_file_never_looks_like_a_hub_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, model: str, seen: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("sub", "minilm"):
        (tmp_path / name).mkdir()
    (contract,) = read_contract(written(Path(file), f'[[checkpoint]]\nmodel = "{model}"\n'))
    assert contract.location == seen.replace("/", os.sep)


def test_links_are_not_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path through a link leads where the system takes it, and its text stays as it is."""
    (tmp_path / "away" / "sub").mkdir(parents=True)
    (tmp_path / "away" / "minilm").mkdir()
    (tmp_path / "away" / "other").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "minilm").symlink_to(tmp_path / "away" / "minilm")
    (tmp_path / "here" / "link").symlink_to(tmp_path / "away" / "sub")
    monkeypatch.chdir(tmp_path / "here")
    for folder, name, seen in ((".", "minilm", "./minilm"), ("link", "other", "./link/../other")):
        model = os.path.relpath(name) if folder == "." else f"../{name}"
        (contract,) = read_contract(written(Path(folder), f'[[checkpoint]]\nmodel = "{model}"\n'))
        assert contract.location == seen
        assert os.path.samefile(contract.location, tmp_path / "away" / name)


# Refusals

HEAD = '[[checkpoint]]\nmodel = "m"\n'
CASE = HEAD + '[[checkpoint.case]]\ntext = "a"\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[[checkpoint]]\nmodel = m\n", 2, "invalid value"),
        ("[[checkpoint]]\nmodel\n", 2, "expected '=' after a key"),
        ("[[checkpoint]\n", 1, "expected ']]' at the end of an array declaration"),
        ('\n\n[[checkpoint]]\nmodel = "m\n', 4, ""),
        (HEAD + 'model = "n"\n', 3, "cannot overwrite a value"),
        (HEAD + 'expect = ["a=1"\n', 3, "unclosed array"),
        (HEAD + "tensors = {a = [1]\n", 3, ""),
        (HEAD + "[checkpoint.tensors]\n[checkpoint.tensors]\n", 4, "cannot declare"),
        (HEAD + "?\n", 3, "invalid statement"),
        ('[[checkpoint]]\nmodel = "a\\q"\n', 2, "unescaped"),
    ],
)
def test_a_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    """In tomllib's own words, of which some differ from one release of Python to the next."""
    error = refused(written(tmp_path, text))
    assert f"bertshape.toml, line {line}, column " in error.message
    assert message in error.message
    assert error.message.endswith("expected valid TOML")
    assert error.hint.startswith("The line reads: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # Keys.
        ('checkpont = "m"\n', "checkpont: unknown key; expected checkpoint"),
        ("[[checkpoint]]\nmodle = 1\n", "checkpoint[0].modle: unknown key; expected one of model, revision"),
        (HEAD + HEAD + 'text = "a"\n', "checkpoint[1].text: unknown key"),
        (HEAD + '"a b.c" = "a"\n', 'checkpoint[0]."a b.c": unknown key'),
        (CASE + 'pear = "b"\n', "checkpoint[0].case[0].pear: unknown key; expected text, pair, input_ids, or a shape"),
        (CASE + "[checkpoint.case.pooled]\n", "checkpoint[0].case[0].pooled is a table; expected a list"),
        (
            CASE + '"pooled.mean" = [1]\n\n[checkpoint.case.pooled]\nmean = [1]\n',
            "checkpoint[0].case[0].pooled.mean: pooled.mean is written twice; expected each name once",
        ),
        # Kinds.
        ("", "there is no checkpoint; expected [[checkpoint]]"),
        ("checkpoint = []\n", "there is no checkpoint; expected [[checkpoint]]"),
        ('[checkpoint]\nmodel = "m"\n', "checkpoint is one table; expected [[checkpoint]]"),
        (HEAD + '[checkpoint.case]\ntext = "a"\n', "checkpoint[0].case is one table; expected [[checkpoint.case]]"),
        ("checkpoint = 1\n", "checkpoint is a whole number; expected a list"),
        ("checkpoint = [1]\n", "checkpoint[0] is a whole number; expected a table"),
        ("[[checkpoint]]\n", "checkpoint[0].model is missing or empty; expected model = ..."),
        ('[[checkpoint]]\nmodel = " "\n', "checkpoint[0].model is missing or empty"),
        ("[[checkpoint]]\nmodel = 1\n", "checkpoint[0].model is a whole number; expected text in quotes"),
        (HEAD + "revision = true\n", "checkpoint[0].revision is true or false; expected text"),
        (HEAD + "revision = 1979-05-27\n", "checkpoint[0].revision is a date or time; expected text"),
        (HEAD + 'tokenizer = "sha256:abc"\n', "checkpoint[0].tokenizer is 'sha256:abc'; expected sha256: and 64"),
        (HEAD + 'expect = "a=1"\n', "checkpoint[0].expect is text in quotes; expected a list"),
        (HEAD + 'expect = ["a=1", 2]\n', "checkpoint[0].expect[1] is a whole number; expected text"),
        (
            HEAD + 'expect = ["a=1", "b"]\n',
            "checkpoint[0].expect[1]: the expectation 'b' has no operator; expected one",
        ),
        (
            HEAD + 'expect = ["b=[1"]\n',
            "checkpoint[0].expect[0]: the shape '[1' has the end at position 3; expected ','",
        ),
        (HEAD + "tensors = 1\n", "checkpoint[0].tensors is a whole number; expected a table"),
        (HEAD + "[checkpoint.tensors]\na = [1]\nb = 2\n", "checkpoint[0].tensors.b is a whole number; expected a list"),
        (HEAD + '[checkpoint.tensors]\n"a.b" = [true]\n', 'tensors."a.b": entry 1 of a shape is True; expected a size'),
        (HEAD + '[checkpoint.tensors]\na = ["...", 1, "..."]\n', "checkpoint[0].tensors.a: entry 3 of the shape"),
        (
            HEAD + '[[checkpoint.case]]\npair = "b"\n',
            "checkpoint[0].case[0].text is missing or empty; expected text = ..",
        ),
        (CASE + '[[checkpoint.case]]\ntext = "a"\npair = 2\n', "checkpoint[0].case[1].pair is a whole number"),
        (CASE + "input_ids = [1, 2, -3]\n", "checkpoint[0].case[0].input_ids[2] is -3; expected a token id, 0 or more"),
        (CASE + "input_ids = [1, true]\n", "checkpoint[0].case[0].input_ids[1] is true or false; expected a whole"),
        (CASE + "last_hidden_state = [-1]\n", "case[0].last_hidden_state: entry 1 of a shape is -1; expected a size"),
        ("[[checkpoint]]\nmodel = " + "1" * 5000, "thousands of digits; expected 18 at most"),
        ("a = " + "[" * 5000, "nested too deeply; expected"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(written(tmp_path, text)).message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[[chekpoint]]\n", "Did you mean checkpoint?"),
        ("[[checkpoint]]\nmodle = 1\n", "Did you mean model?"),
        (HEAD + "tensor = 1\n", "Did you mean tensors or"),
        (CASE + 'txt = "a"\n', "Did you mean text?"),
        (HEAD + "zzz zzz\n", "The line reads: zzz zzz"),
        ("", "Write one: [[checkpoint]]"),
    ],
)
def test_the_hint_leads_on(tmp_path: Path, text: str, hint: str) -> None:
    assert hint in refused(written(tmp_path, text)).hint


def test_places_in_pyproject_begin_at_its_top(tmp_path: Path) -> None:
    def message(text: str) -> str:
        return refused(written(tmp_path, text, "pyproject.toml")).message

    text = '[project]\nname = "x"\n\n[[tool.bertshape.checkpoint]]\nmodel = "m"\nexpct = []\n'
    assert "pyproject.toml: tool.bertshape.checkpoint[0].expct: unknown key" in message(text)
    assert "there is no [tool.bertshape]; expected" in message("[tool]\nx = 1")
    assert "tool.bertshape: there is no checkpoint; expected" in message("[tool.bertshape]")
    assert "tool.bertshape is a whole number; expected a table" in message("[tool]\nbertshape = 1")
    assert "expected [[tool.bertshape.checkpoint]]" in message("[tool.bertshape.checkpoint]")


def test_files_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "bertshape.toml"
    path.write_bytes(b"[[checkpoint]]\nmodel = '\xff'\n")
    assert "is not UTF-8 text: invalid start byte at byte 24; expected a contract file" in refused(path).message
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
