"""How the heavy packages are imported: with little garbage collection, and nothing raised by a signal meanwhile."""

from __future__ import annotations

import gc
import importlib
import linecache
import signal
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertshape.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTS = (
    ("torch", "torch", "Runs the models"),
    # The package itself imports next to nothing; its parts fail where it does not fit to torch.
    ("transformers", "transformers.models.bert.modeling_bert", "Builds the models"),
)
_YOUNG = 50_000
_NEVER = 1_000_000
_HELD = ("SIGINT", "SIGTERM", "SIGHUP")
_LOSSES = "transformers.loss.loss_utils"
_own_process = threading.Event()
"""Whether the process is a command's, so that nobody else's models miss what is left out of it."""


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
        _own_process.set()
        try:
            yield
        finally:
            _own_process.clear()


def import_losses() -> None:
    """Import the losses that come with every model, without scipy where the process is a command's.

    Those of object detection alone read it, and it takes a tenth of all imports. No model of texts has such a loss; its
    own use of scipy, as in FNet, is left as it is.
    """
    utils: Any = sys.modules.get("transformers.utils")
    if not _own_process.is_set() or _LOSSES in sys.modules or not hasattr(utils, "is_scipy_available"):
        return
    there = utils.is_scipy_available
    utils.is_scipy_available = lambda: False
    try:
        importlib.import_module(_LOSSES)
    finally:
        utils.is_scipy_available = there


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
    # Ignored signals stay ignored, and those that end a process at once still do, as by the command's own handler.
    handlers = {number: handler for number in numbers if callable(handler := signal.getsignal(number))}
    handlers = {number: handler for number, handler in handlers.items() if not hasattr(handler, "ends_imports")}
    for number in handlers:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@dataclass(frozen=True)
class Part:
    """A package that running a model needs, after trying to import it.

    Attributes:
        name: Name of the package.
        meaning: What it is for.
        seconds: Time that importing took.
        problem: Why it failed; None where it did not.
    """

    name: str
    meaning: str
    seconds: float
    problem: str | None


def try_imports() -> Iterator[Part]:
    """Import what a run imports, one part after the other; what comes after a broken part is not tried."""
    for name, module, meaning in _PARTS:
        start, problem = time.perf_counter(), None
        try:
            with warnings.catch_warnings(), heavy_imports():
                warnings.simplefilter("ignore")
                importlib.import_module(module)
        except Exception as error:  # a broken install fails in any way: ImportError, OSError, AttributeError ...
            problem = f"{type(error).__name__}: {one_line(error, 200)}"
        yield Part(name, meaning, time.perf_counter() - start, problem)
        if problem:
            return
