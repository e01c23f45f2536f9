"""The JSON document of `memory`."""

from typing import Annotated, Literal, TypedDict

from bertshape.report.documents_common import Count, Envelope, Findings, Name, Size

Use = Annotated[
    Literal["inference", "training", "training_checkpointing"],
    "What the model is used for; the last is training with gradient checkpointing.",
]
Attention = Annotated[Literal["eager", "sdpa"], "Implementation of attention."]


class OptimizerStates(TypedDict):
    """What an optimizer keeps."""

    optimizer: Annotated[Literal["adamw", "adamw_8bit", "sgd"], "Optimizer; sgd is without momentum."]
    bytes: Annotated[Count, "Bytes of its states."]


class MemoryPeak(TypedDict):
    """The moment with the most tensor bytes, in one way of using a model."""

    use: Use
    attention: Attention
    activations: Annotated[Count, "Bytes of all tensors but weights, their gradients and optimizer states."]
    total: Annotated[Count, "Bytes of all tensors; in training with AdamW."]


class DtypeMemory(TypedDict):
    """What a model takes in one dtype."""

    dtype: Annotated[Name, "Dtype of the weights, and of all that is computed."]
    weights: Annotated[Count, "Bytes of the weights."]
    gradients: Annotated[Count, "Bytes of the gradients of all weights."]
    optimizer_states: Annotated[list[OptimizerStates], "What optimizers keep."]
    hidden_states: Annotated[Count | None, "Bytes that output_hidden_states adds to inference; null if not known."]
    attentions: Annotated[Count | None, "Bytes that output_attentions adds to eager inference; null if not known."]
    past_key_values: Annotated[
        Count | None, "Bytes that a decoder's cache adds to inference, with use_cache; null for other models."
    ]
    peaks: Annotated[list[MemoryPeak], "Inference and training, by attention; empty where nothing was counted."]


class FittingBatch(TypedDict):
    """The largest batch that fits, in one way of using a model."""

    use: Use
    attention: Attention
    dtype: Annotated[Name, "Dtype of the weights."]
    batch_size: Annotated[Count, "Most texts of the length that was asked for; 0 for none."]
    length: Annotated[Count, "Most tokens for the batch size that was asked for; 0 for none."]


class FittingBatches(TypedDict):
    """What fits into a memory."""

    bytes: Annotated[Size, "Bytes of the memory."]
    ways: Annotated[list[FittingBatch], "The largest batch, by use, attention and dtype."]


class MemoryDocument(Envelope):
    """What `memory --json` says: tensor bytes, without what the device, the allocator and kernels take besides."""

    model: Annotated[Name, "The checkpoint, as it was given."]
    model_type: Annotated[Name, "Its family."]
    parameters: Annotated[Count, "Its parameters, without a head; with it where the family is not known."]
    batch_size: Annotated[Size, "Texts of a batch."]
    length: Annotated[Size, "Tokens of each text."]
    measured: Annotated[bool, "Whether activations of the family were counted; weights alone are known otherwise."]
    memory: Annotated[list[DtypeMemory], "What it takes, by dtype."]
    fit: Annotated[FittingBatches | None, "What fits into a memory; null without --fit."]
    findings: Findings
