"""Does the Hub answer? One request, without the token and in a bounded time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from bertshape.checkpoint.hub import prepare_request
from bertshape.errors import one_line

_PROBE = "google-bert/bert-base-uncased"
"""Public, and on the Hub for as long as there are models."""
_OK = 200


@dataclass(frozen=True)
class HubAnswer:
    """What came of one request.

    Attributes:
        status: HTTP status; None where no answer came.
        is_hub: Whether the answer is one that a Hub gives.
        seconds: Time that it took.
        problem: Why no answer came, or an empty string.
    """

    status: int | None
    is_hub: bool
    seconds: float
    problem: str


def probe_hub(timeout: float) -> HubAnswer:
    """Ask the Hub for one small thing.

    Args:
        timeout: Seconds that it may take in all.
    """
    answers: list[HubAnswer] = []
    try:
        send = prepare_request(f"api/models/{_PROBE}")
    except Exception as error:  # a proxy or certificates that are not valid
        return _failed(error, 0)
    start = time.perf_counter()

    def ask() -> None:
        try:
            status, headers = send(timeout)
        except Exception as error:  # the HTTP library fails in many ways
            answers.append(_failed(error, time.perf_counter() - start))
            return
        # Also a Hub that does not hold this very checkpoint, such as a mirror, says what it lacks.
        is_hub = "x-error-code" in headers or (status == _OK and "json" in headers.get("content-type", ""))
        answers.append(HubAnswer(status, is_hub, time.perf_counter() - start, ""))

    # The HTTP library bounds each step of a request, not their sum, and the look-up of a name not at all.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    late = HubAnswer(None, False, time.perf_counter() - start, f"No answer within {timeout:g} s")
    return answers[0] if answers else late


def _failed(error: Exception, seconds: float) -> HubAnswer:
    return HubAnswer(None, False, seconds, f"{type(error).__name__}: {one_line(error, 200)}")
