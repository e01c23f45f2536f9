"""`profile`: whatever the lengths are, counts add up in any order and the tables are those of batches made by hand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bertshape.corpus.counts import BatchShapes, Counts, cut_lengths, sorted_batches
from bertshape.corpus.read import CHUNK, CHUNK_CHARACTERS, in_chunks
from bertshape.corpus.text_file import Record
from bertshape.report.profile import ProfileReport, Setting, merge_profiles
from bertshape.report.profile_document import profile_to_json
from bertshape.report.profile_summary import LONGEST, MAX_LENGTH, SORTED, Waste, histogram, summarize
from bertshape.report.read_profile import profile_from_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.report.profile_summary import Way

LENGTHS = st.lists(st.integers(2, 60), min_size=1, max_size=80)
LIMITS = st.none() | st.integers(2, 50)
SHARDS = st.lists(st.lists(st.integers(2, 60), max_size=30), min_size=1, max_size=6)
SIZES = st.integers(1, 12)
HIDDEN = 8


def profile_of(
    lengths: Sequence[int], name: str, sizes: Sequence[int], cut_at: int | None, step: int = 7
) -> ProfileReport:
    """What counting texts of these lengths gives, when they come some at a time."""
    setting = Setting("sha256:0", "[UNK]", HIDDEN, {"effective": 50}, cut_at, cut_at, tuple(sorted(set(sizes))))
    batches = {}
    for size in setting.batch_sizes:
        shapes = BatchShapes(size, cut_at)
        for start in range(0, len(lengths), step):
            shapes.add(list(lengths[start : start + step]))
        batches[size] = shapes.end()
    unknown = sum(length % 3 for length in lengths)
    texts_with = sum(length % 3 > 0 for length in lengths)
    counts = Counts(Counter(lengths), unknown, texts_with, 2 * len(lengths), batches)
    return ProfileReport(setting, ((name, len(lengths)),), counts)


def by_hand(padding: Way, lengths: Sequence[int], size: int, cut_at: int | None) -> Waste:
    """The same row, by making every batch and every position of it."""
    cut = [length if cut_at is None else min(length, cut_at) for length in lengths]
    ordered = sorted(cut, reverse=True) if padding == SORTED else cut
    batches = []
    for start in range(0, len(ordered), size):
        rows = ordered[start : start + size]
        longest = cut_at if padding == MAX_LENGTH and cut_at is not None else max(rows)
        batches.append([[1] * length + [0] * (longest - length) for length in rows])
    masks = [mask for batch in batches for row in batch for mask in row]
    largest = max(((len(batch), len(batch[0])) for batch in batches), key=lambda shape: (shape[0] * shape[1], shape))
    elements = largest[0] * largest[1] * HIDDEN
    return Waste(
        padding=padding,
        batch_size=size,
        batches=len(batches),
        positions=len(masks),
        share=round(masks.count(0) / len(masks), 6),
        largest=largest,
        bytes={"float32": elements * 4, "float16": elements * 2, "bfloat16": elements * 2},
    )


@given(LENGTHS, SIZES, LIMITS, st.integers(1, 100))
def test_waste_is_that_of_batches_made_by_hand(lengths: list[int], size: int, cut_at: int | None, step: int) -> None:
    """However many texts come at a time, which no batch may notice."""
    summary = summarize(profile_of(lengths, "a", [size], cut_at, step))
    ways: tuple[Way, ...] = (LONGEST, SORTED) if cut_at is None else (LONGEST, SORTED, MAX_LENGTH)
    assert list(summary.waste) == [by_hand(way, lengths, size, cut_at) for way in ways]


@given(SHARDS, st.lists(SIZES, min_size=1, max_size=3), LIMITS, st.randoms())
def test_merging_is_commutative_and_associative(
    shards: list[list[int]], sizes: list[int], cut_at: int | None, chance: object
) -> None:
    """Any order and any grouping give one document, byte for byte, through JSON and back."""
    profiles = [profile_of(lengths, f"{number}.txt", sizes, cut_at) for number, lengths in enumerate(shards)]
    whole = profile_to_json(merge_profiles(profiles))
    waiting = [profile_from_json(profile_to_json(profile)) for profile in profiles]
    while len(waiting) > 1:
        chance.shuffle(waiting)  # type: ignore[attr-defined]
        waiting = [merge_profiles(waiting[:2]), *waiting[2:]]
        waiting[0] = profile_from_json(profile_to_json(waiting[0]))
    assert profile_to_json(merge_profiles(waiting)) == whole


@given(SHARDS, SIZES, LIMITS)
def test_the_whole_is_the_sum_of_the_shards(shards: list[list[int]], size: int, cut_at: int | None) -> None:
    """Texts are counted once each, and no batch crosses a file."""
    merged = merge_profiles(profile_of(lengths, str(index), [size], cut_at) for index, lengths in enumerate(shards))
    together = [length for lengths in shards for length in lengths]
    assert merged.counts.lengths == Counter(together)
    assert merged.counts.unknown == sum(length % 3 for length in together)
    rows = [by_hand(LONGEST, lengths, size, cut_at) for lengths in shards if lengths]
    found = [row for row in summarize(merged).waste if row.padding == LONGEST]
    assert sum(row.positions for row in found) == sum(row.positions for row in rows)
    assert sum(row.batches for row in found) == sum(row.batches for row in rows)


RECORDS = st.builds(Record, st.integers(1, 99), st.text(max_size=5), st.none() | st.text(max_size=5))


@given(st.lists(RECORDS, max_size=30))
def test_chunks_are_all_records_in_order(records: list[Record]) -> None:
    assert [record for chunk in in_chunks(records) for record in chunk] == records


def test_chunks_are_small_in_texts_and_in_characters() -> None:
    """A chunk of long documents would take gigabytes of the tokenizer."""
    assert (CHUNK, CHUNK_CHARACTERS) == (2000, 1_000_000)
    assert chunk_sizes([Record(1, "a")] * 4001) == [2000, 2000, 1]
    quarter = "a" * 250_000
    assert chunk_sizes([Record(1, quarter)] * 6) == [4, 2]
    assert chunk_sizes([Record(1, quarter, quarter)] * 3) == [2, 1]
    assert chunk_sizes([Record(1, "a", quarter)] * 5) == [4, 1]
    assert chunk_sizes([Record(1, quarter * 9), Record(2, "a")]) == [1, 1]
    # One character below the bound still takes one more text.
    assert chunk_sizes([Record(1, "a" * 999_999), Record(2, "a"), Record(3, "a")]) == [2, 1]


def chunk_sizes(records: list[Record]) -> list[int]:
    return [len(chunk) for chunk in in_chunks(records)]


def test_one_endless_text_does_not_press_the_others_into_one_bar() -> None:
    lengths = Counter(range(3, 60)) + Counter(range(3, 60)) + Counter([100_000])
    rows = histogram(lengths)
    assert rows[-1] == (60, 100_000, 1)
    assert len(rows) > 10
    assert max(count for _, _, count in rows) <= 12


COUNTS = st.builds(
    Counts,
    lengths=st.dictionaries(st.integers(2, 9), st.integers(1, 5)),
    unknown=st.integers(0, 9),
    texts_with_unknown=st.integers(0, 9),
    special=st.integers(0, 9),
    batches=st.dictionaries(
        st.sampled_from([2, 4]), st.dictionaries(st.tuples(st.integers(1, 4), st.integers(2, 9)), st.integers(1, 5))
    ),
)


@given(COUNTS, COUNTS, COUNTS)
def test_counts_add_up_in_any_order(one: Counts, other: Counts, third: Counts) -> None:
    assert one + other == other + one
    assert (one + other) + third == one + (other + third)


@given(LENGTHS, SIZES)
def test_sorted_batches_are_those_of_a_sorted_list(lengths: list[int], size: int) -> None:
    shapes = list(sorted_batches(Counter(lengths), size))
    expected = Counter(
        (len(batch), batch[0])
        for start in range(0, len(lengths), size)
        for batch in [sorted(lengths, reverse=True)[start : start + size]]
    )
    counted: Counter[tuple[int, int]] = Counter()
    for shape, count in shapes:
        counted[shape] += count
    assert counted == expected


@given(LENGTHS)
def test_percentiles_and_histogram(lengths: list[int]) -> None:
    counted = Counter(lengths)
    rows = histogram(counted)
    assert sum(count for _, _, count in rows) == len(lengths)
    assert all(count == sum(low <= length <= high for length in lengths) for low, high, count in rows)
    assert len(rows) <= 16
    ordered = sorted(lengths)
    length = summarize(profile_of(lengths, "a", [2], None)).length
    assert length is not None
    assert (length.least, length.most) == (ordered[0], ordered[-1])
    for percent, value in length.percentiles.items():
        share = sum(other <= value for other in lengths) / len(lengths)
        assert share >= float(percent) / 100
        below = [other for other in ordered if other < value]
        assert len(below) / len(lengths) < float(percent) / 100


@given(LENGTHS, st.integers(2, 40))
def test_cut_lengths(lengths: list[int], limit: int) -> None:
    assert cut_lengths(Counter(lengths), limit) == Counter(min(length, limit) for length in lengths)
