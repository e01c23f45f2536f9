"""Parts of the JSON documents that are about a checkpoint and its run."""

from typing import Annotated, Literal, TypedDict

from bertshape.report.documents_common import Count, Name, Size

PoolerVerdict = Annotated[
    Literal["trained", "random", "absent"] | None,
    "The pooler's weights: stored, random, or no pooler at all; null where not known.",
]


class Dimensions(TypedDict):
    """Sizes; null where the family has no such thing."""

    hidden_size: Annotated[Size, "Numbers in the vector of a token."]
    num_hidden_layers: Annotated[Size, "Layers."]
    num_attention_heads: Annotated[Size | None, "Attention heads of a layer."]
    intermediate_size: Annotated[Size | None, "Size of the feed-forward network inside a layer."]
    vocab_size: Annotated[Size | None, "Rows of the token embedding."]
    max_position_embeddings: Annotated[Count | None, "Positions that config.json declares."]
    type_vocab_size: Annotated[Count | None, "Segments that token_type_ids may name; 0 for none."]
    embedding_size: Annotated[Size, "Size of the token embedding, before it is brought to hidden_size."]


class LengthLimit(TypedDict):
    """A limit on the number of tokens, special ones included, as a file declares it."""

    file: Annotated[Name, "File that declares it, such as tokenizer_config.json."]
    field: Annotated[Name, "Field of that file, such as model_max_length."]
    limit: Annotated[Count, "Tokens."]


class SentenceStep(TypedDict):
    """A step that modules.json declares."""

    step: Annotated[Name, "Class of the step."]
    input_dimension: Annotated[Size | None, "Size of a vector that it takes; null where its file does not say."]
    output_dimension: Annotated[Size | None, "Size of a vector that it gives; null where its file does not say."]


class SentenceEmbedding(TypedDict):
    """What the sentence-transformers files of the checkpoint declare."""

    pooling: Annotated[Name | None, "Strategy in bertshape's notation; null without a Pooling step."]
    dimension: Annotated[Size | None, "Size of the final vector, where the files say it."]
    modules: Annotated[list[SentenceStep], "The steps, in order."]


class Checkpoint(TypedDict):
    """The checkpoint."""

    model: Annotated[Name, "Its name, as it was given."]
    source: Annotated[Literal["embedded", "directory", "hub"], "Where it is."]
    revision: Annotated[Name | None, "Commit of a Hub repository; null for others."]
    model_type: Annotated[Name, "Family, as config.json names it."]
    architecture: Annotated[str | None, "Class that config.json declares first."]
    weights: Annotated[
        Literal["checkpoint", "random", "none"], "Weights that were asked for: stored, random, or none at all."
    ]
    dtype: Annotated[Name, "Dtype of the parameters."]
    parameters: Annotated[Count | None, "Parameters of the base model; null where the family is not known."]
    dimensions: Annotated[Dimensions, "Sizes of the model."]
    length_limits: Annotated[list[LengthLimit], "Every declared limit on tokens."]
    effective_limit: Annotated[Count | None, "The limit that applies: what --truncation cuts to; null for none."]
    sentence_embedding: Annotated[SentenceEmbedding | None, "The declared chain; null where none is."]
    pooler: PoolerVerdict


class Run(TypedDict):
    """Whether and where the model was run; all else is null where it was not."""

    executed: Annotated[bool, "Whether it was run."]
    device: Annotated[Name | None, "Device that ran."]
    dtype: Annotated[Name | None, "Dtype of the parameters."]
    torch: Annotated[Name | None, "Version of torch."]
    transformers: Annotated[Name | None, "Version of transformers."]
