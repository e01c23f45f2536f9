"""Parts of the JSON documents that are about texts and their tokens."""

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from bertshape.report.documents_common import Count, Name, Size, Span, Tensor

Offset = Annotated[Span | None, "Span of characters in its text, end excluded."]
Kind = Literal["special", "word_start", "continuation", "token", "unknown", "padding"]


class Token(TypedDict):
    """One position of a text."""

    position: Annotated[Count, "Index in the row, padding included."]
    token: Annotated[str, "The vocabulary's string."]
    input_id: Annotated[Count, "Its id."]
    attention_mask: Annotated[int, Meta(ge=0, le=1), "1 where the model attends, 0 for padding."]
    token_type_id: Annotated[Count | None, "Segment; null where the model takes none."]
    special: Annotated[bool, "Whether the tokenizer put it there; a [MASK] in the text is content."]
    kind: Annotated[Kind, "What it is."]
    sequence_id: Annotated[Count | None, "0 for the text, 1 for its pair; null for special tokens."]
    word_id: Annotated[Count | None, "Index of the word in its text; null for special tokens."]
    offset: Offset


class Word(TypedDict):
    """A word as the tokenizer sees it."""

    index: Annotated[Count, "Index in the row, counted on over a pair: that of its vector."]
    sequence_id: Annotated[Count, "0 for the text, 1 for its pair."]
    text: Annotated[str, "Its characters in the text."]
    tokens: Annotated[list[str], Meta(min_length=1), "The vocabulary's strings."]
    positions: Annotated[list[Count], Meta(min_length=1), "Where they are in the row."]
    offset: Offset


class Sequence(TypedDict):
    """A text with its tokens."""

    text: Annotated[str, "The text as it was given."]
    pair: Annotated[str | None, "The second text, where there is one."]
    length: Annotated[Count, "Number of tokens, padding not counted: content and special ones."]
    content: Annotated[Count, "Number of tokens that come from the text."]
    special: Annotated[Count, "Number of special tokens, padding not counted."]
    padding: Annotated[Count, "Number of padding positions."]
    unknown: Annotated[Count, "Number of content tokens that the vocabulary does not know."]
    truncated: Annotated[Count, "Number of content tokens that were cut away."]
    input_ids: Annotated[list[Count], "The id at each position, padding included."]
    tokens: NotRequired[Annotated[list[Token], "All positions, padding included; left out with --no-tokens."]]
    words: NotRequired[Annotated[list[Word], "Its words; with --words."]]


class Inputs(TypedDict):
    """What the model is given."""

    batch_size: Annotated[Size, "Number of texts in the batch."]
    sequence_length: Annotated[Count, "Positions of each."]
    padding: Annotated[Literal["longest", "max_length", "none"], "How texts get one length."]
    padding_side: Annotated[Literal["left", "right"], "Where padding goes."]
    truncation: Annotated[bool, "Whether texts may be cut."]
    max_length: Annotated[Size | None, "Length that texts are cut or padded to, where there is one."]
    tensors: Annotated[dict[Name, Tensor], "The tensors, by name."]
