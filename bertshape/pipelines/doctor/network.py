"""The Hub: which one, whether it may be asked, and whether it answers. The token itself is never part of a fact."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.errors import one_line
from bertshape.pipelines.doctor.fact import Fact
from bertshape.pipelines.doctor.secrets import is_sendable, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

AREA = "Hub"
_USUAL = "https://huggingface.co"
_LOCAL = "folders, embedded and cached checkpoints work without it"
_PROBE = "google-bert/bert-base-uncased"
"""Public, and on the Hub for as long as there are models."""
_OK, _SLOW_DOWN, _SERVER_ERROR = 200, 429, 500


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


def hub_facts(*, offline: bool, timeout: float) -> Iterator[Fact]:
    """The settings, then one request.

    Args:
        offline: Leave the request out.
        timeout: Seconds that it may take in all.
    """
    from bertshape.checkpoint.hub import hub_settings

    settings = hub_settings()
    if settings.endpoint == _USUAL:
        yield Fact(AREA, "endpoint", settings.endpoint, "ok", "Where --model ORG/NAME is looked up")
    else:
        yield Fact(AREA, "endpoint", settings.endpoint, "note", "HF_ENDPOINT: another server than huggingface.co")
    if settings.offline:
        yield Fact(AREA, "offline", "yes", "note", "HF_HUB_OFFLINE: cached checkpoints alone can be opened")
    else:
        yield Fact(AREA, "offline", "no", "ok", "The Hub is asked unless --offline is passed")
    yield _token(tokens(settings.token_file))
    if offline or settings.offline:
        reason = "--offline" if offline else "HF_HUB_OFFLINE"
        yield Fact(AREA, "reachable", "not asked", "note", f"{reason}: whether the Hub answers is not known")
    else:
        yield _reachable(timeout)


def probe_hub(timeout: float) -> HubAnswer:
    """Ask the Hub for one small thing.

    Args:
        timeout: Seconds that it may take in all.
    """
    from bertshape.checkpoint.hub import prepare_request

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


def _token(found: dict[str, str]) -> Fact:
    if not found:
        return Fact(AREA, "token", "none", "ok", "Public checkpoints need none; gated and private ones do")
    place, token = next(iter(found.items()))
    value = f"set by {place}"
    if not is_sendable(token):
        meaning = "It holds characters that no token has: set it again, or unset it"
        return Fact(AREA, "token", value, "warning", meaning)
    return Fact(AREA, "token", value, "ok", "Sent to the endpoint, for gated and private checkpoints")


def _reachable(timeout: float) -> Fact:
    answer = probe_hub(timeout)
    numbers: dict[str, int | float] = {"seconds": round(answer.seconds, 3)}
    if answer.status is None:
        return Fact(AREA, "reachable", "no", "warning", f"{answer.problem}; {_LOCAL}", numbers)
    numbers["status"] = answer.status
    value = f"HTTP {answer.status} in {answer.seconds:.2f} s"
    if answer.status >= _SERVER_ERROR:
        return Fact(AREA, "reachable", value, "warning", f"It fails at the moment: try later; {_LOCAL}", numbers)
    if answer.status == _SLOW_DOWN:
        return Fact(
            AREA, "reachable", value, "warning", "It asks to slow down: wait a little, or set HF_TOKEN", numbers
        )
    if not answer.is_hub:
        meaning = f"It does not answer as a Hub does: check HF_ENDPOINT and the proxy; {_LOCAL}"
        return Fact(AREA, "reachable", value, "warning", meaning, numbers)
    return Fact(AREA, "reachable", value, "ok", "Checkpoints can be looked up", numbers)
