"""The shapes inside a model: a tree of its parts, equal ones folded into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bertshape.shapes import TensorShape


@dataclass(frozen=True)
class Layer:
    """One part of a model.

    Attributes:
        name: Its name in the part that holds it, such as `query`; `{0-11}` for twelve equal ones.
        kind: Its class; None where no run showed it.
        copies: How many equal parts it stands for.
        calls: How often each was called in one forward pass: more than once where layers are shared, never where a
            part has nothing to do, such as cross attention without another model's vectors.
        shape: What it gives; None where that is not known or it gives no tensor.
        heads: Attention heads and the size of one, where the last axis is split among them.
        parameters: Numbers in one copy, those of all parts inside included; None where the table does not say.
        children: The parts inside.
        evidence: `observed` once a real run gave it.
    """

    name: str
    kind: str | None
    copies: int
    calls: int
    shape: TensorShape | None
    heads: tuple[int, int] | None
    parameters: int | None
    children: tuple[Layer, ...]
    evidence: Literal["predicted", "observed"] = "predicted"

    @property
    def idle(self) -> bool:
        """Whether neither it nor anything inside was called."""
        return not self.calls and all(child.idle for child in self.children)
