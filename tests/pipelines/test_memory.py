"""`bertshape memory`: what it shows, in each format, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from bertshape import memory_of
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

LARGE = "embedded:bert-large-uncased"
PARAMETERS = 335_141_888


def test_bert_large(bertshape: Callable[..., Run]) -> None:
    """On one screen, with all numbers of the document."""
    shown = bertshape("memory", LARGE, "--batch-size", "32", "--length", "512", "--fit", "24GB", columns=80)
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    for words in ("Tensor bytes of 32 texts of 512 tokens", "CUDA context", "32 bit eager", "with AdamW", "22.4 GiB"):
        assert words in " ".join(shown.stdout.split())


def test_json_has_the_sums(bertshape: Callable[..., Run]) -> None:
    document = json.loads(bertshape("memory", LARGE, "--json").stdout)
    assert document["ok"]
    assert document["measured"]
    assert document["parameters"] == PARAMETERS
    by_dtype = {entry["dtype"]: entry for entry in document["memory"]}
    assert {name: entry["weights"] for name, entry in by_dtype.items()} == {
        "float32": 4 * PARAMETERS,
        "float16": 2 * PARAMETERS,
        "bfloat16": 2 * PARAMETERS,
    }
    single = by_dtype["float32"]
    inference = [peak for peak in single["peaks"] if peak["use"] == "inference"]
    assert [peak["total"] - peak["activations"] for peak in inference] == [single["weights"]] * 2
    # The peak is in the softmax: 5 TH + 2 S, and a mask; a layer has 16 heads.
    tokens = 32 * 512
    assert inference[0]["activations"] == 4 * tokens * (5 * 1024 + 2 * 16 * 512 + 512)
    assert document["fit"] is None


def test_csv_and_markdown_say_the_same(bertshape: Callable[..., Run]) -> None:
    rows = list(csv.DictReader(io.StringIO(bertshape("memory", LARGE, "--fit", "24GB", "--format", "csv").stdout)))
    report = memory_of(LARGE, fit="24GB")
    weights = {row["dtype"]: int(row["bytes"]) for row in rows if row["what"] == "weights"}
    assert weights == {memory.dtype: memory.weights for memory in report.dtypes}
    largest = [int(row["batch_size"]) for row in rows if row["what"] == "largest batch_size"]
    assert largest == [fit.batch_size for fit in report.fits]
    markdown = bertshape("memory", LARGE, "--fit", "24GB", "--format", "markdown").stdout
    assert markdown.count("that fits into 24 GB (22.4 GiB)") == 2
    assert "| weights | 1.2 GiB |" in markdown


def test_a_family_that_was_not_counted(tmp_path: Path, minilm: Path, bertshape: Callable[..., Run]) -> None:
    """Weights alone, and no number of activations."""
    folder = edited_copy(minilm, tmp_path / "unknown", model_type="nosuch")
    document = json.loads(bertshape("memory", str(folder), "--json").stdout)
    assert not document["measured"]
    assert document["parameters"] > 22_000_000
    assert [entry["peaks"] for entry in document["memory"]] == [[], [], []]
    assert {entry["hidden_states"] for entry in document["memory"]} == {None}
    assert "memory-not-counted" in [finding["code"] for finding in document["findings"]]
    shown = bertshape("memory", str(folder), "--fit", "24GB")
    assert "activations are not known" in " ".join(shown.stdout.split())
    assert "total" not in shown.stdout


def test_no_tokenizer_is_needed(tmp_path: Path, minilm: Path, bertshape: Callable[..., Run]) -> None:
    """Neither is one that is there read: config.json says all, and the weights are judged where they are."""
    (tmp_path / "config.json").write_bytes((minilm / "config.json").read_bytes())
    assert memory_of(tmp_path).dtypes == memory_of(minilm).dtypes
    (tmp_path / "tokenizer.json").write_text("broken")
    assert bertshape("memory", str(tmp_path)).returncode == 0


def test_a_decoder_keeps_a_cache(tmp_path: Path, bertshape: Callable[..., Run]) -> None:
    """As AutoModel runs it; the sums are those without."""
    config = {"model_type": "qwen3", "hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16}
    sizes = {"num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 3072, "vocab_size": 151_669}
    (tmp_path / "config.json").write_text(json.dumps(config | sizes))
    shown = bertshape("memory", str(tmp_path), columns=80)
    assert "+ past_key_values 3.5 GiB" in " ".join(shown.stdout.split())
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "past_key_values" not in bertshape("memory", LARGE).stdout


def test_an_unsound_checkpoint_is_said(tmp_path: Path, minilm: Path, bertshape: Callable[..., Run]) -> None:
    folder = edited_copy(minilm, tmp_path / "eight", num_hidden_layers=8)
    shown = bertshape("memory", str(folder))
    assert shown.returncode == 1
    assert "error" in shown.stdout


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--length", "513"), 2, "takes at most 512"),
        (("--batch-size", "0"), 2, "--batch-size"),
        (("--batch-size", "99999999999"), 2, "--batch-size"),
        (("--fit", "24 apples"), 2, "24GB"),
        (("--fit", "0"), 2, "--fit 24GB"),
        (("--fit", "0GB"), 2, "more than 0"),
        (("--fit", "99999999TB"), 2, "less than 1,000,000 TB"),
        (("--fit", "1MB"), 1, "not even one text"),
    ],
)
def test_what_cannot_be(options: tuple[str, ...], code: int, message: str, bertshape: Callable[..., Run]) -> None:
    done = bertshape("memory", "embedded:bert-tiny-uncased", *options)
    assert done.returncode == code
    assert message in " ".join((done.stdout + done.stderr).split())


def test_the_length_is_what_the_model_takes(tmp_path: Path, minilm: Path) -> None:
    """Unless it is asked for, up to 512 tokens."""
    assert memory_of(LARGE).length == 512
    folder = edited_copy(minilm, tmp_path / "short", max_position_embeddings=128)
    assert memory_of(folder).length == 128


def test_a_profile_says_what_its_largest_batch_takes(tmp_path: Path, bertshape: Callable[..., Run]) -> None:
    """The same as `memory` says of its shape, read back and merged too; of the attention that transformers takes."""
    lines = tmp_path / "texts.txt"
    lines.write_text("".join(f"{'word ' * number}\n" for number in range(1, 40)))
    done = bertshape("profile", str(lines), "--model", "embedded:bert-tiny-uncased", "--batch-size", "16", "--json")
    (tmp_path / "profile.json").write_text(done.stdout)
    merged = json.loads(bertshape("profile", "--merge", str(tmp_path / "profile.json"), "--json").stdout)
    assert merged == json.loads(done.stdout)
    for waste in merged["summary"]["waste"]:
        batch_size, length = waste["largest"]
        report = memory_of("embedded:bert-tiny-uncased", batch_size=batch_size, length=length)
        totals = {
            dtype.dtype: peak.total
            for dtype in report.dtypes
            for peak in dtype.peaks
            if (peak.use, peak.attention) == ("inference", "sdpa")
        }
        assert waste["memory"] == totals
    shown = bertshape("profile", str(lines), "--model", "embedded:bert-tiny-uncased")
    assert "a run, weights included" in shown.stdout


def test_a_profile_of_a_family_that_was_not_counted(
    tmp_path: Path, minilm: Path, bertshape: Callable[..., Run]
) -> None:
    folder = edited_copy(minilm, tmp_path / "unknown", model_type="nosuch")
    (tmp_path / "texts.txt").write_text("one\ntwo words\n")
    for options in ((), ("--format", "html"), ("--format", "csv"), ("--format", "markdown")):
        shown = bertshape("profile", str(tmp_path / "texts.txt"), "--model", str(folder), *options)
        assert shown.returncode == 1  # Its tensors are those of bert.
        assert "weights included" not in shown.stdout
