"""What huggingface_hub raises, turned into errors that say what to do next; it is not imported for that."""

from __future__ import annotations

import errno

from bertshape.errors import BertshapeError, HubError, UsageError

_DISK = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EDQUOT", "EEXIST", "EFBIG", "EIO", "ENOSPC", "ENOTDIR", "EPERM", "EROFS")
    if hasattr(errno, name)
)
_NETWORK = frozenset({"HTTPError", "OSError"})
"""What the HTTP library raises, and the system; anything else is of an answer that was no Hub's."""
_ANSWERS = frozenset({"FileMetadataError", "TooManyRedirects", "UnsupportedProtocol"})
"""What of these is of such an answer too."""
_ACCESS_HINT = "Accept its terms on its page, then set HF_TOKEN or run `hf auth login`."
_BY_KIND = {
    "EntryNotFoundError": ("hub-file-not-found", "{what} is not on the Hub", "Check the revision."),
    "GatedRepoError": ("hub-gated", "access to {what} is gated", _ACCESS_HINT),
    "RevisionNotFoundError": ("hub-revision-not-found", "{what} has no such revision", "Check the revision."),
    "RepositoryNotFoundError": (
        "hub-not-found",
        "{what} is not on the Hub, or is private; there is no folder of that name either",
        "Check the spelling; for a private repository set HF_TOKEN.",
    ),
}
_BY_STATUS = {
    0: ("hub-network", "cannot reach the Hub for {what}", "Check the network, or pass --offline to use the cache."),
    401: ("hub-unauthorized", "the Hub refused the credentials for {what}", "Check HF_TOKEN, or unset it."),
    403: ("hub-forbidden", "the Hub forbids access to {what}", _ACCESS_HINT),
    404: ("hub-not-found", "{what} is not on the Hub", "Check the spelling and the revision."),
    429: ("hub-rate-limited", "the Hub asks to slow down while asked for {what}", "Wait a little, or set HF_TOKEN."),
    500: ("hub-server-error", "the Hub failed when asked for {what}", "Try again later."),
}


def offline_error(what: str) -> HubError:
    """Say that something is not in the cache and may not be asked for."""
    hint = "Run once with a network, or pass a local folder."
    return HubError(f"{what} is not in the local cache, and bertshape is offline", hint=hint, code="hub-offline")


def invalid_answer(what: str, problem: str) -> HubError:
    """Say that a server does not answer as a Hub does."""
    return HubError(
        f"the Hub's answer for {what} is not valid: {problem}",
        hint="Check HF_ENDPOINT: that server does not answer as a Hub does.",
        code="hub-invalid",
    )


def translate(what: str, error: BaseException) -> BertshapeError:
    """Say what went wrong at the Hub and what to do next.

    Args:
        what: What was asked for, as a message names it.
        error: What huggingface_hub or its HTTP library raised; recognised by the names of its classes.
    """
    kinds = [kind.__name__ for kind in type(error).__mro__]
    if "LocalEntryNotFoundError" in kinds and error.__cause__ is not None:
        # Says only that a request failed and the cache is empty.
        return translate(what, error.__cause__)
    if "HFValidationError" in kinds:
        hint = "Write ORG/NAME for the Hub, or ./NAME for a folder."
        return UsageError(f"{what!r} is neither a folder nor a Hub name", hint=hint, code="model-name-invalid")
    status = getattr(getattr(error, "response", None), "status_code", None)
    # The most special kind first: a gated repository is also a "repository not found" to huggingface_hub.
    row = next((_BY_KIND[kind] for kind in kinds if kind in _BY_KIND), None)
    if row is None and isinstance(error, OSError) and error.errno in _DISK:
        row = ("hub-cache", "cannot keep {what} in the cache", "Free some space, or set HF_HOME to another folder.")
    if row is None and status is None and (_ANSWERS.intersection(kinds) or not _NETWORK.intersection(kinds)):
        return invalid_answer(what, _first_line(error))  # Its words are none that the libraries can take.
    code, message, hint = row or _BY_STATUS.get(status or 0, _BY_STATUS[500 if status and status >= 500 else 0])
    detail = f" (HTTP {status})" if status else f": {_first_line(error)}"
    return HubError(message.format(what=what) + detail, hint=hint, code=code)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
