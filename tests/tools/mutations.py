"""Checkpoints with one change, judged twice: by bertshape's rules, and by what transformers says when it loads them.

`python -m tests.tools.mutations --seconds 600 --seed 7` looks for disagreements in that time, prints each, and
counts them.

transformers' word is `output_loading_info=True` of two loads: by the class that config.json names, and by the base
model. A tensor that either lacks, or has in another shape, must be an error of ours; what the class has no place for
must be a finding; where neither has anything to say, no rule may warn.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import BertshapeError
from bertshape.predict.config import resolve
from bertshape.predict.family import Family, family_names, load_family
from bertshape.predict.heads import head_classes
from bertshape.predict.tensor_names import BUFFERS
from bertshape.soundness.soundness import check_soundness
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
    """The same with one change, its kind, and what was changed."""

    sound: Sound
    kind: str
    change: str
    state: State
    config: Config

    def __str__(self) -> str:
        return f"{self.sound.model_class}: {self.kind}: {self.change}"


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


CHANGES: tuple[Change, ...] = (
    unchanged, drop, drop_module, rename, old_name, prefix, reshape, duplicate, number, labels, untie, tie, other_class,
)  # fmt: skip


# Two judges ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Word:
    """What a judge says: `clean`, `extra` (tensors without a place) or `bad`, and why."""

    level: str
    pooler: bool
    why: str


def transformers_says(mutant: Mutant, folder: Path) -> Word:
    """By loading it twice."""
    family, why = mutant.sound.family, []
    extra: list[set[str]] = []
    pooler, bad = False, False
    declared = mutant.config["architectures"][0]
    base = declared if family.has_class(declared) else family.model_class
    for name in dict.fromkeys((declared, base)):
        loader = getattr(mutant.sound.module, name)
        # DeBERTa passes over more position embeddings than it has, and says nothing.
        loader._keys_to_ignore_on_load_unexpected = None
        try:
            _, info = loader.from_pretrained(
                folder, output_loading_info=True, ignore_mismatched_sizes=True, local_files_only=True
            )
        except Exception as error:
            return Word("bad", pooler=False, why=f"{type(error).__name__}: {str(error)[:100]}")
        lacking = {*info["missing_keys"], *(row[0] for row in info["mismatched_keys"])}
        # Ranges and integers of I-BERT's quantisation are no learned numbers, and are not read before quant_mode is on.
        lacking = {key for key in lacking if not BUFFERS.search(key)}
        unexpected = sorted(key for key in info["unexpected_keys"] if not BUFFERS.search(key))
        of_pooler = {key for key in info["missing_keys"] if family.pooler and f".{family.pooler}" in f".{key}"}
        # A pooler that is absent is random: a matter of its own. One in half is as bad as anything else.
        if name == base and len(of_pooler) == _POOLER_TENSORS:
            pooler, lacking = True, lacking - of_pooler
        bad = bad or bool(lacking)
        extra.append({key.removeprefix(mutant.sound.prefix) for key in unexpected})
        why.append(f"{name} lacks {sorted(lacking)[:3]}, leaves {unexpected[:3]}")
    # What the base model takes has a place: a pooler that the declared class lacks.
    left_over = set.intersection(*extra)
    return Word("bad" if bad else "extra" if left_over else "clean", pooler, "; ".join(why))


def bertshape_says(folder: Path) -> Word:
    """By the rules, from small files and headers."""
    try:
        checkpoint = open_checkpoint(str(folder))
        findings = check_soundness(checkpoint, resolve(checkpoint.config, checkpoint.config_path), None)
    except BertshapeError as error:
        return Word("bad", pooler=False, why=error.message)
    pooler = any(finding.code == "pooler-random" for finding in findings)
    rest = [finding for finding in findings if finding.code not in ("pooler-random", *_NOT_OF_WEIGHTS)]
    level = "bad" if any(finding.severity == "error" for finding in findings) else "extra" if rest else "clean"
    return Word(level, pooler, "; ".join(f"{finding.severity} {finding.message}" for finding in findings))


_POOLER_TENSORS = 2
_NOT_OF_WEIGHTS = ("length-limits-disagree",)


def disagreement(mutant: Mutant, folder: Path) -> str | None:
    """Where the two judges part; None where they agree."""
    save_file({key: value.contiguous() for key, value in mutant.state.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})  # fmt: skip
    (folder / "config.json").write_text(json.dumps(mutant.config))
    theirs, ours = transformers_says(mutant, folder), bertshape_says(folder)
    agree = theirs.level == ours.level or (theirs.level, ours.level) == ("extra", "bad")
    if agree and (theirs.pooler == ours.pooler or "bad" in (ours.level, theirs.level)):
        return None
    return f"{mutant}\n    transformers: {theirs}\n    bertshape:    {ours}"


# Runs ----------------------------------------------------------------------------------------------------------------


def mutants(seed: int, *, per_class: int) -> Iterator[Mutant]:
    """Mutants of all classes of all families, in an order that the seed decides, without end."""
    chance = random.Random(seed)
    absent = families_absent()
    classes = [
        (family.model_type, name)
        for family in filter(None, map(load_family, family_names()))
        if family.model_type not in absent
        for name in (family.model_class, *family.other_classes, *head_classes(family.model_type))
    ]
    while True:
        chance.shuffle(classes)
        for model_type, name in classes:
            sound = build_sound(model_type, name)
            changes = [chance.choice(CHANGES) for _ in range(per_class)]
            yield from filter(None, (change(sound, chance) for change in changes))


def run(
    seed: int, *, seconds: float = float("inf"), count: float = float("inf"), per_class: int = 10
) -> tuple[Counter[str], list[str]]:
    """Judge mutants until the time is over or the count is reached; how many of each kind, and the disagreements."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    began, done, found = time.monotonic(), Counter[str](), []
    with tempfile.TemporaryDirectory() as folder:
        for mutant in mutants(seed, per_class=per_class):
            if time.monotonic() - began > seconds or done.total() >= count:
                break
            done[mutant.kind] += 1
            problem = disagreement(mutant, Path(folder))
            if problem:
                found.append(problem)
    return done, found


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the rules of soundness with what transformers loads.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--per-class", type=int, default=10)
    options = parser.parse_args()
    done, found = run(options.seed, seconds=options.seconds, per_class=options.per_class)
    for problem in found:
        print(problem)
    print(f"seed {options.seed}: {done.total()} mutants {dict(done)}, {len(found)} disagreements")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
