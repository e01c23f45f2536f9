"""Lines of bytes from a file, a pipe or a compressed file: one at a time, none of them endless."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bertshape.corpus.text_file import MAX_BYTES, bad_record, unreadable
from bertshape.errors import one_line
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from bertshape.corpus.meter import Meter
    from bertshape.corpus.text_file import BadRecord, TextFile

MAX_EXPANSION = 250
"""Text is compressed to a tenth, logs to a hundredth: what grows more than this is made to fill disks."""
FREE_EXPANSION = 256 * 1024 * 1024
"""Bytes below which that is not looked at."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Beginnings of files that are no lines of text, for a hint where they are not UTF-8.
_KINDS = {
    b"\x1f\x8b": "It is compressed by gzip: give it a name that ends in .gz.",
    b"PAR1": "It is a Parquet file: pass --input-format parquet.",
    b"PK\x03\x04": "It is a zip archive, or a workbook: save it as CSV.",
    b"\x28\xb5\x2f\xfd": "It is compressed by zstd: zstd -dc FILE, and read it from -.",
    b"\xfd7zXZ": "It is compressed by xz: xz -dc FILE, and read it from -.",
    b"BZh": "It is compressed by bzip2: bzip2 -dc FILE, and read it from -.",
    b"\xff\xfe": "It looks like UTF-16: iconv -f UTF-16 -t UTF-8 FILE.",
    b"\xfe\xff": "It looks like UTF-16: iconv -f UTF-16 -t UTF-8 FILE.",
}


@contextmanager
def open_bytes(file: TextFile, meter: Meter | None = None) -> Iterator[BinaryIO]:
    """The bytes of a file as they are on the disk; those of stdin for `-`.

    Args:
        file: The file.
        meter: Follows how far it is read.

    Raises:
        UsageError: It cannot be opened.
    """
    if file.path == "-":
        stream: BinaryIO = sys.stdin.buffer
    else:
        try:
            stream = open(file.path, "rb")  # noqa: SIM115 - closed below; an error of opening is none of the work
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
            raise unreadable(file, getattr(error, "strerror", None) or error) from error
    try:
        if meter is not None:
            meter.begin(stream.tell if is_regular(stream) else None)
        yield stream
    finally:
        if meter is not None:
            meter.end()
        if file.path != "-":
            stream.close()


def is_regular(stream: BinaryIO) -> bool:
    """Whether a stream is a file on a disk, in which one can go back, and not a pipe or a terminal."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def read_lines(stream: BinaryIO, file: TextFile) -> Iterator[bytes | BadRecord]:
    """Lines with their ends, without a byte order mark; a bad record for one that is too long.

    Raises:
        UsageError: The file cannot be read on, or is made to fill memory and disks.
    """
    source = gzip.GzipFile(fileobj=stream, mode="rb") if file.compressed else stream
    number = expanded = 0
    try:
        while content := source.readline(MAX_BYTES + 1):
            number += 1
            if file.compressed and (expanded := expanded + len(content)) > FREE_EXPANSION:
                _check_expansion(stream, file, expanded)
            if len(content) > MAX_BYTES:
                yield too_long(file, number)
                _pass_over(source)
            else:
                yield content.removeprefix(_BYTE_ORDER_MARK) if number == 1 else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        hint = "Make it again, or unpack what is whole of it: gzip -dc FILE > whole.txt."
        raise unreadable(file, f"{one_line(error)}, after line {number}", hint) from error
    except OSError as error:
        raise unreadable(file, error.strerror or error) from error


def too_long(file: TextFile, number: int, what: str = "") -> BadRecord:
    """The record of a line, or a row of several lines, that is longer than any text."""
    return bad_record(
        file, number, f"{what or 'is longer than'} {MAX_BYTES // 1024 // 1024} MiB", "Split it into texts."
    )


def hint_for(beginning: bytes) -> str:
    """What to do with a file that is not UTF-8, by its first bytes."""
    hints = (hint for kind, hint in _KINDS.items() if beginning.startswith(kind))
    return next(hints, "Convert the file to UTF-8.")


def _pass_over(source: BinaryIO | gzip.GzipFile) -> None:
    """Read to the end of a line that is not kept."""
    while (rest := source.readline(MAX_BYTES)) and not rest.endswith(b"\n"):
        pass


def _check_expansion(stream: BinaryIO, file: TextFile, expanded: int) -> None:
    try:
        read = stream.tell()
    except OSError:
        return  # A pipe: how much was read of it is not known.
    if expanded > read * MAX_EXPANSION:
        hint = "If it is what you want, unpack it yourself: gzip -dc FILE > texts.txt."
        raise unreadable(file, f"{counted(read, 'byte')} of it expand to more than {expanded:,}", hint)
