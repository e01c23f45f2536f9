"""Texts that are no plain sentence: on the command line, in files, on stdin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.hostile.case import Case
from tests.hostile.model import sound

if TYPE_CHECKING:
    from pathlib import Path

_MODEL = ("--model", "m", "--weights", "none")
_STREAM = ("inspect", "--input", "-", "--format", "jsonl", *_MODEL)
_BATCH = ("inspect", "--input", "-", *_MODEL)
_MILLION = "a " * 500_000


def _text(
    name: str, text: str, code: int, *words: str, shape: tuple[int, ...] | None = None, more: tuple[str, ...] = ()
) -> Case:
    command = ("inspect", *_MODEL, *more, "--", text)
    # A million characters take seconds: once is enough.
    return Case(f"text {name}", sound, command, code, words, shape=shape, json=len(text) < 100_000 or bool(more))


def _looped(here: Path) -> None:
    sound(here)
    (here / "l").symlink_to("l")


def _piped(here: Path) -> None:
    sound(here)
    os.mkfifo(here / "p.parquet")
    (here / "f.parquet").mkdir()


ARGUMENTS = (
    _text("empty", "", 0, "[CLS]", "[SEP]", shape=(1, 2, 8)),
    _text("of spaces", " \t \n ", 0, shape=(1, 2, 8)),
    _text("of a million characters", _MILLION, 2, "500,002 tokens", "16"),
    _text("of a million characters, cut", _MILLION, 0, shape=(1, 16, 8), more=("--truncation",)),
    _text("of one word of a million letters", "x" * 10**6, 0, "unknown", shape=(1, 3, 8)),
    _text("with a lone surrogate", "a \udcff", 2, "byte 0xff that is not UTF-8"),
    _text("with half a surrogate pair", "a \ud83d", 2, "lone surrogate U+D83D"),
    _text("with NUL", "a\0text", 0, shape=(1, 3, 8)),
    _text("with a byte order mark", "\ufeffa text", 0, shape=(1, 4, 8)),
    _text("with CRLF", "a\r\ntext\r\n", 0, shape=(1, 4, 8)),
    _text("with direction overrides", "a \u202etext\u202c", 0, shape=(1, 4, 8)),
    _text("with ANSI escapes", "\x1b[31ma\x1b[0m \x1b]0;title\x07", 0),
    _text("with C1 controls", "a \x9b31m text", 0),
    _text("with line separators", "a\u2028text\u2029", 0, shape=(1, 4, 8)),
    _text("with joiners", "\u200d\u200ba\ufe0f", 0, shape=(1, 3, 8)),
    _text("of combining marks", "a" + "\u0301" * 5000, 0, shape=(1, 3, 8)),
    _text("of code points that mean nothing", "\U000e0001\ufffe\U0010ffff", 0),
    _text("like markup", "[red]a[/red] [/] [bold", 0),
    _text("like a special token", "[CLS] [SEP] [PAD] [MASK]", 0, shape=(1, 6, 8)),
    _text("like an option", "--json", 0),
    _text("like a command of a workflow", "::error::a%0Atext", 0),
    Case("texts and no pair", sound, ("inspect", "a", "text", "--pair", "a", *_MODEL), 2, ("2 texts and 1 pair:",)),
    Case("pair with a lone surrogate", sound, ("inspect", "a", "--pair", "\udc80", *_MODEL), 2, ("pair 1", "0x80")),
    Case("pair too long", sound, ("inspect", "a " * 9, "--pair", "a " * 9, *_MODEL), 2, ("21 tokens", "16")),
    Case("three thousand texts", sound, ("inspect", *["a"] * 3000, *_MODEL), 2, ("more than 200 texts",)),
    Case("60,000 texts", sound, ("inspect", *["a"] * 60_000), 2, ("the command line has 60,00", "at most 50,000")),
    Case("a million arguments", sound, ("check", *["m"] * 10**6), 2, ("the command line has 1,000,00",)),
    Case("check of a text with a lone surrogate", sound, ("check", "m", "--text", "\udcff"), 2, ("0xff",)),
    Case(
        "check of a text too long", sound, ("check", "m", "--text", "a " * 99, "-e", "sequence_length=3"), 2, ("101",)
    ),
    Case("snapshot of a lone surrogate", sound, ("snapshot", "m", "--text", "\ud800"), 2, ("U+D800",)),
)
STREAMS = (
    Case("stdin empty", sound, _BATCH, 2, ("stdin holds no text",)),
    Case("stdin empty, streamed", sound, _STREAM, 0, ()),
    Case("stdin not UTF-8", sound, _BATCH, 2, ("stdin, line 2", "0xff"), b"a\n\xff\n"),
    Case("stdin not UTF-8, streamed", sound, _STREAM, 2, ("stdin, line 2", "0xff"), b"a\n\xff\n"),
    Case("stdin in UTF-16", sound, _BATCH, 2, ("stdin, line 1", "0xff"), "a text".encode("utf-16")),
    Case("stdin with NUL", sound, _STREAM, 0, ("[1,3,8]",), b"a\0text\n"),
    Case("stdin with a byte order mark", sound, _BATCH, 0, (), b"\xef\xbb\xbfa text\n", shape=(1, 4, 8)),
    Case("stdin with CRLF", sound, _BATCH, 0, (), b"a text\r\na\r\n", shape=(2, 4, 8)),
    Case("stdin of empty lines", sound, _BATCH, 0, (), b"\n\n\n", shape=(3, 2, 8)),
    Case("stdin without a last line end", sound, _BATCH, 0, (), b"a\na text", shape=(2, 4, 8)),
    Case("a line of 17 MiB", sound, _STREAM, 2, ("line 1", "longer than 16 MiB"), b"x" * 17 * 2**20),
    Case("a line of 17 MiB, batched", sound, _BATCH, 2, ("line 2", "longer than 16 MiB"), b"a\n" + b"x" * 17 * 2**20),
    Case("a line too long for the model", sound, _STREAM, 2, ("line 2", "22 tokens"), b"a\n" + b"a " * 20 + b"\n"),
    Case("JSON lines cut", sound, _STREAM, 2, ("line 2", "no record"), b'{"text": "a"}\n{"text": "b\n'),
    Case("JSON lines with a number", sound, _STREAM, 2, ("line 2", '"text"'), b'{"text": "a"}\n{"text": 3}\n'),
    Case("JSON lines with an array", sound, _BATCH, 2, ("line 2",), b'{"text": "a"}\n[1]\n'),
    Case("JSON lines too deep", sound, _STREAM, 2, ("line 2", "deeply"), b'{"text": "a"}\n' + b"[" * 99999 + b"\n"),
    Case("JSON lines with a key twice", sound, _STREAM, 2, ("twice",), b'{"text": "a"}\n{"text": "a", "text": ""}\n'),
    Case(
        "JSON lines with half a pair", sound, _STREAM, 2, ("line 2", "surrog"), b'{"text": "a"}\n{"text": "\\ud800"}\n'
    ),
    Case(
        "JSON lines with half a pair first",
        sound,
        _STREAM,
        2,
        ("line 1", "surrogates not allowed"),
        b'{"text": "\\ud800"}\n',
    ),
    Case(
        "JSON lines of pairs and none",
        sound,
        _BATCH,
        2,
        ("line 2 has no pair",),
        b'{"text":"a","pair":"b"}\n{"text":"a"}\n',
    ),
    Case("Parquet from a pipe", _piped, ("profile", "p.parquet", "--model", "m"), 2, ("this is no regular file",)),
    Case("Parquet of a folder", _piped, ("inspect", "-i", "f.parquet", *_MODEL), 2, ("no regular file",)),
    Case(
        "Parquet from stdin",
        sound,
        ("profile", "-", "--input-format", "parquet", "--model", "m"),
        2,
        ("Parquet",),
        b"PAR1" + bytes(20) + b"PAR1",
    ),
    Case("file missing", sound, ("inspect", "-i", "nowhere", *_MODEL), 2, ("cannot read nowhere",)),
    Case("file a folder", sound, ("inspect", "-i", "m", *_MODEL), 2, ("cannot read m",)),
    Case("file of no name", sound, ("inspect", "-i", "", *_MODEL), 2, ("cannot read",)),
    Case("file of a link to itself", _looped, ("inspect", "-i", "l", *_MODEL), 2, ("cannot read l",)),
    Case("file of zeros without end", sound, ("inspect", "-i", "/dev/zero", *_MODEL), 2, ("longer than 16 MiB",)),
    Case("file of nothing", sound, ("inspect", "-i", "/dev/null", *_MODEL), 2, ("holds no text",)),
    Case("file and texts", sound, ("inspect", "a", "-i", "-", *_MODEL), 2, ("on the command line and by --input",)),
)
CASES = ARGUMENTS + STREAMS
