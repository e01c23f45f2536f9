"""`check` and `diff` of checkpoints on a Hub: headers by ranges, counted; and each failure with its exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.loopback_hub import LoopbackHub, User, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = "org/minilm"
FIRST_READ = 100_000


@pytest.fixture
def hub(minilm: Path) -> Iterator[LoopbackHub]:
    with serve({MODEL: minilm}) as server:
        yield server


@pytest.fixture
def user(hub: LoopbackHub, tmp_path: Path) -> User:
    return User(tmp_path / "home", hub.endpoint)


def test_a_hundred_kilobytes_of_ninety_megabytes_are_read(hub: LoopbackHub, user: User, minilm: Path) -> None:
    done = user.command("check", MODEL, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)["checkpoints"][0]
    assert (report["bytes_read"], report["weight_bytes"]) == (FIRST_READ, 90_868_376)
    assert (report["stored_tensors"], report["backbone_tensors"]) == (104, 103)
    assert [request.range for request in hub.weight_requests()] == [f"bytes=0-{FIRST_READ - 1}"]
    assert hub.weight_bytes == FIRST_READ
    local = json.loads(user.command("check", str(minilm), "--json").stdout)["checkpoints"][0]
    assert report["facts"] == local["facts"]


def test_expectations_and_contract_of_a_hub_checkpoint(user: User, tmp_path: Path) -> None:
    contract = tmp_path / "bertshape.toml"
    assert user.command("snapshot", MODEL, "-o", str(contract)).returncode == 0
    assert f'model = "{MODEL}"' in contract.read_text()
    assert user.command("check", cwd=tmp_path).returncode == 0
    assert user.command("check", "--offline", cwd=tmp_path).returncode == 1, "headers are not in the cache yet"
    assert user.run("--model", MODEL).returncode == 0
    assert user.command("check", "--offline", cwd=tmp_path).returncode == 0
    done = user.command("check", MODEL, "-e", "hidden_size=768")
    assert done.returncode == 1
    assert "hidden_size: expected 768, got 384" in done.stdout


def test_diff_of_a_hub_checkpoint_and_its_folder(user: User, minilm: Path) -> None:
    done = user.command("diff", MODEL, str(minilm))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("status", "error_code", "code"),
    [
        (401, None, "hub-unauthorized"),
        (403, None, "hub-forbidden"),
        (403, "GatedRepo", "hub-gated"),
        (404, "RepoNotFound", "hub-not-found"),
        (429, None, "hub-rate-limited"),
        (500, None, "hub-server-error"),
    ],
)
def test_refusals_exit_with_4(hub: LoopbackHub, user: User, status: int, error_code: str | None, code: str) -> None:
    hub.fail(status, error_code)
    done = user.command("check", MODEL, "--json")
    assert (done.returncode, done.stderr) == (4, "")
    error = json.loads(done.stdout)["checkpoints"][0]["error"]
    assert error["code"] == code
    assert error["hint"]


def test_cut_connection_and_empty_cache(hub: LoopbackHub, user: User) -> None:
    hub.cut_at = 100
    cut = user.command("check", MODEL, "--json")
    assert (cut.returncode, json.loads(cut.stdout)["checkpoints"][0]["error"]["code"]) == (4, "hub-network")
    offline = user.command("check", "org/other", "--offline", "--json")
    assert (offline.returncode, json.loads(offline.stdout)["checkpoints"][0]["error"]["code"]) == (4, "hub-offline")
