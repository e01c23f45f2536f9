"""How the heavy packages are imported: without the garbage collector, and without Ctrl-C in their midst."""

from __future__ import annotations

import gc
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def heavy_imports() -> Iterator[None]:
    """Wrap imports that take seconds.

    Importing makes millions of objects that stay; the garbage collector would walk them again and again.

    Raises:
        KeyboardInterrupt: Ctrl-C came meanwhile. It is kept until the imports are over: raised inside the initialisers
            of torch's C++ parts it would abort the process and leave the terminal as it is.
    """
    interrupted = threading.Event()
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set()) if main else None
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.freeze()
            gc.enable()
        if main:
            # None: the handler was not installed from Python, and cannot be put back.
            signal.signal(signal.SIGINT, before or signal.default_int_handler)
    if interrupted.is_set():
        raise KeyboardInterrupt
