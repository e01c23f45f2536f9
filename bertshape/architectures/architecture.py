"""One architecture: a family with the numbers of one config.json."""

from __future__ import annotations

import functools
import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bertshape.architectures.family import Family, Shapes

Symbols = tuple[str | int, ...]


@dataclass(frozen=True)
class Dimensions:
    """Sizes of a model, by bertshape's names; None where the family has no such thing."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int | None
    intermediate_size: int | None
    vocab_size: int | None
    max_position_embeddings: int | None
    type_vocab_size: int | None
    embedding_size: int


@dataclass(frozen=True)
class Architecture:
    """What config.json describes.

    Attributes:
        model_type: As config.json says.
        family: Row of the table; None for a model type that the table lacks.
        dimensions: Sizes.
        values: config.json over the family's defaults.
        pad_token_id: Id of the padding token, where there is one.
        usable_length: Tokens that a row may have at most; None where nothing bounds it.
    """

    model_type: str
    family: Family | None
    dimensions: Dimensions
    values: Mapping[str, object]
    pad_token_id: int | None
    usable_length: int | None

    @property
    def accepts_token_type_ids(self) -> bool:
        """Whether the model takes segments 0 and 1; a single type has no room for the second."""
        return self.family is not None and self.family.token_type_ids and (self.dimensions.type_vocab_size or 0) > 1

    @property
    def has_pooler(self) -> bool:
        """Whether the model gives a pooler_output."""
        return self.family is not None and self.family.pooler is not None

    @property
    def has_last_hidden_state(self) -> bool:
        """Whether the model gives a last_hidden_state."""
        return self.family is None or "last_hidden_state" in self.family.outputs

    def config_key(self, dimension: str) -> str:
        """The key in config.json that holds a dimension, for messages."""
        own = self.family.dimensions.get(dimension, dimension) if self.family else dimension
        return own if own in self.values or dimension not in self.values else dimension

    def expected_tensors(self) -> dict[str, tuple[int, ...]] | None:
        """Shapes of all backbone parameters, pooler included, by the base model's names.

        Returns:
            None where the family or its names are not known.
        """
        if self.family is None or not self.family.has_template:
            return None
        return {name: tuple(map(self._size, symbols)) for name, symbols in self._symbols.items()}

    def symbols(self, name: str) -> tuple[str, ...]:
        """The shape of a tensor in dimensions, such as (`vocab_size`, `hidden_size`); empty for an unknown name."""
        return tuple(map(str, self._symbols.get(name, ())))

    def parameters(self) -> int | None:
        """Number of parameters of the base model, where the family's tensors are known."""
        expected = self.expected_tensors()
        return None if expected is None else sum(map(math.prod, expected.values()))

    @functools.cached_property
    def _symbols(self) -> Mapping[str, Symbols]:
        family = self.family
        if family is None:
            return {}
        conditional = [row for row in family.conditionals if all(map(self.holds, row.when))]
        tensors = dict(family.tensors)
        layer_tensors = dict(family.layer_tensors)
        for row in conditional:
            tensors |= row.tensors
            layer_tensors |= row.layer_tensors
        return tensors | dict(self._layers(family, layer_tensors))

    def _layers(self, family: Family, layer_tensors: Shapes) -> Iterator[tuple[str, Symbols]]:
        counters = re.findall(r"\{(\w+)\}", family.layer)
        first = True
        for indices in itertools.product(*(range(self._size(counter)) for counter in counters)):
            path = family.layer.format(**dict(zip(counters, indices, strict=True)))
            for name, symbols in layer_tensors.items():
                if not (first and name in family.first_layer_lacks):
                    yield path + name, symbols
            first = False

    def _size(self, symbol: str | int) -> int:
        """Value of an axis: a number, a dimension, a key, or a sum, product or quotient of these."""
        if isinstance(symbol, int):
            return symbol
        if "+" in symbol:
            return sum(map(self._size, symbol.split("+")))
        size = 1
        for operator, name in re.findall(r"([*/]?)(\w+)", symbol):
            value = int(name) if name.isdigit() else self._number(name)
            size = size // value if operator == "/" else size * value
        return size

    def _number(self, name: str) -> int:
        value = getattr(self.dimensions, name, None)
        if value is None:
            value = self.values.get(name)
        return value if isinstance(value, int) else 0

    def holds(self, condition: str) -> bool:
        """Whether a condition of the family's file holds; numbers count as true from 1 on."""
        if condition.startswith("not "):
            return not self.holds(condition.removeprefix("not "))
        if " != " in condition:
            left, right = condition.split(" != ")
            return self._number(left) != self._number(right)
        if " has " in condition:
            key, wanted = condition.split(" has ")
            value = self.values.get(key)
            return wanted in (value.lower().split("|") if isinstance(value, str) else value or ())  # type: ignore[operator]
        value = self.values.get(condition)
        return value > 0 if isinstance(value, int | float) else bool(value)
