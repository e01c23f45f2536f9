"""Memory: how much there is, and a refusal of what asks for more, before any of it is taken.

Without it the system ends the process, or one that did nothing, and no message says which file asked for so much.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.errors import DeviceError

try:
    import resource
except ImportError:  # Windows has none.
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check_memory(needed: int, what: str, hint: str) -> None:
    """Refuse to take more memory than there is.

    Args:
        needed: Bytes that will be taken.
        what: Who asks for them, as the message begins.
        hint: What to do.

    Raises:
        DeviceError: There are fewer.
    """
    there = available_bytes()
    if there is not None and needed > there:
        message = f"{what}: that takes {needed / 1e9:,.1f} GB of memory, and {there / 1e9:,.1f} GB are free"
        raise DeviceError(message, hint=hint, code="out-of-memory")


def available_bytes() -> int | None:
    """Bytes that this process may still take; None where the system does not say."""
    return min(_bounds(), default=None)


def _bounds() -> Iterator[int]:
    with suppress(OSError, ValueError, KeyError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        yield (kilobytes["MemAvailable"] + kilobytes["SwapFree"]) * 1024
    with suppress(OSError, ValueError, AttributeError):  # Windows has no sysconf.
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for name in _GROUP_LIMITS:  # That of a container; what it uses of it is mostly files, which give way.
        with suppress(OSError, ValueError):
            yield int(Path(name).read_text())
    if resource is not None:
        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        with suppress(OSError, ValueError):
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            if most != resource.RLIM_INFINITY:
                yield max(0, most - pages * os.sysconf("SC_PAGE_SIZE"))
