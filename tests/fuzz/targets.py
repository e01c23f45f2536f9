"""One function a reader: it takes any bytes, and raises AssertionError where the reader does what it must not."""

from __future__ import annotations

import atexit
import io
import json
import re
import shutil
import tempfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors

from bertshape.checkpoint.safetensors import read_header
from bertshape.cli.main import run
from bertshape.contract.expectations import Subject, match, parse_expectation
from bertshape.contract.read import read_contract
from bertshape.contract.write import write_contract
from bertshape.corpus.read import read_stream
from bertshape.corpus.text_file import BadRecord, TextFile
from bertshape.errors import BertshapeError, UsageError
from bertshape.pooling.shapes import select
from bertshape.predict.config import resolve
from bertshape.shapes import TensorShape
from bertshape.strict_json import parse_object
from bertshape.tokens.tokenizer import MAX_BYTES, LoadedTokenizer, load_tokenizer
from tests.hostile.model import CONFIG, sound
from tests.support.weight_files import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDER = Path(tempfile.mkdtemp(prefix="bertshape-fuzz-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
_SUBJECT = Subject(
    scalars={"hidden_size": 8, "pooling": "mean", "dtype": None},
    shapes={"last_hidden_state": TensorShape(("batch_size", "sequence_length", "hidden_size"), (1, 4, 8), "float32")},
    unavailable={"pooler_output": "the model has no pooler"},
    tensors={f"layer.{index}.weight": TensorShape(("hidden_size",), (8,), "float32") for index in range(3)},
)


STEPS = {
    "1_Pooling": {"embedding_dimension": 8, "pooling_mode": "mean"},
    "2_Dense": {"in_features": 8, "out_features": 4, "bias": True, "activation_function": "torch.nn.Tanh"},
    "2_Normalize": {},
}
"""Folders that the steps of a chain may name, with what their config.json holds."""


class Refused:
    """Lets pass the errors that a person can use: one line, a next step, a code."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, BertshapeError):
            return False
        assert error.message
        assert error.hint, error.message
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code), error.code
        assert len(error.message) < 5_000, len(error.message)
        return True


def header(data: bytes) -> None:
    """A weight file is read where the library reads it, and with the same tensors."""
    try:
        theirs = {name: (entry["dtype"], entry["shape"]) for name, entry in safetensors.deserialize(data)}  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError:
        theirs = None
    ours = None
    with Refused():
        found = read_header(Memory(data))
        ours = {name: list(tensor.shape) for name, tensor in found.tensors.items()}
        assert sum(tensor.bytes for tensor in found.tensors.values()) < max(len(data), 1)
    assert (ours is None) == (theirs is None), (ours, theirs)
    if ours is not None and theirs is not None:
        assert ours == {name: shape for name, (_, shape) in theirs.items()}


def config(data: bytes) -> None:
    """A config.json is refused, or describes a model whose parameters can be counted."""
    with Refused():
        document = parse_object(data, subject="config.json", code="file")
        assert list(document) == list(json.loads(data.decode())), "what is read is what stands there"
        architecture = resolve(document, "config.json")
        assert architecture.dimensions.hidden_size >= 1
        count = architecture.parameters()
        assert count is None or count >= 0
        for name in ("pooler_size", "observed_only", "accepts_token_type_ids"):
            getattr(architecture, name)


def expectation(data: bytes) -> None:
    """An expectation reads back as it is written, and is held to a checkpoint or refused."""
    with Refused():
        parsed = parse_expectation(data.decode("utf-8", "surrogateescape"))
        assert parse_expectation(str(parsed)) == parsed
        for mismatch in match([parsed], _SUBJECT):
            assert mismatch.message


def contract(data: bytes) -> None:
    """A contract reads back as it is written; what is refused has a line."""
    path = _FOLDER / "bertshape.toml"
    path.write_bytes(data)
    try:
        with Refused():
            contracts = read_contract(path)
            with suppress(UsageError):  # names that a case has no place for
                path.write_text(write_contract(contracts), encoding="utf-8")
                again = read_contract(path)
                assert again == contracts
    except UsageError as error:
        raise AssertionError(error.message) from error


def records(data: bytes) -> None:
    """Lines and rows are texts, or the file and the line are named; no text holds half a pair."""
    for name in ("texts.txt", "texts.jsonl", "texts.csv", "texts.tsv", "texts.txt.gz"):
        with Refused():
            for number, record in enumerate(read_stream(io.BytesIO(data), TextFile(name)), 1):
                assert record.line >= number
                if isinstance(record, BadRecord):
                    assert record.error.message.startswith(f"{name}, line ")
                else:
                    record.text.encode()
                    assert (
                        "\n" not in record.text or not name.endswith("txt") or data.lstrip().startswith((b"{", b"\xef"))
                    )


def pooling(data: bytes) -> None:
    """The name of a strategy gives one of that name, or is refused."""
    with Refused():
        assert len(select([data.decode("utf-8", "surrogateescape")])) == 1


def tokenizer(data: bytes) -> None:
    """A tokenizer.json is refused, or encodes a text, or says that it cannot."""
    path = _FOLDER / "tokenizer.json"
    path.write_bytes(data)
    with Refused():
        loaded = load_tokenizer(_checkpoint())
        _encode(loaded)
    assert len(data) <= MAX_BYTES


def _encode(loaded: LoadedTokenizer) -> None:
    for text in ("a text", "", "two words! \N{GRINNING FACE}"):
        loaded.encode(text)
        loaded.encode(text, "a")


def _checkpoint() -> Any:
    """As much of a checkpoint as its tokenizer needs."""
    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.checkpoint.locate import Location
    from bertshape.checkpoint.recipe import Recipe
    from bertshape.checkpoint.tokenizer_files import TokenizerFiles

    location = Location("fuzz", "directory", _FOLDER, _FOLDER)
    files = TokenizerFiles(_FOLDER, {}, {}, {})
    return Checkpoint(location, _FOLDER, {"model_type": "bert"}, files, Recipe(), None, ())


def checkpoint(data: bytes) -> None:
    """A folder of such files is inspected and checked, or refused; what is printed is one document."""
    files: Any = None
    with suppress(ValueError, RecursionError):
        files = json.loads(data)
    if not isinstance(files, dict):
        return
    folder = _FOLDER / "m"
    if not folder.exists():
        (sound(_FOLDER) / "p").mkdir()
    for name in ("config", "tokenizer_config", "modules", "sentence_bert_config", "special_tokens_map", "p/config"):
        (folder / f"{name}.json").write_text(json.dumps(files.get(name, {})))
    more = ("a text", "--pair", "two", "--weights", "none", "--task", "all", "--layers", "--words", "--model")
    for arguments in (("check", "-e", "sequence_length=3"), ("inspect", *more)):
        printed, said = io.StringIO(), io.StringIO()
        with redirect_stdout(printed), redirect_stderr(said):
            code = run([*arguments, str(folder), "--json"])
        document = json.loads(printed.getvalue())
        assert code in (0, 1, 2, 3), said.getvalue()
        assert document["ok"] is (code == 0)


def tokenizer_files(data: bytes) -> None:
    """The tokenizer's files of a folder, read as those of a class, are checked and used, or refused."""
    files: Any = None
    with suppress(ValueError, RecursionError):
        files = json.loads(data)
    if not isinstance(files, dict):
        return
    folder = _FOLDER / "tokenizer" / "m"
    if not folder.exists():
        # As many rows as the published vocabularies, else every seed ends with ids that are too large.
        (sound(_FOLDER / "tokenizer") / "config.json").write_text(json.dumps({**CONFIG, "vocab_size": 30522}))
    for name in ("tokenizer", "tokenizer_config", "special_tokens_map", "added_tokens"):
        (folder / f"{name}.json").write_text(json.dumps(files.get(name, {})))
    more = ("--pair", "two words", "--words", "--max-length", "9", "--truncation", "--weights", "none", "--model")
    _run_all((("check",), ("inspect", "a text \N{GRINNING FACE}", *more)), folder)


def _run_all(commands: tuple[tuple[str, ...], ...], folder: Path) -> None:
    for command in commands:
        printed, said = io.StringIO(), io.StringIO()
        with redirect_stdout(printed), redirect_stderr(said):
            code = run([*command, str(folder), "--json"])
        assert code in (0, 1, 2, 3), said.getvalue()
        assert json.loads(printed.getvalue())["ok"] is (code == 0)


def modules(data: bytes) -> None:
    """A chain of steps, each of them with a config.json, is checked and followed, or refused."""
    folder = _FOLDER / "chain" / "m"
    if not folder.exists():
        sound(_FOLDER / "chain")
        for step, config in STEPS.items():
            (folder / step).mkdir()
            (folder / step / "config.json").write_text(json.dumps(config))
    (folder / "modules.json").write_bytes(data)
    _run_all((("check",), ("inspect", "a text", "--weights", "none", "--model")), folder)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "header": header,
    "config": config,
    "expectation": expectation,
    "contract": contract,
    "records": records,
    "pooling": pooling,
    "tokenizer": tokenizer,
    "tokenizer_files": tokenizer_files,
    "checkpoint": checkpoint,
    "modules": modules,
}
