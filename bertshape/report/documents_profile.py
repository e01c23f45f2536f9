"""Parts of the JSON document of `profile`: what was counted, and what follows from it."""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from bertshape.report.documents_checkpoint import LengthLimit
from bertshape.report.documents_common import Count, Name, Number, Share, Size


class MemoryTerm(TypedDict):
    """Bytes times powers of the numbers of texts and of tokens."""

    texts: Annotated[Count, "Power of the number of texts."]
    tokens: Annotated[Count, "Power of the tokens of each text."]
    bytes: Annotated[int, "Bytes; below zero where a sum takes something away."]


class BatchMemory(TypedDict):
    """Tensor bytes of inference in one dtype, for batches of any shape: the weights, and the largest of the sums."""

    dtype: Annotated[Name, "Dtype of the weights."]
    weights: Annotated[Count, "Bytes of the weights."]
    peaks: Annotated[list[list[MemoryTerm]], "A sum for each moment that may be the peak."]


class ProfileSetting(TypedDict):
    """What the counts depend on: profiles add up only where all of it but memory is the same."""

    tokenizer: Annotated[Name, "Digest of the tokenizer."]
    unknown_token: Annotated[str | None, "Token that counts as unknown, where the tokenizer has one."]
    hidden_size: Annotated[Size, "Of the checkpoint, for the bytes of a batch."]
    length_limits: Annotated[list[LengthLimit], "Every declared limit on tokens."]
    effective_limit: Annotated[Count | None, "The limit that applies to the checkpoint; null for none."]
    max_length: Annotated[Size | None, "One more limit, that was asked for."]
    cut_at: Annotated[Count | None, "Length at which texts are cut before they make batches; null for none."]
    batch_sizes: Annotated[list[Size], Meta(min_length=1), "Batch sizes that padding was counted for."]
    memory: Annotated[list[BatchMemory], "What batches take in inference; empty where that is not known."]


class ProfiledFile(TypedDict):
    """A file."""

    name: Annotated[str, "Its name, as it was given."]
    texts: Annotated[Count, "How many texts it holds."]


class LengthCount(TypedDict):
    """How many texts have a length."""

    length: Annotated[Count, "Tokens of a text, special ones included, before any cut."]
    texts: Annotated[Size, "How many texts have so many."]


class ShapeCount(TypedDict):
    """How many batches have a shape."""

    rows: Annotated[Size, "Texts in the batch."]
    sequence_length: Annotated[Count, "Positions of each."]
    batches: Annotated[Size, "How many batches have this shape."]


class BatchCounts(TypedDict):
    """The batches of one batch size, texts in their order."""

    batch_size: Annotated[Size, "Texts in a full batch."]
    shapes: Annotated[list[ShapeCount], "The shapes of its batches."]


class Counts(TypedDict):
    """Whole numbers, which can be added up."""

    lengths: Annotated[list[LengthCount], "How many texts have which length, shortest first."]
    unknown: Annotated[Count, "Tokens that the vocabulary does not know."]
    texts_with_unknown: Annotated[Count, "Texts that have one of these."]
    special: Annotated[Count, "Special tokens."]
    batches: Annotated[list[BatchCounts], "Batches by batch size."]


class Profile(TypedDict):
    """The counts, from which all else follows; --merge adds them up."""

    setting: Annotated[ProfileSetting, "What the counts depend on."]
    files: Annotated[list[ProfiledFile], "The files, sorted by name."]
    counts: Annotated[Counts, "The counts of all files together."]


class LengthPercentile(TypedDict):
    """A length that so many percent of the texts do not exceed."""

    percent: Annotated[float, Meta(gt=0, lt=100), "Percent of the texts."]
    length: Annotated[Count, "Tokens that they do not exceed."]


class Lengths(TypedDict):
    """Lengths of texts in tokens, special ones included."""

    least: Annotated[Count, "Shortest."]
    mean: Annotated[Number, "Mean."]
    percentiles: Annotated[list[LengthPercentile], "Percentiles, by nearest rank."]
    most: Annotated[Count, "Longest."]


class Cut(TypedDict):
    """What a limit would cut."""

    file: Annotated[Name | None, "File that declares it; null for effective_limit and --max-length."]
    field: Annotated[Name, "Field of the file; effective_limit is what applies, --max-length what was asked for."]
    limit: Annotated[Count, "Tokens."]
    texts: Annotated[Count, "How many texts are longer."]
    share: Annotated[Share, "Share of all texts, from 0 to 1, rounded to 6 digits."]
    tokens: Annotated[Count, "Tokens that would be lost."]


class Waste(TypedDict):
    """Padding under one way of making batches."""

    padding: Annotated[Literal["longest", "longest_sorted", "max_length"], "How texts get one length."]
    batch_size: Annotated[Size, "Texts in a full batch."]
    batches: Annotated[Size, "Number of batches."]
    positions: Annotated[Count, "Positions that would run, padding included."]
    share: Annotated[Share, "Share of the positions that is padding, from 0 to 1, rounded to 6 digits."]
    largest: Annotated[
        list[Count], Meta(min_length=2, max_length=2), "Rows of the largest batch, then its sequence_length."
    ]
    bytes: Annotated[dict[Name, Count], "Bytes of last_hidden_state of that batch, by dtype."]
    memory: Annotated[
        dict[Name, Count], "Tensor bytes of inference in the batch that takes most, by dtype; empty if not known."
    ]


class Summary(TypedDict):
    """What follows from the counts."""

    texts: Annotated[Count, "Number of texts."]
    tokens: Annotated[Count, "Number of tokens, special ones included."]
    special: Annotated[Count, "Special tokens among them."]
    unknown_share: Annotated[Share, "Share of the content tokens that is unknown, from 0 to 1, rounded to 6 digits."]
    texts_with_unknown: Annotated[Count, "Texts with an unknown token."]
    length: Annotated[Lengths | None, "Lengths of texts; null where there is no text."]
    cuts: Annotated[list[Cut], "What each limit would cut."]
    waste: Annotated[list[Waste], "Padding under each way of making batches."]
