"""The Hub: the only importer of huggingface_hub. Files come into its cache; weights can also be read by byte ranges."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from huggingface_hub import (
    HfApi,
    constants,
    get_hf_file_metadata,
    get_session,
    get_token,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.utils import build_hf_headers, disable_progress_bars, hf_raise_for_status

from bertshape.checkpoint.byte_source import MissingWeightsError
from bertshape.checkpoint.hub_failures import offline_error, translate
from bertshape.checkpoint.hub_guard import SECONDS, Guard, check_names
from bertshape.checkpoint.small_files import ANCHORS, SMALL_FILES, VOCABULARY_FILES
from bertshape.errors import BertshapeError, HubError
from bertshape.files import exists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_LONGEST_SLEEP = 8
"""Seconds that huggingface_hub sleeps between two tries."""


@dataclass(frozen=True)
class Snapshot:
    """One revision of a repository, its small files in the local cache.

    Attributes:
        repo_id: Name on the Hub, such as `google-bert/bert-base-uncased`.
        commit: Full hash of the revision, so that later reads cannot see another one.
        folder: Cache folder that holds the files.
        files: Names of all files of the revision; of the cached ones where the Hub was not asked.
        online: Whether the Hub may be asked for more.
    """

    repo_id: str
    commit: str
    folder: Path
    files: tuple[str, ...]
    online: bool

    def open(self, name: str) -> RangeSource:
        """Open one file for reading by ranges; costs one HEAD request.

        Args:
            name: Path of the file in the repository.

        Raises:
            MissingWeightsError: The revision has no such file.
            HubError: The file cannot be reached.
        """
        if name not in self.files:
            raise MissingWeightsError(f"{name} is not in {self.repo_id}", hint="Check the revision.")
        # Not the address that a redirect leads to: each request follows it anew, and leaves the token behind at the
        # Hub.
        url = hf_hub_url(self.repo_id, name, revision=self.commit)
        with _session(f"{name} of {self.repo_id}"):
            size = get_hf_file_metadata(url).size
        file = name.rpartition("/")[2]
        if size is None:
            raise HubError(f"the Hub does not tell the size of {file}", hint="Try again later.", code="hub-invalid")
        return RangeSource(file, size, url)

    def download(self, names: tuple[str, ...], *, progress: bool) -> None:
        """Bring large files into the cache.

        Args:
            names: Files wanted; those in the cache are not asked for again.
            progress: Draw a progress bar on stderr.

        Raises:
            HubError: A file cannot be had.
        """
        for name in names:
            if not self.online and not exists(self.folder / name):
                raise offline_error(f"{name} of {self.repo_id}")
            if self.online:
                with _session(f"{name} of {self.repo_id}", progress=progress):
                    hf_hub_download(self.repo_id, name, revision=self.commit)


@dataclass(frozen=True)
class HubSettings:
    """What the environment says of the Hub.

    Attributes:
        endpoint: Address of the server.
        offline: Whether HF_HUB_OFFLINE forbids to ask it.
        cache_folder: Where checkpoints are kept; it need not exist.
        token_file: Where a token is kept; it need not exist.
    """

    endpoint: str
    offline: bool
    cache_folder: Path
    token_file: Path


@dataclass(frozen=True)
class RangeSource:
    """A remote file read by byte ranges; satisfies `ByteSource`."""

    name: str
    size: int
    url: str

    def read(self, start: int, length: int) -> bytes:
        """Read a range with one GET request.

        Raises:
            HubError: The bytes cannot be had.
        """
        headers = build_hf_headers(headers={"Range": f"bytes={start}-{start + length - 1}"})
        headers["Accept-Encoding"] = "identity"
        options: dict[str, Any] = {"headers": headers, "timeout": constants.HF_HUB_DOWNLOAD_TIMEOUT}
        with _session(self.name), get_session().stream("GET", self.url, **options) as response:
            hf_raise_for_status(response)
            # A server that ignores ranges answers 200 and sends all there is; what comes later is left unread.
            skip, content = start if response.status_code == 200 else 0, b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) >= skip + length:
                    break
        return content[skip : skip + length]


def open_snapshot(
    repo_id: str, revision: str | None, *, offline: bool, timeout: float | None = None, refresh: bool = False
) -> Snapshot:
    """Bring the small files of a repository into the cache.

    Args:
        repo_id: Name on the Hub.
        revision: Branch, tag or commit; None for the main branch.
        offline: Use the cache alone, as HF_HUB_OFFLINE does.
        timeout: Seconds that all of it may take; None for the usual.
        refresh: Fetch the files again, whatever the cache holds.

    Raises:
        UsageError: The name cannot be a repository's.
        HubError: The repository, revision or network is not there, access is refused, or the answer is not valid.
    """
    if offline or constants.HF_HUB_OFFLINE:
        return _cached_snapshot(repo_id, revision)
    guard = Guard(repo_id, timeout or SECONDS)
    with _session(repo_id, guard):
        # The first request of a run and never repeated: a Hub that is down or refuses is known at once.
        info = HfApi().model_info(repo_id, revision=revision, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT)
    commit, files = info.sha, tuple(sibling.rfilename for sibling in info.siblings or ())
    check_names(repo_id, commit, files)
    anchor = next((name for name in ANCHORS if name in files), None)
    if commit is None or anchor is None:
        raise HubError(
            f"{repo_id} on the Hub has no config.json: it is not a transformers checkpoint",
            hint="Name the repository of the PyTorch model.",
            code="hub-not-a-checkpoint",
        )
    with _session(repo_id, guard):
        # Once by the name of the revision, from which the cache learns what commit that is: --offline needs it.
        named = Path(hf_hub_download(repo_id, anchor, revision=revision, force_download=refresh)).parent
        folder = Path(hf_hub_download(repo_id, anchor, revision=commit)).parent
        if {named.name, folder.name} != {commit}:
            hint = "Run again; where it stays so, HF_ENDPOINT is no Hub."
            raise HubError(f"{repo_id} changed while it was read from the Hub", hint=hint, code="hub-changed")
        known = frozenset(files)  # A list may have 100,000 of them, and each is asked about the others.
        for name in files:
            if _is_small(name, known):
                hf_hub_download(repo_id, name, revision=commit, force_download=refresh)
    return Snapshot(repo_id, commit, folder, files, online=True)


def hub_settings() -> HubSettings:
    """Read the settings; no request is sent."""
    folders = Path(constants.HF_HUB_CACHE), Path(constants.HF_TOKEN_PATH)
    return HubSettings(constants.ENDPOINT, constants.HF_HUB_OFFLINE, *folders)


def prepare_request(path: str) -> Callable[[float], tuple[int, dict[str, str]]]:
    """Make all ready for one request, without a token and without trying again; imports take longer than the Hub does.

    Args:
        path: Path on the server.

    Returns:
        A function that sends it, given the seconds that each step may take; it returns the HTTP status, and the headers
        by their names in lower case, and raises whatever the HTTP library does where no answer comes.
    """
    client, url = get_session(), f"{constants.ENDPOINT}/{path}"

    def send(timeout: float) -> tuple[int, dict[str, str]]:
        with client.stream("GET", url, timeout=timeout) as response:
            return response.status_code, {name.lower(): value for name, value in response.headers.items()}

    return send


def _cached_snapshot(repo_id: str, revision: str | None) -> Snapshot:
    with _session(repo_id):
        found = [try_to_load_from_cache(repo_id, name, revision=revision) for name in ANCHORS]
    path = next((Path(path) for path in found if isinstance(path, str)), None)
    if path is None:
        raise offline_error(f"{repo_id} at revision {revision}" if revision else repo_id)
    folder = path.parent
    files = tuple(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return Snapshot(repo_id, folder.name, folder, files, online=False)


def _is_small(name: str, files: frozenset[str]) -> bool:
    path = PurePosixPath(name)
    if len(path.parts) > 1 and "config.json" in files:
        # A step of a sentence-transformers chain; also onnx/ and the like, whose copies of a tokenizer are not wanted.
        return len(path.parts) == 2 and path.name == "config.json"
    with_vocabulary = str(path.with_name("tokenizer.json")) not in files
    return len(path.parts) <= 2 and (path.name in SMALL_FILES or (with_vocabulary and path.name in VOCABULARY_FILES))


@contextmanager
def _session(what: str, guard: Guard | None = None, *, progress: bool = False) -> Iterator[None]:
    """Use huggingface_hub without its notices and long waits, and fail with errors that say what to do next."""
    token = get_token() or ""
    if not (token.isascii() and token.isprintable()):
        # The HTTP library would quote the token in its error.
        hint = "Set HF_TOKEN again, or unset it."
        raise HubError("the Hub token holds characters that no token has", hint=hint, code="hub-token-invalid")
    logger, client = logging.getLogger("huggingface_hub"), get_session()
    level, hooks = logger.level, client.event_hooks
    guard = guard or Guard(what, None)
    client.event_hooks = {
        "request": [*hooks["request"], guard.request],
        "response": [*hooks["response"], guard.response, partial(_refuse_to_wait, guard)],
    }
    if level == logging.WARNING:  # its default; another one was chosen by somebody who wants to see
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with nullcontext() if progress else disable_progress_bars():
                yield
    except BertshapeError:
        raise
    except Exception as error:
        raise translate(what, error) from error
    finally:
        client.event_hooks = hooks
        logger.setLevel(level)


def _refuse_to_wait(guard: Guard, response: Any) -> None:
    """Fail on "too many requests", and on a server's error when the time is nearly over.

    huggingface_hub sleeps for as long as the Hub asks it to, for hours, up to five times over, and no parameter or
    variable bounds that; a hook of its client does. Its other retries sleep for half a minute at most in all, and are
    left to it.
    """
    response.headers.pop("retry-after", None)
    if response.status_code == 429 or (response.status_code >= 500 and guard.left() < _LONGEST_SLEEP):
        hf_raise_for_status(response)
