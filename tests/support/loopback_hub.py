"""A Hub on the loopback address that serves checkpoint folders, notes what is asked of it, and fails on request."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import reload
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from huggingface_hub import constants

from tests.support.command_line import SECONDS, Run, call

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_thisTokenMustNeverBeSeen"
_API = re.compile(r"^/api/models/(?P<repo>[^/]+/[^/]+)(?:/revision/(?P<revision>[^/?]+))?(?:\?.*)?$")
_FILE = re.compile(r"^/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>[^?]+)$")
# huggingface_hub asks for this once a day, to name the calling program; bertshape has no part in it.
_AGENTS = "/api/agent-harnesses"
_WEIGHTS = (".safetensors", ".bin")


class Request(NamedTuple):
    """What a client asked for."""

    method: str
    path: str
    range: str | None
    token: str | None


class Lie(NamedTuple):
    """What the server answers in place of the truth, at the paths that a pattern finds.

    Attributes:
        headers: Headers besides, or in place of, the true ones.
        body: The body; None for the true one.
        endless: Send the body again and again, without a length.
        pause: Seconds between single bytes.
    """

    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes | None = None
    endless: bool = False
    pause: float | None = None


class LoopbackHub(ThreadingHTTPServer):
    """Serves `repositories` by name.

    Attributes:
        status: Status of every answer to a path that `failing` matches, with `error_code` in its header.
        failing_whole: Only requests for whole files fail, not those for ranges or for no content.
        cut_at: No byte of a weight file from this one on is sent; the connection breaks there.
        ignore_ranges: Answer with whole files, whatever range is asked for.
        lies: What it answers in place of the truth, by a pattern of paths.
        cdn: Another server, to which requests for weights are sent on, by another host name.
        requests: All requests so far.
        weight_bytes: Bytes of weight files sent so far, without answers that the client broke off.
    """

    daemon_threads = True

    def __init__(self, repositories: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories = repositories
        self.status: int | None = None
        self.error_code: str | None = None
        self.failing = ""
        self.failing_whole = False
        self.cut_at: int | None = None
        self.ignore_ranges = False
        self.lies: dict[str, Lie] = {}
        self.cdn: LoopbackHub | None = None
        self.requests: list[Request] = []
        self.weight_bytes = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that break off: what is written here would stand in a client's stderr."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def endpoint(self) -> str:
        """Value for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_port}"

    def model_requests(self) -> list[Request]:
        """Requests about repositories."""
        return [request for request in self.requests if request.path != _AGENTS]

    def weight_requests(self) -> list[Request]:
        """Requests for the content of weight files."""
        return [request for request in self.requests if request.method == "GET" and request.path.endswith(_WEIGHTS)]

    def fail(self, status: int, error_code: str | None = None, *, at: str = "", whole: bool = False) -> None:
        """Fail from now on, at the paths that a pattern finds."""
        self.status, self.error_code, self.failing, self.failing_whole = status, error_code, at, whole


@contextmanager
def serve(repositories: dict[str, Path]) -> Iterator[LoopbackHub]:
    """Serve checkpoint folders by repository name."""
    hub = LoopbackHub(repositories)
    thread = threading.Thread(target=hub.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


@dataclass(frozen=True)
class User:
    """Somebody with a cache and a token of their own, who runs the command line against a Hub."""

    home: Path
    endpoint: str

    def environment(self, **variables: str) -> dict[str, str]:
        """Variables of the command; nothing of the Hub's comes from outside."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
        own = {"HF_ENDPOINT": self.endpoint, "HF_HOME": str(self.home), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": TOKEN}
        return kept | own | {"NO_COLOR": "1", "PYTHONWARNINGS": "default"} | variables

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str) -> Run:
        """Run `bertshape inspect "a text"`."""
        return self.command("inspect", "a text", *arguments, cwd=cwd, **variables)

    def command(self, *arguments: str, cwd: Path | None = None, **variables: str) -> Run:
        """Run `bertshape` in this process, in the user's environment; the token must show nowhere."""
        with hub_settings(self.environment(**variables)):
            return _without_token(call(*arguments, columns=None, cwd=cwd or "."))

    def process(self, *arguments: str, cwd: Path | None = None, **variables: str) -> Run:
        """The same in a process of its own, where huggingface_hub reads the environment by itself: seconds each."""
        command = [sys.executable, "-m", "bertshape", *arguments]
        options: dict[str, Any] = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": SECONDS}
        done = subprocess.run(command, env=self.environment(**variables), cwd=cwd, check=False, **options)
        return _without_token(done)

    def report(self, model: str, *arguments: str, cwd: Path | None = None, **variables: str) -> dict[str, Any]:
        """The JSON report of a run that works, and says nothing on stderr."""
        return report_of(self.run("--model", model, "--json", *arguments, cwd=cwd, **variables))


def report_of(done: Run) -> dict[str, Any]:
    """The JSON report of a run that worked, and said nothing on stderr."""
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _without_token(done: Run) -> Run:
    assert TOKEN not in done.stdout + done.stderr
    return done


@contextmanager
def hub_settings(environment: Mapping[str, str]) -> Iterator[None]:
    """An environment that huggingface_hub knows too: it reads the variables only when it is imported."""
    try:
        with patch.dict(os.environ, environment, clear=True):
            reload(constants)
            yield
    finally:
        reload(constants)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _answer(self, *, body: bool) -> None:
        hub = self.server
        hub.requests.append(
            Request(self.command, self.path, self.headers.get("Range"), self.headers.get("Authorization"))
        )
        if self.path == _AGENTS:
            self._send(b"{}", {"Content-Type": "application/json"}, body=True)
            return
        spared = hub.failing_whole and (not body or "Range" in self.headers)
        if hub.status is not None and not spared and re.search(hub.failing, self.path):
            self._fail(hub.status, hub.error_code)
        elif match := _API.match(self.path):
            self._info(match["repo"], match["revision"] or "main")
        elif match := _FILE.match(self.path):
            self._file(match["repo"], match["revision"], match["file"], body=body)
        else:
            self._fail(404, None)

    def _fail(self, status: int, code: str | None) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if status == 429:
            # What the real Hub says when the requests of a five-minute window are used up.
            self.send_header("RateLimit", '"resolvers";r=0;t=300')
        if status == 503:
            self.send_header("Retry-After", "100000")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _lie(self, lie: Lie, content: bytes, headers: dict[str, str], *, body: bool) -> None:
        content = content if lie.body is None else lie.body
        length = {} if lie.endless or "Content-Length" in lie.headers else {"Content-Length": str(len(content))}
        self.send_response(200)
        for name, value in (
            {name: value for name, value in headers.items() if name not in lie.headers} | length
        ).items():
            self.send_header(name, value)
        for name, value in lie.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not body:
            return
        try:
            while lie.endless:
                self.wfile.write(content)
            for byte in content if lie.pause else ():
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(lie.pause or 0)
            if not lie.pause:
                self.wfile.write(content)
        except OSError:
            self.close_connection = True

    def _info(self, repo: str, revision: str) -> None:
        folder = self.server.repositories.get(repo)
        if folder is None:
            self._fail(404, "RepoNotFound")
        elif revision not in ("main", COMMIT):
            self._fail(404, "RevisionNotFound")
        else:
            files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
            document = {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
            headers = {"Content-Type": "application/json", "X-HF-Warning": "auth; You send unauthenticated requests"}
            self._send(json.dumps(document).encode(), headers, body=True)

    def _file(self, repo: str, revision: str, name: str, *, body: bool) -> None:
        folder = self.server.repositories.get(repo)
        path = folder / name if folder else None
        if path is None or not path.is_file() or revision not in ("main", COMMIT):
            self._fail(404, "EntryNotFound" if folder else "RepoNotFound")
            return
        content, weights = path.read_bytes(), name.endswith(_WEIGHTS)
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        if weights and self.server.cdn:
            linked = {"X-Linked-ETag": headers["ETag"], "X-Linked-Size": str(len(content))}
            self._send(
                b"",
                headers | linked | {"Location": f"http://localhost:{self.server.cdn.server_port}{self.path}"},
                body=body,
                status=302,
            )
        else:
            self._send(content, headers, body=body, weights=weights)

    def _send(
        self, content: bytes, headers: dict[str, str], *, body: bool, weights: bool = False, status: int = 200
    ) -> None:
        lie = next((lie for pattern, lie in self.server.lies.items() if re.search(pattern, self.path)), None)
        if lie is not None:
            self._lie(lie, content, headers, body=body)
            return
        start, size = 0, len(content)
        wanted = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range") or "")
        if wanted and status == 200 and not self.server.ignore_ranges:
            start, end = int(wanted[1]), min(int(wanted[2] or size - 1), size - 1)
            status, content = 206, content[start : end + 1]
            headers = headers | {"Content-Range": f"bytes {start}-{end}/{size}"}
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if not body:
            return
        if weights and self.server.cut_at is not None and start + len(content) > self.server.cut_at:
            content = content[: max(0, self.server.cut_at - start)]
            self.close_connection = True
        try:
            self.wfile.write(content)
        except OSError:
            self.close_connection = True
            return
        if weights:
            self.server.weight_bytes += len(content)
