"""The public Python API: what it exports, and that a call changes nothing outside its own objects."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import bertshape

if TYPE_CHECKING:
    from pathlib import Path


def test_every_public_name_is_there() -> None:
    assert set(bertshape.__all__) <= set(dir(bertshape))
    for name in bertshape.__all__:
        assert getattr(bertshape, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'inspect_txts'"):
        getattr(bertshape, "inspect_txts")  # noqa: B009 - a type checker would refuse the plain form


def test_nothing_outside_changes() -> None:
    """Seeds, garbage collector, logging and warnings stay as they were; in a process of its own, for all is global."""
    code = """
import gc, logging, random, warnings
import numpy, torch, transformers
from transformers.utils import logging as hf
import bertshape
def state():
    bars, level = hf.is_progress_bar_enabled(), logging.getLogger("huggingface_hub").level
    collector = gc.get_freeze_count(), gc.isenabled(), gc.get_threshold()
    modes = torch.get_default_dtype(), torch.is_grad_enabled(), len(warnings.filters)
    return collector, modes, hf.get_verbosity(), bars, level
# Once before: what the import of a module of transformers does to the warnings is its own.
bertshape.inspect_texts("x", model="embedded:bert-tiny-uncased")
before = state()
assert before[0][0] == 0, before
torch.manual_seed(1); numpy.random.seed(1); random.seed(1)
expected = torch.rand(2), numpy.random.rand(), random.random()
torch.manual_seed(1); numpy.random.seed(1); random.seed(1)
report = bertshape.inspect_texts("x", model="embedded:bert-tiny-uncased")
assert report.run.executed
actual = torch.rand(2), numpy.random.rand(), random.random()
assert torch.equal(expected[0], actual[0]), (expected, actual)
assert expected[1:] == actual[1:]
assert state() == before, (before, state())
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)


def test_the_calls_are_those_of_the_commands(minilm: Path, tmp_path: Path) -> None:
    assert bertshape.check_checkpoint(minilm, "hidden_size=384").passed
    assert not bertshape.check_checkpoint(minilm, "hidden_size=385").passed
    assert bertshape.diff_checkpoints(minilm, minilm).same
    assert bertshape.snapshot_checkpoint(minilm, texts="Hi").cases[-1].text == "Hi"
    (tmp_path / "a.txt").write_text("one\\ntwo\\n")
    assert bertshape.profile_files([str(tmp_path / "a.txt")]).counts.texts == 1
    report = bertshape.embed_texts(["a", "b"], tmp_path / "v.npz", model=minilm)
    assert report.written
    assert report.saved["sentence_embedding"].sizes == (2, 384)
