"""Nonsense values of every option of every command."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from tests.hostile.case import Case, nothing
from tests.hostile.model import CONFIG, sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BASE = ("inspect", "a text", "--model", "m")
_PREDICT = (*_BASE, "--weights", "none")


def _inspect(*arguments: str, code: int = 2, words: tuple[str, ...] = (), run: bool = False) -> Case:
    command = (*(_BASE if run else _PREDICT), *arguments)
    shown = " ".join(arguments)
    return Case(f"inspect {shown[:60]}", sound, command, code, words or (arguments[0],))


def _with_short(here: Path) -> None:
    sound(here)
    shutil.copytree(here / "m", here / "short")
    (here / "short" / "config.json").write_text(json.dumps({**CONFIG, "max_position_embeddings": 2}))


def _check(*arguments: str, code: int = 2, words: tuple[str, ...] = ()) -> Case:
    shown = " ".join(arguments)
    return Case(f"check {shown[:60]}", sound, ("check", "m", *arguments), code, words or (arguments[-1],))


def _line(*arguments: str, code: int = 2, words: tuple[str, ...] = (), stdin: bytes = b"", json: bool = True) -> Case:
    shown = " ".join(arguments)
    return Case(f"bertshape {shown[:60]}", sound, arguments, code, words, stdin=stdin, json=json)


def _folder_for_a_file(here: Path) -> None:
    sound(here)
    (here / "out.safetensors").mkdir()


INSPECT_OPTIONS = (
    _inspect("--nosuch"),
    _inspect("--model", words=("--model", "argument")),
    Case("inspect --model of nothing", nothing, ("inspect", "x", "--model", ""), 2, ("name is empty",)),
    Case("inspect --model of spaces", nothing, ("inspect", "x", "--model", "  "), 2, ("name is empty",)),
    Case("inspect --model with NUL", nothing, ("inspect", "x", "--model", "m\0x"), 2, ("name is empty",)),
    Case("inspect --model with a lone surrogate", nothing, ("inspect", "x", "--model", "./\udcff"), 3, ("not exist",)),
    Case("inspect --model of an unspeakable name", nothing, ("inspect", "x", "--model", "a\udcff/b"), 2, ("Hub name",)),
    Case("inspect --model of a URL", nothing, ("inspect", "x", "--model", "https://h.co/a/b"), 3, ("not exist",)),
    _inspect("--revision", "main", words=("--revision is for Hub repositories",)),
    _inspect("--batch-size", "0"),
    _inspect("--batch-size", "-1"),
    _inspect("--batch-size", "many"),
    _inspect("--weights", "half"),
    _inspect("--weights", ""),
    _inspect("--device", "tpu"),
    _inspect("--device", "cuda:"),
    _inspect("--device", "cuda:-1"),
    _inspect("--device", "cuda:99999999999999999999"),
    _inspect("--device", "cuda:\u0661"),
    _inspect("--device", "CPU"),
    _inspect("--device", ""),
    _inspect("--device", "meta"),
    _inspect("--dtype", "int8"),
    _inspect("--dtype", "float"),
    _inspect("--pooling", "meen", words=("meen", "Did you mean")),
    _inspect("--pooling", "", words=("pool",)),
    _inspect("--pooling", "mean+", words=("mean+",)),
    _inspect("--pooling", "+", words=("+",)),
    _inspect("--pooling", "mean@", words=("mean@",)),
    _inspect("--pooling", "mean@9", words=("needs layer 9, the model has 2 layers",)),
    _inspect("--pooling", "mean@-99999999999999999999", words=("mean@-",)),
    _inspect("--pooling", "mean@0.5", words=("mean@0.5",)),
    _inspect("--pooling", "mean@-1:-2:concat", words=("mean@-1:-2",)),
    _inspect("--pooling", "mean@0:1:product", words=("product",)),
    _inspect("--pooling", "cls+" * 2000 + "cls", code=0, words=("cls+cls",)),
    _inspect("--pooling", "\x1b[31m", words=("pool",)),
    _inspect("--max-length", "0"),
    _inspect("--max-length", "-5"),
    _inspect("--max-length", "1.5"),
    _inspect("--max-length", "1", words=("leaves no room", "2 special tokens")),
    _inspect("--max-length", "9" * 40, code=0, words=("[1, 4, 8]",)),
    _inspect("--padding", "left"),
    _inspect("--padding", "max_length", "--max-length", "17", words=("17", "16")),
    _inspect("--padding", "none", "text a", "--", "a", words=("cannot make one batch",)),
    _inspect("--task", "poetry", words=("poetry",)),
    _inspect("--task", "", words=("task",)),
    _inspect("--truncate-dim", "0"),
    _inspect("--truncate-dim", "9" * 30, words=("--truncate-dim",)),
    _inspect("--save", "out.txt", words=("its ending names no format",), run=True),
    _inspect("--save", "", words=("tensors cannot be written to",), run=True),
    _inspect("--save", "nowhere/out.npz", words=("does not exist",), run=True),
    _inspect("--save", "out.npz", words=("--save", "--weights none")),
    _inspect("--save-only", "pooled.*", words=("--save",)),
    _inspect("--format", "xml"),
    _inspect("--format", "JSON"),
    _inspect("--pair", words=("--pair",)),
    _inspect("--attentions=yes", words=("--attentions",)),
    _inspect("--hidden-states", "--no-hidden-states", words=("--no-hidden-states",)),
    Case("inspect --save a folder", _folder_for_a_file, (*_BASE, "--save", "out.safetensors"), 2, ("is a folder",)),
    Case("inspect without a text", sound, ("inspect", "--model", "m"), 2, ("no text",)),
)
CHECK_OPTIONS = (
    _check("-e", "hidden_size", words=("has no operator",)),
    _check("-e", "", words=("expectation",)),
    _check("-e", "=8", words=("has no name",)),
    _check("-e", "hidden_size=", words=("found", "value")[1:]),
    _check("-e", "hidden_size===8", words=("after",)),
    _check("-e", "hidden_size=>8", words=("after",)),
    _check("-e", "hidden_size=eight", words=("whole number",)),
    _check("-e", "hidden_size=8.0", words=("whole number",)),
    _check("-e", "hidden_size=1e3", words=("whole number",)),
    _check("-e", "hidden_size=" + "9" * 5000, words=("hidden_size",)),
    _check("-e", "hidden_size=[8]", words=("is no shape",)),
    _check("-e", "last_hidden_state=8", words=("is a shape",)),
    _check("-e", "last_hidden_state=[", words=("[",)),
    _check("-e", "last_hidden_state=[1,,8]", words=("[1,,8]",)),
    _check("-e", "last_hidden_state=[..., ...]", words=("...",)),
    _check("-e", "last_hidden_state=[-1, 8]", words=("-1",)),
    _check("-e", "last_hidden_state>[1, 8]", words=("before a shape",)),
    _check("-e", "last_hidden_state=[" + "_, " * 5000 + "8]", code=1, words=("axes",)),
    _check("-e", "pooling<mean", words=("pooling",)),
    _check("-e", "hiden_size=8", words=("does not exist", "hidden_size")),
    _check("-e", "tensor:nosuch=[8]", code=1, words=("tensor:nosuch", "nothing")),
    _check("-e", "tensor:{0-99999999999}=[8]", code=1, words=("tensor:{0-99999999999}",)),
    _check("-e", "pooled.mean@99=[1, 8]", code=1, words=("pooled.mean@99",)),
    _check("-e", "\x1b[31m=8", words=("does not exist",)),
    _check("-e", "a\nb=8", words=("does not exist",)),
    _check("--device", "tpu", words=("tpu is not a device",)),
    _check("--contract", "x.toml", words=("both checkpoints and --contract",)),
    _check("--format", "yaml"),
    _check("--revision", "main", code=2, words=("--revision is for Hub",)),
    Case(
        "check of one that cannot take the text, before a sound one",
        _with_short,
        ("check", "short", "m", "-e", "sequence_length=4", "--text", "a text"),
        2,
        ("short takes at most 2", "39 backbone"),
    ),
    Case("check of nothing", nothing, ("check",), 2, ("nothing to check",)),
    Case("check of no name", nothing, ("check", ""), 2, ("empty",)),
)
OTHERS = (
    _line("inspekt", words=("inspekt",)),
    _line("--nosuch", words=("--nosuch",)),
    _line("", words=("No such command",)),
    _line("\x1b[31m", words=("No such command",)),
    _line("diff", words=("A",)),
    _line("diff", "m", words=("B",)),
    _line("diff", "m", "./nowhere", code=3, words=("./nowhere does not exist",)),
    _line("diff", "m", "nowhere.toml", code=2, words=("nowhere.toml",)),
    _line("diff", "m", "m", "m", words=("m",)),
    _line("snapshot", words=("CHECKPOINT",)),
    _line("snapshot", "./nowhere", code=3, words=("does not exist",)),
    _line("snapshot", "m", "-o", "nowhere/x.toml", code=74, words=("cannot write", "No such file")),
    _line("snapshot", "m", "-o", "m", words=("not the path of a file",)),
    _line("snapshot", "m", "-o", "", words=("not the path of a file",)),
    _line("embed", "-", words=("--output",)),
    _line("embed", "-", "-o", "v.txt", "--model", "m", words=("its ending names no format",), stdin=b"a\n"),
    _line("embed", "-", "-o", "v.npz", "--model", "m", words=("stdin",), stdin=b""),
    _line("embed", "-", "-o", "v.npz", "--model", "m", "--batch-size", "0", words=("--batch-size",)),
    _line("embed", "-", "-o", "v.npz", "--model", "m", "--weights", "none", words=("--weights",)),
    _line("embed", "nowhere", "-o", "v.npz", "--model", "m", words=("cannot read nowhere",)),
    _line("embed", "-", "-o", "nowhere/v.npz", "--model", "m", words=("does not exist",), stdin=b"a\n"),
    _line("embed", "-", "-o", "v.npz", "--model", "m", "--pooling", "tokens", words=("tokens",), stdin=b"a\n"),
    _line("profile", words=("FILE",)),
    _line("profile", "nowhere", "--model", "m", words=("nowhere",)),
    _line("profile", "m", "--model", "m", words=("m",)),
    _line("profile", "-", "--model", "m", words=("stdin",), stdin=b"\xff\n"),
    _line("profile", "-", "--model", "m", "--batch-size", "0", words=("--batch-size",)),
    _line("profile", "-", "--model", "m", "--max-length", "0", words=("--max-length",)),
    _line("profile", "--merge", "m/config.json", words=("config.json",)),
    _line("profile", "--merge", "nowhere", words=("nowhere",)),
    _line("profile", "m/config.json", "--model", "./nowhere", code=3, words=("does not exist",)),
    _line("profile", "/dev/zero", "--model", "m", words=("16 MiB",)),
    _line("profile", "--merge", "/dev/zero", words=("/dev/zero",)),
    _line("families", "extra", words=("extra",)),
    _line("poolings", "--format", "xml", words=("--format",)),
    _line("schema", "nosuch", words=("nosuch",)),
    _line("schema", "--nosuch", words=("--nosuch",)),
    _line("doctor", "--timeout", "0", words=("--timeout",)),
    _line("doctor", "--timeout", "nan", words=("--timeout",)),
    _line("doctor", "extra", words=("extra",)),
)
_ABSENT = ("--device", "cuda:77")


def _linked(here: Path) -> None:
    (sound(here) / "out.json").symlink_to("config.json")
    (here / "texts").write_text("a text\n")
    (here / "texts.jsonl").write_text('{"text": "a text"}\n')
    (here / "same").symlink_to("texts")
    (here / "other").hardlink_to(here / "texts")
    for name in ("bertshape.toml", "contract"):
        (here / name).write_text('[[checkpoint]]\nmodel = "./m"\n')


def _full(name: str) -> Callable[[Path], None]:
    """A file on a disk that has no space left."""

    def make(here: Path) -> None:
        sound(here)
        (here / name).symlink_to("/dev/full")

    return make


_NO_SPACE = ("cannot write v.", "No space left on device")
_EMBED = ("embed", "-", "--model", "m", "--pooling", "mean", "-o")
_STAYS = ("is a file of a checkpoint",)
_BESIDE = ("would be a file of the checkpoint beside it",)
_MODEL, _CHECK = ("--model", "m", "--weights", "none"), ("check", "m")
FILES = (
    _inspect("--save", "m/model.safetensors", run=True, words=_STAYS),
    _inspect("--format", "json", "-o", "m/config.json", words=_STAYS),
    _check("-o", "m/tokenizer.json", words=_STAYS),
    Case("inspect -o of a link into the checkpoint", _linked, (*_PREDICT, "-o", "m/out.json"), 2, _STAYS),
    Case(
        "embed -o of the weights",
        _linked,
        ("embed", "texts", "-o", "m/model.safetensors", "--model", "m"),
        2,
        _STAYS,
    ),
    _inspect("--format", "json", "-o", "m/modules.json", words=_STAYS),
    _check("-o", "m/pytorch_model.bin", "--format", "json", words=_STAYS),
    Case("snapshot -o of a new file of the checkpoint", sound, ("snapshot", "m", "-o", "m/vocab.json"), 2, _BESIDE),
    *(
        Case(f"{' '.join(command)} -o {output}", _linked, (*command, "-o", output), 2, (f"{output} is read",))
        for command, output in (
            (("profile", "texts", "--model", "m"), "texts"),
            (("profile", "m/config.json", "texts", "--model", "m"), "m/../texts"),
            (("inspect", "-i", "texts", *_MODEL), "texts"),
            (("inspect", "-i", "texts", *_MODEL), "same"),
            (("inspect", "-i", "texts", *_MODEL), "other"),
            (("inspect", "-i", "texts", "--format", "jsonl", *_MODEL), "texts"),
            (("embed", "texts.jsonl", "--model", "m"), "texts.jsonl"),
            (("check", "--contract", "contract", "--format", "json"), "contract"),
        )
    ),
    Case("check -o of a contract", _linked, (*_CHECK, "-o", "bertshape.toml"), 2, ("is a file of settings",)),
    Case("check -o of its contract", _linked, ("check", "-o", "bertshape.toml"), 2, ("is a file of settings",)),
    *(
        Case(
            f"embed -o of a full disk, {ending}", _full(f"v.{ending}"), (*_EMBED, f"v.{ending}"), 74, _NO_SPACE, b"a\n"
        )
        for ending in ("npz", "npy", "safetensors", "jsonl", "arrow", "parquet")
    ),
    Case("inspect --save of a full disk", _full("v.npz"), (*_BASE, "--save", "v.npz"), 74, _NO_SPACE),
    Case("inspect -o of a full disk", _full("v.html"), (*_PREDICT, "-o", "v.html"), 74, _NO_SPACE),
    Case(
        "inspect --save of the report",
        _linked,
        ("inspect", "a", "--model", "m", "--save", "v.npz", "-o", "./v.npz"),
        2,
        ("to hold the tensors and the report",),
    ),
)
DEVICES = (
    Case("inspect on a device that is not there", sound, (*_BASE, *_ABSENT), 5, ("cuda:77",)),
    Case("check on a device that is not there", sound, ("check", "m", "--run", *_ABSENT), 5, ("cuda:77",)),
    Case(
        "embed on a device that is not there",
        sound,
        ("embed", "-", "-o", "v.npz", "--model", "m", *_ABSENT),
        5,
        ("cuda:77",),
        stdin=b"a text\n",
    ),
    Case(
        "inspect random weights on a device that is not there",
        sound,
        (*_BASE, "--weights", "random", *_ABSENT),
        5,
        ("cuda:77",),
    ),
)
CASES = FILES + DEVICES + INSPECT_OPTIONS + CHECK_OPTIONS + OTHERS
