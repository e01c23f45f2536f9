"""`doctor` and the Hub: one request, bounded and without a token, and no token in what is printed."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import constants

from bertshape.pipelines import doctor
from bertshape.pipelines.doctor import Fact, diagnose
from tests.pipelines.test_doctor import AREAS, QUICK, home, look
from tests.support.checkpoints import minilm_folder
from tests.support.loopback_hub import TOKEN, User, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Run

    Command = Callable[..., Run]

__all__ = ["home"]  # a fixture, used by every test here
OTHER = "hf_anotherTokenFromTheFile"


def ask(monkeypatch: pytest.MonkeyPatch, endpoint: str, timeout: float = 5) -> Fact:
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    return look(offline=False, timeout=timeout)["Hub", "reachable"]


def test_a_hub_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request, without the token; a mirror that lacks the checkpoint asked for is a Hub as well."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for repositories, status in (({"google-bert/bert-base-uncased": minilm_folder()}, 200), ({}, 404)):
        with serve(repositories) as hub:
            fact = ask(monkeypatch, hub.endpoint)
        assert (fact.state, fact.numbers["status"]) == ("ok", status)
        assert [request.token for request in hub.requests] == [None]


@pytest.mark.parametrize(
    ("status", "says"), [(500, "It fails"), (503, "It fails"), (429, "slow down"), (404, "HF_ENDPOINT"), (200, "proxy")]
)
def test_a_hub_that_does_not(monkeypatch: pytest.MonkeyPatch, status: int, says: str) -> None:
    """A login page of a proxy answers 200, and some other server 404: neither is a Hub. None of it is an error."""
    with serve({}) as hub:
        hub.fail(status)
        fact = ask(monkeypatch, hub.endpoint)
    assert (fact.state, fact.numbers["status"]) == ("warning", status)
    assert says in fact.meaning
    assert len(hub.requests) == 1


def test_a_port_where_nobody_listens_and_addresses_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ask(monkeypatch, constants.ENDPOINT)
    assert (refused.state, refused.value) == ("warning", "no")
    assert "Connect" in refused.meaning
    assert "folders, embedded and cached checkpoints work" in refused.meaning
    for endpoint in ("not an address", "ftp://127.0.0.1"):
        assert ask(monkeypatch, endpoint).state == "warning"


@contextmanager
def silent_server(*, drip: bool) -> Iterator[str]:
    """A server that accepts and never answers; or sends headers without end, a line every 50 ms."""
    listening, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\n" if drip else b"")
                while not over.wait(0.05):
                    connection.sendall(b"X-More: to come\r\n" if drip else b"")
            except OSError:
                return

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.close()


@pytest.mark.parametrize("drip", [False, True], ids=["silent", "dripping"])
def test_a_hub_that_hangs_is_left_alone_in_time(monkeypatch: pytest.MonkeyPatch, drip: bool) -> None:
    """The dripping one never exceeds the HTTP library's own timeouts, which bound each step: the run would not end."""
    with silent_server(drip=drip) as endpoint:
        fact = ask(monkeypatch, endpoint, timeout=0.4)
    assert (fact.state, fact.value) == ("warning", "no")
    assert "within 0.4 s" in fact.meaning or "Timeout" in fact.meaning


@pytest.mark.parametrize("variable", [False, True])
def test_offline_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, variable: bool) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", variable)
    with serve({}) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        fact = look(offline=not variable)["Hub", "reachable"]
    assert (fact.value, fact.state) == ("not asked", "note")
    assert fact.meaning.startswith("HF_HUB_OFFLINE" if variable else "--offline")
    assert hub.requests == []


# Tokens


def outputs(run_cli: Command) -> Iterator[str]:
    """Everything that a run can print, its folds taken out."""
    for columns in (40, 80, 1000):
        for more in ((), ("--all",), ("--json", "--debug")):
            done = run_cli("doctor", "--no-torch", *more, columns=columns)
            yield "".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("case", ["variable", "of two lines", "file", "endpoint", "path", "old variable"])
def test_no_output_holds_a_token_or_a_part_of_it(
    monkeypatch: pytest.MonkeyPatch, run_cli: Command, home: Path, case: str
) -> None:
    """Wherever it stands: in its variable, its file, an address, a path; whole, and folded over lines."""
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\n{OTHER}" if case == "of two lines" else TOKEN)
    if case == "of two lines":
        monkeypatch.setattr(constants, "HF_HUB_CACHE", f"/nowhere/{OTHER}/hub")
    elif case == "file":
        home.mkdir()
        (home / "token").write_text(f"{OTHER}\n")
    elif case == "endpoint":
        monkeypatch.setattr(constants, "ENDPOINT", constants.ENDPOINT.replace("//", f"//user:{OTHER}@"))
    elif case == "path":
        monkeypatch.setattr(constants, "HF_HUB_CACHE", f"/nowhere/{TOKEN}/hub")
    elif case == "old variable":
        monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", OTHER)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", f"/nowhere/{OTHER}/hub")
    for output in outputs(run_cli):
        for token in (TOKEN, OTHER):
            assert token[:9] not in output
            assert token[-9:] not in output


def test_errors_of_proxies_hold_none_either(tmp_path: Path) -> None:
    """In a process of its own: the HTTP library reads proxies once."""
    user = User(tmp_path / "home", "http://127.0.0.1:9")
    done = user.process("doctor", "--no-torch", "--json", HTTP_PROXY=f"odd://me:{OTHER}@127.0.0.1:9")
    assert json.loads(done.stdout)["facts"][-1]["state"] == "warning"
    assert OTHER[:9] not in done.stdout + done.stderr


def test_credentials_in_addresses_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """They need not be Hub tokens to be secret."""
    monkeypatch.setattr(constants, "ENDPOINT", "http://me:hunter2@127.0.0.1:9")
    facts = look(offline=False)
    assert facts["Hub", "endpoint"].value == "http://***@127.0.0.1:9"
    assert "hunter2" not in str(facts)


def test_where_a_token_comes_from_is_said(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    assert look()["Hub", "token"].value == "none"
    home.mkdir()
    (home / "token").write_text(TOKEN)
    assert look()["Hub", "token"].value == "set by the token file"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert look()["Hub", "token"].value == "set by HF_TOKEN"
    monkeypatch.setenv("HF_TOKEN", "hf_typed with ü and spaces")
    assert look()["Hub", "token"].state == "warning"


# What is broken


def test_an_area_that_fails_keeps_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def examine() -> Iterator[Fact]:
        yield Fact("cache folder", "first", "1", "ok", "found")
        raise RuntimeError(f"the disk\nis on fire at http://me:{TOKEN}@disk")

    monkeypatch.setattr(doctor, "_cache_facts", examine)
    facts = [fact for fact in diagnose(torch=False, offline=True, timeout=1) if fact.area == "cache folder"]
    assert [fact.name for fact in facts] == ["first", "examination"]
    assert facts[1].state == "warning"
    assert facts[1].meaning == "The rest is not known: RuntimeError: the disk is on fire at http://***@disk"


def test_a_broken_huggingface_hub_stops_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "huggingface_hub").mkdir()
    (tmp_path / "huggingface_hub" / "__init__.py").write_text(f"raise ImportError('no {TOKEN} here')")
    user = User(tmp_path / "home", "http://127.0.0.1:9")
    done = user.process(*QUICK, "--json", PYTHONPATH=str(tmp_path))
    facts = json.loads(done.stdout)["facts"]
    assert [fact["name"] for fact in facts].count("examination") == 2
    assert list(dict.fromkeys(fact["area"] for fact in facts)) == AREAS
