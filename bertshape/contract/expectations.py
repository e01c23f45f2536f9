"""What a person expects of a checkpoint, NAME=VALUE; and what of it does not hold."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING

from bertshape.contract.folded_names import unfold_name
from bertshape.contract.shape_pattern import MAX_DIGITS, ShapePattern, parse_pattern
from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bertshape.shapes import TensorShape

TENSOR_PREFIX = "tensor:"
PROMPT_PREFIX = "prompts."
CONFIG_PREFIX = "config."
LABEL_PREFIX = "id2label."
NOTHING = "none"
"""As a value: what the files do not say."""
_WORDS = (CONFIG_PREFIX, LABEL_PREFIX, "modules.")
"""Names that begin so are no shapes, whatever their values begin with."""
OPERATORS: Mapping[str, Callable[[int, int], bool]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}

ALIASES: Mapping[str, str] = {
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "num_tokens": "sequence_length",
}
"""Names that people type, and the names that transformers gives the same things."""

BEHAVIOURS = ("deterministic", "batch_invariant", "padding_invariant")
"""Names of how a model behaves, which a run alone shows; expected as `NAME` or `NAME=yes`."""
ONLY_BY_RUN = (*BEHAVIOURS, "device")
"""Expectations that take a run: behaviours, and the value `device`."""

DTYPE_ALIASES: Mapping[str, str] = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}
"""The same for values, where a dtype is expected."""

_GRAMMAR = "Write NAME=VALUE: hidden_size=384, num_hidden_layers>=6, pooling=mean, last_hidden_state=[_, _, 384]."
_EXPECTATION = re.compile(r"(?P<name>[^=<>!]*)(?P<operator>==|!=|<=|>=|=|<|>)(?P<value>.*)", flags=re.DOTALL)
_NUMBER = re.compile(rf"-?[0-9]{{1,{MAX_DIGITS}}}")


@dataclass(frozen=True)
class Expectation:
    """One thing that is expected; `str` gives the text that `parse_expectation` reads.

    Attributes:
        name: What is spoken of: `hidden_size`, `pooled.mean`, `tensor:embeddings.word_embeddings.weight`.
        operator: One of `OPERATORS`; text knows `=` and `!=` alone, a shape `=` alone.
        value: A number, text without surrounding space (a prompt keeps it), or a shape.
    """

    name: str
    operator: str
    value: int | str | ShapePattern

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{self.value}"


@dataclass(frozen=True)
class Subject:
    """What expectations are checked against.

    Attributes:
        scalars: Numbers and words by name; None where the checkpoint states none.
        shapes: Shapes of inputs, outputs and pooled vectors by name.
        unavailable: Names of what this checkpoint cannot give, with the reason.
        tensors: Stored tensors by name, which `tensor:NAME` speaks of; `{0-5}` in NAME stands for each layer.
    """

    scalars: Mapping[str, int | str | None] = field(default_factory=dict)
    shapes: Mapping[str, TensorShape] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, TensorShape] = field(default_factory=dict)


@dataclass(frozen=True)
class Mismatch:
    """One thing that is not as expected.

    Attributes:
        expectation: The expectation as text.
        name: What differs, down to the axis: `last_hidden_state.hidden_size`.
        expected: What should be there: a number, or text.
        actual: What is there; None for nothing.
        operator: How the two are compared.
        note: What the message says behind them: the axis name that stands for a size, or why there is nothing.
    """

    expectation: str
    name: str
    expected: int | str
    actual: int | str | None
    operator: str = "="
    note: str = ""

    @property
    def message(self) -> str:
        """The mismatch in one line."""
        compared = "" if self.operator == "=" else f"{self.operator} "
        if self.actual is None:
            return f"{self.name}: expected {compared}{self.expected}, got nothing{self.note}"
        return f"{self.name}: expected {compared}{self.expected}{self.note}, got {self.actual}"


def parse_expectation(text: str) -> Expectation:
    """Read `NAME=VALUE`, with any of `OPERATORS`; `==` is read as `=`, aliases as what they stand for.

    The name of a behaviour stands alone.

    Raises:
        UsageError: The text is no expectation, or its shape is no shape.
    """
    if text.strip() in BEHAVIOURS:
        text = f"{text}=yes"
    parts = _EXPECTATION.fullmatch(text)
    if parts is None:
        near = difflib.get_close_matches(text.strip(), BEHAVIOURS, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise _invalid(f"the expectation {text!r} has no operator; expected one of {' '.join(OPERATORS)}{meant}")
    name, value = parts["name"].strip(), parts["value"].strip()
    name, operator = ALIASES.get(name, name), parts["operator"].replace("==", "=")
    if name in BEHAVIOURS and (operator, value) != ("=", "yes"):
        raise UsageError(
            f"the expectation {text!r} is of how the model behaves; expected {name} alone",
            hint=f"Write {name}, and pass --run.",
            code="expectation-invalid",
        )
    if not name:
        raise _invalid(f"the expectation {text!r} has no name; expected one before {operator!r}")
    if name.startswith(PROMPT_PREFIX) and operator in ("=", "!="):
        return Expectation(name, operator, parts["value"])  # A prompt is text whatever it looks like, blanks and all.
    word = name.startswith(_WORDS) and operator in ("=", "!=")
    if not value or (value[0] in "=<>!" and not word):
        found = repr(value[0]) if value else "nothing"
        raise _invalid(f"the expectation {text!r} has {found} after {parts['operator']!r}; expected a value")
    if value.startswith("[") and not word:
        if operator != "=":
            raise _invalid(f"the expectation {text!r} has {operator!r} before a shape; expected '='")
        return Expectation(name, operator, parse_pattern(value))
    if _NUMBER.fullmatch(value):
        return Expectation(name, operator, int(value))
    if name.endswith("dtype"):
        value = DTYPE_ALIASES.get(value, value)
    if operator not in ("=", "!="):
        raise _invalid(f"the expectation {text!r} compares with {value!r}; expected a whole number after {operator!r}")
    return Expectation(name, operator, value)


def match(expectations: Sequence[Expectation], subject: Subject) -> list[Mismatch]:
    """Check all expectations against a subject.

    Axis names are bound across all shapes, and one that is also the name of a number, such as `hidden_size` or
    `sequence_length`, stands for that number.

    Returns:
        Everything that does not hold, in the order of the expectations.

    Raises:
        UsageError: A name does not exist, or the value has the wrong form for it.
    """
    bindings = {name: value for name, value in subject.scalars.items() if isinstance(value, int)}
    bindings |= {alias: bindings[name] for alias, name in ALIASES.items() if name in bindings}
    return [mismatch for item in expectations for mismatch in _mismatches(item, subject, bindings)]


def _mismatches(item: Expectation, subject: Subject, bindings: dict[str, int]) -> Iterator[Mismatch]:
    if item.name.startswith(TENSOR_PREFIX):
        yield from _tensor_mismatches(item, subject.tensors, bindings)
    elif item.name in subject.shapes:
        yield from _shape_mismatches(item, item.name, subject.shapes[item.name], bindings)
    elif item.name in subject.unavailable:
        _pattern(item)
        yield Mismatch(str(item), item.name, str(item.value), None, note=f": {subject.unavailable[item.name]}")
    elif item.name in subject.scalars:
        yield from _scalar_mismatches(item, subject.scalars[item.name])
    else:
        raise _unknown(item.name, subject)


def _tensor_mismatches(
    item: Expectation, tensors: Mapping[str, TensorShape], bindings: dict[str, int]
) -> Iterator[Mismatch]:
    pattern, name = _pattern(item), item.name.removeprefix(TENSOR_PREFIX)
    for single in [name] if name in tensors else unfold_name(name):
        if single in tensors:
            yield from _shape_mismatches(item, f"{TENSOR_PREFIX}{single}", tensors[single], bindings)
        else:
            yield Mismatch(str(item), f"{TENSOR_PREFIX}{single}", str(pattern), None)


def _shape_mismatches(item: Expectation, name: str, shape: TensorShape, bindings: dict[str, int]) -> Iterator[Mismatch]:
    for found in _pattern(item).match(shape, bindings):
        where = f"{name}.{found.axis}" if found.axis else name
        yield Mismatch(str(item), where, found.expected, found.actual, note=found.note)


def _scalar_mismatches(item: Expectation, actual: int | str | None) -> Iterator[Mismatch]:
    expected = item.value
    if isinstance(expected, ShapePattern):
        raise _invalid(f"{item.name} is no shape; expected {item.name}=VALUE, found {str(item)!r}")
    free = expected == NOTHING or item.name.startswith(_WORDS)
    if isinstance(actual, int) and isinstance(expected, str) and not free:
        raise _invalid(f"{item.name} is a number; expected a whole number, found {expected!r}")
    if isinstance(actual, str) and item.operator not in ("=", "!="):
        raise _invalid(f"{item.name} is text; expected = or !=, found {str(item)!r}")
    if isinstance(actual, int) and isinstance(expected, int):
        holds = OPERATORS[item.operator](actual, expected)
    else:
        # Text may look like a number; what is not stated equals nothing but `none` and is in no order.
        same = expected == NOTHING if actual is None else _same_text(str(expected), str(actual))
        holds = same if item.operator == "=" else item.operator == "!=" and not same
    if not holds:
        yield Mismatch(str(item), item.name, expected, actual, item.operator)


def _same_text(one: str, other: str) -> bool:
    """Whether two words are the same, or the same number: 1e-5 and 1e-05."""
    if one == other:
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _pattern(item: Expectation) -> ShapePattern:
    if isinstance(item.value, ShapePattern):
        return item.value
    raise _invalid(f"{item.name} is a shape; expected {item.name}=[...], found {str(item)!r}")


def _unknown(name: str, subject: Subject) -> UsageError:
    known = [*subject.scalars, *subject.shapes, *subject.unavailable]
    known += [f"{TENSOR_PREFIX}{tensor}" for tensor in subject.tensors]
    # People leave prefixes out: `mean` for `pooled.mean`, a tensor's name without `tensor:`.
    whole = [other for other in known if other.endswith((f".{name}", f":{name}"))]
    near = list(dict.fromkeys(whole[:1] + difflib.get_close_matches(name, known, n=3, cutoff=0.5)))[:3]
    names = ", ".join([*subject.scalars, *subject.shapes])
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known names: {names}."
    return UsageError(
        f"the expectation names {name!r}, which does not exist", hint=hint, code="expectation-unknown-name"
    )


def _invalid(message: str) -> UsageError:
    return UsageError(message, hint=_GRAMMAR, code="expectation-invalid")
