"""What a run finds around it: the terminal, variables, and the checkpoints that ship in the package."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import BertshapeError
from bertshape.pipelines.doctor.fact import Fact
from bertshape.pipelines.doctor.secrets import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TERMINAL, ENVIRONMENT, EMBEDDED = "terminal", "environment", "embedded checkpoints"
_NARROW, _WIDE = 64, 156
"""The columns at which `bertshape.render.inspect` changes its layout."""
_TERMINAL_VARIABLES = {
    "COLUMNS": "Columns of tables, on a terminal and off it",
    "NO_COLOR": "Turns colours off",
    "FORCE_COLOR": "Output is as on a terminal, wherever it goes",
    "TERM": "Kind of terminal, which tells the colours",
    "PYTHONUTF8": "If 1, characters are Unicode",
    "PYTHONIOENCODING": "Encoding of the characters",
}
_HIDDEN = "set, value hidden"
# A fixed list: whatever else is in the environment is nobody's business.
VARIABLES = {
    "HF_HOME": "Folder of the Hub's cache and token",
    "HF_HUB_CACHE": "Folder of the cached checkpoints",
    "HUGGINGFACE_HUB_CACHE": "Old name of HF_HUB_CACHE",
    "HF_ENDPOINT": "Server that is asked for checkpoints",
    "HF_TOKEN": "Credentials for the Hub",
    "HUGGING_FACE_HUB_TOKEN": "Old name of HF_TOKEN",
    "HF_TOKEN_PATH": "File with the credentials for the Hub",
    "HF_HUB_OFFLINE": "If true, the Hub is not asked",
    "HF_HUB_DOWNLOAD_TIMEOUT": "Seconds to wait for data from the Hub",
    "HF_HUB_ETAG_TIMEOUT": "Seconds to wait for facts from the Hub",
    "HF_HUB_DISABLE_XET": "If true, files come by plain HTTP",
    "HF_HUB_DISABLE_SYMLINKS": "If true, the cache copies files in place of linking",
    "TRANSFORMERS_OFFLINE": "Older name of HF_HUB_OFFLINE",
    "TRANSFORMERS_CACHE": "No longer read by transformers: use HF_HOME",
    "TRANSFORMERS_VERBOSITY": "bertshape sets it to error itself",
    "TOKENIZERS_PARALLELISM": "If false, texts are tokenized on one core",
    "RAYON_NUM_THREADS": "Cores that tokenize",
    "OMP_NUM_THREADS": "Cores on which torch runs",
    "MKL_NUM_THREADS": "Cores on which torch multiplies matrices",
    "CUDA_VISIBLE_DEVICES": "The CUDA devices that torch may see",
    "PYTORCH_ENABLE_MPS_FALLBACK": "If 1, what MPS cannot do runs on the CPU",
    "HTTPS_PROXY": "Proxy on the way to the Hub",
    "HTTP_PROXY": "Proxy on the way to a Hub without encryption",
    "ALL_PROXY": "Proxy on the way to the Hub",
    "NO_PROXY": "Hosts that are reached without a proxy",
    "SSL_CERT_FILE": "Certificates by which the Hub is trusted",
    "PYTHONPATH": "Folders from which Python imports first",
}


@dataclass(frozen=True)
class Terminal:
    """What the command line knows of its streams.

    Attributes:
        stdout: Whether stdout is a terminal.
        stderr: Whether stderr is a terminal.
        columns: Columns that tables may take.
        color_system: Colours that are used; None for none.
        encoding: Encoding of stdout.
    """

    stdout: bool
    stderr: bool
    columns: int
    color_system: str | None
    encoding: str


def terminal_facts(terminal: Terminal) -> Iterator[Fact]:
    """What tables will look like here."""
    if terminal.stdout:
        yield Fact(TERMINAL, "stdout", "terminal", "ok", "Predicted shapes are drawn first, then what a run gave")
    else:
        yield Fact(TERMINAL, "stdout", "no terminal", "ok", "Output is plain, and 200 columns wide without COLUMNS")
    errors = "terminal" if terminal.stderr else "no terminal"
    yield Fact(TERMINAL, "stderr", errors, "ok", "Errors and progress go there, reports never")
    yield _columns(terminal.columns)
    colours = terminal.color_system or "none"
    yield Fact(TERMINAL, "colours", colours, "ok", "NO_COLOR turns them off, FORCE_COLOR on")
    if terminal.encoding.lower().startswith("utf"):
        yield Fact(TERMINAL, "characters", f"Unicode ({terminal.encoding})", "ok", "Every token is shown as it is")
    else:
        meaning = "What it lacks is shown as an escape: set PYTHONUTF8=1"
        yield Fact(TERMINAL, "characters", f"only {terminal.encoding}", "note", meaning)
    yield from _given(TERMINAL, _TERMINAL_VARIABLES)


def environment_facts() -> Iterator[Fact]:
    """The variables that are set, of those that change what bertshape or the packages below it do."""
    found = list(_given(ENVIRONMENT, VARIABLES))
    yield from found or [Fact(ENVIRONMENT, "variables", "none", "ok", "Nothing changes the defaults")]


def embedded_facts() -> Iterator[Fact]:
    """Whether the checkpoints in the package are whole."""
    # Not on top: only this area needs them.
    from bertshape.checkpoint.locate import EMBEDDED_PREFIX, embedded_names, locate
    from bertshape.files import read_json_object

    broken = []
    for name in embedded_names():
        place = locate(EMBEDDED_PREFIX + name)
        try:
            for path in (place.folder / "config.json", place.tokenizer_folder / "tokenizer.json"):
                read_json_object(path)
        except BertshapeError as error:
            broken.append(f"{name}: {error.message}")
    count = len(embedded_names())
    if broken or not count:
        problem = broken[0] if broken else "the package holds none"
        meaning = f"{problem}: pip install --force-reinstall --no-deps bertshape"
        yield Fact(EMBEDDED, "files", f"{len(broken)} of {count} broken", "error", meaning)
    else:
        yield Fact(EMBEDDED, "files", f"{count} readable", "ok", "Commands work without --model, a network and a cache")


def _columns(columns: int) -> Fact:
    numbers = {"columns": columns}
    if columns < _NARROW:
        return Fact(TERMINAL, "columns", str(columns), "note", "Tables are folded: 80 columns show more", numbers)
    layout = "Each row has a line" if columns >= _WIDE else f"Rows take several lines; one from {_WIDE} columns on"
    return Fact(TERMINAL, "columns", str(columns), "ok", layout, numbers)


def _given(area: str, names: Mapping[str, str]) -> Iterator[Fact]:
    for name, meaning in names.items():
        # Proxies are also read in lower case, which is how most systems write them.
        given = next((one for one in (name, name.lower()) if os.environ.get(one)), None)
        if given is None or (given != name and not name.endswith("_PROXY")):
            continue
        value = _HIDDEN if is_secret(name) else os.environ[given]
        yield Fact(area, given, value, "ok", meaning)
