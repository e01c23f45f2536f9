"""Is the tokenizer the one of these weights? Vocabulary, special tokens, padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.report.finding import Finding

if TYPE_CHECKING:
    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.report.finding import Severity
    from bertshape.tokens.batch import Tokenization
    from bertshape.tokens.tokenizer import LoadedTokenizer

_BLANK_SHARE = 10
"""A tokenizer with less than a tenth of the embedding's rows is not the one that the weights were trained with."""
_NEEDED = ("unk_token", "cls_token", "sep_token", "pad_token")
_OTHERS = ("mask_token", "bos_token", "eos_token")
_COPY_HINT = "Copy the tokenizer files of the original checkpoint into the folder."


def tokenizer_findings(
    checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer, tokenization: Tokenization
) -> list[Finding]:
    """Signs in one batch that the tokenizer is not the one of these weights."""
    findings = _blank(checkpoint, architecture, tokenizer)
    content = sum(row.content for row in tokenization.rows)
    unknown = sum(row.unknown for row in tokenization.rows)
    if unknown:
        share = f"{unknown} of {content} content tokens"
        message = f"{share} are unknown to the vocabulary ({tokenizer.unk_token})"
        severity: Severity = "warning" if unknown * 2 >= content else "note"
        findings.append(
            Finding("unknown-tokens", severity, message, where=tokenizer.file, expected="0", actual=str(unknown))
        )
    return findings


def vocabulary_findings(
    checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer
) -> list[Finding]:
    """The vocabulary against the rows of the embedding, and the special tokens against the vocabulary.

    Args:
        checkpoint: For the special tokens that its files name.
        architecture: Its vocab_size is the number of rows; the stored one, where the weights are known.
        tokenizer: The tokenizer.
    """
    return [
        *_blank(checkpoint, architecture, tokenizer),
        *_out_of_range(checkpoint, architecture, tokenizer),
        *_missing_special_tokens(checkpoint, tokenizer),
        *_no_unknown_token(tokenizer),
    ]


def padding_findings(checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer) -> list[Finding]:
    """The tokenizer's padding id against config.json's; some families count positions from it."""
    configured = architecture.pad_token_id
    if configured is None or tokenizer.pad_id is None or tokenizer.pad_id == configured:
        return []
    shifts = architecture.family is not None and "pad_token_id" in architecture.family.length
    effect = "positions are counted from the wrong id" if shifts else "tools that read the one or the other disagree"
    rows = architecture.dimensions.vocab_size
    outside = rows is not None and not -rows <= configured < rows  # torch counts negative rows from the end
    if outside:
        effect = f"torch builds no embedding of {rows} rows with it"
    return [
        Finding(
            "pad-id-disagrees",
            "error" if shifts or outside else "warning",
            f"pad_token_id: {checkpoint.config_path} says {configured}, {tokenizer.file} gives {tokenizer.pad_token} "
            f"the id {tokenizer.pad_id}; {effect}",
            f"Set pad_token_id to {tokenizer.pad_id} in config.json, if this is the tokenizer of these weights.",
            where="config.json pad_token_id",
            expected=str(tokenizer.pad_id),
            actual=str(configured),
        )
    ]


def _blank(checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer) -> list[Finding]:
    rows, size = architecture.dimensions.vocab_size, tokenizer.vocabulary_size
    if rows is None or size * _BLANK_SHARE >= rows:
        return []
    message = (
        f"{tokenizer.file} knows {size} tokens, {checkpoint.config_path} says {architecture.config_key('vocab_size')} "
        f"{rows}: nearly every word becomes unknown"
    )
    return [
        Finding(
            "tokenizer-blank",
            "error",
            message,
            _COPY_HINT,
            where=tokenizer.file,
            expected=f"about {rows} tokens",
            actual=f"{size} tokens",
        )
    ]


def _out_of_range(checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer) -> list[Finding]:
    rows = architecture.dimensions.vocab_size
    vocabulary = tokenizer.backend.get_vocab(with_added_tokens=True)
    largest = max(vocabulary.values(), default=-1)
    if rows is None or largest < rows:
        return []
    token = next(token for token, token_id in vocabulary.items() if token_id == largest)
    message = (
        f"{tokenizer.file} gives {token!r} the id {largest}; ids must be below {rows}, the embedding's rows "
        f"({checkpoint.config_path} {architecture.config_key('vocab_size')})"
    )
    return [
        Finding(
            "token-ids-out-of-range",
            "error",
            message,
            "Use the tokenizer that belongs to these weights, or resize the embedding (resize_token_embeddings).",
            where=tokenizer.file,
            expected=f"ids below {rows}",
            actual=str(largest),
        )
    ]


def _missing_special_tokens(checkpoint: Checkpoint, tokenizer: LoadedTokenizer) -> list[Finding]:
    findings = []
    for role in (*_NEEDED, *_OTHERS):
        token = checkpoint.special_tokens.get(role)
        if token is None or tokenizer.backend.token_to_id(token) is not None:
            continue
        findings.append(
            Finding(
                "special-token-missing",
                "error" if role in _NEEDED else "warning",
                f"{role}: the tokenizer's settings say {token!r}, which {tokenizer.file} has no entry for; "
                "transformers would add it with an id that the weights were not trained on",
                _COPY_HINT,
                where=f"tokenizer_config.json {role}",
                expected=f"an entry in {tokenizer.file}",
                actual=repr(token),
            )
        )
    return findings


def _no_unknown_token(tokenizer: LoadedTokenizer) -> list[Finding]:
    """A model that names a token for unknown words and does not have it fails at the first of them."""
    model = tokenizer.backend.model
    token = getattr(model, "unk_token", None)
    if not isinstance(token, str) or model.token_to_id(token) is not None:
        return []
    return [
        Finding(
            "unknown-token-missing",
            "error",
            f"unk_token: the model in {tokenizer.file} names {token!r}, and its vocabulary lacks it; a text with an "
            "unknown word cannot be encoded",
            _COPY_HINT,
            where=f"{tokenizer.file} model.unk_token",
            expected=f"an entry for {token!r}",
            actual="none",
        )
    ]
