"""The table of families: a TOML file each, in `families/`, named like the model type.

The fields of a file:

- `module`: transformers.models.MODULE has the classes `model_class` and `config_class`, in files named after
  `file`; after the module where it is not said.
- `extends`: the family whose file this one goes over: its tables are joined key by key, all else is replaced; and
  `without`: keys of those tables that this family lacks.
- `group`: `encoder` where it is not said, `t5-encoder`, `decoder`, or `text-part` of a model of two towers.
- `prefixes`: what checkpoints with a task head put before the names of the backbone.
- `other_classes`: more classes of the same outputs, taken where config.json's `architectures` names one.
- `whole_classes`: classes of the whole model that this encoder is a part of.
- `[tied]`: parameters that are another one under a second name.
- `class_prefixes`: the prefix that each of these classes looks for, where they differ.
- `[renamed]`: parts of stored names, and what transformers makes of them when it loads.
- `[fused]`: parts of names of stored tensors that transformers cuts along the first axis, and the parts they become.
- `pooler`: beginning of the names of the pooler's tensors; absent where it has none of its own.
- `pooler_size`: the key that holds the size of pooler_output, where above 0; hidden_size where it is not said.
- `pooler_formula`: how pooler_output is made, where it is not a dense layer over the first vector.
- `token_type_ids`: whether the model takes them.
- `outputs`: outputs besides hidden_states; `last_hidden_state` where it is not said.
- `observed_only`: outputs whose shape is only known by running; they are never predicted.
- `length`: how many tokens fit: `positions`, `positions - pad_token_id - 1`, or `unbounded`.
- `padding_index`: what `length` takes for pad_token_id, where that is fixed.
- `length_bounds`: more keys that bound the length.
- `layer_outputs`: how many hidden_states there are after the embeddings; num_hidden_layers where it is not said.
- `causal_when`: the condition, or conditions, under which a token sees those before it alone.
- `window`: the key that holds how many tokens a token sees in some layers, and `window_when`, conditions of that.
- `input_first`: whether matrices are stored with the size of what goes in first.
- `attentions`: whether there are attention weights; true where it is not said.
- `kept_in_float32`: parts whose parameters stay in float32 where others are float16, as does what layers hand on.
- `idle`: parts that no run calls, as patterns of dotted names.
- `layers_run`: the key that says how often layers run, once where not said: how many groups share num_hidden_layers,
  or a list of how often each block runs.
- `layer_shapes`: whether each part gives (batch_size, sequence_length, size); true where it is not said.
- `unbounded_when`: a condition under which `length` does not hold.
- `layer`: where the tensors of a layer are; braces count up to a number of config.json, or through a list of them.
- `[aliases]`: other keys of config.json by the key that they stand for (attribute_map); they go before it.
- `[dimensions]`: the key in config.json, where it is not bertshape's own name of the dimension.
- `[defaults]`: what the config class assumes where config.json is silent, by key; only what is used here.
- `[forward]`: the same for keys that change the numbers of a forward pass and no shape; `""` stands for nothing.
- `[derived]`: what follows from other values where config.json is silent, by key; at least 1.
- `[tensors]`, `[layer_tensors]`: shapes by name, which may have braces too; an axis is a dimension, a key, a number, or
  such as `3*hidden_size` or `max_position_embeddings+2`.
- `[[conditional]]`: more of `tensors`, `layer_tensors`, `derived`, `idle` or `observed_only`, or the `exact_length`
  of every row, `when` all its conditions hold; expressions.py has the language of sizes and conditions.
- `first_layer_lacks`: names that layer 0 does not have.
- `[order]`: the parts of a part in the order in which they run, where it is not that of the names above, in which the
  layers and then the pooler follow all else; `*` stands for the number of a layer, `""` for the model.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bertshape.predict.expressions import counted_keys

_FOLDER = Path(__file__).parent / "families"
_NUMBER = re.compile(r"(?<=\.)[0-9]+(?=\.|$)", re.ASCII)

Length = Literal["positions", "positions - pad_token_id - 1", "unbounded"]
"""How many tokens fit."""
Group = Literal["encoder", "t5-encoder", "decoder", "text-part"]
"""What a family is a part of, or not."""
Shapes = Mapping[str, tuple[str | int, ...]]


@dataclass(frozen=True)
class Conditional:
    """What is so under conditions on the configuration."""

    when: tuple[str, ...]
    tensors: Shapes
    layer_tensors: Shapes
    derived: Mapping[str, str]
    observed_only: tuple[str, ...]
    idle: tuple[str, ...]
    exact_length: str | None


@dataclass(frozen=True)
class Family:
    """One row of the table; the fields are those of the file."""

    model_type: str
    module: str
    file: str
    config_class: str
    model_class: str
    prefixes: tuple[str, ...]
    pooler: str | None
    token_type_ids: bool
    outputs: tuple[str, ...]
    length: Length
    unbounded_when: str | None
    layer: str
    dimensions: Mapping[str, str]
    defaults: Mapping[str, object]
    forward: Mapping[str, object]
    derived: Mapping[str, str]
    tensors: Shapes
    layer_tensors: Shapes
    conditionals: tuple[Conditional, ...]
    first_layer_lacks: tuple[str, ...]
    other_classes: tuple[str, ...]
    class_prefixes: Mapping[str, str]
    pooler_size: str | None
    observed_only: tuple[str, ...]
    renamed: Mapping[str, str]
    fused: Mapping[str, Sequence[str]]
    order: Mapping[str, Sequence[str]]
    aliases: Mapping[str, str]
    padding_index: int | None
    length_bounds: tuple[str, ...]
    layer_outputs: str
    attentions: bool
    causal_when: tuple[str, ...]
    group: Group
    window: str | None
    window_when: tuple[str, ...]
    input_first: bool
    whole_classes: tuple[str, ...]
    tied: Mapping[str, str]
    pooler_formula: str | None
    kept_in_float32: tuple[str, ...]
    idle: tuple[str, ...]
    layers_run: str | None
    layer_shapes: bool

    @property
    def has_template(self) -> bool:
        """Whether the names and shapes of the tensors are known."""
        return bool(self.tensors)

    def has_class(self, name: str) -> bool:
        """Whether a class of transformers is the base model, or another of the same outputs."""
        return name == self.model_class or name in self.other_classes

    @property
    def groups_heads(self) -> bool:
        """Whether several heads may share keys and values."""
        return "num_key_value_heads" in {**self.defaults, **self.derived}

    @property
    def ever_observed_only(self) -> tuple[str, ...]:
        """Outputs whose shape is only known by running, under some configurations at least."""
        sometimes = (name for row in self.conditionals for name in row.observed_only)
        return tuple(dict.fromkeys([*self.observed_only, *sometimes]))

    def templates(self) -> Iterator[str]:
        """Names of all backbone tensors under any configuration, not counted out."""
        tables = [(self.tensors, self.layer_tensors), *((row.tensors, row.layer_tensors) for row in self.conditionals)]
        for tensors, layer_tensors in tables:
            yield from tensors
            yield from (self.layer + name for name in layer_tensors)

    def as_run(self, path: str, parts: Iterable[str]) -> list[str]:
        """The parts of a part in the order in which they run, as far as the table says it.

        Args:
            path: Dotted name of the part; empty for the model.
            parts: Names of its parts, in the order of the table or of the model.
        """
        known = self.order.get(_NUMBER.sub("*", path), ())
        return sorted(parts, key=lambda part: known.index(part) if part in known else len(known))

    @functools.cached_property
    def top_level_names(self) -> frozenset[str]:
        """First parts of the names of all backbone tensors."""
        return frozenset(name.split(".")[0] for name in (*self.templates(), self.pooler or "") if name)

    @functools.cached_property
    def layer_paths(self) -> tuple[str, ...]:
        """What stands before the number of a layer in the names of its tensors."""
        marked = (name.partition("{num_hidden_layers}") for name in self.templates())
        return tuple(dict.fromkeys(before for before, counter, _ in marked if counter))

    @functools.cached_property
    def counted_together(self) -> tuple[tuple[str, ...], ...]:
        """Dimensions and keys that names are counted up to, those of one name together."""
        return tuple(dict.fromkeys(tuple(counted_keys(name)) for name in self.templates()))


def family_names() -> tuple[str, ...]:
    """Model types of all families, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@functools.cache
def load_family(model_type: str) -> Family | None:
    """The row of a model type; None where the table has none."""
    if model_type not in family_names():
        return None
    row = _read(model_type)
    return Family(
        model_type=model_type,
        module=row["module"],
        file=row.get("file", row["module"]),
        config_class=row["config_class"],
        model_class=row["model_class"],
        prefixes=tuple(row["prefixes"]),
        pooler=row.get("pooler"),
        token_type_ids=row["token_type_ids"],
        outputs=tuple(row.get("outputs", ("last_hidden_state",))),
        length=row["length"],
        unbounded_when=row.get("unbounded_when"),
        layer=row.get("layer", ""),
        dimensions=row.get("dimensions", {}),
        defaults=row.get("defaults", {}),
        forward=row.get("forward", {}),
        derived=row.get("derived", {}),
        tensors=_shapes(row.get("tensors")),
        layer_tensors=_shapes(row.get("layer_tensors")),
        conditionals=tuple(map(_conditional, row.get("conditional", ()))),
        first_layer_lacks=tuple(row.get("first_layer_lacks", ())),
        other_classes=tuple(row.get("other_classes", ())),
        class_prefixes=row.get("class_prefixes", {}),
        pooler_size=row.get("pooler_size"),
        observed_only=tuple(row.get("observed_only", ())),
        renamed=row.get("renamed", {}),
        fused=row.get("fused", {}),
        order=row.get("order", {}),
        **_of_runs(row),
    )


def _of_runs(row: Mapping[str, Any]) -> dict[str, Any]:
    """Other names of keys, how long rows may be, and what there is of each layer."""
    return {
        "aliases": row.get("aliases", {}),
        "padding_index": row.get("padding_index"),
        "length_bounds": tuple(row.get("length_bounds", ())),
        "layer_outputs": row.get("layer_outputs", "num_hidden_layers"),
        "attentions": row.get("attentions", True),
        "causal_when": _listed(row.get("causal_when", [])),
        "group": row.get("group", "encoder"),
        "window": row.get("window"),
        "window_when": tuple(row.get("window_when", ())),
        "input_first": row.get("input_first", False),
        "whole_classes": tuple(row.get("whole_classes", ())),
        "tied": row.get("tied", {}),
        "pooler_formula": row.get("pooler_formula"),
        "kept_in_float32": tuple(row.get("kept_in_float32", ())),
        "idle": tuple(row.get("idle", ())),
        "layers_run": row.get("layers_run"),
        "layer_shapes": row.get("layer_shapes", True),
    }


def _read(model_type: str) -> dict[str, Any]:
    """The file, over that of the family that it extends."""
    row = tomllib.loads((_FOLDER / f"{model_type}.toml").read_text(encoding="utf-8"))
    if "extends" not in row:
        return row
    base = _read(row["extends"])
    base |= {key: base[key] | value if isinstance(value, dict) and key in base else value for key, value in row.items()}
    for table in filter(lambda value: isinstance(value, dict), base.values()):
        for key in row.get("without", ()):
            table.pop(key, None)
    return base


def family_of_class(name: str) -> Family | None:
    """The family that a class of transformers is of."""
    families = filter(None, map(load_family, family_names()))
    return next((family for family in families if is_class_of(name, family)), None)


def is_class_of(name: str, family: Family) -> bool:
    """Whether a class of transformers is one of a family, by its name."""
    stem = family.model_class.removesuffix("Model")
    if name in (*family.other_classes, *family.whole_classes):
        return True
    return re.fullmatch(stem + r"(Model|LMHeadModel|For[A-Z]\w+)", name) is not None


def _conditional(entry: Mapping[str, Any]) -> Conditional:
    return Conditional(
        when=tuple(entry["when"]),
        tensors=_shapes(entry.get("tensors")),
        layer_tensors=_shapes(entry.get("layer_tensors")),
        derived=entry.get("derived", {}),
        observed_only=tuple(entry.get("observed_only", ())),
        idle=tuple(entry.get("idle", ())),
        exact_length=entry.get("exact_length"),
    )


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _shapes(table: Mapping[str, list[str | int]] | None) -> Shapes:
    return {name: tuple(shape) for name, shape in (table or {}).items()}
