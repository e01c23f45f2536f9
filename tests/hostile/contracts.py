"""Contract files that are broken, or ask for what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hostile.case import Case
from tests.hostile.model import sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HEAD = '[[checkpoint]]\nmodel = "./m"\n'


def _file(content: str | bytes, name: str = "bertshape.toml") -> Callable[[Path], None]:
    def make(here: Path) -> None:
        sound(here)
        (here / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def _contract(name: str, content: str | bytes, code: int, *words: str) -> Case:
    return Case(f"contract {name}", _file(content), ("check",), code, words)


def _folder(here: Path) -> None:
    (here / "bertshape.toml").mkdir()


def _loop(here: Path) -> None:
    (here / "bertshape.toml").symlink_to("bertshape.toml")


CASES = (
    _contract("empty", "", 2, "there is no checkpoint"),
    _contract("not TOML", "{", 2, "line 1"),
    _contract("cut", _HEAD + 'expect = ["hidden', 2, "line 3"),
    _contract("not UTF-8", b"# \xff", 2, "not UTF-8"),
    _contract("with NUL", b"a = 'x\0y'", 2, "line 1"),
    _contract("with a key twice", _HEAD + 'model = "x"', 2, "line 3"),
    _contract("with an unknown key", _HEAD + "modle = 1", 2, "checkpoint[0].modle"),
    _contract("of numbers", "checkpoint = 3", 2, "checkpoint is a whole number"),
    _contract("of a list of numbers", "checkpoint = [3]", 2, "checkpoint[0] is a whole number"),
    _contract("without a model", '[[checkpoint]]\nexpect = ["a=1"]', 2, "model is missing"),
    _contract("of an empty model", '[[checkpoint]]\nmodel = " "', 2, "model is missing or empty"),
    _contract("of a model that is not there", '[[checkpoint]]\nmodel = "./nowhere"', 3, "nowhere does not exist"),
    _contract("with NUL in the model", '[[checkpoint]]\nmodel = "./m\\u0000"', 2, "model"),
    _contract("of expectations that are none", _HEAD + 'expect = ["hidden_size"]', 2, "expect[0]", "has no operator"),
    _contract("of expectations of numbers", _HEAD + "expect = [8]", 2, "checkpoint[0].expect[0]"),
    _contract("of shapes of nonsense", _HEAD + '[checkpoint.tensors]\na = ["[", -3]', 2, "tensors.a: entry 1"),
    _contract("of shapes of text", _HEAD + '[checkpoint.tensors]\na = "8"', 2, "checkpoint[0].tensors.a"),
    _contract(
        "of negative ids", _HEAD + '[[checkpoint.case]]\ntext = "a"\ninput_ids = [-1]', 2, "case[0].input_ids[0]"
    ),
    _contract(
        "of ids of text", _HEAD + '[[checkpoint.case]]\ntext = "a"\ninput_ids = ["1"]', 2, "case[0].input_ids[0]"
    ),
    _contract("of other ids", _HEAD + '[[checkpoint.case]]\ntext = "a"\ninput_ids = [1]', 1, "input_ids"),
    _contract("of a case without a text", _HEAD + "[[checkpoint.case]]\ninput_ids = [1]", 2, "text is missing"),
    _contract("of a case of an unknown shape", _HEAD + '[[checkpoint.case]]\ntext = "a"\nnosuch = [1]', 2, "nosuch"),
    _contract("of a digest that is none", _HEAD + 'tokenizer = "md5:0"', 2, "checkpoint[0].tokenizer", "sha256"),
    _contract("of another digest", _HEAD + f'tokenizer = "sha256:{"0" * 64}"', 1, "tokenizer: expected"),
    _contract("too deep", "a = " + "[" * 100_000, 2, "nested too deeply"),
    _contract("of 20,000 digits", "a = " + "9" * 20_000, 2, "thousands of digits"),
    _contract("of a million layers", _HEAD + '[checkpoint.tensors]\n"x.{0-999999999}" = [1]', 1, "x.{0-999999999}"),
    _contract("of escapes", _HEAD + 'expect = ["\\u001b[31m=8"]', 2, "does not exist"),
    _contract("of 9 MB", b"#" * 9_000_000, 2, "9,000,000 bytes"),
    Case("contract a folder", _folder, ("check",), 2, ("bertshape.toml",)),
    Case("contract a link to itself", _loop, ("check",), 2, ()),
    Case("contract missing", sound, ("check", "--contract", "x.toml"), 2, ("x.toml",)),
    Case("contract of zeros without end", sound, ("check", "--contract", "/dev/zero"), 2, ("not a regular file",)),
    Case("project without a contract", _file("[tool.x]", "pyproject.toml"), ("check",), 2, ("nothing to check",)),
    Case("project not TOML", _file("[tool", "pyproject.toml"), ("check",), 2, ("pyproject.toml, line 1",)),
    Case(
        "project of a contract of text",
        _file('tool.bertshape = "x"', "pyproject.toml"),
        ("check",),
        2,
        ("tool.bertshape",),
    ),
)
