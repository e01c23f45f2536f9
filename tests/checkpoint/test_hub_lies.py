"""A Hub that lies: nothing is written outside the cache, nothing waits or grows without a bound, one clear message."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.loopback_hub import COMMIT, Lie, LoopbackHub, User, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.command_line import Run

MODEL = "org/tiny"
API, CONFIG = r"^/api/models/", r"config\.json$"


@pytest.fixture
def hub(tiny: Callable[[str], Path]) -> Iterator[LoopbackHub]:
    with serve({MODEL: tiny("bert")}) as server:
        yield server


@pytest.fixture
def user(hub: LoopbackHub, tmp_path: Path) -> User:
    return User(tmp_path / "a" / "b" / "home", hub.endpoint)


def info(**changes: object) -> bytes:
    document = {"id": MODEL, "modelId": MODEL, "sha": COMMIT, "siblings": [{"rfilename": "config.json"}]}
    return json.dumps(document | changes).encode()


def ask(user: User, *arguments: str) -> Run:
    return user.run("--model", MODEL, "--weights", "none", *arguments)


LIES = {
    "commit that leads out": ({API: Lie(body=info(sha="../../../../out"))}, "hub-invalid", "the commit is"),
    "commit of other letters": ({API: Lie(body=info(sha="main"))}, "hub-invalid", "the commit is"),
    "commit of a number": ({API: Lie(body=info(sha=3))}, "hub-invalid", "the commit is '3'"),
    "another commit for a file": ({CONFIG: Lie({"X-Repo-Commit": "f" * 40})}, "hub-changed", "changed while"),
    "list for an answer": ({API: Lie(body=b"[]")}, "hub-invalid", "is not valid"),
    "deep answer": ({API: Lie(body=b"[" * 100_000)}, "hub-invalid", "recursion"),
    "file of a number": ({API: Lie(body=info(siblings=[{"rfilename": 3}]))}, "hub-invalid", "the file '3'"),
    "file of a dot": ({API: Lie(body=info(siblings=[{"rfilename": "."}]))}, "hub-invalid", "the file '.'"),
    "file that leads out": (
        {API: Lie(body=info(siblings=[{"rfilename": "config.json"}, {"rfilename": "../../../evil/config.json"}]))},
        "hub-invalid",
        "leads out of the repository",
    ),
    "absolute file": (
        {API: Lie(body=info(siblings=[{"rfilename": "config.json"}, {"rfilename": "/tmp/config.json"}]))},
        "hub-invalid",
        "leads out of the repository",
    ),
    "commit header that leads out": ({CONFIG: Lie({"X-Repo-Commit": "../../../out"})}, "hub-invalid", "x-repo-commit"),
    "tag that leads out": ({CONFIG: Lie({"ETag": '"../../../../out"'})}, "hub-invalid", "etag"),
    "linked tag that leads out": (
        {CONFIG: Lie({"X-Linked-ETag": '"..\\\\..\\\\out"'})},
        "hub-invalid",
        "x-linked-etag",
    ),
    "compressed answer": (
        {API: Lie({"Content-Encoding": "gzip"}, gzip.compress(b" " * 10_000_000))},
        "hub-invalid",
        "compressed",
    ),
    "large answer": ({API: Lie({"Content-Length": str(3 * 10**9)}, b"{")}, "hub-invalid", "more than"),
    "endless answer": ({API: Lie(body=b" " * 1_000_000, endless=True)}, "hub-invalid", "more than 32,000,000 bytes"),
    "login page for the API": ({API: Lie({"Content-Type": "text/html"}, b"<html>")}, "hub-not-a-hub", "no Hub API"),
    "login page for a file": ({CONFIG: Lie({"Content-Type": "text/html"}, b"<html>")}, "hub-not-a-hub", "no Hub API"),
    "login page in capitals": ({API: Lie({"Content-Type": "Text/HTML"}, b"<HTML>")}, "hub-not-a-hub", "no Hub API"),
    "slow answer": ({API: Lie(pause=0.2)}, "hub-timeout", "longer than 1 s"),
    "slow file": ({CONFIG: Lie(pause=0.2)}, "hub-timeout", "longer than 1 s"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused(name: str, hub: LoopbackHub, user: User, tmp_path: Path) -> None:
    hub.lies, code, words = LIES[name]
    done = ask(user, "--json", *(("--timeout", "1") if "slow" in name else ()))
    document = json.loads(done.stdout)
    assert (done.returncode, document["error"]["code"]) == (4, code), done.stdout
    assert words in document["error"]["message"]
    assert "Traceback" not in done.stderr
    # Outside of the cache is nothing but the way to it.
    written = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    home = user.home.relative_to(tmp_path)
    assert {path for path in written if not path.is_relative_to(home)} <= set(home.parents)


def test_a_bad_file_in_the_cache_is_fetched_again(hub: LoopbackHub, user: User) -> None:
    hub.lies = {CONFIG: Lie(body=b"<html>login</html>")}
    assert ask(user).returncode == 3
    hub.lies = {}
    done = ask(user)
    assert done.returncode == 3
    assert "fetch it again with check --refresh" in done.stderr
    assert "config.json" in done.stderr
    assert ask(user, "--refresh").returncode == 0
    assert ask(user).returncode == 0


def test_the_truth_is_taken(hub: LoopbackHub, user: User) -> None:
    """The same run without a lie: what the guard refuses is nothing that a Hub says."""
    assert ask(user, "--json").returncode == 0
