"""The part of the schema that is about a corpus: what `profile` counts, and what follows from it."""

from __future__ import annotations

from bertshape.report.schema.building import Schema, array, choice, mapping, nullable, number, part, record, text, whole

PADDINGS = ("longest", "longest, sorted by length", "max_length")

_COUNT = whole("How many there are.", 1)
_SHARE = "Share of {}, from 0 to 1, rounded to 6 digits."


def _setting() -> Schema:
    return record(
        "What the counts depend on: profiles add up only where all of it is the same.",
        {
            "tokenizer": text("Digest of the tokenizer.", least=1),
            "unknown_token": nullable(text("Token that counts as unknown, where the tokenizer has one.")),
            "hidden_size": whole("Of the checkpoint, for the bytes of a batch.", 1),
            "limits": mapping("Length limits by the place where each is declared.", whole("Tokens.")),
            "max_length": nullable(whole("One more limit, that was asked for.", 1)),
            "cut_at": nullable(whole("Length at which texts are cut before they make batches; null for none.")),
            "batch_sizes": array("Batch sizes that padding was counted for.", whole("Texts a batch.", 1), least=1),
        },
    )


def _counts() -> Schema:
    shapes = mapping("How many batches have which shape, by ROWSxPOSITIONS.", _COUNT, keys="^[0-9]+x[0-9]+$")
    return record(
        "Whole numbers, which can be added up.",
        {
            "lengths": mapping(
                "How many texts have how many tokens, by length, before any cut.", _COUNT, keys="^[0-9]+$"
            ),
            "unknown": whole("Tokens that the vocabulary does not know."),
            "texts_with_unknown": whole("Texts that have one of these."),
            "special": whole("Special tokens."),
            "batches": mapping("Batches of the texts in their order, by batch size.", shapes, keys="^[0-9]+$"),
        },
    )


def _length() -> Schema:
    return record(
        "Lengths of texts in tokens, special ones included.",
        {
            "least": whole("Shortest."),
            "mean": number("Mean."),
            "percentiles": mapping(
                "Length that so many percent of the texts do not exceed, by percent.",
                whole("Tokens."),
                keys=r"^[0-9]+(\.[0-9]+)?$",
            ),
            "most": whole("Longest."),
        },
    )


def _cut() -> Schema:
    return record(
        "What a limit would cut.",
        {
            "where": text("Where it is declared; effective is what applies.", least=1),
            "limit": whole("Tokens."),
            "texts": whole("How many texts are longer."),
            "share": number(_SHARE.format("all texts"), 1),
            "tokens": whole("Tokens that would be lost."),
        },
    )


def _waste() -> Schema:
    return record(
        "Padding under one way of making batches.",
        {
            "padding": choice("How texts get one length.", *PADDINGS),
            "batch_size": whole("Texts a batch.", 1),
            "batches": whole("Number of batches.", 1),
            "positions": whole("Positions that would run, padding included."),
            "share": number(_SHARE.format("the positions that is padding"), 1),
            "largest": array(
                "Rows and positions of the largest batch.", whole("Rows, then positions."), least=2, most=2
            ),
            "bytes": mapping("Bytes of last_hidden_state of that batch, by dtype.", whole("Bytes.")),
        },
    )


def _summary() -> Schema:
    return record(
        "What follows from the counts.",
        {
            "texts": whole("Number of texts."),
            "tokens": whole("Number of tokens, special ones included."),
            "special": whole("Special tokens among them."),
            "unknown_share": number(_SHARE.format("the content tokens that is unknown"), 1),
            "texts_with_unknown": whole("Texts with an unknown token."),
            "length": nullable(part("lengths", "Lengths of texts; null where there is no text.")),
            "cuts": array("What each limit would cut.", _cut()),
            "waste": array("Padding under each way of making batches.", _waste()),
        },
    )


def _profile() -> Schema:
    file = record("A file.", {"name": text("Its name, as it was given."), "texts": whole("How many texts it holds.")})
    return record(
        "The counts, from which all else follows; --merge adds them up.",
        {"setting": _setting(), "files": array("The files, sorted by name.", file), "counts": _counts()},
    )


PARTS: dict[str, Schema] = {"lengths": _length(), "counted": _profile(), "summary": _summary()}
