"""The table of families: a TOML file each, in `families/`, named like the model type.

The fields of a file:

- `module`: transformers.models.MODULE has the classes `model_class` and `config_class`, in files named after
  `file`; after the module where it is not said.
- `prefixes`: what checkpoints with a task head put before the names of the backbone.
- `pooler`: beginning of the names of the pooler's tensors; absent where the family has no pooler.
- `token_type_ids`: whether the model takes them.
- `outputs`: outputs besides hidden_states; `last_hidden_state` where it is not said.
- `length`: how many tokens fit: `positions`, `positions - pad_token_id - 1`, or `unbounded`.
- `unbounded_when`: a condition under which `length` does not hold.
- `layer`: where the tensors of a layer are; a name in braces is a number from config.json that is counted up to.
- `layer_outputs`: false where hidden_states are not num_hidden_layers + 1 tensors of one shape.
- `[dimensions]`: the key in config.json, where it is not bertshape's own name of the dimension.
- `[defaults]`: what the config class assumes where config.json is silent, by key; only what is used here.
- `[tensors]`, `[layer_tensors]`: shapes by name; an axis is a dimension, a key, a number, or such as `3*hidden_size`
  or `max_position_embeddings+2`.
- `[[conditional]]`: more tensors, there `when` all its conditions hold: `key`, `not key`, `key has value`, `a != b`.
- `first_layer_lacks`: names that layer 0 does not have.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FOLDER = Path(__file__).parent / "families"

Shapes = Mapping[str, tuple[str | int, ...]]


@dataclass(frozen=True)
class Conditional:
    """Tensors that are there under conditions on the configuration."""

    when: tuple[str, ...]
    tensors: Shapes
    layer_tensors: Shapes


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
    length: str
    unbounded_when: str | None
    layer: str
    layer_outputs: bool
    dimensions: Mapping[str, str]
    defaults: Mapping[str, object]
    tensors: Shapes
    layer_tensors: Shapes
    conditionals: tuple[Conditional, ...]
    first_layer_lacks: tuple[str, ...] = field(default=())

    @property
    def has_template(self) -> bool:
        """Whether the names and shapes of the tensors are known."""
        return bool(self.tensors)

    def top_level_names(self) -> frozenset[str]:
        """First parts of the names of all backbone tensors."""
        named = [
            *self.tensors,
            self.layer,
            self.pooler or "",
            *(name for row in self.conditionals for name in row.tensors),
        ]
        return frozenset(name.split(".")[0] for name in named if name)


def family_names() -> tuple[str, ...]:
    """Model types of all families, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@functools.cache
def load_family(model_type: str) -> Family | None:
    """The row of a model type; None where the table has none."""
    if model_type not in family_names():
        return None
    row = tomllib.loads((_FOLDER / f"{model_type}.toml").read_text(encoding="utf-8"))
    conditionals = tuple(
        Conditional(tuple(entry["when"]), _shapes(entry.get("tensors")), _shapes(entry.get("layer_tensors")))
        for entry in row.get("conditional", ())
    )
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
        layer_outputs=row.get("layer_outputs", True),
        dimensions=row.get("dimensions", {}),
        defaults=row.get("defaults", {}),
        tensors=_shapes(row.get("tensors")),
        layer_tensors=_shapes(row.get("layer_tensors")),
        conditionals=conditionals,
        first_layer_lacks=tuple(row.get("first_layer_lacks", ())),
    )


def _shapes(table: Mapping[str, list[str | int]] | None) -> Shapes:
    return {name: tuple(shape) for name, shape in (table or {}).items()}
