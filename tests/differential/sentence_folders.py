"""Sentence-transformers folders by chance: a tiny model, and every file that version 6 reads, in many forms."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, processors

from bertshape.predict.family import family_names, load_family
from tests.differential.token_folders import trained
from tests.support.checkpoints import build_checkpoint
from tests.tools.make_family import build_model, loader, tiny_config

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

FAMILIES = ("bert", "bert", "roberta", "mpnet", "distilbert", "xlm-roberta", "electra")
OTHERS = tuple(
    name
    for name in family_names()
    if (family := load_family(name)) and family.group != "encoder" and name != "siglip_text_model"
)
"""Encoders of T5, decoders and CLIP's texts; sentence-transformers cannot load SigLIP's."""
HIDDEN = 48
LAYERS = 5
_TYPES = ("sentence_transformers.models", "sentence_transformers.sentence_transformer.modules")
_OLD_MODES = {
    "cls": "pooling_mode_cls_token",
    "mean": "pooling_mode_mean_tokens",
    "max": "pooling_mode_max_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
_ACTIVATIONS = ("Tanh", "GELU", "ReLU", "Sigmoid")


@functools.cache
def _model(family: str) -> Path:
    """A tiny checkpoint whose vectors differ widely from text to text."""
    folder = Path(tempfile.mkdtemp()) / family
    if family in OTHERS:
        build_model(tiny_config(family, num_hidden_layers=LAYERS, vocab_size=340)).save_pretrained(folder)
    else:
        build_checkpoint(family, folder)
    torch.manual_seed(3)
    model = loader(family).from_pretrained(folder)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    return folder


class Maker:
    """One folder in the making."""

    def __init__(self, rng: random.Random, folder: Path) -> None:
        self.rng = rng
        self.top = folder
        self.folder = folder
        self.steps: list[dict[str, str]] = []
        self.inner: dict[str, Any] = {}
        self.outer: dict[str, Any] = {}
        self.sizes = {"token_embeddings": HIDDEN}

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def make(self) -> None:
        """Write all files."""
        rng = self.rng
        inside = rng.choice(["", "", "", "0_Transformer"])
        self.folder = self.top / inside
        family = rng.choice(FAMILIES if self.chance(0.6) else OTHERS)
        shutil.copytree(_model(family), self.folder, dirs_exist_ok=True)
        if family in OTHERS:
            _other_tokenizer(self)
        self._add("Transformer", inside)
        if inside and self.chance(0.3):
            (self.top / "config.json").write_text(rng.choice(['{"__version__": "0.3"}', '{"model_type": "bert"}']))
        for change in rng.sample(_CHANGES, rng.choice([0, 1, 1, 2, 3])):
            change(self)
        self._chain()
        self._write()

    def edit(self, name: str, **values: object) -> None:
        path = self.folder / name
        path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | values))

    def _add(self, name: str, path: str, config: dict[str, Any] | None = None) -> None:
        package = self.rng.choice(_TYPES)
        if name in ("Transformer", "Dense", "Normalize") and package != _TYPES[0]:
            package = "sentence_transformers.base.modules"
        self.steps.append(
            {"idx": str(len(self.steps)), "name": str(len(self.steps)), "path": path, "type": f"{package}.{name}"}
        )
        if config is not None:
            (self.top / path).mkdir(exist_ok=True)
            (self.top / path / "config.json").write_text(json.dumps(config))

    def _chain(self) -> None:
        if self.chance(0.25):
            self._on(self.rng.choice(["Dense", "Normalize", "Dense", "Normalize default"]), "token_embeddings")
        if self.inner.get("module_output_name") != "sentence_embedding" and self.chance(0.97):
            self._pooling()
        for _ in range(self.rng.choice([0, 0, 1, 1, 2, 3])):
            name = self.rng.choice(["Dense", "Normalize", "Normalize", "LayerNorm", "Dropout"])
            self._on(name, "sentence_embedding")

    def _path(self, name: str) -> str:
        return f"{len(self.steps)}_{name}"

    def _pooling(self) -> None:
        modes = self.rng.sample(list(_OLD_MODES), self.rng.choice([1, 1, 1, 1, 2, 3]))
        size = self.sizes["token_embeddings"]
        if self.chance(0.5):
            ordered = [
                mode
                for mode in ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
                if mode in modes
            ]
            config: dict[str, Any] = {"word_embedding_dimension": size}
            config |= {field: mode in ordered for mode, field in _OLD_MODES.items()}
        else:
            config = {"embedding_dimension": size, "pooling_mode": modes[0] if len(modes) == 1 else modes}
        if self.chance(0.3):
            config["include_prompt"] = self.rng.choice([False, False, True])
        self._add("Pooling", self._path("Pooling"), config)
        self.sizes["sentence_embedding"] = size * len(modes)

    def _on(self, name: str, feature: str) -> None:
        size = self.sizes.get(feature)
        path = self._path(name)
        if name == "Normalize default":
            self._add("Normalize", path)
        elif name == "Normalize":
            self._add(name, path, {"module_input_name": feature} if feature == "token_embeddings" else None)
        elif name == "Dropout":
            self._add(name, path, {"dropout": 0.4})
        elif name == "LayerNorm" and size:
            self._add(name, path, {"dimension": size})
            self._weights(path, {"norm.weight": (size,), "norm.bias": (size,)})
        elif name == "Dense" and size:
            self._dense(path, feature, size)

    def _dense(self, path: str, feature: str, size: int) -> None:
        given, bias, residual = self.rng.choice([size, 16, 40]), self.chance(0.7), self.chance(0.2)
        activation = self.rng.choice(
            [
                *(f"torch.nn.modules.activation.{name}" for name in _ACTIVATIONS),
                "torch.nn.modules.linear.Identity",
                "my.code",
            ]
        )
        config = {"in_features": size, "out_features": given, "bias": bias, "activation_function": activation}
        if residual:
            config["use_residual"] = True
        if self.chance(0.1):
            config["extra"] = 3
        if feature != "sentence_embedding" or self.chance(0.1):
            config["module_input_name"] = feature
        target = feature
        if feature == "sentence_embedding" and self.chance(0.05):
            target = config["module_output_name"] = "other"
        self._add("Dense", path, config)
        shapes: dict[str, tuple[int, ...]] = {"linear.weight": (given, size)}
        if bias:
            shapes["linear.bias"] = (given,)
        if residual and given != size:
            shapes["residual.weight"] = (given, size)
        self._weights(path, shapes)
        self.sizes[target] = given

    def _weights(self, path: str, shapes: dict[str, tuple[int, ...]]) -> None:
        generator = torch.Generator().manual_seed(self.rng.randrange(1000))
        tensors = {name: torch.randn(shape, generator=generator) * 0.2 for name, shape in shapes.items()}
        if self.chance(0.2):
            torch.save(tensors, self.top / path / "pytorch_model.bin")
        else:
            save_file(tensors, self.top / path / "model.safetensors")

    def _write(self) -> None:
        if self.chance(0.9):
            name = self.rng.choice(["bert", "bert", "bert", "roberta", "albert"])
            (self.folder / f"sentence_{name}_config.json").write_text(json.dumps(self.inner))
        if self.chance(0.95) or self.outer:
            (self.top / "config_sentence_transformers.json").write_text(json.dumps(self.outer))
        if self.chance(0.05):
            self.rng.choice(self.steps)["name"] = self.rng.choice([step["name"] for step in self.steps] + ["", "a.b"])
        if self.chance(0.02):
            del self.rng.choice(self.steps)["name"]
        if self.chance(0.95):
            (self.top / "modules.json").write_text(json.dumps(self.steps))


def _other_tokenizer(maker: Maker) -> None:
    """Pieces of bytes, with what stands before and after a text, and padding on either side or none."""
    rng, document = maker.rng, trained("BPE")
    ids = {token["content"]: token["id"] for token in document["added_tokens"]}
    template = rng.choice(["$A </s>", "$A </s>", "$A", "<s> $A", "<s> $A </s>"])
    tokenizer = Tokenizer.from_str(json.dumps(document))
    ends = [(token, ids[token]) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(template, special_tokens=ends)
    tokenizer.save(str(maker.folder / "tokenizer.json"))
    settings: dict[str, object] = {
        "tokenizer_class": rng.choice(["PreTrainedTokenizerFast"] * 3 + ["Qwen2Tokenizer", "GPT2Tokenizer"]),
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "padding_side": rng.choice(["left", "right"]),
    }
    if maker.chance(0.9):
        settings["pad_token"] = rng.choice(["<pad>", "<pad>", "</s>"])
    for name in ("add_bos_token", "add_eos_token", "add_prefix_space"):
        if maker.chance(0.2):
            settings[name] = rng.choice([True, False])
    (maker.folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _prompts(maker: Maker) -> None:
    prompts = {"query": "Query: ", "title": "the average of ", "none": ""}
    maker.outer["prompts"] = prompts
    maker.outer["default_prompt_name"] = maker.rng.choice(["query", "title", "none", None, "document", "nosuch"])


def _lengths(maker: Maker) -> None:
    maker.inner["max_seq_length"] = maker.rng.choice([3, 4, 9, 16, 62, 64, None])


def _tokenizer_length(maker: Maker) -> None:
    maker.edit("tokenizer_config.json", model_max_length=maker.rng.choice([5, 12, 10**30, 1000]))


def _sides(maker: Maker) -> None:
    maker.edit("tokenizer_config.json", **{maker.rng.choice(["truncation_side", "padding_side"]): "left"})
    maker.inner["max_seq_length"] = 10


def _lower(maker: Maker) -> None:
    maker.inner["do_lower_case"] = True


def _truncated(maker: Maker) -> None:
    maker.outer["truncate_dim"] = maker.rng.choice([1, 8, 30, 500])


def _tokenizer_settings(maker: Maker) -> None:
    key = maker.rng.choice(["tokenizer_args", "processor_kwargs", "tokenizer_args"])
    choices: list[dict[str, object]] = [
        {"model_max_length": 7},
        {"padding_side": "left"},
        {"truncation_side": "left", "model_max_length": 6},
        {"use_fast": True},
        {"unk_token": "a"},
    ]
    maker.inner[key] = maker.rng.choice(choices)


def _call_settings(maker: Maker) -> None:
    choices: list[dict[str, object]] = [
        {"max_length": 6},
        {"truncation": False},
        {"padding": "max_length", "max_length": 12},
        {"add_special_tokens": False},
        {"padding": "longest"},
    ]
    maker.inner["processing_kwargs"] = {maker.rng.choice(["text", "text", "common"]): maker.rng.choice(choices)}


def _config_settings(maker: Maker) -> None:
    choices: list[dict[str, object]] = [
        {"num_hidden_layers": 2},
        {"hidden_act": "relu"},
        {"dtype": "bfloat16"},
        {"nosuch": 3},
    ]
    maker.inner[maker.rng.choice(["config_args", "config_kwargs"])] = maker.rng.choice(choices)


def _model_settings(maker: Maker) -> None:
    choices: list[dict[str, object]] = [
        {"dtype": "float64"},
        {"torch_dtype": "bfloat16"},
        {"attn_implementation": "eager"},
        {"torch_dtype": "auto"},
        {"dtype": "float16"},
    ]
    maker.inner[maker.rng.choice(["model_args", "model_kwargs"])] = maker.rng.choice(choices)


def _modality(maker: Maker) -> None:
    output, name = maker.rng.choice(
        [
            ("last_hidden_state", "token_embeddings"),
            ("pooler_output", "sentence_embedding"),
            (["hidden_states", -2], "token_embeddings"),
            (["hidden_states", 1], "token_embeddings"),
            (["hidden_states", 17], "token_embeddings"),
            ("nosuch", "token_embeddings"),
        ]
    )
    maker.inner["modality_config"] = {"text": {"method": "forward", "method_output_name": output}}
    maker.inner["module_output_name"] = name
    if name == "sentence_embedding":
        maker.sizes = {name: HIDDEN}


def _kind(maker: Maker) -> None:
    maker.outer["model_type"] = maker.rng.choice(
        ["SentenceTransformer", "SparseEncoder", "CrossEncoder", "MultiVectorEncoder"]
    )


def _unknown(maker: Maker) -> None:
    maker.inner["nosuch"] = 1


def _task(maker: Maker) -> None:
    maker.inner["transformer_task"] = maker.rng.choice(["feature-extraction", "fill-mask"])


def _stored_dtype(maker: Maker) -> None:
    from safetensors.torch import load_file

    path = maker.folder / "model.safetensors"
    dtype = maker.rng.choice([torch.float16, torch.bfloat16, torch.float64])
    state = load_file(path)
    chosen = maker.rng.choice(["all", "matrices", "first"])
    first = next(iter(state))
    for name, tensor in state.items():
        if chosen == "all" or (chosen == "matrices" and tensor.dim() > 1) or (chosen == "first" and name == first):
            state[name] = tensor.to(dtype)
    save_file(state, path, metadata={"format": "pt"})
    maker.edit(
        "config.json", **{maker.rng.choice(["dtype", "torch_dtype"]): maker.rng.choice([None, "float32", "bfloat16"])}
    )


def _cased(maker: Maker) -> None:
    path = maker.folder / "tokenizer.json"
    document = json.loads(path.read_text())
    if (document.get("normalizer") or {}).get("type") == "BertNormalizer":
        document["normalizer"]["lowercase"] = False
        path.write_text(json.dumps(document))
    _lower(maker)


def _added(maker: Maker) -> None:
    """A position too many: what is cut to it cannot run."""
    maker.inner["max_seq_length"] = 70


_CHANGES: tuple[Callable[[Maker], None], ...] = (
    _prompts,
    _prompts,
    _prompts,
    _lengths,
    _lengths,
    _tokenizer_length,
    _sides,
    _lower,
    _cased,
    _truncated,
    _tokenizer_settings,
    _call_settings,
    _config_settings,
    _model_settings,
    _modality,
    _kind,
    _unknown,
    _task,
    _stored_dtype,
    _added,
)
