"""Predicted bytes of activations against those that lived in a run on the CPU, on models of random sizes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from bertshape.predict.config import resolve
from bertshape.predict.family import family_names
from bertshape.predict.memory import Activations, activations
from tests.support.live_storages import build, count, inputs_of
from tests.tools.make_family import tiny_config
from tests.tools.memory_terms import NO_DROPOUT

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from bertshape.predict.memory import Mode
    from bertshape.report.memory import Attention

WITHIN = 0.1
"""Share of the counted bytes by which a prediction may be wrong."""
# Sizes that depend on others of the family.
OWN: dict[str, dict[str, Any]] = {
    "big_bird": {"attention_type": "original_full", "block_size": 64, "num_random_blocks": 3},
    "mobilebert": {"intra_bottleneck_size": 64},
}
FIXED = ("mobilebert",)
"""Families whose heads divide another size than hidden_size."""


@dataclass(frozen=True)
class Case:
    """A model and a batch.

    Attributes:
        model_type: Family.
        mode: Inference, or training with gradient checkpointing or without.
        attention: Implementation of attention.
        dtype: Dtype of the weights.
        shape: Texts, and tokens of each.
        sizes: Sizes of the configuration.
    """

    model_type: str
    mode: Mode
    attention: Attention
    dtype: str
    shape: tuple[int, int]
    sizes: dict[str, int]

    def config(self) -> Any:
        """The configuration, without dropout on attention weights for sdpa: the CPU has no fused kernel for it."""
        config = tiny_config(self.model_type)
        aliases = getattr(type(config), "attribute_map", {})
        own = dict(OWN.get(self.model_type, {}))
        if "use_cache" in config.to_dict():
            own["use_cache"] = False  # As sentence-transformers runs it.
        sizes = {aliases.get(name, name): size for name, size in self.sizes.items()}
        known = {name: size for name, size in sizes.items() if name in config.to_dict()}
        if self.model_type == "squeezebert":
            own["embedding_size"] = self.sizes["hidden_size"]
        for key in ("d_inner", "d_ff", "n_inner"):
            if key in config.to_dict():
                known[key] = self.sizes["intermediate_size"]
        dropout = dict.fromkeys(NO_DROPOUT, 0.0)
        off = {name: rate for name, rate in dropout.items() if hasattr(config, name) and self.attention == "sdpa"}
        return tiny_config(self.model_type, **(known | own | off))


def known(config: Any) -> Activations | None:
    """What is known of the activations of a configuration."""
    return activations(resolve(json.loads(config.to_json_string()), "config.json"))


def bytes_of(case: Case) -> tuple[int | None, int]:
    """Predicted and counted bytes."""
    config = case.config()
    found = known(config)
    predicted = None if found is None else found.bytes(case.mode, case.attention, case.dtype, case.shape)
    model = build(config, case.attention, getattr(torch, case.dtype))
    torch.manual_seed(0)
    return predicted, count(model, inputs_of(config, *case.shape), case.mode).peak


def difference(case: Case) -> str:
    """What differs; empty where the prediction is near enough."""
    predicted, counted = bytes_of(case)
    if predicted is None or abs(predicted - counted) <= WITHIN * counted:
        return ""
    return f"{case}: predicted {predicted:,}, counted {counted:,}: {predicted / counted - 1:+.1%}"


def check(rng: random.Random, folder: Path) -> str:
    """Compare a family that was counted, in random sizes."""
    names = [name for name in family_names() if known(tiny_config(name, **OWN.get(name, {}))) is not None]
    model_type = rng.choice(names)
    found = known(tiny_config(model_type, **OWN.get(model_type, {})))
    heads = rng.choice((2, 4, 8))
    sizes = {
        "hidden_size": heads * rng.choice((16, 32, 64)),
        "num_attention_heads": heads,
        "num_hidden_layers": rng.randint(2, 4),
        "num_key_value_heads": rng.choice((1, heads // 2, heads)),
        "intermediate_size": rng.choice((64, 128, 200, 512)),
        "max_position_embeddings": 514,
    }
    if model_type in FIXED:
        sizes = {"num_hidden_layers": sizes["num_hidden_layers"], "max_position_embeddings": 514}
    assert found is not None
    case = Case(
        model_type,
        rng.choice(("inference", "inference", "training", "checkpointing")),
        rng.choice(found.attentions),
        rng.choice(("float32", "float32", "bfloat16")),
        (rng.choice((1, 2, 5, 16)), rng.choice((8, 30, 100, 256))),
        sizes,
    )
    there = known(case.config())
    if there is None or there.bytes(case.mode, case.attention, case.dtype, case.shape) is None:
        return ""  # transformers does not run it so, or it was not counted.
    return difference(case)
