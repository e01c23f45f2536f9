"""Derive the first draft of a family's TOML file from transformers: `python -m tests.tools.make_family MODEL_TYPE...`.

Sizes of the configuration all differ, so that each axis of a tensor differs from the others. What depends on
conditions (`[[conditional]]`) is edited by hand; tests/predict/test_architecture.py then compares the file with
transformers.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from typing import Any

import torch
import transformers

from bertshape.predict.family import load_family

SIZES = {
    "hidden_size": 48,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "intermediate_size": 56,
    "vocab_size": 211,
    "max_position_embeddings": 67,
    "type_vocab_size": 7,
    "embedding_size": 20,
}
DERIVED = {"3*hidden_size": 144, "2*intermediate_size": 112, "2*hidden_size": 96}
USEFUL = (*SIZES, "pad_token_id")
# Sizes whose keys transformers has no common name for, and what keeps a model small or fits its other sizes.
OWN_SIZES: dict[str, dict[str, Any]] = {
    "big_bird": {"max_position_embeddings": 64, "block_size": 4, "num_random_blocks": 1},
    "canine": {"num_hash_functions": 6, "num_hash_buckets": 73, "downsampling_rate": 2, "upsampling_kernel_size": 3},
    "convbert": {"conv_kernel_size": 5},
    "distilbert": {"hidden_dim": 56},
    "funnel": {"d_inner": 56, "block_sizes": [2, 1, 2], "d_head": 10, "num_decoder_layers": 3},
    "longformer": {"attention_window": 8},
    "gemma": {"num_key_value_heads": 2, "head_dim": 10},
    "gemma2": {"num_key_value_heads": 2, "head_dim": 10, "sliding_window": 12},
    "gemma3_text": {"num_key_value_heads": 2, "head_dim": 10, "sliding_window": 12},
    "gpt2": {"n_inner": 56},
    "llama": {"num_key_value_heads": 2},
    "luke": {"entity_vocab_size": 31, "entity_emb_size": 20},
    "mistral": {"num_key_value_heads": 2, "sliding_window": 12},
    "mobilebert": {"intra_bottleneck_size": 36},
    "phi3": {"num_key_value_heads": 2, "sliding_window": 12},
    "qwen2": {"num_key_value_heads": 2},
    "qwen3": {"num_key_value_heads": 2, "head_dim": 10},
    "rembert": {"input_embedding_size": 20},
    "roc_bert": {
        "pronunciation_vocab_size": 31,
        "pronunciation_embed_dim": 18,
        "shape_vocab_size": 37,
        "shape_embed_dim": 22,
    },
    "squeezebert": {"embedding_size": 48},
    **{name: {"d_ff": 56, "d_kv": 10, "relative_attention_num_buckets": 14} for name in ("t5", "mt5", "umt5")},
    "xlnet": {"d_inner": 56},
}


def tiny_config(model_type: str, **changes: Any) -> Any:
    """A configuration with the sizes above, under the keys that the family uses."""
    config_class = transformers.CONFIG_MAPPING[model_type]
    known = config_class().to_dict()
    aliases = getattr(config_class, "attribute_map", {})
    options = {aliases.get(name, name): size for name, size in SIZES.items() if aliases.get(name, name) in known}
    # Where a type has several classes, AutoModel walks through `architectures`, and None is none.
    # Decoders have ids of ends beyond so small a vocabulary.
    ends = {name: 2 for name in ("bos_token_id", "eos_token_id") if isinstance(known.get(name), int)}
    fixed: dict[str, Any] = {"pad_token_id": 1, "architectures": [], **ends}
    return config_class(**(options | fixed | OWN_SIZES.get(model_type, {}) | changes))


def loader(model_type: str) -> Any:
    """The class that a model is loaded by: AutoModel, where it knows an encoder alone, else the family's own."""
    family = load_family(model_type)
    alone = family is not None and (family.group == "t5-encoder" or model_type == "siglip_text_model")
    return getattr(transformers, family.model_class) if family is not None and alone else transformers.AutoModel


def build_model(config: Any, **options: Any) -> Any:
    """A model of a configuration, of the class that `loader` gives."""
    chosen = loader(config.model_type)
    return (chosen.from_config if chosen is transformers.AutoModel else chosen._from_config)(config, **options)


def draft(model_type: str) -> str:
    """The file's text."""
    config = tiny_config(model_type)
    with torch.device("meta"):
        model = transformers.AutoModel.from_config(config)
    names = {**SIZES, **DERIVED}
    symbols = {size: name for name, size in reversed(names.items())}
    shapes = {name: [symbols.get(size, size) for size in tensor.shape] for name, tensor in model.named_parameters()}
    pattern = re.compile(r"^(.*?\.)0\.")
    paths = {match[1] for name in shapes if (match := pattern.match(name))}
    layer = next((path for path in paths if any(name.startswith(f"{path}4.") for name in shapes)), "")
    inside = {name.removeprefix(f"{layer}1."): shape for name, shape in shapes.items() if name.startswith(f"{layer}1.")}
    outside = {name: shape for name, shape in shapes.items() if not (layer and name.startswith(layer))}
    pooler = next((name.split(".")[0] for name in outside if name.startswith("pooler.")), None)
    parameters = inspect.signature(model.forward).parameters
    default, aliases = type(config)(), dict(getattr(config, "attribute_map", {}))
    keys = {name: aliases[name] for name in SIZES if name in aliases}
    defaults = {aliases.get(name, name): getattr(default, name, None) for name in USEFUL}
    lines = [
        f'module = "{type(model).__module__.split(".")[2]}"',
        f'config_class = "{type(config).__name__}"',
        f'model_class = "{type(model).__name__}"',
        f"prefixes = {json.dumps([model.base_model_prefix + '.'])}",
        *([f'pooler = "{pooler}."'] if pooler else []),
        f"token_type_ids = {json.dumps('token_type_ids' in parameters)}",
        *(['outputs = ["last_hidden_state", "pooler_output"]'] if pooler else []),
        'length = "positions"',
        *([f'layer = "{layer}{{num_hidden_layers}}."'] if layer else []),
        *(["", "[dimensions]", *(f'{name} = "{key}"' for name, key in keys.items())] if keys else []),
        "",
        "[defaults]",
        *(f"{key} = {value}" for key, value in defaults.items() if isinstance(value, int)),
        "",
        "[tensors]",
        *(f'"{name}" = {json.dumps(shape)}' for name, shape in outside.items()),
        *(
            ["", "[layer_tensors]", *(f'"{name}" = {json.dumps(shape)}' for name, shape in inside.items())]
            if layer
            else []
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(draft(argument))
