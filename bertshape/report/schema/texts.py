"""Parts of the schema that are about texts and checkpoints: tokens, words, inputs, checkpoint, findings."""

from __future__ import annotations

from bertshape.report.schema.building import (
    Schema,
    array,
    choice,
    constant,
    mapping,
    nullable,
    part,
    record,
    several,
    text,
    whole,
    yes_no,
)

KINDS = ("special", "word start", "continuation", "unknown", "padding")
PADDINGS = ("longest", "max_length", "none")
SIDES = ("left", "right")
SOURCES = ("embedded", "directory", "hub")
WEIGHTS = ("checkpoint", "random", "none")
POOLER_VERDICTS = ("trained", "random", "absent")
SEVERITIES = ("error", "warning", "note")

DIMENSIONS: dict[str, Schema] = {
    "hidden_size": whole("Numbers in the vector of a token.", 1),
    "num_hidden_layers": whole("Layers.", 1),
    "num_attention_heads": nullable(whole("Attention heads of a layer.", 1)),
    "intermediate_size": nullable(whole("Size of the feed-forward network inside a layer.", 1)),
    "vocab_size": nullable(whole("Rows of the token embedding.", 1)),
    "max_position_embeddings": nullable(whole("Positions that config.json declares.")),
    "type_vocab_size": nullable(whole("Segments that token_type_ids may name; 0 for none.")),
    "embedding_size": whole("Size of the token embedding, before it is brought to hidden_size.", 1),
}
POOLER = nullable(
    choice("The pooler's weights: stored, left to chance, or no pooler; null where not known.", *POOLER_VERDICTS)
)

_CODE = text("Kebab-case name, stable across releases.") | {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}
_OFFSET = nullable(
    array("Span of characters in its text, end excluded.", whole("Index of a character."), least=2, most=2)
)


def _token() -> Schema:
    return record(
        "One position of a text.",
        {
            "position": whole("Index in the row, padding included."),
            "token": text("The vocabulary's string."),
            "input_id": whole("Its id."),
            "attention_mask": whole("1 where the model attends, 0 for padding.") | {"maximum": 1},
            "token_type_id": nullable(whole("Segment; null where the model takes none.")),
            "special": yes_no("Whether the tokenizer put it there; a [MASK] in the text is content."),
            "kind": choice("What it is.", *KINDS),
            "sequence_id": nullable(whole("0 for the text, 1 for its pair; null for special tokens.")),
            "word_id": nullable(whole("Index of the word in its text; null for special tokens.")),
            "offset": _OFFSET,
        },
    )


def _word() -> Schema:
    return record(
        "A word as the tokenizer sees it.",
        {
            "index": whole("Index in the row, counted on over a pair: that of its vector."),
            "sequence_id": whole("0 for the text, 1 for its pair."),
            "text": text("Its characters in the text."),
            "tokens": array("The vocabulary's strings.", text("A token."), least=1),
            "positions": array("Where they are in the row.", whole("A position."), least=1),
            "offset": _OFFSET,
        },
    )


SEQUENCE: dict[str, Schema] = {
    "text": text("The text as it was given."),
    "pair": nullable(text("The second text, where there is one.")),
    "content": whole("Number of tokens that come from the text."),
    "special": whole("Number of special tokens, padding not counted."),
    "padding": whole("Number of padding positions."),
    "unknown": whole("Number of content tokens that the vocabulary does not know."),
    "truncated": whole("Number of content tokens that were cut away."),
    "tokens": array("All positions, padding included.", part("token", "One position.")),
}
"""Fields of a text with its tokens."""
WORDS: dict[str, Schema] = {"words": array("Its words; with --words.", part("word", "A word."))}


def _inputs() -> Schema:
    return record(
        "What the model is given.",
        {
            "batch_size": whole("Number of texts in the batch.", 1),
            "sequence_length": whole("Positions of each."),
            "padding": choice("How texts get one length.", *PADDINGS),
            "padding_side": choice("Where padding goes.", *SIDES),
            "truncation": yes_no("Whether texts may be cut."),
            "max_length": nullable(whole("Length that texts are cut or padded to, where there is one.", 1)),
            "tensors": mapping("The tensors, by name.", part("tensor", "A tensor.")),
        },
    )


def _declaration() -> Schema:
    size = "Size of a vector that it {}; null where its file does not say."
    module = record(
        "A step.",
        {
            "type": text("Class of the step.", least=1),
            "input_dimension": nullable(whole(size.format("takes"), 1)),
            "output_dimension": nullable(whole(size.format("gives"), 1)),
        },
    )
    return record(
        "What the sentence-transformers files of the checkpoint declare.",
        {
            "pooling": nullable(text("Strategy in bertshape's notation; null without a Pooling step.", least=1)),
            "dimension": nullable(whole("Size of the final vector, where the files say it.", 1)),
            "modules": array("The steps, in order.", module),
        },
    )


def _checkpoint() -> Schema:
    limit = nullable(whole("Tokens; null for no limit."))
    return record(
        "The checkpoint.",
        {
            "name_or_path": text("Its name, as it was given.", least=1),
            "source": choice("Where it is.", *SOURCES),
            "revision": nullable(text("Commit of a Hub repository; null for others.", least=1)),
            "model_type": text("Family, as config.json names it.", least=1),
            "architecture": nullable(text("Class that config.json declares first.")),
            "weights": choice("Weights that were asked for: stored, random, or none at all.", *WEIGHTS),
            "dtype": text("Dtype of the parameters.", least=1),
            "parameters": nullable(whole("Parameters of the base model; null where the family is not known.")),
            "dimensions": record("Sizes; null where the family has no such thing.", DIMENSIONS),
            "length_limits": mapping(
                "Every declared limit on tokens, by the place where it is declared.",
                limit,
                always={"effective": nullable(whole("The one that applies; null for none."))},
            ),
            "sentence_embedding": nullable(part("sentence_embedding", "The declared chain; null where none is.")),
            "pooler": POOLER,
        },
    )


def _run() -> Schema:
    fields = {
        "device": text("Device that ran.", least=1),
        "dtype": text("Dtype of the parameters.", least=1),
        "torch": text("Version of torch.", least=1),
        "transformers": text("Version of transformers.", least=1),
    }
    nothing = {name: constant(f"Null: {name} is known by running.", None) for name in fields}
    return several(
        "Whether and where the model was run.",
        record("It was.", {"executed": constant("It was run.", True), **fields}),
        record("It was not.", {"executed": constant("It was not run.", False), **nothing}),
    )


def _finding() -> Schema:
    return record(
        "Something that a person should know.",
        {
            "code": _CODE,
            "severity": choice("An error makes the exit code 1.", *SEVERITIES),
            "message": text("What, where, expected and actual, in one line.", least=1),
            "hint": text("What to do next, or empty."),
            "where": nullable(text("File or field to blame.")),
            "expected": nullable(text("What should be there, where one value says it.")),
            "actual": nullable(text("What is there.")),
        },
    )


PARTS: dict[str, Schema] = {
    "token": _token(),
    "word": _word(),
    "sequence": record("A text with its tokens.", SEQUENCE, optional=WORDS),
    "inputs": _inputs(),
    "sentence_embedding": _declaration(),
    "checkpoint": _checkpoint(),
    "run": _run(),
    "finding": _finding(),
    "failure": record(
        "Why there is no answer.",
        {
            "code": _CODE,
            "message": text("What is wrong, where, expected and actual, in one line.", least=1),
            "hint": text("What to do next, or empty."),
        },
    ),
}
