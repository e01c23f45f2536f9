"""A Hub on the loopback address that serves checkpoint folders, counts what is asked of it, and fails on request."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_API = re.compile(r"^/api/models/(?P<repo>[^/]+/[^/]+)(?:/revision/(?P<revision>[^/?]+))?(?:\?.*)?$")
_FILE = re.compile(r"^/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>[^?]+)$")


class LoopbackHub(ThreadingHTTPServer):
    """Serves `repositories`; `status` makes every answer that status, `cut` breaks off each weight file half-way."""

    daemon_threads = True

    def __init__(self, repositories: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories = repositories
        self.status: int | None = None
        self.error_code: str | None = None
        self.cut = False
        self.requests: list[tuple[str, str, str | None]] = []
        self.weight_bytes = 0

    @property
    def endpoint(self) -> str:
        """Value for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_port}"


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
        self.server.requests.append((self.command, self.path, self.headers.get("Range")))
        if self.server.status is not None:
            self._fail(self.server.status, self.server.error_code)
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
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _info(self, repo: str, revision: str) -> None:
        folder = self.server.repositories.get(repo)
        if folder is None:
            self._fail(404, "RepoNotFound")
        elif revision not in ("main", COMMIT):
            self._fail(404, "RevisionNotFound")
        else:
            files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
            document = {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
            self._send(json.dumps(document).encode(), {"Content-Type": "application/json"}, body=True)

    def _file(self, repo: str, revision: str, name: str, *, body: bool) -> None:
        folder = self.server.repositories.get(repo)
        path = folder / name if folder else None
        if path is None or not path.is_file() or revision not in ("main", COMMIT):
            self._fail(404, "EntryNotFound" if folder else "RepoNotFound")
            return
        content = path.read_bytes()
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        self._send(content, headers, body=body, weights=name.endswith((".safetensors", ".bin")))

    def _send(self, content: bytes, headers: dict[str, str], *, body: bool, weights: bool = False) -> None:
        status, size = 200, len(content)
        wanted = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range") or "")
        if wanted:
            start, end = int(wanted[1]), min(int(wanted[2] or size - 1), size - 1)
            status, content = 206, content[start : end + 1]
            headers = headers | {"Content-Range": f"bytes {start}-{end}/{size}"}
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if not body:
            return
        if weights and self.server.cut:
            content = content[: len(content) // 2]
            self.close_connection = True
        if weights:
            self.server.weight_bytes += len(content)
        try:
            self.wfile.write(content)
        except OSError:
            self.close_connection = True
