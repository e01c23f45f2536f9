"""One folder of each kind that is no transformers checkpoint, or not a whole one: what each command says of it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.soundness.test_cases import POINTER, rows
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.conftest import Command

    Tiny = Callable[[str], Path]

SENTENCE = "sentence_transformers.models."
BERT = "*a tiny BERT"
NO_WEIGHTS = "*a tiny BERT without weights"


def modules(*kinds: str) -> str:
    steps = [
        {"idx": at, "name": str(at), "path": f"{at}_x" * bool(at), "type": SENTENCE + kind}
        for at, kind in enumerate(kinds)
    ]
    return json.dumps(steps)


def adapter(**values: object) -> str:
    return json.dumps({"peft_type": "LORA", **values})


KINDS: dict[str, tuple[Mapping[str, str], int, str, str]] = {
    "adapter": ({"adapter_config.json": adapter(base_model_name_or_path="org/b")}, 3, "adapter-only", "model is org/b"),
    "adapter over a config": (
        {NO_WEIGHTS: "", "adapter_config.json": adapter(base_model_name_or_path="org/b")}, 1, "adapter-only", "is org/b"
    ),
    "output of a Trainer": ({"checkpoint-7/config.json": "{}"}, 3, "trainer-output", "are in checkpoint-7"),
    "ONNX": ({NO_WEIGHTS: "", "onnx/model.onnx": "x"}, 1, "onnx-only", "as ONNX alone (onnx/model.onnx)"),
    "OpenVINO": ({NO_WEIGHTS: "", "openvino_model.xml": "x"}, 1, "openvino-only", "as OpenVINO alone"),
    "TensorFlow": ({NO_WEIGHTS: "", "tf_model.h5": "x"}, 1, "tensorflow-only", "as TensorFlow alone (tf_model.h5)"),
    "Flax": ({NO_WEIGHTS: "", "flax_model.msgpack": "x"}, 1, "flax-only", "as Flax alone"),
    "GGUF": ({"model-q8.gguf": "x"}, 3, "gguf-only", "as GGUF alone (model-q8.gguf)"),
    "TensorFlow 1": ({"bert_config.json": "{}"}, 3, "bert-for-tensorflow-1", "release of BERT for TensorFlow 1"),
    "GLiNER": ({"gliner_config.json": '{"model_name": "org/e"}'}, 3, "gliner", "is a GLiNER model"),
    "model2vec": ({"config.json": '{"model_type": "model2vec"}'}, 3, "model2vec", "one stored vector for each token"),
    "StaticEmbedding": ({"modules.json": modules("StaticEmbedding")}, 3, "no-transformer", "is a static embedding"),
    "WordEmbeddings": (
        {"modules.json": modules("WordEmbeddings", "Pooling")}, 3, "no-transformer", "averages stored vectors of words"
    ),
    "Router": (
        {"modules.json": modules("Router"), "query_0_Transformer/config.json": "{}"}, 3, "no-transformer", "different"
    ),
    "CNN": ({"modules.json": modules("CNN", "Pooling")}, 3, "no-transformer", "begins with a step CNN"),
    "Asym over a config of its own": (
        {"modules.json": modules("Asym"), "config.json": "{}"}, 3, "no-transformer", "sends texts to different encoders"
    ),
    "spaCy": ({"meta.json": "{}", "config.cfg": "[nlp]"}, 3, "other-library", "is a model of spaCy"),
    "fastText": ({"lid.176.ftz": "x"}, 3, "other-library", "is a model of fastText"),
    "CTranslate2": (
        {"config.json": "{}", "model.bin": "x", "vocabulary.json": "[]"}, 3, "format-unread", "as CTranslate2 alone"
    ),
    "Core ML": ({NO_WEIGHTS: "", "m.mlpackage/Manifest.json": "{}"}, 1, "format-unread", "as Core ML alone"),
    "TensorFlow Lite": ({NO_WEIGHTS: "", "model.tflite": "x"}, 1, "format-unread", "as TensorFlow Lite alone"),
    "a saved model of TensorFlow": (
        {NO_WEIGHTS: "", "saved_model/1/saved_model.pb": "x"}, 1, "tensorflow-only", "as TensorFlow alone"
    ),
    "TensorFlow 1 below": (
        {"uncased/albert_config.json": "{}"}, 3, "bert-for-tensorflow-1", "(uncased/albert_config.json)"
    ),
    "Lightning": ({NO_WEIGHTS: "", "last.ckpt": "x", "optimizer.pt": "x"}, 1, "weights-name", "holds last.ckpt;"),
    "a variant": ({NO_WEIGHTS: "", "model.fp16.safetensors": "x"}, 1, "weights-name", "holds model.fp16.safetensors;"),
    "shards without index": (
        {NO_WEIGHTS: "", "model-00001-of-00002.safetensors": "x"}, 1, "weights-index-missing", "and not their index"
    ),
    "DeepSpeed": ({NO_WEIGHTS: "", "zero_to_fp32.py": "x"}, 1, "training-state", "state of a training in parts"),
    "FSDP": ({NO_WEIGHTS: "", "fsdp_0/__0_0.distcp": "x"}, 1, "training-state", "state of a training in parts"),
    "a download that was cut": (
        {NO_WEIGHTS: "", "model.safetensors.incomplete": "x"}, 1, "download-unfinished", "that was not finished"
    ),
    "the Hub's cache": ({"snapshots/abc/config.json": "{}"}, 3, "hub-cache-folder", "the files are in snapshots/abc"),
    "prompts of peft": (
        {"adapter_config.json": adapter(peft_type="PROMPT_TUNING", base_model_name_or_path="org/b")},
        3, "adapter-only", "(PROMPT_TUNING, adapter_config.json)",
    ),
    "an index that is a pointer": (
        {NO_WEIGHTS: "", "model.safetensors.index.json": POINTER}, 1, "git-lfs-pointer", "is a Git LFS pointer"
    ),
    "a modules.json that is a pointer": (
        {BERT: "", "modules.json": POINTER}, 1, "git-lfs-pointer", "is a Git LFS pointer"
    ),
    "a modules.json that is cut": ({BERT: "", "modules.json": "[{"}, 1, "file-json", "modules.json is not valid JSON"),
    "a step of nonsense": (
        {BERT: "", "modules.json": modules("Transformer", "Pooling"), "1_x/config.json": '{"pooling_mode": "sum"}'},
        1, "sentence-transformers-invalid", "pooling_mode is",
    ),
    "a pickle that is a page": (
        {NO_WEIGHTS: "", "pytorch_model.bin": "<html>"}, 1, "weights-not-pickle", "is an HTML or XML page"
    ),
    "multimodal": (
        {"config.json": '{"model_type": "clip", "text_config": {}}'}, 3, "multimodal", "clip model of texts and other"
    ),
    "auto_map": ({BERT: '{"auto_map": {"AutoModel": "m.New"}}'}, 0, "custom-code", "asks for code of its own, m.New"),
    "a file that nobody reads is a pointer": ({BERT: "", "vocab.txt": POINTER}, 0, "git-lfs-pointer", "vocab.txt is"),
    "a pickle that is a pointer": (
        {NO_WEIGHTS: "", "pytorch_model.bin": POINTER}, 1, "git-lfs-pointer", "pytorch_model.bin is a Git LFS pointer"
    ),
    "names of many families": (
        {BERT: '{"model_type": null, "architectures": null}'}, 3, "model-type-missing", "that 12 families use: bert, "
    ),
    "a config.json that leaves much open": (
        {BERT: '{"hidden_act": null, "layer_norm_eps": null}'}, 0, "config-defaults", "hidden_act gelu, layer_norm_eps"
    ),
    "no layers in config.json": (
        {BERT: '{"num_hidden_layers": null}'}, 1, "layers-mismatch", "does not say it, and the default of bert is 12"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_has_its_sentence(name: str, tmp_path: Path, tiny: Tiny, run_cli: Command) -> None:
    """In `check`, on the screen and as JSON, and in `inspect` and `embed` too; none of them ends in a traceback."""
    files, exit_code, code, words = KINDS[name]
    folder = tmp_path / "it"
    if BERT in files or NO_WEIGHTS in files:
        edited_copy(tiny("bert"), folder, **json.loads(files.get(BERT) or "{}"))
    if NO_WEIGHTS in files:
        (folder / "model.safetensors").unlink()
    for path, content in files.items():
        if not path.startswith("*"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
    done = run_cli("check", str(folder), "--json")
    found = {row["code"]: row for row in rows(json.loads(done.stdout))}
    assert code in found
    assert words in found[code]["message"]
    assert done.returncode == exit_code
    assert [key for key, row in found.items() if row["severity"] == "error"] in ([], [code])
    screen = " ".join(run_cli("check", str(folder), columns=200).stdout.split())
    assert " ".join(words.split()) in screen
    (tmp_path / "texts.txt").write_text("a text\n")
    vectors = ("embed", str(tmp_path / "texts.txt"), "-o", str(tmp_path / "v.npz"))
    for command in (("inspect", "a text", "--weights", "none"), vectors):
        other = run_cli(*command, "--model", str(folder), columns=200)
        assert other.returncode in (0, 1, 3)
        assert " ".join(words.split()) in " ".join((other.stdout + other.stderr).split()), command


def test_an_adapter_beside_its_merged_weights_is_a_checkpoint(tmp_path: Path, tiny: Tiny, run_cli: Command) -> None:
    folder = tmp_path / "it"
    shutil.copytree(tiny("bert"), folder)
    (folder / "adapter_config.json").write_text("{}")
    assert run_cli("check", str(folder)).returncode == 0
