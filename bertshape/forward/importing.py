"""How the heavy packages are imported: with little garbage collection, and without Ctrl-C in their midst."""

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


@contextmanager
def heavy_imports() -> Iterator[None]:
    """Wrap imports that take seconds.

    Importing makes millions of objects that stay, and the garbage collector would walk them again and again. It only
    looks at each new lot of them once, which is a tenth of its time and finds nearly all of the garbage (8 MB). What
    is left is frozen: the interpreter would walk it all once more when it ends, for more than half a second.

    Raises:
        KeyboardInterrupt: Ctrl-C came meanwhile. It is kept until the imports are over: raised inside the initialisers
            of torch's C++ parts it would abort the process and leave the terminal as it is.
    """
    interrupted = threading.Event()
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set()) if main else None
    collecting, thresholds, modules = gc.isenabled(), gc.get_threshold(), len(sys.modules)
    gc.set_threshold(_YOUNG, _NEVER, _NEVER)
    gc.enable()
    try:
        yield
    finally:
        # Packages that read their own source while they are imported leave it there: 3 MB.
        linecache.clearcache()
        if len(sys.modules) > modules:  # a program that loads many models must not freeze its own garbage each time
            gc.freeze()
        gc.set_threshold(*thresholds)
        if not collecting:
            gc.disable()
        if main:
            # None: the handler was not installed from Python, and cannot be put back.
            signal.signal(signal.SIGINT, before or signal.default_int_handler)
    if interrupted.is_set():
        raise KeyboardInterrupt
