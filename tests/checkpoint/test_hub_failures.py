"""What goes wrong between here and a Hub: one clear message, its exit code, no traceback, no token, no long wait."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.loopback_hub import COMMIT, TOKEN, LoopbackHub, User, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.command_line import Run

MODEL = "org/tiny"
WEIGHTS = r"model\.safetensors$"


@pytest.fixture
def hub(tiny: Callable[[str], Path]) -> Iterator[LoopbackHub]:
    with serve({MODEL: tiny("bert")}) as server:
        yield server


@pytest.fixture
def user(hub: LoopbackHub, tmp_path: Path) -> User:
    return User(tmp_path / "home", hub.endpoint)


def failure(done: Run, code: str) -> dict[str, str]:
    """The error of a run that failed at the Hub, printed in both forms and in no other."""
    assert done.returncode == 4, done.stderr
    document = json.loads(done.stdout)
    error: dict[str, str] = document["error"]
    assert (document["ok"], error["code"]) == (False, code)
    assert done.stderr == f"bertshape: error: {error['message']}\n  hint: {error['hint']}\n"
    assert error["hint"]
    return error


@pytest.mark.parametrize(
    ("status", "error_code", "code"),
    [
        (401, None, "hub-unauthorized"),
        (401, "RepoNotFound", "hub-not-found"),
        (401, "GatedRepo", "hub-gated"),
        (403, None, "hub-forbidden"),
        (403, "GatedRepo", "hub-gated"),
        (404, "RepoNotFound", "hub-not-found"),
        (404, None, "hub-not-found"),
        (429, None, "hub-rate-limited"),
        (500, None, "hub-server-error"),
        (504, None, "hub-server-error"),
    ],
)
def test_refusal(hub: LoopbackHub, user: User, status: int, error_code: str | None, code: str) -> None:
    hub.fail(status, error_code)
    error = failure(user.run("--model", MODEL, "--json"), code)
    assert MODEL in error["message"]
    assert f"HTTP {status}" in error["message"]
    assert len(hub.model_requests()) == 1, "a Hub that fails at once is asked once"


@pytest.mark.parametrize(
    ("at", "status", "error_code", "code"),
    [
        # Terms of use guard the files, not the description of a repository.
        (r"config\.json$", 403, "GatedRepo", "hub-gated"),
        (r"tokenizer\.json$", 401, None, "hub-unauthorized"),
        (r"tokenizer\.json$", 404, "EntryNotFound", "hub-file-not-found"),
        (r"tokenizer\.json$", 429, None, "hub-rate-limited"),
        (WEIGHTS, 403, None, "hub-forbidden"),
        (WEIGHTS, 429, None, "hub-rate-limited"),
        (WEIGHTS, 503, None, "hub-server-error"),
    ],
)
def test_refusal_of_one_file(
    hub: LoopbackHub, user: User, at: str, status: int, error_code: str | None, code: str
) -> None:
    """huggingface_hub retries some of these; it must not sleep for the 300 seconds that a 429 names."""
    hub.fail(status, error_code, at=at)
    failure(user.run("--model", MODEL, "--json"), code)
    assert len(hub.requests) < 20


def test_too_many_requests_while_weights_download(hub: LoopbackHub, user: User) -> None:
    """The header was read, so that the refusal meets the download itself."""
    hub.fail(429, at=WEIGHTS, whole=True)
    failure(user.run("--model", MODEL, "--json"), "hub-rate-limited")
    assert hub.weight_bytes > 0


@pytest.mark.parametrize("arguments", [[], ["--weights", "none"]])
def test_connection_refused(user: User, hub: LoopbackHub, arguments: list[str]) -> None:
    hub.shutdown()
    hub.server_close()
    error = failure(user.run("--model", MODEL, "--json", *arguments), "hub-network")
    assert "refused" in error["message"]
    assert "--offline" in error["hint"]


@pytest.mark.parametrize("cut_at", [100, 200_000], ids=["in the header", "in the tensors"])
def test_connection_cut_in_the_weights(hub: LoopbackHub, user: User, cut_at: int) -> None:
    """The second case reads the header well; a later run with a Hub that works again then loads whole weights."""
    hub.cut_at = cut_at
    failure(user.run("--model", MODEL, "--json"), "hub-network")
    assert not list(user.home.rglob("*.safetensors"))
    hub.cut_at = None
    assert user.report(MODEL)["run"]["executed"] is True


def test_unknown_revision(user: User) -> None:
    error = failure(user.run("--model", MODEL, "--revision", "v9", "--json"), "hub-revision-not-found")
    assert "revision" in error["hint"]


@pytest.mark.parametrize("revision", [(), ("--revision", COMMIT)], ids=["main", "commit"])
def test_offline_with_an_empty_cache(hub: LoopbackHub, user: User, revision: tuple[str, ...]) -> None:
    failure(user.run("--model", MODEL, "--json", "--offline", *revision), "hub-offline")
    failure(user.run("--model", MODEL, "--json", *revision, HF_HUB_OFFLINE="1"), "hub-offline")
    assert hub.requests == []


def test_offline_without_the_weights(hub: LoopbackHub, user: User) -> None:
    """Not "the checkpoint has no weights": that is not known."""
    user.report(MODEL, "--weights", "none")
    error = failure(user.run("--model", MODEL, "--json", "--offline"), "hub-offline")
    assert "model.safetensors" in error["message"]


@pytest.mark.parametrize("kept", ["model.safetensors", "onnx/config.json", "a/b/config.json", ""])
def test_repository_without_a_config(hub: LoopbackHub, user: User, tmp_path: Path, kept: str) -> None:
    folder = tmp_path / "repository"
    (folder / kept).parent.mkdir(parents=True, exist_ok=True)
    if kept:
        (folder / kept).write_text("{}")
    hub.repositories["org/other"] = folder
    error = failure(user.run("--model", "org/other", "--json"), "hub-not-a-checkpoint")
    assert "config.json" in error["message"]


def test_absent_shards_are_counted(hub: LoopbackHub, user: User, tmp_path: Path) -> None:
    """The repository itself is broken, which is no failure of the Hub."""
    folder = tmp_path / "repository"
    shutil.copytree(hub.repositories[MODEL], folder, ignore=shutil.ignore_patterns("model.safetensors"))
    shards = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    hub.repositories["org/broken"] = folder
    done = user.run("--model", "org/broken", "--json", "--weights", "none")
    (error,) = [finding for finding in json.loads(done.stdout)["findings"] if finding["severity"] == "error"]
    assert (done.returncode, error["code"]) == (1, "weights-shard-missing")
    assert "2 of 2 weight files are missing" in error["message"]


@pytest.mark.parametrize("name", ["org/name with spaces", "org/na..me", "org/", "o" * 200])
def test_name_that_no_repository_has(hub: LoopbackHub, user: User, name: str) -> None:
    assert user.run("--model", name, "--json").returncode in (2, 3)
    assert hub.requests == []


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_debug_shows_a_traceback_and_no_token(hub: LoopbackHub, user: User, status: int) -> None:
    """`User.run` looks for the token; it was sent, so that it could have shown."""
    hub.fail(status)
    assert "Traceback" in user.run("--model", MODEL, "--debug").stderr
    assert hub.model_requests()[0].token == f"Bearer {TOKEN}"


def test_token_that_no_header_can_hold_is_not_quoted(hub: LoopbackHub, user: User) -> None:
    done = user.run("--model", MODEL, "--json", HF_TOKEN="hf_secret\x01part")
    failure(done, "hub-token-invalid")
    done = user.run("--model", MODEL, "--debug", HF_TOKEN="hf_secret\x01part")
    assert "hf_secret" not in done.stdout + done.stderr
    assert hub.requests == []


def test_cache_that_cannot_be_written(hub: LoopbackHub, user: User) -> None:
    """A file where the cache's folder would be; permissions would not stop root."""
    user.home.write_text("in the way")
    failure(user.run("--model", MODEL, "--json"), "hub-cache")
