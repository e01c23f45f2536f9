"""How the heavy packages are imported: with little garbage collection, and without signals in their midst."""

from __future__ import annotations

import gc
import linecache
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_YOUNG = 50_000
_NEVER = 1_000_000
_HELD = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def heavy_imports() -> Iterator[None]:
    """Wrap imports that take seconds.

    Importing makes millions of objects that stay, and the garbage collector would walk them again and again. It only
    looks at each new lot of them once, which is a tenth of its time and finds nearly all of the garbage (8 MB). What
    is left is frozen: the interpreter would walk it all once more when it ends, for more than half a second.

    Signals that have a handler (Ctrl-C has) are kept until the imports are over: what a handler raises inside the
    initialisers of torch's C++ parts would abort the process and leave the terminal as it is, and numpy turns it into
    errors of its own.
    """
    with _signals_held(), _garbage_left():
        yield


@contextmanager
def _garbage_left() -> Iterator[None]:
    collecting, thresholds, modules = gc.isenabled(), gc.get_threshold(), len(sys.modules)
    gc.set_threshold(_YOUNG, _NEVER, _NEVER)
    gc.enable()
    try:
        yield
    finally:
        # Packages that read their own source while they are imported leave it there: 3 MB.
        linecache.clearcache()
        # A program that loads many models must not freeze its own garbage each time; and triton, which comes with CUDA
        # builds of torch, counts what is left when the interpreter ends, and complains on stderr.
        if len(sys.modules) > modules and "triton" not in sys.modules:
            gc.freeze()
        gc.set_threshold(*thresholds)
        if not collecting:
            gc.disable()


@contextmanager
def _signals_held() -> Iterator[None]:
    """Keep signals back, and hand the first on at the end."""
    came: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    numbers = [getattr(signal, name) for name in _HELD if hasattr(signal, name)] if main else []
    # Ignored signals stay ignored, and those that end a process at once still do.
    handlers = {number: handler for number in numbers if callable(handler := signal.getsignal(number))}
    for number in handlers:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
