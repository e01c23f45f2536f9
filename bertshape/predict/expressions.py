"""The small language in the families' files: sizes, conditions, and names that are counted out."""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_STEP = re.compile(r"([-+*/]?)(\w+)")
_COMPARISON = re.compile(r"(\w+) (!=|==|>) (\w+)")
_COUNTER = re.compile(r"\{([^}]+)\}")


def evaluate(expression: str, number: Callable[[str], int]) -> int:
    """Value of a size: a name, a number, or a sum of products such as `2*hidden_size+1`, from left to right.

    Args:
        expression: What the file says.
        number: Value of a name.
    """
    total, term = 0, 0
    for operator, name in steps(expression):
        value = int(name) if name.isdigit() else number(name)
        if operator == "*":
            term *= value
        elif operator == "/":
            # Zero groups or heads make no model; the message about that must not be a ZeroDivisionError.
            term //= max(value, 1)
        else:
            total, term = total + term, -value if operator == "-" else value
    return total + term


@functools.lru_cache(maxsize=4096)
def steps(expression: str) -> list[tuple[str, str]]:
    """The names and numbers of a size, each with the operator before it."""
    # A search for the largest batch that fits asks for the same sums a thousand times.
    return _STEP.findall(expression)


def holds(condition: str, values: Mapping[str, object], number: Callable[[str], int]) -> bool:
    """Whether a condition holds: `key`, `key has value`, `key begins value`, `a != b`, `a == b`, `a > b`, or `not ...`.

    Args:
        condition: What the file says; a key that is a number is true from 1 on.
        values: Values by key.
        number: Value of a name, as a size.
    """
    if condition.startswith("not "):
        return not holds(condition.removeprefix("not "), values, number)
    if match := _COMPARISON.fullmatch(condition):
        left, right = evaluate(match[1], number), evaluate(match[3], number)
        return {"!=": left != right, "==": left == right, ">": left > right}[match[2]]
    if " begins " in condition:
        key, start = condition.split(" begins ")
        return str(values.get(key)).startswith(start)
    if " has " in condition:
        key, wanted = condition.split(" has ")
        value = values.get(key)
        listed = value.lower().split("|") if isinstance(value, str) else value
        return isinstance(listed, list) and wanted in listed
    value = values.get(condition)
    return value > 0 if isinstance(value, int | float) else bool(value)


def counted_keys(template: str) -> list[str]:
    """Names that the braces of a template count up to."""
    return [name for counter in _COUNTER.findall(template) for _, name in _STEP.findall(counter) if not name.isdigit()]


def count_out(template: str, count: Callable[[str], int | Sequence[int]]) -> Iterator[str]:
    """Every name that a template stands for.

    Args:
        template: Such as `encoder.layer.{num_hidden_layers}.`: 0, 1, ... in place of the braces.
        count: How many, for what is in braces. A list of sizes gives block and place, such as 0.0, 0.1, 1.0.
    """
    counters = _COUNTER.findall(template)
    if not counters:
        yield template
        return
    pieces = _COUNTER.split(template)[::2]
    for indices in itertools.product(*(_indices(count(counter)) for counter in counters)):
        yield pieces[0] + "".join(index + piece for index, piece in zip(indices, pieces[1:], strict=True))


def _indices(count: int | Sequence[int]) -> list[str]:
    if isinstance(count, int):
        return [str(index) for index in range(count)]
    return [f"{block}.{index}" for block, size in enumerate(count) for index in range(size)]
