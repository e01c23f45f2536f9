"""Checkpoints as transformers saves them, of every class of every family, and the same with one change."""

from __future__ import annotations

import functools
import importlib
import json
import random
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from bertshape.predict.family import Family, family_names, load_family
from bertshape.predict.heads import head_classes
from tests.support.checkpoints import families_absent
from tests.tools.make_family import tiny_config

State = dict[str, torch.Tensor]
Config = dict[str, Any]


@dataclass(frozen=True)
class Sound:
    """A checkpoint as transformers saves it."""

    family: Family
    model_class: str
    prefix: str
    state: State
    config: Config

    @property
    def module(self) -> Any:
        return importlib.import_module(f"transformers.models.{self.family.module}.modeling_{self.family.file}")


@dataclass(frozen=True)
class Mutant:
    """The same with one change, its kind, and what was changed; perhaps with a tokenizer of so many entries."""

    sound: Sound
    kind: str
    change: str
    state: State
    config: Config
    entries: int | None = None

    def __str__(self) -> str:
        return f"{self.sound.model_class}: {self.kind}: {self.change}"


@functools.cache
def build_sound(model_type: str, model_class: str) -> Sound:
    """A tiny model of a class, as save_pretrained writes it."""
    family = load_family(model_type)
    assert family is not None
    module = importlib.import_module(f"transformers.models.{family.module}.modeling_{family.file}")
    # Two layers, which is half the time of five.
    changes = {} if model_type == "funnel" else {"num_hidden_layers": 2}
    model = getattr(module, model_class)(tiny_config(model_type, num_labels=2, **changes))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        state = transformers.modeling_utils.load_state_dict(str(Path(folder) / "model.safetensors"))
        state = {name: tensor.clone() for name, tensor in state.items()}
        config = json.loads((Path(folder) / "config.json").read_text())
    return Sound(family, model_class, f"{model.base_model_prefix}.", state, config)


# Changes -------------------------------------------------------------------------------------------------------------

Change = Callable[[Sound, random.Random], Mutant | None]


def unchanged(sound: Sound, _: random.Random) -> Mutant:
    return Mutant(sound, "nothing", "", sound.state, sound.config)


def _with(sound: Sound, kind: str, change: str, state: State) -> Mutant:
    return Mutant(sound, kind, change, state, sound.config)


def drop(sound: Sound, chance: random.Random) -> Mutant:
    name = chance.choice(sorted(sound.state))
    return _with(sound, "drop", f"drop {name}", {key: value for key, value in sound.state.items() if key != name})


def drop_module(sound: Sound, chance: random.Random) -> Mutant:
    """All tensors below one point of the names, such as a layer, a pooler or a head."""
    parts = chance.choice(sorted(sound.state)).split(".")
    path = ".".join(parts[: chance.randint(1, len(parts))])
    kept = {key: value for key, value in sound.state.items() if not f"{key}.".startswith(f"{path}.")}
    return _with(sound, "drop module", f"drop all of {path}", kept or dict(list(sound.state.items())[:1]))


def rename(sound: Sound, chance: random.Random) -> Mutant:
    name = chance.choice(sorted(sound.state))
    parts = name.split(".")
    at = chance.randrange(len(parts))
    other = ".".join((*parts[:at], f"{parts[at]}_x", *parts[at + 1 :]))
    return _with(
        sound, "rename", f"rename {name} to {other}", {other if k == name else k: v for k, v in sound.state.items()}
    )


def old_name(sound: Sound, chance: random.Random) -> Mutant | None:
    """Gamma and beta, which are renamed of some layers and not of others."""
    names = [name for name in sorted(sound.state) if re.search(r"norm\w*\.(weight|bias)$", name, re.IGNORECASE)]
    if not names:
        return None
    name = chance.choice(names)
    other = re.sub("weight$", "gamma", re.sub("bias$", "beta", name))
    return _with(
        sound, "old name", f"rename {name} to {other}", {other if k == name else k: v for k, v in sound.state.items()}
    )


def prefix(sound: Sound, chance: random.Random) -> Mutant:
    """One tensor with the base model's prefix put before it, or taken away."""
    name = chance.choice(sorted(sound.state))
    other = name.removeprefix(sound.prefix) if name.startswith(sound.prefix) else sound.prefix + name
    return _with(
        sound, "prefix", f"rename {name} to {other}", {other if k == name else k: v for k, v in sound.state.items()}
    )


def reshape(sound: Sound, chance: random.Random) -> Mutant:
    name = chance.choice(sorted(sound.state))
    tensor = sound.state[name]
    axis = chance.randrange(tensor.dim()) if tensor.dim() else 0
    larger = [size + (chance.choice((1, 3, -1)) if at == axis else 0) for at, size in enumerate(tensor.shape)]
    shapes = [larger, [*tensor.shape, 1], [*reversed(tensor.shape)], [tensor.numel()]]
    shape = chance.choice([shape for shape in shapes if tuple(shape) != tuple(tensor.shape) and 0 not in shape])
    return _with(sound, "reshape", f"{name} has {shape}", sound.state | {name: torch.zeros(shape, dtype=tensor.dtype)})


def duplicate(sound: Sound, chance: random.Random) -> Mutant:
    name = chance.choice(sorted(sound.state))
    parts = name.split(".")
    others = [f"{name}_copy", f"copy.{name}", ".".join((*parts[:-1], "copy", parts[-1]))]
    others.append(name.removeprefix(sound.prefix) if name.startswith(sound.prefix) else sound.prefix + name)
    other = chance.choice(others)
    return _with(sound, "duplicate", f"{name} also as {other}", sound.state | {other: sound.state[name].clone()})


def number(sound: Sound, chance: random.Random) -> Mutant:
    """Another number in config.json, of a key that the family's table knows."""
    numbers = {key for key, value in sound.config.items() if type(value) is int}
    known = {*sound.family.defaults, *sound.family.dimensions.values(), *sound.family.dimensions}
    key = chance.choice(sorted(numbers & known))
    value = sound.config[key]
    other = chance.choice([value + 1, value * 2, max(value // 2, 1), value + 4, max(value - 1, 0)])
    return Mutant(sound, "number", f"{key} {value} -> {other}", sound.state, sound.config | {key: other})


def labels(sound: Sound, chance: random.Random) -> Mutant:
    count = chance.choice((1, 3, 5))
    named = {str(index): f"L{index}" for index in range(count)}
    maps = {"id2label": named, "label2id": {name: int(index) for index, name in named.items()}}
    return Mutant(sound, "labels", f"{count} labels", sound.state, sound.config | maps)


def untie(sound: Sound, _: random.Random) -> Mutant:
    return Mutant(sound, "untie", "not tied", sound.state, sound.config | {"tie_word_embeddings": False})


def tie(sound: Sound, _: random.Random) -> Mutant:
    return Mutant(sound, "tie", "tied", sound.state, sound.config | {"tie_word_embeddings": True})


def other_class(sound: Sound, chance: random.Random) -> Mutant:
    """The class of another head of the family in config.json."""
    classes = (sound.family.model_class, *head_classes(sound.family.model_type))
    name = chance.choice(sorted(classes))
    return Mutant(sound, "other class", f"architectures {name}", sound.state, sound.config | {"architectures": [name]})


def tokenizer(sound: Sound, chance: random.Random) -> Mutant | None:
    """The tokenizer of another checkpoint: with as many entries as the embedding has rows, more, or a few less."""
    rows = sound.config.get("vocab_size")
    if not isinstance(rows, int):
        return None
    entries = rows + chance.choice((0, -3, 1, 7, rows))
    return Mutant(sound, "tokenizer", f"{entries} entries over {rows} rows", sound.state, sound.config, entries)


CHANGES: tuple[Change, ...] = (
    unchanged, drop, drop_module, rename, old_name, prefix, reshape, duplicate, number, labels, untie, tie, other_class,
    tokenizer,
)  # fmt: skip


@functools.cache
def classes() -> dict[str, tuple[str, ...]]:
    """The classes that a checkpoint may name, by family; without families that this transformers lacks."""
    families = [family for family in map(load_family, family_names()) if family is not None]
    return {
        family.model_type: (family.model_class, *family.other_classes, *head_classes(family.model_type))
        for family in families
        if family.model_type not in families_absent()
    }


def draw(model_type: str, chance: random.Random) -> Mutant:
    """A class of a family, and a change of it."""
    sound = build_sound(model_type, chance.choice(classes()[model_type]))
    while True:
        mutant = chance.choice(CHANGES)(sound, chance)
        if mutant is not None:
            return mutant
