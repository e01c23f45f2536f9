"""The Hub: the only importer of huggingface_hub. Files come into its cache; weights can also be read by byte ranges."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bertshape.errors import BertshapeError, HubError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SMALL_FILES = frozenset(
    {
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors.index.json",
        "modules.json",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
)
# Needed only where there is no tokenizer.json to say it all.
_VOCABULARY_FILES = frozenset(
    {
        "added_tokens.json",
        "merges.txt",
        "sentencepiece.bpe.model",
        "spiece.model",
        "spm.model",
        "vocab.json",
        "vocab.txt",
    }
)


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


@dataclass(frozen=True)
class RangeSource:
    """A remote file read by byte ranges; satisfies `bertshape.weights.ByteSource`."""

    name: str
    size: int
    url: str

    def read(self, start: int, length: int) -> bytes:
        """Read a range with one GET request."""
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        wanted = {"Range": f"bytes={start}-{start + length - 1}"}
        with _translated(self.name):
            response = get_session().get(self.url, headers=build_hf_headers() | wanted, timeout=30)
            hf_raise_for_status(response)
        content: bytes = response.content
        # A server that ignores ranges answers 200 with the whole file.
        return content[start : start + length] if response.status_code == 200 else content


def open_snapshot(repo_id: str, revision: str | None, *, offline: bool) -> Snapshot:
    """Bring the small files of a repository into the cache.

    Args:
        repo_id: Name on the Hub.
        revision: Branch, tag or commit; None for the main branch.
        offline: Use the cache alone, as HF_HUB_OFFLINE does.

    Raises:
        HubError: The repository, revision or network is not there, or access is refused.
    """
    from huggingface_hub import HfApi, constants, hf_hub_download

    if offline or constants.HF_HUB_OFFLINE:
        return _cached_snapshot(repo_id, revision)
    with _translated(repo_id):
        info = HfApi().model_info(repo_id, revision=revision, timeout=30)
    commit, files = info.sha or "", tuple(sibling.rfilename for sibling in info.siblings or ())
    if "config.json" not in files and not any(name.endswith("/config.json") for name in files):
        raise HubError(
            f"{repo_id} on the Hub has no config.json: it is not a transformers checkpoint",
            hint="Name the repository of the PyTorch model.",
            code="hub-not-a-checkpoint",
        )
    with _translated(repo_id), _progress(shown=False):
        paths = [(name, hf_hub_download(repo_id, name, revision=commit)) for name in files if _is_small(name, files)]
    name, path = paths[0]
    return Snapshot(repo_id, commit, Path(path).parents[name.count("/")], files, online=True)


def open_remote(snapshot: Snapshot, prefix: str, name: str) -> RangeSource:
    """Open one file of a snapshot for reading by ranges; costs one HEAD request.

    Args:
        snapshot: The revision.
        prefix: Folder of the file in the repository, with a slash at its end, or empty.
        name: Name of the file in that folder.

    Raises:
        HubError: The file cannot be reached.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    with _translated(snapshot.repo_id):
        metadata = get_hf_file_metadata(hf_hub_url(snapshot.repo_id, prefix + name, revision=snapshot.commit))
    if metadata.size is None:
        raise HubError(f"the Hub does not tell the size of {name}", hint="Try --weights none.", code="hub-invalid")
    return RangeSource(name, metadata.size, metadata.location)


def download(snapshot: Snapshot, names: tuple[str, ...], *, progress: bool) -> None:
    """Bring large files of a snapshot into the cache, resuming what an earlier run began.

    Args:
        snapshot: The revision.
        names: Files wanted; those in the cache are not asked for again.
        progress: Draw a progress bar on stderr.

    Raises:
        HubError: A file cannot be had.
    """
    from huggingface_hub import hf_hub_download

    with _translated(snapshot.repo_id), _progress(shown=progress):
        for name in names:
            hf_hub_download(snapshot.repo_id, name, revision=snapshot.commit, local_files_only=not snapshot.online)


def _cached_snapshot(repo_id: str, revision: str | None) -> Snapshot:
    from huggingface_hub import try_to_load_from_cache

    with _translated(repo_id):
        found = [try_to_load_from_cache(repo_id, name, revision=revision) for name in ("config.json", "modules.json")]
    path = next((Path(path) for path in found if isinstance(path, str)), None)
    if path is None:
        at = f" at revision {revision}" if revision else ""
        hint = "Run once with a network, or pass --model a local folder."
        raise HubError(
            f"{repo_id}{at} is not in the local cache, and bertshape is offline", hint=hint, code="hub-offline"
        )
    folder = path.parent
    files = tuple(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return Snapshot(repo_id, folder.name, folder, files, online=False)


def _is_small(name: str, files: tuple[str, ...]) -> bool:
    path = PurePosixPath(name)
    wanted = _SMALL_FILES
    if str(path.with_name("tokenizer.json")) not in files:
        wanted = wanted | _VOCABULARY_FILES
    return len(path.parts) <= 2 and path.name in wanted


@contextmanager
def _progress(*, shown: bool) -> Iterator[None]:
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if shown or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn every failure of huggingface_hub into an error that says what to do next."""
    try:
        yield
    except Exception as error:
        raise _translate(what, error) from error


def _translate(what: str, error: Exception) -> BertshapeError:
    from huggingface_hub import errors

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.HFValidationError):
        hint = "Write ORG/NAME for the Hub, or ./NAME for a folder."
        return UsageError(f"{what!r} is neither a folder nor a Hub name", hint=hint, code="model-name-invalid")
    row = next((row for kind, row in _BY_TYPE.items() if isinstance(error, getattr(errors, kind))), None)
    if row is None and status is not None and status >= 500:
        row = ("hub-server-error", "the Hub failed when asked for {what}", "Try again later.")
    code, message, hint = row or _BY_STATUS.get(status or 0, _BY_STATUS[0])
    detail = f" (HTTP {status})" if status else f": {_first_line(error)}"
    return HubError(message.format(what=what) + detail, hint=hint, code=code)


_ACCESS_HINT = "Accept its terms on its page, then set HF_TOKEN or run `hf auth login`."
_Row = tuple[str, str, str]
# More special kinds first: a gated repository is also a "repository not found" to huggingface_hub.
_BY_TYPE: dict[str, _Row] = {
    "GatedRepoError": ("hub-gated", "access to {what} is gated", _ACCESS_HINT),
    "RevisionNotFoundError": ("hub-revision-not-found", "{what} has no such revision", "Check --revision."),
    "RepositoryNotFoundError": (
        "hub-not-found",
        "{what} is not on the Hub, or is private; there is no folder of that name either",
        "Check the spelling; for a private repository set HF_TOKEN.",
    ),
    "EntryNotFoundError": ("hub-file-not-found", "a file of {what} is not on the Hub", "Check --revision."),
}
_BY_STATUS: dict[int, _Row] = {
    0: ("hub-network", "cannot reach the Hub for {what}", "Check the network, or pass --offline to use the cache."),
    401: ("hub-unauthorized", "the Hub refused the credentials for {what}", "Check HF_TOKEN, or unset it."),
    403: ("hub-forbidden", "the Hub forbids access to {what}", _ACCESS_HINT),
    404: ("hub-not-found", "{what} is not on the Hub", "Check the spelling and --revision."),
    429: ("hub-rate-limited", "the Hub asks to slow down while asked for {what}", "Wait a little, or set HF_TOKEN."),
}


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
