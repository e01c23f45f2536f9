"""The JSON documents that bertshape prints, each described once: `bertshape schema` is made from these types."""

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from bertshape.report.documents_checkpoint import Checkpoint, Run
from bertshape.report.documents_common import (
    Count,
    Envelope,
    ErrorDetails,
    Findings,
    Name,
    Number,
    Scalar,
    Size,
    SizedTensor,
    Versions,
)
from bertshape.report.documents_drift import Drift
from bertshape.report.documents_memory import MemoryDocument
from bertshape.report.documents_profile import Profile, Summary
from bertshape.report.documents_tensors import EmbeddingStep, Layer, Output, PooledVector, TaskHead
from bertshape.report.documents_texts import Inputs, Sequence
from bertshape.report.documents_which import WhichDocument


class Shapes(TypedDict):
    """What all texts of a batch share."""

    inputs: Annotated[Inputs, "What the model is given."]
    outputs: Annotated[dict[Name, Output], "What the model gives, by name."]
    pooled: Annotated[dict[Name, PooledVector], "The vector of each pooling strategy, by its name."]
    embedding: Annotated[
        list[EmbeddingStep], "The steps of a sentence-transformers checkpoint to its embedding; empty for others."
    ]
    tasks: NotRequired[Annotated[dict[Name, TaskHead], "Task heads, by task; with --task."]]
    layers: NotRequired[Annotated[Layer, "The shapes inside the model; with --layers, where they are known."]]
    findings: Findings


class _Inspected(Envelope):
    checkpoint: Annotated[Checkpoint, "The checkpoint."]
    run: Annotated[Run, "Whether and where the model was run."]
    sequences: Annotated[list[Sequence], Meta(min_length=1), "The texts, in order."]


class InspectDocument(_Inspected, Shapes):
    """The report of `inspect --json`."""


class RecordSource(TypedDict, total=False):
    """Where a text comes from; with --input."""

    line: Annotated[Size, "Number of the text's line in the file; with --input."]
    id: Annotated[str | int | None, "The id that the file gives the text, or null; with --input."]


class TextSource(RecordSource, total=False):
    """Which text of a stream an error is about."""

    index: Annotated[Count, "Number of the text, from 0."]


class _Recorded(Versions, RecordSource):
    index: Annotated[Count, "Number of the text, from 0."]
    model: Annotated[Name, "The checkpoint's name, as it was given."]


class RecordDocument(_Recorded, Sequence, Shapes):
    """A line of `inspect --format jsonl`: a text, and the shapes of the batch it ran in."""


class Mismatch(TypedDict):
    """A value that is not as expected."""

    name: Annotated[Name, "What differs, down to the axis, such as last_hidden_state.hidden_size."]
    operator: Annotated[Name, "How the two are compared, such as = or >=."]
    expected: Annotated[int | str, "What should be there."]
    actual: Annotated[int | str | None, "What is there; null where there is nothing."]


class Outcome(TypedDict):
    """One thing that was checked."""

    name: Annotated[Name, "What was checked, as a person wrote it."]
    passed: Annotated[bool, "Whether it holds."]
    problems: Annotated[list[Name], "A line for each thing that is not as expected."]
    mismatches: Annotated[list[Mismatch], "The same in parts, for an expectation; empty for soundness and cases."]


class CheckedCheckpoint(TypedDict):
    """A checkpoint's verdict, or why it cannot be read."""

    model: Annotated[Name, "The checkpoint, as it was given."]
    passed: Annotated[bool, "Whether everything holds."]
    error: Annotated[ErrorDetails | None, "Why it cannot be read; null where it can."]
    facts: Annotated[
        dict[Name, Scalar],
        "The checkpoint in names and numbers, as expectations name them; empty where it cannot be read.",
    ]
    stored_tensors: Annotated[Count | None, "Tensors in the weight files; null without readable headers."]
    backbone_tensors: Annotated[Count | None, "Those of the model without heads; null without readable headers."]
    bytes_read: Annotated[
        Count | None, "Bytes of the weight files that were read for the check; null without readable headers."
    ]
    weight_bytes: Annotated[Count | None, "Bytes of the weight files; null without readable headers."]
    looked_at: Annotated[list[str], "What soundness was judged by, in words."]
    not_looked_at: Annotated[list[str], "What was not looked at, in words."]
    findings: Findings
    outcomes: Annotated[list[Outcome], "Everything that was checked, soundness first."]


class CheckDocument(Envelope):
    """The verdicts of `check --json`."""

    checkpoints: Annotated[list[CheckedCheckpoint], "The checkpoints, in order."]


class Change(TypedDict):
    """A fact that differs."""

    before: Annotated[Scalar, "Its value on the first side; null where that side lacks it."]
    after: Annotated[Scalar, "Its value on the second side; null where that side lacks it."]


class GivenForText(TypedDict):
    """What one checkpoint gives for a text."""

    input_ids: Annotated[list[Count], "Ids of its tokens."]
    tokens: Annotated[list[str], "The vocabulary's strings, as many."]
    shapes: Annotated[dict[Name, list[Count]], "Sizes of each output and of sentence_embedding, predicted."]


class ComparedText(TypedDict):
    """What two checkpoints give for a text."""

    text: Annotated[str, "The text."]
    before: Annotated[GivenForText, "What the first side gives."]
    after: Annotated[GivenForText, "What the second side gives."]
    cosine: Annotated[
        Annotated[float, Meta(ge=-1, le=1)] | None, "Of the two sentence embeddings; null where not comparable."
    ]
    reason: Annotated[str | None, "Why they cannot be compared; null where they can."]


class DiffDocument(Envelope):
    """What `diff --json` found; `ok` says whether nothing differs, or with --max-drift whether no more texts do."""

    before: Annotated[Name, "The first side, as it was given."]
    after: Annotated[Name, "The second side, as it was given."]
    differences: Annotated[dict[Name, Change], "Facts that differ, by name."]
    equal: Annotated[dict[Name, Scalar], "Facts that do not, by name."]
    tensors: Annotated[
        dict[Name, Change],
        "Stored tensors that differ, by name, those of several layers in one; shapes such as [30522, 384].",
    ]
    same_tensors: Annotated[Count, "Number of tensors that do not differ."]
    tokens_differing: Annotated[Count | None, "Tokens with another id; null where a side is a contract."]
    tokenizer_differs: Annotated[bool | None, "Whether the tokenizer files differ; null where not known."]
    values_differing: Annotated[
        list[Name] | None,
        "Tensors, or parts of the model, that hold other numbers, those of several layers in one; null where values "
        "were not compared (--values).",
    ]
    texts: Annotated[list[ComparedText], "What both give for each text; with --text, empty without."]
    drift: Annotated[Drift | None, "What both make of a corpus; with --texts, null without."]
    findings: Annotated[dict[Name, Findings], "What `check` says of `before` and of `after`; empty of a contract."]


class VerifiedVectors(TypedDict):
    """How the vectors of some texts compare with those of sentence-transformers."""

    texts: Annotated[Count, "How many texts."]
    difference: Annotated[Number | None, "Largest difference between two numbers; null where they cannot be compared."]
    passed: Annotated[bool, "Whether it is at most 0.0001, or 0.01 in half precision."]


class SkippedText(TextSource):
    """A line that has no vector."""

    error: Annotated[ErrorDetails, "Why."]


class EmbedDocument(Envelope):
    """What `embed --json` wrote."""

    model: Annotated[Name, "The checkpoint, as it was given."]
    weights: Annotated[Literal["checkpoint", "random"], "Weights that ran."]
    path: Annotated[Name, "The file."]
    written: Annotated[bool, "Whether it was written; not where the model is unsound."]
    device: Annotated[Name | None, "Device that ran; null where nothing ran."]
    texts: Annotated[Count, "How many texts it holds a vector of."]
    skipped: Annotated[Count, "How many lines were skipped (--on-error skip)."]
    failures: Annotated[list[SkippedText], "Why, for the first hundred of them."]
    cut: Annotated[Count, "How many of them were cut."]
    tokens: Annotated[Count, "How many tokens they have."]
    padding: Annotated[Count, "How many positions were padding."]
    batches: Annotated[Count, "How many forward passes ran."]
    seconds: Annotated[Number, "How long tokenization and these took."]
    saved: Annotated[dict[Name, SizedTensor], "The arrays in the file, by name."]
    verified: Annotated[VerifiedVectors | None, "What --verify showed; null where it was not asked for."]
    findings: Findings


class ProfileDocument(Envelope):
    """What `profile --json` counted."""

    model: Annotated[Name | None, "The checkpoint, as it was given; null where profiles of several names were merged."]
    profile: Annotated[Profile, "The counts."]
    summary: Annotated[Summary, "What follows from the counts."]
    findings: Findings


FittingLength = Literal["positions", "positions_after_pad_token_id", "unbounded"]
FamilyGroup = Literal["encoder", "t5-encoder", "decoder", "text-part"]


class FamilyEntry(TypedDict):
    """A family."""

    group: Annotated[FamilyGroup, "What kind of model it is, or part of one."]
    causal_when: Annotated[list[Name], "Conditions under which a token sees itself and those before it alone."]
    grouped_heads: Annotated[bool, "Whether several heads may share keys and values."]
    window: Annotated[Name | None, "Key of how many tokens some layers see at most; null for none."]
    pooler: Annotated[bool, "Whether it gives a pooler_output."]
    token_type_ids: Annotated[bool, "Whether it takes them."]
    length: Annotated[
        FittingLength,
        "How many tokens fit: max_position_embeddings, pad_token_id + 1 less than that, or any number.",
    ]
    unbounded_when: Annotated[Name | None, "Condition under which any number fits; null for never."]
    outputs: Annotated[list[Name], Meta(min_length=1), "Outputs besides hidden_states."]
    observed_only: Annotated[list[Name], "Those that may be known only by running."]


class FamiliesDocument(Envelope):
    """The table of `families --json`."""

    families: Annotated[dict[Name, FamilyEntry], "The families, by the model_type of config.json."]


class PoolingEntry(TypedDict):
    """A pooling strategy."""

    axes: Annotated[list[Name], Meta(min_length=1), "Names of the axes of what it gives."]
    formula: Annotated[Name, "How it is computed."]
    over: Annotated[Name, "What it averages or chooses from."]
    source: Annotated[Name, "Where it comes from."]


class PoolingsDocument(Envelope):
    """The table of `poolings --json`."""

    grammar: Annotated[Name, "How strategies are written, layers and combinations included."]
    poolings: Annotated[dict[Name, PoolingEntry], "The strategies, by name."]


class DoctorFact(TypedDict):
    """A fact about this machine."""

    area: Annotated[Name, "What it belongs to, such as devices."]
    name: Annotated[Name, "What it is."]
    value: Annotated[str, "What was found."]
    state: Annotated[Literal["ok", "note", "warning", "error"], "How good that is."]
    meaning: Annotated[Name, "What it means for bertshape, or what to do about it."]
    numbers: Annotated[dict[Name, Number], "What value says for people, exactly."]


class DoctorDocument(Envelope):
    """What `doctor --json` found; `ok` says whether bertshape works here."""

    facts: Annotated[list[DoctorFact], Meta(min_length=1), "The facts, area after area."]


class ErrorDocument(Envelope, TextSource):
    """What every command prints with --json where it has no report, and a line of jsonl whose text has none."""

    error: Annotated[ErrorDetails, "Why there is no report."]


DOCUMENTS = {
    "inspect": InspectDocument,
    "record": RecordDocument,
    "check": CheckDocument,
    "diff": DiffDocument,
    "embed": EmbedDocument,
    "memory": MemoryDocument,
    "which": WhichDocument,
    "profile": ProfileDocument,
    "families": FamiliesDocument,
    "poolings": PoolingsDocument,
    "doctor": DoctorDocument,
    "error": ErrorDocument,
}
"""The documents by name: those of the commands, `record` for a line of jsonl, and `error`."""
