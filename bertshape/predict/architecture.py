"""One architecture: a family with the numbers of one config.json."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.predict.expressions import count_out, evaluate, holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bertshape.predict.family import Conditional, Family, Shapes

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
        values: config.json over the family's defaults, and what follows from both.
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
        """Whether the model takes segments 0 and 1; a table of a single type has no room for the second."""
        types = self.dimensions.type_vocab_size
        return self.family is not None and self.family.token_type_ids and (types is None or types > 1)

    @property
    def padding_index(self) -> int:
        """The id that positions are counted after, in families that do so."""
        fixed = self.family.padding_index if self.family else None
        return (self.pad_token_id or 0) if fixed is None else fixed

    @property
    def exact_length(self) -> int | None:
        """Tokens that every row must have, padding included; None where it may have any number of them."""
        said = next((row.exact_length for row in self._conditionals if row.exact_length), None)
        return None if said is None else evaluate(said, self.number)

    @property
    def layer_outputs(self) -> int:
        """How many hidden_states there are after the embeddings: one for each layer, in most families."""
        return evaluate(self.family.layer_outputs, self.number) if self.family else self.dimensions.num_hidden_layers

    @property
    def gives_attentions(self) -> bool:
        """Whether the model has attention weights to give."""
        return self.family is None or self.family.attentions

    @property
    def has_pooler(self) -> bool:
        """Whether the model gives a pooler_output."""
        return self.family is not None and "pooler_output" in self.family.outputs

    @property
    def is_causal(self) -> bool:
        """Whether a token sees itself and those before it alone."""
        conditions = self.family.causal_when if self.family else ()
        return bool(conditions) and all(map(self.holds, conditions))

    @property
    def window(self) -> int | None:
        """How many tokens a token sees in some layers; None where it sees all that it may in each."""
        family = self.family
        if family is None or family.window is None or not all(map(self.holds, family.window_when)):
            return None
        return as_number(self.values.get(family.window, family.forward.get(family.window))) or None

    @property
    def pooler_axis(self) -> str:
        """What the size of the vector in pooler_output is: `hidden_size`, unless the family projects it to another."""
        key = self.family.pooler_size if self.family else None
        return key if key and self.number(key) else "hidden_size"

    @property
    def pooler_size(self) -> int:
        """Size of the vector in pooler_output."""
        return self.number(self.pooler_axis)

    @property
    def decodes_an_encoder(self) -> bool:
        """Whether it is a model of the kind of BART, whose last_hidden_state is its decoder's."""
        return self.family is None and self.values.get("is_encoder_decoder") is True

    @property
    def has_last_hidden_state(self) -> bool:
        """Whether the model gives a last_hidden_state with a vector for each token."""
        gives = self.family is None or "last_hidden_state" in self.family.outputs
        return gives and "last_hidden_state" not in self.observed_only

    def config_key(self, dimension: str) -> str:
        """The key in config.json that holds a dimension, for messages."""
        own = self.family.dimensions.get(dimension, dimension) if self.family else dimension
        aliases = self.family.aliases if self.family else {}
        return next((alias for alias, key in aliases.items() if key == own and alias in self.values), own)

    def expected_tensors(self) -> dict[str, tuple[int, ...]] | None:
        """Shapes of all backbone parameters, pooler included, by the base model's names.

        Returns:
            None where the family or its names are not known.
        """
        if self.family is None or not self.family.has_template:
            return None
        return dict(self._expected)

    @functools.cached_property
    def _expected(self) -> Mapping[str, tuple[int, ...]]:
        return {name: tuple(map(self._size, symbols)) for name, symbols in self._symbols.items()}

    def symbols(self, name: str) -> tuple[str, ...]:
        """The shape of a tensor in dimensions, such as (`vocab_size`, `hidden_size`); empty for an unknown name."""
        return tuple(map(str, self._symbols.get(name, ())))

    def table_of(self, counter: str) -> str | None:
        """Name of the backbone's tensor that has a row for each of something, such as `vocab_size`."""
        return next((name for name, symbols in self._symbols.items() if symbols[0] == counter), None)

    def parameters(self) -> int | None:
        """Number of parameters of the base model, where the family's tensors are known."""
        expected = self.expected_tensors()
        return None if expected is None else sum(map(math.prod, expected.values()))

    @functools.cached_property
    def observed_only(self) -> tuple[str, ...]:
        """Outputs whose shape is only known by running, such as `hidden_states`."""
        if self.family is None:
            return ("hidden_states", "attentions") if self.decodes_an_encoder else ()
        named = [*self.family.observed_only, *(name for row in self._conditionals for name in row.observed_only)]
        return tuple(dict.fromkeys(named))

    @functools.cached_property
    def idle(self) -> tuple[str, ...]:
        """Patterns of the dotted names of parts that no run calls."""
        always = self.family.idle if self.family else ()
        return (*always, *(pattern for row in self._conditionals for pattern in row.idle))

    def dtype_of(self, name: str, dtype: str) -> str:
        """Dtype of a parameter: some parts stay in float32 where the others are float16.

        Args:
            name: Its name.
            dtype: Dtype of the parameters.
        """
        kept = self.family.kept_in_float32 if self.family and dtype == "float16" else ()
        return dtype if set(kept).isdisjoint(name.split(".")) else "float32"

    def dtypes_of_states(self, dtype: str) -> tuple[str, ...]:
        """Dtype of each of the hidden_states, where they differ: what is added to float32 is float32 from there on.

        Args:
            dtype: Dtype of the parameters.
        """
        between = self.layer_outputs - 1
        if self.family is None or not self.family.kept_in_float32 or dtype != "float16" or between < 1:
            return ()
        return (dtype, *["float32"] * between, dtype)  # A norm follows the last layer.

    def holds(self, condition: str) -> bool:
        """Whether a condition of the family's file holds."""
        return holds(condition, self.values, self.number)

    def number(self, name: str) -> int:
        """A dimension or a key as a size: the sum for a list, 0 for what is no number."""
        value = getattr(self.dimensions, name, None)
        return as_number(self.values.get(name) if value is None else value)

    @functools.cached_property
    def _conditionals(self) -> tuple[Conditional, ...]:
        rows = self.family.conditionals if self.family else ()
        return tuple(row for row in rows if all(map(self.holds, row.when)))

    @functools.cached_property
    def _symbols(self) -> Mapping[str, Symbols]:
        family = self.family
        if family is None:
            return {}
        tensors = dict(family.tensors)
        layer_tensors = dict(family.layer_tensors)
        for row in self._conditionals:
            tensors |= row.tensors
            layer_tensors |= row.layer_tensors
        outside = {name: symbols for key, symbols in tensors.items() for name in count_out(key, self._count)}
        return outside | dict(self._layers(family, layer_tensors))

    def _layers(self, family: Family, layer_tensors: Shapes) -> Iterator[tuple[str, Symbols]]:
        for number, path in enumerate(count_out(family.layer, self._count)):
            for key, symbols in layer_tensors.items():
                if number or key not in family.first_layer_lacks:
                    for name in count_out(path + key, self._count):
                        yield name, symbols

    def _count(self, counter: str) -> int | list[int]:
        sizes = self.values.get(counter)
        return sizes if isinstance(sizes, list) else evaluate(counter, self.number)

    def _size(self, symbol: str | int) -> int:
        size = symbol if isinstance(symbol, int) else evaluate(symbol, self.number)
        if size < 0:
            message = f"config.json makes {symbol} the size of a tensor, and it is {size}"
            raise CheckpointError(message, hint="Restore config.json from the original.", code="config-invalid")
        return size


def as_number(value: object) -> int:
    """A value of config.json as a size: the sum for a list, 0 for what is no number."""
    if isinstance(value, list | tuple):
        return sum(map(as_number, value))
    return value if isinstance(value, int) else 0
