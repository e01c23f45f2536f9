"""Files are there whole or not at all, whatever stands at their path."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from bertshape.writing import written_whole

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str) -> None:
    with written_whole(path) as place:
        place.write_text(text)


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


def test_a_failure_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(path) as place:
        place.write_text(f"{1 / 0}")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
