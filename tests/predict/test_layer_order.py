"""The parts of a model stand in the order in which they run, predicted as observed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import torch

from bertshape.predict.config import resolve
from bertshape.predict.layers import predict_layers
from bertshape.run.layers import describe, watch
from tests.predict.test_architecture import CASES
from tests.tools.make_family import build_model, tiny_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertshape.report.layer import Layer

LENGTH = 32
# Configurations that transformers builds and cannot run, or not on this length.
NOT_RUN: list[tuple[str, dict[str, Any]]] = [
    ("convbert", {"hidden_size": 36, "head_ratio": 1}),
    ("mobilebert", {"key_query_shared_bottleneck": False, "num_feedforward_networks": 2}),
    ("nystromformer", {"num_landmarks": 4}),
]
# Attention to an encoder does not run without one.
RUN = [case for case in CASES if case not in NOT_RUN and "add_cross_attention" not in case[1]]


# Families with a part around others whose shape only a run shows: its parts work on positions, or are split again.
ONLY_SEEN = frozenset(
    ["canine", "convbert", "deberta", "dpr", "funnel", "longformer", "mobilebert", "squeezebert", "xlnet"]
)


def order(layer: Layer, path: str = "") -> list[str]:
    """The parts, one after the other; layers all alike in this, for a run sees more that parts them than names do."""
    return list(dict.fromkeys(_walk(layer, path)))


def _walk(layer: Layer, path: str) -> Iterator[str]:
    yield path
    for child in layer.children:
        name = re.sub(r"^[{]?[0-9].*", "*", child.name)
        yield from _walk(child, f"{path}.{name}" if path else name)


def trees(config: Any) -> tuple[Layer, Layer]:
    """The tree of a configuration, predicted and seen."""
    architecture = resolve(json.loads(config.to_json_string()), "config.json")
    predicted = predict_layers(architecture, 1, LENGTH, "float32")
    assert predicted is not None
    torch.manual_seed(0)
    model = build_model(config, attn_implementation="eager").eval()
    ones = torch.ones(1, LENGTH, dtype=torch.int64)
    inputs = {"input_ids": ones * 5, "attention_mask": ones}
    if architecture.accepts_token_type_ids:
        inputs["token_type_ids"] = torch.zeros_like(ones)
    with torch.inference_mode(), watch(model) as seen:
        model(**inputs)
    return predicted, describe(model, seen, architecture, 1, LENGTH)


@pytest.mark.parametrize(("name", "variant"), RUN)
def test_parts_stand_in_the_order_in_which_they_run(name: str, variant: dict[str, Any]) -> None:
    predicted, observed = trees(tiny_config(name, **variant))
    assert order(predicted) == order(observed)
    seen = dict(_parts(observed))
    around = {path: part for path, part in _parts(predicted) if part.children and path in seen}
    for path, part in around.items():
        assert part.shape is None or part.shape.sizes == _sizes(seen[path]), path
    if name not in ONLY_SEEN:
        assert {path: (_sizes(part), part.calls) for path, part in around.items()} == {
            path: (_sizes(seen[path]), seen[path].calls) for path in around
        }


def _sizes(layer: Layer) -> tuple[int, ...] | None:
    return None if layer.shape is None else layer.shape.sizes


def _parts(layer: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    yield path, layer
    for child in layer.children:
        yield from _parts(child, f"{path}.{child.name}")


def _idle(layer: Layer, path: str = "") -> set[str]:
    below = (_idle(child, f"{path}.{child.name}") for child in layer.children)
    return ({path} if layer.idle else set()).union(*below)


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        case
        for case in CASES
        # DPR fails as a decoder, by a key that its configuration lacks; ESM's contact head is not predicted to be idle.
        if case[1].get("add_cross_attention") and case[1].get("is_decoder") and case[0] not in ("dpr", "esm")
    ]
    + [("longformer", {})],
)
def test_parts_that_no_run_calls_are_predicted_so(name: str, variant: dict[str, Any]) -> None:
    """Cross attention without vectors of another model, global attention without a mask of it: nothing to do."""
    predicted, observed = trees(tiny_config(name, **variant))
    assert _idle(predicted) == _idle(observed) != set()
