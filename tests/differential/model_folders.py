"""Small checkpoints of every family, with the settings that people change: one for each seed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from bertshape.predict.family import family_names
from tests.tools.make_family import build_model, tiny_config

if TYPE_CHECKING:
    import random
    from pathlib import Path

OUTSIDE = ("bros", "ctrl", "layoutlm", "lilt", "markuplm", "mra", "openai-gpt")
"""Model types that the table of families lacks."""
WORDS = ("this", "is", "an", "example", "sentence", "and", "a", "longer", "one", "follows", "it")
_OTHER_WORDS = tuple(f"word{number}" for number in range(180))
_SPECIAL = ("[CLS]", "[SEP]", "[MASK]", "[UNK]")
_DTYPES = ("float32", "float16", "bfloat16", "float64")
# What changes the model of a family, each value as good as another.
_OWN: dict[str, dict[str, tuple[Any, ...]]] = {
    "albert": {"inner_group_num": (1, 2, 3), "num_hidden_groups": (1, 2, 5), "embedding_size": (20, 48)},
    "big_bird": {"attention_type": ("original_full", "block_sparse")},
    "canine": {"num_hash_buckets": (73, 90), "max_position_embeddings": (40, 64), "num_hash_functions": (4, 6)},
    "convbert": {"head_ratio": (1, 2)},
    "deberta": {"relative_attention": (True, False), "position_biased_input": (True, False)},
    "deberta-v2": {"relative_attention": (True, False), "position_biased_input": (True, False)},
    "dpr": {"projection_dim": (0, 24)},
    "esm": {"position_embedding_type": ("rotary", "absolute"), "emb_layer_norm_before": (True, False)},
    "funnel": {
        "architectures": ([], ["FunnelBaseModel"], ["FunnelModel"]),
        "block_sizes": ([2, 1, 2], [1, 1], [2]),
        "separate_cls": (True, False),
        "truncate_seq": (True, False),
        "pool_q_only": (True, False),
        "d_head": (10, 12),
    },
    "mobilebert": {"classifier_activation": (True, False), "use_bottleneck": (True, True, False)},
    "nystromformer": {"num_landmarks": (64, 4), "conv_kernel_size": (5, 9)},
    "xlnet": {
        "mem_len": (None, 0, 3, 512),
        "use_mems_eval": (True, False),
        "reuse_len": (None, 2),
        "attn_type": ("bi", "uni"),
    },
}


class Maker:
    """One folder.

    Attributes:
        model_type: Its family.
        changes: What its configuration has besides small sizes.
    """

    def __init__(self, rng: random.Random, folder: Path) -> None:
        self._rng, self._folder = rng, folder
        self.model_type = rng.choice((*family_names(), *OUTSIDE))
        self.changes: dict[str, Any] = {}

    def make(self) -> None:
        """Weights, configuration and tokenizer."""
        rng = self._rng
        pad = rng.choice((0, 1, 1, 2, 3))
        self.changes["pad_token_id"] = pad
        for key, values in _OWN.get(self.model_type, {}).items():
            if rng.random() < 0.5:
                self.changes[key] = rng.choice(values)
        config = tiny_config(self.model_type)
        if self.model_type == "funnel":
            if rng.random() < 0.3:
                blocks = self.changes.get("block_sizes", config.block_sizes)
                self.changes["block_repeats"] = rng.choices((1, 2), k=len(blocks))
        else:
            # Attribute names that all families have, whatever their own.
            self.changes["num_hidden_layers"] = rng.choice((1, 2, 5))
        # An encoder of T5 that is a decoder is none; no checkpoint says so.
        if hasattr(config, "is_decoder") and rng.random() < 0.35:
            self.changes["is_decoder"] = True
        if hasattr(config, "add_cross_attention") and rng.random() < 0.25:
            self.changes["add_cross_attention"] = True
        if rng.random() < 0.2:
            self.changes["num_labels"] = rng.choice((1, 2, 3, 7))
        torch.manual_seed(rng.randrange(1000))
        self._alone = self.changes.get("add_cross_attention") and "is_decoder" not in self.changes
        # No model is built from the one without the other; config.json can say so all the same.
        config = tiny_config(self.model_type, **self.changes, **({"is_decoder": True} if self._alone else {}))
        model = build_model(config, attn_implementation="eager")
        if rng.random() < 0.08:
            with torch.no_grad():
                next(iter(model.parameters())).fill_(3e38)
        model.save_pretrained(self._folder)
        self._settle_dtype()
        self._edit()
        write_tokenizer(self._folder, pad)

    def _settle_dtype(self) -> None:
        """What is stored, and what config.json says of it."""
        rng, path = self._rng, self._folder / "model.safetensors"
        stored = rng.choice(("as it is", "as it is", "one dtype", "mixed"))
        if stored == "as it is":
            return
        tensors = load_file(path)
        one = rng.choice(_DTYPES)
        cast = {
            name: tensor.to(getattr(torch, one if stored == "one dtype" else rng.choice(_DTYPES)))
            for name, tensor in tensors.items()
        }
        save_file(cast, path, metadata={"format": "pt"})
        said = rng.choice(("none", "none", "dtype", "torch_dtype"))
        values = json.loads((self._folder / "config.json").read_text())
        for key in ("dtype", "torch_dtype"):
            values.pop(key, None)
        if said != "none":
            values[said] = rng.choice(_DTYPES)
        (self._folder / "config.json").write_text(json.dumps(values))

    def _edit(self) -> None:
        """Settings that change how a model answers, and not what it is."""
        path = self._folder / "config.json"
        values = json.loads(path.read_text())
        for key, value in (("return_dict", False), ("output_hidden_states", True), ("use_cache", False)):
            if self._rng.random() < 0.1:
                values[key] = value
        if self._alone:
            values["is_decoder"] = False
        path.write_text(json.dumps(values))


def write_tokenizer(folder: Path, pad: int) -> None:
    """A tokenizer of whole words, with its pad token under this id."""
    names = list(_SPECIAL)
    names.insert(pad, "[PAD]")
    tokenizer = Tokenizer(
        models.WordLevel({name: index for index, name in enumerate((*names, *WORDS, *_OTHER_WORDS))}, "[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(names)
    ends = [(name, names.index(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {f"{name[1:-1].lower()}_token": name for name in names}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
