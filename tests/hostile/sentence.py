"""Broken files of sentence-transformers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.hostile.case import Case
from tests.hostile.model import CHECK, INSPECT, sound, with_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _chain(modules: object, **configs: object) -> Callable[[Path], None]:
    """A maker of the sound checkpoint with a modules.json, and a config.json for each step."""

    def make(here: Path) -> None:
        folder = sound(here)
        (folder / "modules.json").write_text(modules if isinstance(modules, str) else json.dumps(modules))
        for name, config in configs.items():
            (folder / name).mkdir()
            (folder / name / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))

    return make


def _steps(*kinds: str) -> list[dict[str, str]]:
    paths = {"Transformer": "", "Pooling": "pool", "Dense": "dense", "LayerNorm": "norm"}
    return [
        {"name": kind, "type": f"sentence_transformers.models.{kind}", "path": paths.get(kind, "x")} for kind in kinds
    ]


def _step(path: object, kind: object = "a.Pooling", name: object = "1") -> Callable[[Path], None]:
    first = {"name": "0", "type": "a.Transformer", "path": ""}
    return _chain([first, {"name": name, "type": kind, "path": path}])


_POOL = {"embedding_dimension": 8, "pooling_mode": "mean"}
_NOT_2D = "torch.nn.modules.activation.Softmax2d"
_DENSE = {"in_features": 8, "out_features": 4, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh"}


def _dense(*words: str, code: int = 1, **values: object) -> Case:
    name = f"Dense with {', '.join(f'{key} {str(value)[:20]}' for key, value in values.items())}"
    make = _chain(_steps("Transformer", "Pooling", "Dense"), pool=_POOL, dense={**_DENSE, **values})
    return Case(name, make, CHECK, code, words)


SENTENCE = (
    Case("modules.json not JSON", _chain("["), CHECK, 1, ("modules.json is not valid JSON",)),
    Case("modules.json an object", _chain({}), INSPECT, 1, ("expected an array of modules",)),
    Case("modules.json empty", _chain([]), CHECK, 1, ("expected an array of modules, at least one",)),
    Case("modules.json of numbers", _chain([1, 2]), CHECK, 1, ('needs a "type", a "path" and a "name"',)),
    Case("modules.json of no paths", _step(None), INSPECT, 1, ('needs a "type", a "path" and a "name"',)),
    Case("modules.json of no types", _step("pool", 3), CHECK, 1, ('needs a "type", a "path" and a "name"',)),
    Case("modules.json of no names", _step("pool", name=None), CHECK, 1, ('needs a "type", a "path" and a "name"',)),
    Case("a step of an empty name", _step("pool", name=""), CHECK, 1, ("is none that torch takes",)),
    Case("a step of a dotted name", _step("pool", name="a.b"), INSPECT, 1, ("is none that torch takes",)),
    Case("a step above the folder", _step("../../etc"), CHECK, 1, ("leaves the checkpoint folder",)),
    Case("a step at the root", _step("/etc"), INSPECT, 1, ("leaves the checkpoint folder",)),
    Case("a step above a step", _step("a/../../b"), CHECK, 1, ("leaves the checkpoint folder",)),
    Case("a step on a drive of Windows", _step("C:\\x"), CHECK, 1, ("leaves the checkpoint folder",)),
    Case("a step above, as Windows writes it", _step("..\\..\\etc"), CHECK, 1, ("leaves the checkpoint folder",)),
    Case("a step with NUL in its path", _step("a\0b"), CHECK, 1, ("leaves the checkpoint folder",)),
    Case("a step that is not there", _step("nowhere"), INSPECT, 0, ("code outside sentence-transformers",)),
    Case("a step of the name of 5,000 letters", _step("p" * 5000), CHECK, 1, ("pppppppp",)),
    Case("a step of an unknown kind", _step("", "evil.code.Run"), CHECK, 0, ("ok", "sound")),
    Case(
        "pooling of nonsense",
        _chain(_steps("Transformer", "Pooling"), pool={"pooling_mode": "sum"}),
        CHECK,
        1,
        ("pooling_mode is", "expected one"),
    ),
    Case(
        "pooling of a number",
        _chain(_steps("Transformer", "Pooling"), pool={"pooling_mode": 7}),
        INSPECT,
        1,
        ("pooling_mode is",),
    ),
    Case(
        "pooling of lists",
        _chain(_steps("Transformer", "Pooling"), pool={"pooling_mode": [["mean"]]}),
        CHECK,
        1,
        ("pooling_mode is",),
    ),
    Case(
        "pooling of another size",
        _chain(_steps("Transformer", "Pooling"), pool={**_POOL, "embedding_dimension": 7}),
        CHECK,
        1,
        ("7",),
    ),
    Case(
        "pooling of a negative size",
        _chain(_steps("Transformer", "Pooling"), pool={**_POOL, "embedding_dimension": -8}),
        INSPECT,
        1,
        ("embedding_dimension is -8",),
    ),
    Case("pooling not JSON", _chain(_steps("Transformer", "Pooling"), pool="{"), CHECK, 1, ("not valid JSON",)),
    Case(
        "a pooling that is not there",
        _chain(_steps("Transformer", "Pooling")),
        CHECK,
        1,
        ("pool/config.json is missing",),
    ),
    Case("two poolings", _chain(_steps("Transformer", "Pooling", "Pooling"), pool=_POOL), CHECK, 0, ()),
    Case("a Dense before any pooling", _chain(_steps("Transformer", "Dense"), dense=_DENSE), CHECK, 1, ("Dense",)),
    _dense("in_features is 0", in_features=0),
    _dense("in_features is '8'", in_features="8"),
    _dense("out_features is -4", out_features=-4),
    _dense("out_features is 4.5", out_features=4.5),
    _dense("out_features is True", out_features=True),
    _dense("9", in_features=9),
    _dense("dense", out_features=10**12),
    _dense("dense", activation_function="os.system"),
    _dense("activation_function is", activation_function=["x"]),
    Case(
        "a random Dense of 10^13 numbers",
        _chain(_steps("Transformer", "Pooling", "Dense"), pool=_POOL, dense={**_DENSE, "out_features": 10**12}),
        ("inspect", "a text", "--model", "m", "--weights", "random"),
        5,
        ("dense/config.json describes a step Dense", "GB are free"),
    ),
    Case(
        "a Dense of an activation that takes no vectors",
        _chain(_steps("Transformer", "Pooling", "Dense"), pool=_POOL, dense={**_DENSE, "activation_function": _NOT_2D}),
        ("inspect", "a text", "--model", "m", "--weights", "random"),
        3,
        ("do not fit", "Softmax2d"),
    ),
    Case(
        "modules.json of 1,000 steps",
        _chain(_steps("Transformer", "Pooling", *["Normalize"] * 998), pool=_POOL, x={}),
        CHECK,
        0,
        ("ok", "sound"),
    ),
    Case(
        "a length of text", with_file("sentence_bert_config.json", '{"max_seq_length": "x"}'), CHECK, 0, ("ok", "sound")
    ),
)
CASES = SENTENCE
