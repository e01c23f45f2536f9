"""Parts of the JSON documents that are about what a model gives: outputs, vectors, heads, the tree of layers."""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from bertshape.report.documents_common import Count, Evidence, Name, Size, SizedTensor

Axes = Annotated[list[Name] | None, "Name of each axis; null where there is no tensor, or it is not known."]
Shape = Annotated[list[Count] | None, "Size of each axis; null where axes is."]
DType = Annotated[Name | None, "Dtype of the elements; null where axes is."]
FromWhere = Annotated[
    Evidence,
    "Where the shape comes from: predicted from the files, observed in a real run, or observed in a run of other texts"
    " that make a batch of the same shape.",
]
FromWhereIfAny = Annotated[Evidence | None, "Where the shape comes from; null where there is none."]
Available = Annotated[bool, "Whether there is a shape."]
Reason = Annotated[Name | None, "Why there is none; null where there is one."]


class Statistics(TypedDict):
    """What the numbers of a tensor are like; NaN and infinities are counted and left out."""

    mean: Annotated[float | None, "Their mean; null where no number is finite."]
    std: Annotated[float | None, "Their standard deviation; null where no number is finite."]
    least: Annotated[float | None, "The least; null where no number is finite."]
    greatest: Annotated[float | None, "The greatest; null where no number is finite."]
    zeros: Annotated[Count, "How many are zero."]
    not_finite: Annotated[Count, "How many are NaN or infinite."]


class Output(SizedTensor):
    """An output of the model; where it is a tuple of tensors, axes and shape are those of one."""

    evidence: FromWhere
    count: Annotated[Count | None, "Number of tensors, where the output is a tuple; null for a single tensor."]
    labels: Annotated[list[str], "What each of them is, in order; empty for a single tensor, or where not known."]
    each: Annotated[
        list[Annotated[list[Count], Meta(min_length=1)]],
        "Shape of each of them, where they differ, and shape is that of the first; empty elsewhere.",
    ]
    dtypes: Annotated[list[Name], "Dtype of each of them, where they differ, and dtype is that of the first; or empty."]
    statistics: Annotated[Statistics | None, "Of all its numbers, with --stats; null without."]
    statistics_of_each: Annotated[list[Statistics], "Of each tensor of a tuple, with --stats; empty without."]


class PooledVector(TypedDict):
    """The vector of a pooling strategy, or why there is none."""

    available: Available
    reason: Reason
    axes: Axes
    shape: Shape
    dtype: DType
    bytes: Annotated[Count | None, "Bytes of its elements; null where there is none."]
    evidence: FromWhereIfAny
    formula: Annotated[Name, "How the vector is computed: h is last_hidden_state, m the attention mask."]
    over: Annotated[Name, "What it averages or chooses from, in words, with counts."]
    counts: Annotated[
        dict[Literal["attended", "content", "padding", "positions"], list[Count]],
        "The counts that over names, each as one number for each text.",
    ]
    declared: Annotated[bool, "Whether the checkpoint's sentence-transformers files declare this strategy."]
    statistics: Annotated[Statistics | None, "Of all its numbers, with --stats; null without."]


class EmbeddingStep(TypedDict):
    """A step from the tokens to the sentence embedding, as sentence-transformers takes it."""

    step: Annotated[str, "Class of the step, such as Dense; truncate_dim for the cut that --truncate-dim makes."]
    formula: Annotated[Name, "What the step does."]
    available: Available
    reason: Reason
    axes: Axes
    shape: Shape
    dtype: DType
    evidence: FromWhereIfAny


class TaskHead(TypedDict):
    """A task head on the model, or why there is none."""

    available: Annotated[bool, "Whether it gives an output."]
    reason: Annotated[Name | None, "Why there is no output; null where there is one."]
    class_name: Annotated[Name | None, "Class of transformers that has the head; null where the family has none."]
    head: Annotated[
        Literal["stored", "random", "partly_random"] | None,
        "Whether the weights hold the head's tensors; null where nothing is stored, or only loading could tell.",
    ]
    labels: Annotated[list[str], "Names of the labels, where the outputs have some."]
    outputs: Annotated[dict[Name, Output], "What the head gives, by name."]


class Layer(TypedDict):
    """A part of the model, equal ones folded into one; axes, shape and dtype are null where no tensor is known."""

    name: Annotated[Name, "Its name in the part that holds it; {0-11} stands for twelve equal ones."]
    class_name: Annotated[Name | None, "Its class; null where no run showed it."]
    copies: Annotated[Size, "How many equal parts it stands for."]
    calls: Annotated[Count, "How often each was called in a forward pass."]
    parameters: Annotated[Count | None, "Numbers in one copy, with all parts inside; null where not known."]
    axes: Axes
    shape: Shape
    dtype: DType
    heads: Annotated[
        Annotated[list[Size], Meta(min_length=2, max_length=2)] | None,
        "Attention heads and the size of one, where attention splits the last axis.",
    ]
    evidence: FromWhere
    children: Annotated[list["Layer"], "The parts inside."]
