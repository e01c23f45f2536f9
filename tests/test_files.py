"""Files are there whole or not at all, whatever stands at their path; what may not be looked at is no absence."""

from __future__ import annotations

import errno
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy
import pytest

from bertshape.errors import CheckpointError, ExitCode, OutputError
from bertshape.files import exists, folder_of, written_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and pipes are those of POSIX")


def write(path: Path, text: str) -> None:
    with written_whole(path) as file:
        file.write(text.encode())


@contextmanager
def ordinary_user(folder: Path) -> Iterator[None]:
    """Rights count for root too, in a folder that the tests' user keeps to itself."""
    for place in (folder, *folder.parents):
        if place != Path(place.anchor) and place.stat().st_uid == os.getuid():
            place.chmod(place.stat().st_mode | 0o011)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_link_stays_one_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "target").write_text("old")
    (tmp_path / "link").symlink_to("away/target")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "away" / "target").read_text() == "new"
    (tmp_path / "dangling").symlink_to("away/absent")
    write(tmp_path / "dangling", "made")
    assert (tmp_path / "away" / "absent").read_text() == "made"


def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError, match="Too many levels"):
        write(tmp_path / "a", "new")
    assert (tmp_path / "a").is_symlink()


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_old_mode_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    write(path, "new")
    assert (path.stat().st_mode & 0o7777, path.read_text()) == (mode, "new")


@posix
def test_a_new_file_has_the_mode_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    write(tmp_path / "file", "new")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("length", [1, 250, 255])
def test_any_name_that_a_file_can_have_can_be_written(tmp_path: Path, length: int) -> None:
    path = tmp_path / ("n" * length)
    for text in ("new", "again"):
        write(path, text)
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_no_file_of_a_user_is_taken_for_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link set as a trap, under the very name that would be used: nothing is written through it, nor deleted."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr(os, "urandom", bytes)
    trap = tmp_path / ".00000000"
    trap.symlink_to(victim)
    with pytest.raises(OutputError, match="File exists"):
        write(tmp_path / "file", "new")
    assert trap.is_symlink()
    assert victim.read_text() == "precious"
    trap.unlink()
    write(tmp_path / "file", "new")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "file", victim]


def test_names_are_not_predictable(tmp_path: Path) -> None:
    seen = set()
    for _ in range(3):
        with written_whole(tmp_path / "file"):
            seen |= {path.name for path in tmp_path.iterdir()} - {"file"}
    assert len(seen) == 3


def test_many_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    texts = [letter * 100_000 for letter in "abcdefghijkl"]
    with ThreadPoolExecutor(12) as pool:
        for _ in range(5):
            list(pool.map(lambda text: write(path, text), texts))
            assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write(pipe, "through")
    reader.join(10)
    assert read == ["through"]
    assert pipe.is_fifo()


@posix
def test_a_pipe_whose_reader_leaves_is_a_failure(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def write_to_nobody() -> None:
        with written_whole(pipe) as file:
            os.close(reader)
            file.write(b"x" * 1_000_000)

    with pytest.raises(OutputError, match="Broken pipe") as raised:
        write_to_nobody()
    assert raised.value.exit_code == ExitCode.OUTPUT
    assert pipe.is_fifo()


@posix
@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
def test_an_open_descriptor_is_written_to(tmp_path: Path, folder: str) -> None:
    """What `/dev/stdout` leads to: a pipe gets the bytes, a file keeps what it held before."""
    if not os.path.isdir(folder):
        pytest.skip(f"there is no {folder}")
    reading, writing = os.pipe()
    write(Path(f"{folder}/{writing}"), "through")
    os.close(writing)
    with open(reading) as stream:
        assert stream.read() == "through"
    path = tmp_path / "log"
    with path.open("a") as log:
        log.write("before, ")
        log.flush()
        write(Path(f"{folder}/{log.fileno()}"), "after")
    assert path.read_text() == "before, after"
    with pytest.raises(OutputError, match="Bad file descriptor"):
        write(Path(f"{folder}/99999"), "nowhere")


def test_a_failure_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(path) as file:
        file.write(f"{1 / 0}".encode())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@contextmanager
def small_files() -> Iterator[None]:
    """No file may grow beyond 2,000 bytes: what a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        # A module that is imported meanwhile would be cached cut short, for all later processes too.
        with patch.object(sys, "dont_write_bytecode", new=True):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@posix
@pytest.mark.parametrize("name", ["save", "savez"])
def test_a_full_disk_is_named_by_numpy_too(tmp_path: Path, name: str) -> None:
    """By itself it would say "300000 requested and 230 written", which is no reason."""
    path = tmp_path / "file"
    path.write_text("old")
    with small_files(), pytest.raises(OutputError, match="File too large"), written_whole(path) as file:
        getattr(numpy, name)(file, numpy.zeros(300_000))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_to_be_read_meanwhile_is_no_failure_of_writing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "file") as file:
        file.write((tmp_path / "absent").read_bytes())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "reason"), [("absent/file", "No such file"), ("", "Is a directory")])
def test_paths_where_nothing_can_be_written(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(OutputError, match=reason) as raised:
        write(tmp_path / name, "new")
    assert raised.value.exit_code == ExitCode.OUTPUT
    assert str(tmp_path / name) in raised.value.message
    assert not list(tmp_path.iterdir())


@posix
def test_a_protected_file_is_not_replaced(tmp_path: Path) -> None:
    """The rights of its folder would allow it; whoever took the rights of the file away did so on purpose."""
    tmp_path.chmod(0o777)
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o444)
    with ordinary_user(tmp_path), pytest.raises(OutputError, match="Permission denied"):
        write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_what_may_not_be_looked_at_is_not_absent(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o700)
    (tmp_path / "locked" / "file").write_text("")
    assert exists(tmp_path / "locked" / "file")
    assert not exists(tmp_path / "absent")
    assert not exists(tmp_path / "locked" / "file" / "below")
    assert not exists(tmp_path / "a\0b")
    (tmp_path / "locked").chmod(0)
    with ordinary_user(tmp_path), pytest.raises(CheckpointError, match="Permission denied") as raised:
        exists(tmp_path / "locked" / "file")
    assert raised.value.exit_code == ExitCode.CHECKPOINT
    with pytest.raises(CheckpointError, match=os.strerror(errno.ENAMETOOLONG)):
        exists(tmp_path / ("n" * 300))


def test_what_a_stream_names_is_seen_from_here() -> None:
    assert [folder_of(path) for path in (None, Path("/dev/stdout"), Path("/proc/self/fd/1"))] == [Path()] * 3
    assert folder_of(Path("a/b.toml")) == Path("a")
