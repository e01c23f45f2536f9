"""Where bytes come from: a file here, or (implemented elsewhere) an object read by ranges."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Protocol

from bertshape.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path


class MissingWeightsError(CheckpointError):
    """A weight file is not there. What opens a source raises this, so that absent shards can be counted."""

    def __init__(self, message: str, *, hint: str = "", code: str = "weights-file-missing") -> None:
        super().__init__(message, hint=hint, code=code)


class ByteSource(Protocol):
    """Something with a size that is read piece by piece."""

    @property
    def name(self) -> str:
        """Name of the file, spelled as it was asked for: an index compares it with its own entries."""

    @property
    def size(self) -> int:
        """Bytes of the whole."""

    def read(self, start: int, length: int) -> bytes:
        """Fetch `length` bytes from `start` on; fewer only where the source ends early.

        Raises:
            BertshapeError: The bytes cannot be had.
        """


class FileSource:
    """A local file, opened anew for each of the two reads that a header takes, so that nothing is left open.

    Attributes:
        name: Name that reports and errors use.
        size: Bytes of the file.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        """Look at the file without opening it.

        Args:
            path: The file.
            name: Name to report, when it is not the last part of the path.

        Raises:
            MissingWeightsError: There is no such file.
            CheckpointError: It is not a regular file, or cannot be looked at.
        """
        self._path = path
        self.name = name or path.name
        try:
            status = path.stat()
        except FileNotFoundError:
            broken = path.is_symlink()
            raise MissingWeightsError(
                f"{str(path)!r} {'links to a file that is not there' if broken else 'does not exist'}",
                hint="Download the checkpoint again." if broken else "Check the path.",
            ) from None
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            raise _unreadable(path, error) from error
        # Opening a pipe would wait for a writer forever, and a device has no end.
        if not stat.S_ISREG(status.st_mode):
            raise _unreadable(path, "it is a directory" if stat.S_ISDIR(status.st_mode) else "it is not a regular file")
        self.size = status.st_size

    def read(self, start: int, length: int) -> bytes:
        """Read `length` bytes from `start` on; fewer where the file ends early.

        Raises:
            CheckpointError: The file cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(start)
                return file.read(length)
        except OSError as error:
            raise _unreadable(self._path, error) from error


def _unreadable(path: Path, reason: object) -> CheckpointError:
    reason = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
    return CheckpointError(
        f"{str(path)!r} cannot be read as a weight file: {reason}",
        hint="Check what is at this path, and its permissions.",
        code="weights-file-unreadable",
    )
