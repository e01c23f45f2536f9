"""The bounds past which a run would crash: ids without a row in the embedding, rows longer than the positions."""

from __future__ import annotations

import pytest

from bertshape.errors import CheckpointError, UsageError
from bertshape.pipelines.lengths import check_ids, check_length
from bertshape.pipelines.model import open_model
from bertshape.pipelines.model_source import ModelSource

MODEL = open_model(ModelSource("embedded:bert-tiny-uncased"))


def test_ids_go_up_to_the_last_row() -> None:
    check_ids(30521, MODEL)
    with pytest.raises(CheckpointError, match="id 30522"):
        check_ids(30522, MODEL)


def test_rows_are_as_long_as_the_positions() -> None:
    check_length(512, "text 1", MODEL)
    with pytest.raises(UsageError, match="text 1 gives 513 tokens"):
        check_length(513, "text 1", MODEL)
