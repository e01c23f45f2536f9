"""HF_TOKEN is sent to the Hub, and shows nowhere else: not in a report, not in an error, not with --debug."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.model import sound
from tests.support.loopback_hub import TOKEN, LoopbackHub, User, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
COMMANDS = {
    "inspect": ("inspect", "a text", "--model", "org/m"),
    "inspect as json": ("inspect", "a text", "--model", "org/m", "--json"),
    "check": ("check", "org/m"),
    "check for github": ("check", "org/m", "--format", "github"),
    "check as junit": ("check", "org/m", "--format", "junit"),
    "snapshot": ("snapshot", "org/m"),
    "diff": ("diff", "org/m", "embedded:bert-tiny-uncased"),
    "profile": ("profile", "texts", "--model", "org/m"),
    "embed": ("embed", "texts", "-o", "out.npz", "--model", "org/m"),
}
# What makes huggingface_hub and its HTTP library talk.
TALKATIVE = {"HF_DEBUG": "1", "HF_HUB_VERBOSITY": "debug", "TRANSFORMERS_VERBOSITY": "debug", "PYTHONVERBOSE": ""}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LoopbackHub]:
    sound(tmp_path)
    (tmp_path / "texts").write_text("a text\n")
    with serve({"org/m": tmp_path / "m"}) as server:
        yield server


@pytest.fixture
def user(hub: LoopbackHub, tmp_path: Path) -> User:
    return User(tmp_path / "home", hub.endpoint)


@pytest.mark.parametrize("status", [401, 403, 500])
@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS.keys())
def test_refused(hub: LoopbackHub, user: User, tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    """`User` looks for the token in all that is printed; only a process of its own can be made to say more."""
    hub.fail(status)
    ask, variables = (user.process, TALKATIVE) if status == 401 else (user.command, {})
    done = ask(*arguments, "--debug", cwd=tmp_path, **variables)
    assert done.returncode == 4, done.stderr
    assert f"HTTP {status}" in done.stdout + done.stderr
    assert hub.model_requests()[0].token == f"Bearer {TOKEN}", "it was there to be shown"


def test_served(hub: LoopbackHub, user: User, tmp_path: Path) -> None:
    done = user.process(*COMMANDS["inspect"], "--weights", "none", "--debug", cwd=tmp_path, **TALKATIVE)
    assert done.returncode == 0
    assert {request.token for request in hub.model_requests()} == {f"Bearer {TOKEN}"}


def test_doctor(user: User, tmp_path: Path) -> None:
    """It says that there is a token, and not which."""
    for more in (("--all",), ("--json",)):
        done = user.command("doctor", "--no-torch", *more, cwd=tmp_path)
        assert "token" in done.stdout


def test_token_from_a_file(hub: LoopbackHub, user: User, tmp_path: Path) -> None:
    """That of `hf auth login`; a file of two lines is none that a header can hold."""
    (tmp_path / "token").write_text(TOKEN)
    for content in (TOKEN, f"{TOKEN}\nmore", f"{TOKEN}\0"):
        (tmp_path / "token").write_text(content)
        hub.fail(403)
        done = user.command(
            *COMMANDS["check"], "--debug", cwd=tmp_path, HF_TOKEN="", HF_TOKEN_PATH=str(tmp_path / "token")
        )
        assert done.returncode == 4
