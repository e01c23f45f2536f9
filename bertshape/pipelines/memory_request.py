"""What `memory` is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bertshape.errors import UsageError
from bertshape.pipelines.model_source import ModelSource
from bertshape.strict_json import quoted

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_LARGEST = 2**31 - 1
_MOST_MEMORY = 10**18 - 1
BATCH_SIZE = 32


@dataclass(frozen=True)
class MemoryRequest:
    """Which model, and the batch.

    Attributes:
        source: Which model.
        batch_size: Texts of a batch.
        length: Tokens of each; None for 512, or for what the model takes.
        fit: Bytes that a batch is to fit into; None where that is not asked.
    """

    source: ModelSource = field(default_factory=ModelSource)
    batch_size: int = BATCH_SIZE
    length: int | None = None
    fit: int | None = None

    def check(self) -> None:
        """Refuse what is no batch.

        Raises:
            UsageError: A number is not in its range.
        """
        for option, value in (("--batch-size", self.batch_size), ("--length", self.length)):
            if value is not None and not 1 <= value <= _LARGEST:
                hint = f"Pass a number from 1 to {_LARGEST}."
                raise UsageError(f"{option} is {value}", hint=hint, code=f"{option.strip('-')}-invalid")
        if self.fit is not None and not 1 <= self.fit <= _MOST_MEMORY:
            expected = "more than 0" if self.fit < 1 else "less than 1,000,000 TB"
            raise UsageError(f"--fit is {self.fit:,} bytes", hint=f"Pass {expected}: --fit 24GB.", code="fit-invalid")


def parse_bytes(text: str, option: str) -> int:
    """A number of bytes, from `24GB` (10^9), `24GiB` (2^30) or `512 MB`; a number alone might mean any of them.

    Args:
        text: What was given.
        option: The option, for messages.

    Raises:
        UsageError: It is none.
    """
    found = re.fullmatch(r"([0-9]{1,15})(?:\.([0-9]{1,15}))? ?(?:([kmgt]i?)?(b))?", text.strip().lower(), re.ASCII)
    if found is None or not found[4]:
        number = text.strip() if found and int(found[1]) else "24"
        raise UsageError(
            f"{option} {quoted(text)} is no size of a memory",
            hint=f"Pass a number with MB, GB, MiB or GiB: {option} {number}GB.",
            code="fit-invalid",
        )
    # In whole numbers: to a float, 0.3 is less than that.
    part = found[2] or ""
    return int(found[1] + part) * _UNITS[found[3] or ""] // int(10 ** len(part))
