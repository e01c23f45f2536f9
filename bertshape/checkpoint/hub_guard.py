"""What a Hub may answer: checked before a byte of it is believed, for its words become paths and its bodies memory.

huggingface_hub puts `X-Repo-Commit` and `ETag` into paths of its cache, reads answers whole, and waits as long as a
server sends anything. These hooks of its HTTP client look at every answer before its body is read.
"""

from __future__ import annotations

import math
import re
import time
from typing import TYPE_CHECKING, Any

from bertshape.checkpoint.hub_failures import invalid_answer
from bertshape.errors import HubError
from bertshape.files import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_SMALL_BYTES = 128_000_000
"""Bytes of one answer in the phase of small files; a tokenizer of a million tokens has half of it."""
MAX_API_BYTES = 32_000_000
"""Bytes of an answer that is no file: the list of a repository with 100,000 files has a third of it."""
SECONDS = 120.0
"""The phase of small files ends after this time, whatever comes; `--timeout` says otherwise."""

_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_TAG = re.compile(r'(?:W/)?"?[A-Za-z0-9][A-Za-z0-9._-]{0,127}"?')
_HEADERS = {"x-repo-commit": _COMMIT, "etag": _TAG, "x-linked-etag": _TAG}


class Guard:
    """Looks at the answers of one phase.

    Args:
        what: What is asked for, as messages name it.
        seconds: Time that the phase may take; None for no limit, as for the download of weights.
    """

    def __init__(self, what: str, seconds: float | None) -> None:
        self._what = what
        self._seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def request(self, request: Any) -> None:
        """Ask for plain bodies, for a compressed one grows by a thousand times while it is read, and in time.

        Raises:
            HubError: The time is over.
        """
        request.headers["Accept-Encoding"] = "identity"
        self._check_time()
        waits = request.extensions.get("timeout", {})
        for step, seconds in waits.items():
            waits[step] = self.left() if seconds is None else min(seconds, self.left())

    def response(self, response: Any) -> None:
        """Check the head of an answer, and put bounds around its body.

        Raises:
            HubError: It is not what a Hub answers.
        """
        self._check_time()
        headers = response.headers
        for name, pattern in _HEADERS.items():
            if name in headers and not pattern.fullmatch(headers[name]):
                raise self._invalid(f"{name} is {headers[name][:80]!r}, which can be none")
        if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise self._invalid(f"its body is compressed ({headers['content-encoding'][:40]}), which was not asked for")
        if response.status_code == 200 and "html" in headers.get("content-type", "").lower():
            raise HubError(
                f"{response.url.scheme}://{response.url.netloc.decode()} answers {self._what} with an HTML page: "
                "that is no Hub API",
                hint="Check HF_ENDPOINT, and whether a proxy wants a login.",
                code="hub-not-a-hub",
            )
        if self._end is not None:
            most = MAX_API_BYTES if "/api/" in response.url.path else MAX_SMALL_BYTES
            length = headers.get("content-length", "")
            if length.isdecimal() and int(length[:20]) > most and response.request.method != "HEAD":
                raise self._too_large(most)
            response.stream = _bounded(response.stream, self, most)

    def left(self) -> float:
        """Seconds until the phase must end."""
        return math.inf if self._end is None else max(self._end - time.monotonic(), 0.001)

    def passed(self, count: int, most: int) -> None:
        """Look at the time and the size while a body comes.

        Raises:
            HubError: It takes too long, or is too large.
        """
        self._check_time()
        if count > most:
            raise self._too_large(most)

    def _check_time(self) -> None:
        if self._end is not None and time.monotonic() > self._end:
            raise HubError(
                f"the Hub takes longer than {self._seconds:g} s for {self._what}",
                hint="Try again later; inspect and check wait longer with --timeout SECONDS, for all commands.",
                code="hub-timeout",
            )

    def _too_large(self, most: int) -> HubError:
        return self._invalid(f"it sends more than {most:,} bytes")

    def _invalid(self, problem: str) -> HubError:
        return invalid_answer(self._what, problem)


def _bounded(stream: Any, guard: Guard, most: int) -> Any:
    """The same body, counted and timed while it is read."""
    # The HTTP library (httpx, or httpx2 in newer releases) takes streams of its own class alone.
    base = next(kind for kind in type(stream).__mro__ if kind.__name__ == "SyncByteStream")

    class Bounded(base):  # type: ignore[misc, valid-type]
        def __iter__(self) -> Iterator[bytes]:
            count = 0
            for chunk in stream:
                count += len(chunk)
                guard.passed(count, most)
                yield chunk

        def close(self) -> None:
            stream.close()

    return Bounded()


def check_names(repo_id: str, commit: str | None, names: Sequence[str]) -> None:
    """Refuse a description of a repository whose words would lead out of the cache.

    Args:
        repo_id: The repository.
        commit: The hash that it gives for the revision.
        names: Its files.

    Raises:
        HubError: The hash is none, or a name is not one of a file inside the repository.
    """
    problem = None
    if commit is not None and not (isinstance(commit, str) and _COMMIT.fullmatch(commit)):
        problem = f"the commit is {str(commit)[:80]!r}, which can be none"
    inside = (isinstance(name, str) and name.strip("./") and is_inside(name) for name in names)
    outside = next((name for name, good in zip(names, inside, strict=True) if not good), None)
    if outside is not None:
        problem = f"it lists the file {str(outside)[:80]!r}, which leads out of the repository"
    if problem:
        raise invalid_answer(repo_id, problem)
