"""`profile --max-cut`: a job fails where a limit cuts more texts than it may."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from bertshape import profile_texts
from bertshape.errors import UsageError
from bertshape.pipelines.profile import judge_cuts, parse_share
from bertshape.report.profile import merge_profiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Command

TINY = "embedded:bert-tiny-uncased"


def messages(texts: list[str], most: float, max_length: int | None = None) -> list[str]:
    report = judge_cuts(profile_texts(texts, model=TINY, max_length=max_length), most)
    found = [finding.message for finding in report.findings if finding.severity == "error"]
    assert report.failed == bool(found)
    return found


def test_a_limit_may_cut_as_much_as_is_allowed() -> None:
    """A quarter of the texts is cut at 5 tokens, special ones included."""
    texts = ["a", "a b c", "a b c d", "a b"]
    assert messages(texts, 0.25, max_length=5) == []
    assert messages(texts, 0.2499999, max_length=5) == ["a limit of 5 tokens cuts 25.00% of the texts (--max-length)"]
    assert messages(texts, 0, max_length=6) == []


def test_limits_of_one_length_are_one_finding() -> None:
    (message,) = messages(["word " * 600, "a"], 0.01)
    assert message.startswith("a limit of 512 tokens cuts 50.00% of the texts (")
    assert "config.json max_position_embeddings" in message
    assert "effective" in message


def test_an_empty_corpus_is_not_cut() -> None:
    assert messages([], 0) == []


def test_the_finding_is_of_the_texts_and_does_not_add_up() -> None:
    """A shard that is cut too much may belong to a corpus that is not."""
    shards = [judge_cuts(profile_texts(texts, model=TINY, max_length=3), 0.4) for texts in (["a b"], ["a", "b", "c"])]
    assert [shard.failed for shard in shards] == [True, False]
    whole = merge_profiles(shards)
    assert not whole.failed
    assert not judge_cuts(whole, 0.4).failed
    assert judge_cuts(whole, 0.2).failed


@pytest.mark.parametrize(
    ("text", "share"), [("1%", 0.01), ("0%", 0), ("0.5 %", 0.005), ("100%", 1), (" 12.25% ", 0.1225)]
)
def test_shares_are_percentages(text: str, share: float) -> None:
    assert parse_share(text, "--max-cut") == pytest.approx(share)


@pytest.mark.parametrize("text", ["1", "0.01", "-1%", "101%", "%", "nan%", "1e1%", "", "x" * 5000])
def test_other_shares_are_refused(text: str) -> None:
    """A bare number could be a share or a percentage."""
    with pytest.raises(UsageError, match=r"--max-cut .* is no percentage"):
        parse_share(text, "--max-cut")


def test_the_command_fails_and_prints_its_report(run_cli: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a b c d\na\n")
    command = ("profile", str(path), "-m", TINY, "--max-length", "5")
    done = run_cli(*command, "--max-cut", "10%", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"]) == (1, False)
    (finding,) = (finding for finding in document["findings"] if finding["severity"] == "error")
    assert (finding["code"], finding["actual"]) == ("limit-cuts-too-many", "1 of 2")
    assert run_cli(*command, "--max-cut", "50%", "--json").returncode == 0
    done = run_cli(*command, "--max-cut", "10%")
    assert "a limit of 5 tokens cuts 50.00% of the texts" in " ".join(done.stdout.split())
    assert run_cli(*command, "--max-cut", "7").returncode == 2
    (tmp_path / "a.json").write_text(run_cli(*command, "--json").stdout)
    assert run_cli("profile", "--merge", str(tmp_path / "a.json"), "--max-cut", "10%").returncode == 1


def test_tables_for_programs(run_cli: Command, tmp_path: Path) -> None:
    """One table, in which every row says what it is of; its numbers are those of the JSON."""
    path = tmp_path / "a.txt"
    path.write_text("a b c d\na\n")
    command = ("profile", str(path), "-m", TINY, "--max-length", "5", "--batch-size", "2")
    rows = list(csv.DictReader(io.StringIO(run_cli(*command, "--format", "csv").stdout)))
    summary = json.loads(run_cli(*command, "--json").stdout)["summary"]
    cuts = [(int(row["limit"]), int(row["texts"]), float(row["share"])) for row in rows if row["table"] == "cuts"]
    assert cuts == [(cut["limit"], cut["texts"], cut["share"]) for cut in summary["cuts"]]
    padding = [row for row in rows if row["table"] == "padding"]
    assert [row["padding"] for row in padding] == [row["padding"] for row in summary["waste"]]
    assert [int(row["float32_bytes"]) for row in padding] == [row["bytes"]["float32"] for row in summary["waste"]]
    assert sum(int(row["texts"]) for row in rows if row["table"] == "lengths") == 2
    assert all(None not in row.values() for row in rows)


def test_effective_is_explained(run_cli: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n")
    shown = run_cli("profile", str(tmp_path / "a.txt"), "-m", TINY).stdout
    assert "effective: what the model runs" in shown
    assert sum(line.strip().startswith("512") for line in shown.splitlines()) == 1
