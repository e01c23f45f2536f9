"""Settings that decide what AutoTokenizer of transformers 5 makes of a folder: each gives the same here."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import CheckpointError
from bertshape.soundness.tokenizer import reader_findings
from bertshape.tokens.batch import tokenize
from bertshape.tokens.class_names import ALIASES, GENERIC, PYTHON_ONLY, REGISTERED
from bertshape.tokens.classes import CLASSES
from bertshape.tokens.resolve import holds_here, reads_pieces_as_here
from bertshape.tokens.tokenizer import load_tokenizer
from tests.differential import tokens as differential
from tests.differential.area import run
from tests.differential.token_folders import piece_file, trained
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READS_PIECES = pytest.mark.skipif(not reads_pieces_as_here(), reason="transformers is asked before 5.20")
TEXT = "Naïve <e1>Café 東京東 isn't"


@dataclass(frozen=True)
class Changed:
    """A folder with MiniLM's tokenizer, changed.

    Attributes:
        settings: Values in tokenizer_config.json.
        document: Values in tokenizer.json; None for vocab.txt in its place.
        files: Other files.
        finding: Code of the finding about its readers.
        words: What its message says.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] | None = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    finding: str = ""
    words: tuple[str, ...] = ()


_OTHER_NORMALIZER = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]}
_PLAIN = {"tokenizer_class": "PreTrainedTokenizerFast"}
CASES = {
    "27, lower case": Changed(
        {"do_lower_case": False},
        finding="tokenizer-readers-differ",
        words=("do_lower_case", "text-embeddings-inference"),
    ),
    "accents": Changed({"strip_accents": False}, finding="tokenizer-readers-differ", words=("strip_accents",)),
    "Chinese": Changed(
        {"tokenize_chinese_chars": False}, finding="tokenizer-readers-differ", words=("tokenize_chinese_chars",)
    ),
    "class token": Changed(
        files={"special_tokens_map.json": {"cls_token": "[SEP]"}},
        finding="tokenizer-readers-differ",
        words=("post_processor",),
    ),
    "66, inputs": Changed({"model_input_names": ["input_ids", "attention_mask"]}),
    "67, no template": Changed(_PLAIN, {"post_processor": None}, finding="special-tokens-not-added", words=("[CLS]",)),
    "92, own normalizer": Changed(
        document={"normalizer": _OTHER_NORMALIZER, "pre_tokenizer": {"type": "WhitespaceSplit"}},
        finding="tokenizer-readers-differ",
        words=("normalizer", "BertNormalizer", "pre_tokenizer"),
    ),
    "92, taken as it is": Changed(_PLAIN, {"normalizer": _OTHER_NORMALIZER}),
    "94, added tokens": Changed(
        document=None,
        files={
            "added_tokens.json": {"<e1>": 30522, "</e1>": 30523},
            "special_tokens_map.json": {"additional_special_tokens": ["<e1>", "</e1>"]},
        },
    ),
    "added tokens of the settings": Changed(
        {"additional_special_tokens": ["<e1>"]}, finding="tokenizer-readers-differ", words=("<e1>",)
    ),
    "a WordPiece file under RobertaTokenizer": Changed(
        {"tokenizer_class": "RobertaTokenizer"}, finding="tokenizer-readers-differ", words=("model", "BPE")
    ),
    "left": Changed({"padding_side": "left", "truncation_side": "left"}),
    "as it is published": Changed(),
}


def _change(source: Path, target: Path, changed: Changed) -> Path:
    folder = edited_copy(source, target)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed.settings))
    document = folder / "tokenizer.json"
    if changed.document is None:
        document.unlink()
    elif changed.document:
        document.write_text(json.dumps(json.loads(document.read_text()) | changed.document))
    for name, content in changed.files.items():
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("name", CASES)
def test_tokens_are_those_of_auto_tokenizer_and_the_readers_are_named(minilm: Path, tmp_path: Path, name: str) -> None:
    import transformers

    changed = CASES[name]
    folder = _change(minilm, tmp_path / "changed", changed)
    checkpoint = open_checkpoint(str(folder))
    own, theirs = load_tokenizer(checkpoint), transformers.AutoTokenizer.from_pretrained(folder)
    for pairs in (None, ["a second one"]):
        for max_length in (None, 7):
            ours = tokenize(own, [TEXT], pairs, truncation=max_length is not None, max_length=max_length)
            wanted = theirs([TEXT], pairs, truncation=max_length is not None, max_length=max_length)
            assert set(own.inputs) == set(wanted)
            assert [token.input_id for token in ours.rows[0].tokens] == wanted["input_ids"][0]
            types = wanted.get("token_type_ids", [[0] * len(wanted["input_ids"][0])])
            assert [token.token_type_id for token in ours.rows[0].tokens] == types[0]
            assert [token.token for token in ours.rows[0].tokens] == theirs.convert_ids_to_tokens(
                wanted["input_ids"][0]
            )
    findings = reader_findings(checkpoint, own)
    assert [finding.code for finding in findings] == ([changed.finding] if changed.finding else [])
    assert all(word in finding.message for finding in findings for word in changed.words)


def test_a_model_type_has_the_class_that_transformers_registers() -> None:
    from transformers import CONFIG_MAPPING
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

    for model_type, name in REGISTERED.items():
        theirs = TOKENIZER_MAPPING_NAMES.get(model_type)
        if model_type in CONFIG_MAPPING and theirs is not None and holds_here(name):
            assert ALIASES.get(theirs, theirs) == name, model_type


@pytest.mark.parametrize("name", [*CLASSES, *ALIASES, *PYTHON_ONLY])
def test_a_class_of_the_table_is_one_of_transformers(name: str) -> None:
    import transformers
    from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

    found: Any = tokenizer_class_from_name(name)
    if found is None or "dummy" in found.__module__:
        pytest.skip("it needs a package that is not installed")
    python = not issubclass(found, transformers.TokenizersBackend)
    if name in ALIASES:
        assert found.__name__ == (ALIASES[name] if not python else "PythonBackend")
        return
    assert python == (name in PYTHON_ONLY)
    row = CLASSES.get(name)
    if row is not None and holds_here(name):
        assert list(row.inputs) == found.model_input_names
        assert row.padding_side == found.padding_side
        assert row.from_file == ("__init__" not in found.__dict__)


def test_generated_folders_give_the_tokens_of_auto_tokenizer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`python -m tests.differential --area tokens` goes on for as long as one wants."""
    outcome = run(differential, tmp_path / "folders", first=0, seconds=60, most=400)
    with capfd.disabled():
        print(f" {outcome.cases} generated tokenizers ", end="")
    assert outcome.differing == {}


def test_the_comparison_can_fail(minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that says another default is found out."""
    monkeypatch.setitem(CLASSES["BertTokenizer"].settings, "do_lower_case", False)
    folder = _change(minilm, tmp_path / "changed", Changed())
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    del settings["do_lower_case"]
    path.write_text(json.dumps(settings))
    assert any("input_ids" in differential.compare(random.Random(seed), folder) for seed in range(9))


@pytest.mark.parametrize("token", [None, {"content": "[Q]"}], ids=str)
def test_a_role_of_the_class_alone_has_to_be_a_token(minilm: Path, tmp_path: Path, token: object) -> None:
    folder = edited_copy(minilm, tmp_path / "m")
    settings = {"tokenizer_class": "SplinterTokenizer", "question_token": token, "cls_token": None}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    with pytest.raises(CheckpointError, match="question_token has to be"):
        load_tokenizer(open_checkpoint(str(folder)))
    assert not differential.compare(random.Random(0), folder)  # As transformers, which refuses it too.


def _python_only(folder: Path, class_name: str, model_type: str, vocabulary: str) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": class_name}))
    if vocabulary:
        (folder / "vocab.txt").write_text(vocabulary)
    return folder


@pytest.mark.parametrize(
    ("class_name", "model_type", "vocabulary"),
    [("EsmTokenizer", "esm", "<cls>\n<pad>\n<eos>\n<unk>\nL\nA\nG\n<mask>\n"), ("CanineTokenizer", "canine", "")],
)
def test_tokenizers_written_in_python(tmp_path: Path, class_name: str, model_type: str, vocabulary: str) -> None:
    """They give tokens without words and spans, and cut a pair by a rule of their own."""
    import transformers

    folder = _python_only(tmp_path / "python", class_name, model_type, vocabulary)
    own, theirs = load_tokenizer(open_checkpoint(str(folder))), transformers.AutoTokenizer.from_pretrained(folder)
    assert own.class_name == class_name
    for texts, pairs in ((["LAGL", "A"], None), (["LAG"], ["GAL"])):
        for max_length in (None, 5, 6):
            cut: dict[str, Any] = {"truncation": max_length is not None, "max_length": max_length}
            ours, wanted = tokenize(own, texts, pairs, **cut), theirs(texts, pairs, padding=True, **cut)
            ids = [[token.input_id for token in row.tokens] for row in ours.rows]
            assert ids == wanted["input_ids"], (texts, pairs, max_length)
    token = tokenize(own, ["LA"]).rows[0].tokens[1]
    assert (token.kind, token.word_id, token.offset) == ("token", None, None)


@pytest.mark.parametrize(
    ("class_name", "model_type", "file", "words"),
    [
        ("AlbertTokenizer", "albert", "vocab.txt", ("AlbertTokenizer reads", '"tokenizer_class": "BertTokenizer"')),
        ("FNetTokenizer", "fnet", "spiece.model", ("needs sentencepiece", "pip install")),
        pytest.param(
            "AlbertTokenizer",
            "albert",
            "spiece.model",
            ("spiece.model is not a vocabulary", "no model of SentencePiece"),
            marks=READS_PIECES,
        ),
        ("RobertaTokenizer", "roberta", "vocab.txt", ("vocab.json and merges.txt",)),
    ],
)
def test_a_vocabulary_that_cannot_be_read_says_what_would_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, class_name: str, model_type: str, file: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr("bertshape.tokens.ask._is_there", lambda _: False)
    folder = _python_only(tmp_path / "folder", class_name, model_type, "")
    (folder / file).write_text("[PAD]\n[UNK]\n")
    with pytest.raises(CheckpointError) as caught:
        load_tokenizer(open_checkpoint(str(folder)))
    said = f"{caught.value.message} {caught.value.hint}"
    assert all(word in said for word in words), said
    assert "tiktoken" not in said


@READS_PIECES
def test_a_model_of_sentencepiece_is_read_without_its_package(tmp_path: Path) -> None:
    """Where the packages of it are installed, generated folders with such files are compared with AutoTokenizer."""
    folders = {name: _python_only(tmp_path / name, "AlbertTokenizer", "albert", "") for name in ("json", "pieces")}
    document = trained("albert")
    (folders["json"] / "tokenizer.json").write_text(json.dumps(document))
    (folders["pieces"] / "spiece.model").write_bytes(piece_file(document))
    first, second = (load_tokenizer(open_checkpoint(str(folder))) for folder in folders.values())
    assert second.file == "spiece.model"
    assert second.backend.get_vocab() == first.backend.get_vocab()
    assert list(second.encode(TEXT).ids) == list(first.encode(TEXT).ids)
    assert second.backend.get_vocab_size() > 80


def test_a_cut_model_of_sentencepiece_is_refused(tmp_path: Path) -> None:
    folder = _python_only(tmp_path / "cut", "AlbertTokenizer", "albert", "")
    whole = piece_file(trained("albert"))
    for length in range(0, len(whole), 97):
        (folder / "spiece.model").write_bytes(whole[:length])
        with contextlib.suppress(CheckpointError):  # Cut between two pieces it is a shorter vocabulary.
            load_tokenizer(open_checkpoint(str(folder)))


def test_without_transformers_the_file_is_taken_and_that_is_said(
    minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bertshape.tokens.tokenizer.has_transformers", lambda: False)
    folder = _change(minilm, tmp_path / "changed", Changed({"tokenizer_class": "GPT2Tokenizer"}))
    checkpoint = open_checkpoint(str(folder))
    own = load_tokenizer(checkpoint)
    assert own.class_name is None
    (finding,) = reader_findings(checkpoint, own)
    assert (finding.code, finding.severity) == ("tokenizer-class-not-asked", "warning")
    assert "transformers is not installed" in finding.message


def test_a_class_of_the_table_needs_neither_torch_nor_transformers(tiny: Callable[[str], Path], minilm: Path) -> None:
    code = (
        "import sys; from bertshape.checkpoint.checkpoint import open_checkpoint as o;"
        "from bertshape.tokens.tokenizer import load_tokenizer as l; l(o(sys.argv[1])).encode('a');"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(minilm)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_page_lists_the_classes_of_the_table() -> None:
    from pathlib import Path

    page = (Path(__file__).parent.parent.parent / "docs" / "tokenizers.md").read_text(encoding="utf-8")
    for name in (*CLASSES, GENERIC, *PYTHON_ONLY):
        assert f"`{name}`" in page, name
