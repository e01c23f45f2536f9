"""Small checkpoints after public bug reports: each stands for a kind, and `check` says of each what it is.

The threads: transformers 14073, 2480, 1730, 12381; pytorch 9176; simpletransformers 1310, 13; mem0 4033;
sentence-transformers 2979, 2465, 3140; bitsandbytes 535; transformers-bloom-inference 85; bert-japanese 14.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors.torch import load_file

from tests.soundness.editing import Edit, settings, tensors
from tests.soundness.quantizing import METHODS, quantized
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Command

    Tiny = Callable[[str], Path]
    Build = Callable[[Path, Tiny], object]

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 466247\n"


def bert(*edits: Edit, **config: object) -> Build:
    """A tiny BERT with edits."""

    def build(folder: Path, tiny: Tiny) -> None:
        edited_copy(tiny("bert"), folder, **config)
        for edit in edits:
            edit(folder)

    return build


def fine_tuned(model_class: str, *edits: Edit, **options: Any) -> Build:
    """A tiny BERT with a head, and edits."""

    def build(folder: Path, tiny: Tiny) -> None:
        shutil.copytree(tiny("bert"), folder)
        getattr(transformers, model_class).from_pretrained(tiny("bert"), **options).save_pretrained(folder)
        for edit in edits:
            edit(folder)

    return build


def prefixed(prefix: str) -> Edit:
    return tensors(lambda state: {prefix + name: tensor for name, tensor in state.items()})


def file(name: str, content: str) -> Edit:
    """Edit that writes a file."""

    def edit(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)

    return edit


def pickled(change: Callable[[dict[str, torch.Tensor]], object]) -> Edit:
    """Edit that stores the weights with torch.save instead."""

    def edit(folder: Path) -> None:
        torch.save(change(load_file(folder / "model.safetensors")), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()

    return edit


def labels(named: dict[str, str]) -> dict[str, object]:
    """The two maps of config.json, one the inverse of the other."""
    return {"id2label": named, "label2id": {name: int(number) for number, name in named.items()}}


def _adapter(folder: Path, tiny: Tiny) -> None:
    folder.mkdir()
    adapter = {"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 8}
    (folder / "adapter_config.json").write_text(json.dumps(adapter))
    (folder / "adapter_model.safetensors").write_bytes(b"")


def _bias_not_resized(folder: Path, tiny: Tiny) -> None:
    shutil.copytree(tiny("bert"), folder)
    model = transformers.BertForMaskedLM.from_pretrained(tiny("bert"))
    model.resize_token_embeddings(177)
    model.save_pretrained(folder)
    tensors(lambda state: state | {"cls.predictions.bias": state["cls.predictions.bias"][:174].clone()})(folder)


def _trainer_output(folder: Path, tiny: Tiny) -> None:
    for step in (500, 1000):
        shutil.copytree(tiny("bert"), folder / f"checkpoint-{step}")
        (folder / f"checkpoint-{step}" / "optimizer.pt").write_bytes(b"")


def _pickle_shard_missing(folder: Path, tiny: Tiny) -> None:
    shutil.copytree(tiny("bert"), folder)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = [f"pytorch_model-{part:05d}-of-00002.bin" for part in (1, 2)]
    half = len(state) // 2
    index = {name: names[number >= half] for number, name in enumerate(state)}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    torch.save({name: tensor for name, tensor in state.items() if index[name] == names[0]}, folder / names[0])


@dataclass(frozen=True)
class Case:
    """A checkpoint, and what `check` must say of it.

    Attributes:
        build: Writes it into a folder that is not there yet.
        exit_code: Exit code of `check`.
        code: Code of the finding, or of the error.
        says: Pieces of its message and hint.
    """

    build: Build
    exit_code: int
    code: str
    says: tuple[str, ...]


CASES = {
    "02 type_vocab_size 5 over 2 stored": Case(
        bert(type_vocab_size=5), 1, "dimension-mismatch", ("says 5, the weights hold 2", "Set type_vocab_size to 2")
    ),
    "04 DataParallel": Case(
        bert(prefixed("module.")), 1, "names-prefixed", ("87 of 87 stored names begin with module.", "python -c ")
    ),
    "11 an adapter alone": Case(
        _adapter, 3, "adapter-only", ("LORA", "its base model is org/base", "merge_and_unload")
    ),
    "14 a bias that was not resized": Case(
        _bias_not_resized,
        1,
        "head-mismatch",
        ("cls.predictions.bias: expected [177]", "hold [174]", "not resized with the embedding", "pad(", "(0, 3)"),
    ),
    "16 label maps that disagree": Case(
        fine_tuned(
            "BertForTokenClassification",
            settings("config.json", label2id={"O": 0, "B-PER": 1}),
            id2label={0: "O", 1: "B-PER", 2: "I-PER"},
        ),
        0,
        "label-maps-disagree",
        ("it lacks I-PER", '"I-PER": 2'),
    ),
    "17 a cross-encoder, read as a sentence-transformer": Case(
        fine_tuned(
            "BertForSequenceClassification",
            settings("config.json", sentence_transformers={"activation_fn": "torch.nn.modules.linear.Identity"}),
            num_labels=1,
        ),
        0,
        "cross-encoder",
        ("is a cross-encoder", "never trained to be pooled"),
    ),
    "19 code of its own under a stock type": Case(
        bert(
            architectures=["JinaBertModel"], auto_map={"AutoModel": "m.JinaBertModel"}, position_embedding_type="alibi"
        ),
        0,
        "custom-code",
        ("m.JinaBertModel", "those of the stock class BertModel", "position_embedding_type 'alibi'"),
    ),
    "45 bitsandbytes, 8 bits": Case(
        bert(tensors(quantized("bitsandbytes 8")), quantization_config=METHODS["bitsandbytes 8"][1]),
        0,
        "quantized",
        ("says bitsandbytes (8 bits a number)", "pip install bitsandbytes"),
    ),
    "51 output of a Trainer": Case(
        _trainer_output, 3, "trainer-output", ("checkpoint-500, checkpoint-1000", "the last: ", "/checkpoint-1000")
    ),
    "61 a shard is missing": Case(
        _pickle_shard_missing,
        1,
        "weights-shard-missing",
        ("1 of 2 weight files of pytorch_model.bin.index.json are missing: pytorch_model-00002-of-00002.bin",),
    ),
    "63 a tokenizer that is a pointer": Case(
        bert(file("tokenizer.json", POINTER)),
        3,
        "git-lfs-pointer",
        ("is a Git LFS pointer", "tokenizer.json", "lfs pull"),
    ),
    "weights that are a pointer": Case(
        bert(file("model.safetensors", POINTER)), 1, "weights-not-safetensors", ("is a Git LFS pointer", "lfs pull")
    ),
    "a config.json that is a pointer": Case(
        bert(file("config.json", POINTER)), 3, "git-lfs-pointer", ("is a Git LFS pointer", "config.json", "lfs pull")
    ),
    "torch.compile": Case(bert(prefixed("_orig_mod.")), 1, "names-prefixed", ("_orig_mod.", "torch.compile")),
    "a whole SentenceTransformer": Case(bert(prefixed("0.auto_model.")), 1, "names-prefixed", ("0.auto_model.",)),
    "a model inside a module": Case(bert(prefixed("model.")), 1, "names-prefixed", ("begin with model.",)),
    "a head that is not there": Case(
        bert(architectures=["BertForSequenceClassification"]),
        1,
        "head-missing",
        ("hold no head for it (classifier.weight, classifier.bias)", '"architectures": ["BertModel"]'),
    ),
    "half a head": Case(
        fine_tuned(
            "BertForQuestionAnswering",
            tensors(lambda state: {name: row for name, row in state.items() if name != "qa_outputs.bias"}),
        ),
        1,
        "head-incomplete",
        ("lack 1 tensor of its head: qa_outputs.bias",),
    ),
    "a head of other labels": Case(
        fine_tuned("BertForSequenceClassification", settings("config.json", id2label={"0": "a"}, label2id={"a": 0})),
        1,
        "labels-mismatch",
        ("says 1 label, the stored head of BertForSequenceClassification has 2",),
    ),
    "labels counted from 1": Case(
        fine_tuned("BertForSequenceClassification", settings("config.json", **labels({"1": "a", "2": "b"}))),
        1,
        "label-numbers",
        ("names no label 0; a head of 2 labels gives the numbers 0 to 1",),
    ),
    "labels with a gap": Case(
        fine_tuned("BertForTokenClassification", settings("config.json", **labels({"0": "a", "2": "b"}))),
        1,
        "label-numbers",
        ("names no label 1",),
    ),
    "a name for two labels": Case(
        fine_tuned("BertForSequenceClassification", settings("config.json", **labels({"0": "a", "1": "a"}))),
        0,
        "label-numbers",
        ("gives several numbers the name a",),
    ),
    "labels in a list": Case(
        fine_tuned("BertForSequenceClassification", settings("config.json", id2label=["a", "b"])),
        1,
        "config-invalid",
        ("expected an object of a name for each number",),
    ),
    "a head without the pooler that it reads": Case(
        fine_tuned(
            "BertForSequenceClassification",
            tensors(lambda state: {name: row for name, row in state.items() if "pooler" not in name}),
        ),
        1,
        "pooler-random",
        ("pooler",),
    ),
    "a prefix that another family has": Case(
        bert(prefixed("bert_model.")), 1, "names-prefixed", ("87 of 87 stored names begin with bert_model.",)
    ),
    "a pickle with a prefix": Case(
        bert(prefixed("module."), pickled(lambda state: state)), 1, "names-prefixed", ("torch.load(f",)
    ),
    "a pickle of a training script": Case(
        bert(pickled(lambda state: {"epoch": 1, "state_dict": state})), 1, "tensors-nested", ("inside of 'state_dict'",)
    ),
    "the same by another key": Case(
        bert(pickled(lambda state: {"model_dict": state})), 1, "tensors-nested", ('["model_dict"]',)
    ),
    "a pickle without a layer": Case(
        bert(pickled(lambda state: {name: row for name, row in state.items() if "layer.3." not in name})),
        1,
        "tensors-missing",
        ("the weights lack 16 backbone tensors",),
    ),
    "a pickle of a whole module": Case(
        bert(pickled(lambda _: torch.nn.Linear(2, 2))),
        1,
        "weights-without-tensors",
        ("(torch.nn.modules.linear.Linear)",),
    ),
    "no model_type": Case(
        bert(model_type=None), 1, "model-type-missing", ('Add "model_type": "bert" to config.json.',)
    ),
    "relative positions that nobody reads": Case(
        bert(position_embedding_type="relative_key"), 0, "config-keys-unread", ("'relative_key'", "does not read")
    ),
    "int8 without a word of config.json": Case(
        bert(tensors(quantized("bitsandbytes 8"))), 1, "quantization-undeclared", ("SCB", '"load_in_8bit": true')
    ),
}
QUIET = ("Upgrade", "upgrade", "pip install -U", "Restore the file", "save_pretrained wrote")
"""What no hint for these says: none of it would help."""


def rows(document: Any) -> list[dict[str, str]]:
    """The findings and the error of a document of `check`."""
    (checkpoint,) = document["checkpoints"]
    error = checkpoint.get("error")
    return [*checkpoint["findings"], *([error | {"severity": "error"}] if error else [])]


@pytest.mark.parametrize("name", CASES)
def test_check_says_what_it_is(name: str, tmp_path: Path, tiny: Tiny, run_cli: Command) -> None:
    case, folder = CASES[name], tmp_path / "it"
    case.build(folder, tiny)
    done = run_cli("check", str(folder), "--json")
    found = {row["code"]: row for row in rows(json.loads(done.stdout))}
    assert case.code in found, list(found)
    text = f"{found[case.code]['message']} {found[case.code]['hint']}"
    for piece in case.says:
        assert piece in text
    assert not [word for word in QUIET if word in text]
    # One fault is told once: nothing else is an error.
    assert [code for code, row in found.items() if row["severity"] == "error"] == [case.code] * (case.exit_code != 0)
    assert done.returncode == case.exit_code
    screen = run_cli("check", str(folder)).stdout
    assert " ".join(case.says[0].split())[:30] in " ".join(screen.split())


@pytest.mark.skipif(importlib.util.find_spec("fugashi") is not None, reason="the package is here")
@pytest.mark.parametrize("command", ["check", "inspect"])
def test_24_a_tokenizer_that_needs_a_package(command: str, tmp_path: Path, tiny: Tiny, run_cli: Command) -> None:
    folder = tmp_path / "it"
    bert(file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"))(folder, tiny)
    (folder / "tokenizer.json").unlink()
    settings("tokenizer_config.json", tokenizer_class="BertJapaneseTokenizer", word_tokenizer_type="mecab")(folder)
    options = ("a text", "--weights", "none", "--model") if command == "inspect" else ()
    done = run_cli(command, *options, str(folder), columns=200)
    said = done.stdout + done.stderr
    assert done.returncode == 3
    assert "(BertJapaneseTokenizer) needs fugashi, which is not installed" in said
    assert "pip install fugashi" in said


@pytest.mark.parametrize(
    "name",
    [
        "04 DataParallel",
        "14 a bias that was not resized",
        "a pickle with a prefix",
        "a pickle of a training script",
    ],
)
def test_the_command_of_a_hint_helps(name: str, tmp_path: Path, tiny: Tiny, run_cli: Command) -> None:
    """It runs as it stands, and `check` passes afterwards."""
    folder = tmp_path / "it"
    CASES[name].build(folder, tiny)
    document = json.loads(run_cli("check", str(folder), "--json").stdout)
    hint = next(row["hint"] for row in rows(document) if row["code"] == CASES[name].code)
    command = shlex.split(hint[hint.index("python -c ") :])
    subprocess.run([sys.executable, *command[1:]], cwd=folder, check=True, timeout=120)
    assert run_cli("check", str(folder)).returncode == 0


@pytest.mark.parametrize("method", METHODS)
def test_quantized_weights_are_not_broken(method: str, tmp_path: Path, tiny: Tiny, run_cli: Command) -> None:
    """Whatever the method: the matrices that they stand for have the shapes that config.json asks for."""
    folder, name = tmp_path / "it", METHODS[method][1]["quant_method"]
    bert(tensors(quantized(method)), quantization_config=METHODS[method][1])(folder, tiny)
    done = run_cli("check", str(folder), "--json")
    assert done.returncode == 0
    assert [row["code"] for row in rows(json.loads(done.stdout)) if row["severity"] != "note"] == []
    shown = run_cli("inspect", "a text", "--model", str(folder), "--json")
    assert shown.returncode == 0
    assert json.loads(shown.stdout)["outputs"]["last_hidden_state"]["shape"][-1] == 48
    refused = run_cli("inspect", "a text", "--model", str(folder), "--weights", "checkpoint")
    assert (refused.returncode, f"quantized by {name}" in refused.stderr) == (3, True)
    # Another number in config.json is found behind the packed ones too.
    settings("config.json", intermediate_size=64)(folder)
    wrong = rows(json.loads(run_cli("check", str(folder), "--json").stdout))
    assert [row["where"] for row in wrong if row["severity"] == "error"] == ["config.json intermediate_size"]


@pytest.mark.parametrize("method", [method for method in METHODS if method != "bitsandbytes 8"])
def test_packed_numbers_without_their_scales_are_found(
    method: str, tmp_path: Path, tiny: Tiny, run_cli: Command
) -> None:
    folder = tmp_path / "it"
    lacking = re.compile(r"layer\.1\.output\.dense\.(scales|weight\.absmax|weight_scale)$")
    bert(
        tensors(quantized(method)),
        tensors(lambda state: {name: row for name, row in state.items() if not lacking.search(name)}),
        quantization_config=METHODS[method][1],
    )(folder, tiny)
    found = rows(json.loads(run_cli("check", str(folder), "--json").stdout))
    assert [row["code"] for row in found if row["severity"] == "error"] == ["quantization-incomplete"]


def test_weights_that_are_a_pointer_do_not_hide_the_rest(tmp_path: Path, tiny: Tiny, run_cli: Command) -> None:
    folder = tmp_path / "it"
    CASES["weights that are a pointer"].build(folder, tiny)
    shown = run_cli("inspect", "a text", "--model", str(folder), "--json")
    document = json.loads(shown.stdout)
    assert document["outputs"]["last_hidden_state"]["shape"][-1] == 48
    assert shown.returncode == 1
    refused = run_cli("inspect", "a text", "--model", str(folder), "--weights", "checkpoint")
    assert (refused.returncode, "Git LFS pointer" in refused.stderr) == (3, True)
