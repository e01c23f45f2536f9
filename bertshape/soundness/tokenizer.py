"""Is the tokenizer the one of these weights? Vocabulary, special tokens, padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertshape.report.finding import Finding
from bertshape.soundness.tokenizer_inputs import input_findings, segment_findings
from bertshape.soundness.tokenizer_probe import probe_tokenizer
from bertshape.soundness.vocabulary import byte_order_mark, rows_without_tokens, vocabulary_file_findings
from bertshape.wording import counted

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
_MOST_DIFFERENCES = 4
_COPY_HINT = "Copy the tokenizer files of the original checkpoint into the folder."


def tokenizer_findings(
    checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer, tokenization: Tokenization
) -> list[Finding]:
    """Signs in one batch that the tokenizer is not the one of these weights."""
    findings = _blank(checkpoint, architecture, tokenizer)
    content = sum(row.content for row in tokenization.rows)
    unknown = sum(row.unknown for row in tokenization.rows)
    if unknown:
        share = f"{unknown} of {counted(content, 'content token')}"
        message = f"{share} unknown to the vocabulary ({tokenizer.unk_token})"
        severity: Severity = "warning" if unknown * 2 >= content else "note"
        findings.append(Finding("unknown-tokens", severity, message, where=tokenizer.file, expected=0, actual=unknown))
    return findings


def vocabulary_findings(
    checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer
) -> list[Finding]:
    """The vocabulary against the rows of the embedding, and the special tokens against the vocabulary.

    Args:
        checkpoint: For its name.
        architecture: Its vocab_size is the number of rows; the stored one, where the weights are known.
        tokenizer: The tokenizer.
    """
    beyond = _out_of_range(checkpoint, architecture, tokenizer)
    broken = [*_blank(checkpoint, architecture, tokenizer), *_missing_special_tokens(tokenizer)]
    probed = _no_unknown_token(tokenizer) or probe_tokenizer(tokenizer, None if beyond or broken else architecture)
    # A tokenizer of another model, or without its tokens, gives other tokens to every reader.
    readers = [] if broken else reader_findings(checkpoint, tokenizer)
    findings = [*broken, *beyond, *probed, *readers, *_no_token_types(architecture, tokenizer)]
    findings += [] if broken or beyond else rows_without_tokens(architecture, tokenizer)
    findings += input_findings(architecture, tokenizer, checkpoint.recipe.pooling)
    if not (broken or probed):
        findings += segment_findings(architecture, tokenizer)
        findings += vocabulary_file_findings(checkpoint.tokenizer_folder, tokenizer)
    return findings


def padding_findings(checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer) -> list[Finding]:
    """The tokenizer's padding id against config.json's; some families count positions from it."""
    if tokenizer.pad_id is None and checkpoint.recipe.has_chain:
        return [
            Finding(
                "pad-token-missing",
                "error",
                f"the tokenizer ({tokenizer.file}) has no padding token: encode() of sentence-transformers fails on "
                "every text, for it always asks to pad",
                "Name pad_token in tokenizer_config.json; many models take that of eos_token.",
                where="tokenizer_config.json pad_token",
                expected="a token",
                actual="none",
            )
        ]
    configured = architecture.pad_token_id
    if configured is None or tokenizer.pad_id is None or tokenizer.pad_id == configured:
        return []
    if tokenizer.pad_token in tokenizer.added:
        return []  # Its id is one that transformers made up, which has a finding of its own.
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
            expected=tokenizer.pad_id,
            actual=configured,
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
            actual=size,
        )
    ]


def _out_of_range(checkpoint: Checkpoint, architecture: Architecture, tokenizer: LoadedTokenizer) -> list[Finding]:
    rows = architecture.dimensions.vocab_size
    if rows is None or tokenizer.largest_id < rows:
        return []
    # Special tokens without an entry have a finding of their own.
    named = {token for token in tokenizer.special_tokens.values() if token in tokenizer.added}
    entries = tokenizer.backend.get_vocab().items()
    vocabulary = {token: index for token, index in entries if token not in named}
    largest = max(vocabulary.values(), default=-1)
    if largest < rows:
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
            actual=largest,
        )
    ]


def _missing_special_tokens(tokenizer: LoadedTokenizer) -> list[Finding]:
    findings, marked = [], byte_order_mark(tokenizer)
    for role in (*_NEEDED, *_OTHERS):
        token = tokenizer.special_tokens.get(role)
        if token is None or token not in tokenizer.added:
            continue
        findings.append(
            Finding(
                "special-token-missing",
                "error" if role in _NEEDED else "warning",
                f"{role}: the tokenizer's settings say {token!r}, which {tokenizer.file} has no entry for; "
                f"transformers adds it with id {tokenizer.backend.token_to_id(token)}, which the weights were not "
                "trained on" + (f"; {tokenizer.file} begins with a byte order mark" if token == marked else ""),
                f"Save {tokenizer.file} again as UTF-8 without a byte order mark." if token == marked else _COPY_HINT,
                where=f"tokenizer_config.json {role}",
                expected=f"an entry in {tokenizer.file}",
                actual=repr(token),
            )
        )
    return findings


def _no_unknown_token(tokenizer: LoadedTokenizer) -> list[Finding]:
    """A model that names a token for unknown words and does not have it fails at the first of them."""
    model: Any = getattr(tokenizer.backend, "model", None)
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


def reader_findings(checkpoint: Checkpoint, tokenizer: LoadedTokenizer) -> list[Finding]:
    """Do all who read this tokenizer give the same tokens?

    Args:
        checkpoint: For its name.
        tokenizer: Its tokenizer, loaded as transformers loads it.
    """
    return [*_differing_readers(checkpoint, tokenizer), *_not_asked(tokenizer), *_no_special_tokens(tokenizer)]


def _differing_readers(checkpoint: Checkpoint, tokenizer: LoadedTokenizer) -> list[Finding]:
    """`tokenizers` reads tokenizer.json alone; transformers builds another from its class and the settings."""
    if not tokenizer.differences:
        return []
    shown = tokenizer.differences[:_MOST_DIFFERENCES]
    listed = "; ".join(
        f"{item.setting}: tokenizer.json {item.file}, transformers {item.transformers}" for item in shown
    )
    more = len(tokenizer.differences) - len(shown)
    spans_only = all(item.spans_only for item in tokenizer.differences)
    return [
        Finding(
            "tokenizer-readers-differ",
            "note" if spans_only else "warning",
            f"{checkpoint.name} has {'the same tokens with other spans' if spans_only else 'two sets of tokens'}. "
            f"{listed}{f'; and {more} more' if more else ''}. tokenizers and text-embeddings-inference follow "
            f"tokenizer.json; transformers ({tokenizer.class_name}) follows its class and tokenizer_config.json, and "
            "so do the tokens shown here",
            "Find out which of the two the weights were trained with, and make both files say it: "
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER) keeps what transformers gives.",
            where=", ".join(item.setting for item in shown),
            expected=", ".join(item.transformers for item in shown),
            actual=", ".join(item.file for item in shown),
        )
    ]


def _not_asked(tokenizer: LoadedTokenizer) -> list[Finding]:
    if not tokenizer.not_asked:
        return []
    return [
        Finding(
            "tokenizer-class-not-asked",
            "warning",
            f"the tokens are those of {tokenizer.file} as tokenizers and text-embeddings-inference read it; "
            f"transformers may build others from its class and tokenizer_config.json: {tokenizer.not_asked}",
            "pip install transformers" if "not installed" in tokenizer.not_asked else "",
            where="tokenizer_config.json tokenizer_class",
        )
    ]


def _no_token_types(architecture: Architecture, tokenizer: LoadedTokenizer) -> list[Finding]:
    """Without token_type_ids the model takes 0 for both texts of a pair."""
    if not architecture.accepts_token_type_ids or "token_type_ids" in tokenizer.inputs:
        return []
    if architecture.family is not None and architecture.family.group == "decoder":
        return []  # GPT-2 takes them, and nobody trained it with any.
    return [
        Finding(
            "token-type-ids-not-made",
            "note",
            f"the tokenizer ({tokenizer.class_name or tokenizer.file}) makes no token_type_ids: both texts of a "
            "pair have segment 0, although the model knows more segments",
            where="tokenizer_config.json model_input_names",
            expected="token_type_ids",
            actual=", ".join(tokenizer.inputs),
        )
    ]


def _no_special_tokens(tokenizer: LoadedTokenizer) -> list[Finding]:
    """A template of nothing: then pooling by the first token takes a word."""
    cls = tokenizer.special_tokens.get("cls_token") or tokenizer.special_tokens.get("bos_token")
    if tokenizer.backend.num_special_tokens_to_add(False) or cls is None:
        return []
    return [
        Finding(
            "special-tokens-not-added",
            "warning",
            f"the tokenizer names {cls!r}, and adds no special token to a text ({tokenizer.file} has no template): the "
            "first token is the first of the text",
            _COPY_HINT,
            where=f"{tokenizer.file} post_processor",
            expected=f"a template with {cls}",
            actual="none",
        )
    ]
