"""Normalizers, pre-tokenizers and models as the tokenizer classes of transformers 5 build them from their settings.

Each function takes the settings of a class by name, defaults filled in. What is written down here is what the class
does, odd things included; tests/differential/tokens.py compares the result with the class itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokenizers import Regex, models, normalizers, pre_tokenizers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Settings = Mapping[str, Any]
    Charsmap = bytes | None
    """SentencePiece's normalization table, where tokenizer.json holds one."""
    Vocabulary = Any
    """Ids by token, or pairs of token and score, or the path of a file."""

_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
"""What SentencePiece writes for a blank."""


def _quotes() -> list[Any]:
    return [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]


def _precompiled(charsmap: Charsmap) -> list[Any]:
    return [] if charsmap is None else [normalizers.Precompiled(charsmap)]


def _without_accents() -> list[Any]:
    return [normalizers.NFKD(), normalizers.StripAccents()]


def _blanks() -> list[Any]:
    one_blank = normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " ")
    return [one_blank, normalizers.NFC(), normalizers.Strip(left=False, right=True)]


def no_normalizer(settings: Settings, charsmap: Charsmap) -> Any:  # noqa: ARG001 - as the others
    """None."""
    return None


def bert_normalizer(settings: Settings, charsmap: Charsmap) -> Any:  # noqa: ARG001 - as the others
    """BERT's: clean, split Chinese characters, lower case, strip accents."""
    return normalizers.BertNormalizer(
        clean_text=settings["clean_text"],
        handle_chinese_chars=settings["tokenize_chinese_chars"],
        strip_accents=settings["strip_accents"],
        lowercase=settings["do_lower_case"],
    )


def precompiled_normalizer(settings: Settings, charsmap: Charsmap) -> Any:  # noqa: ARG001 - as the others
    """SentencePiece's own table, or none."""
    return None if charsmap is None else normalizers.Precompiled(charsmap)


def albert_normalizer(settings: Settings, charsmap: Charsmap) -> Any:
    """Quotes, accents unless kept, lower case, SentencePiece's table."""
    accents = [] if settings["keep_accents"] else _without_accents()
    lower = [normalizers.Lowercase()] if settings["do_lower_case"] else []
    return normalizers.Sequence([*_quotes(), *accents, *lower, *_precompiled(charsmap)])


def rembert_normalizer(settings: Settings, charsmap: Charsmap) -> Any:
    """As ALBERT's, and runs of blanks become one."""
    accents = [] if settings["keep_accents"] else _without_accents()
    lower = [normalizers.Lowercase()] if settings["do_lower_case"] else []
    one_blank = normalizers.Replace(Regex(" {2,}"), " ")
    return normalizers.Sequence([*_quotes(), one_blank, *accents, *lower, *_precompiled(charsmap)])


def xlnet_normalizer(settings: Settings, charsmap: Charsmap) -> Any:
    """Quotes, never an accent, lower case, SentencePiece's table."""
    lower = [normalizers.Lowercase()] if settings["do_lower_case"] else []
    return normalizers.Sequence([*_quotes(), *_without_accents(), *lower, *_precompiled(charsmap)])


def big_bird_normalizer(settings: Settings, charsmap: Charsmap) -> Any:  # noqa: ARG001 - as the others
    """Runs of blanks become SentencePiece's blank."""
    return normalizers.Sequence(
        [normalizers.Strip(left=False, right=False), normalizers.Replace(Regex(" {2,}"), _SPACE)]
    )


def barthez_normalizer(settings: Settings, charsmap: Charsmap) -> Any:  # noqa: ARG001 - as the others
    """Runs of blanks and line ends become one blank, NFC, no blank at the end."""
    return normalizers.Sequence(_blanks())


def deberta_v2_normalizer(settings: Settings, charsmap: Charsmap) -> Any:  # noqa: ARG001 - as the others
    """Lower case where set, then as Barthez's."""
    lower = [normalizers.Lowercase()] if settings["do_lower_case"] else []
    return normalizers.Sequence([*lower, *_blanks()])


def herbert_normalizer(settings: Settings, charsmap: Charsmap) -> Any:  # noqa: ARG001 - as the others
    """BERT's with nothing to set."""
    return normalizers.BertNormalizer(lowercase=False, strip_accents=False, clean_text=True, handle_chinese_chars=True)


def bert_pre_tokenizer(settings: Settings) -> Any:  # noqa: ARG001 - as the others
    """Words and punctuation."""
    return pre_tokenizers.BertPreTokenizer()


def byte_level(settings: Settings) -> Any:
    """Words with the blank before them, as bytes."""
    return pre_tokenizers.ByteLevel(add_prefix_space=settings["add_prefix_space"])


def metaspace(settings: Settings) -> Any:
    """Words with SentencePiece's blank before them."""
    scheme = "always" if settings["add_prefix_space"] else "never"
    return pre_tokenizers.Metaspace(replacement=_SPACE, prepend_scheme=scheme)


def words_metaspace(settings: Settings) -> Any:
    """Split at blanks first, so that runs of them are one."""
    return pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace(settings)])


def deberta_v2_pre_tokenizer(settings: Settings) -> Any:
    """As `metaspace`, after a split at punctuation where set; without a prefix the first word has one all the same."""
    scheme = "always" if settings["add_prefix_space"] else "first"
    punctuation = [pre_tokenizers.Punctuation(behavior="isolated")] if settings["split_by_punct"] else []
    return pre_tokenizers.Sequence([*punctuation, pre_tokenizers.Metaspace(replacement=_SPACE, prepend_scheme=scheme)])


def word_piece(vocabulary: Vocabulary, merges: Any, settings: Settings) -> Any:  # noqa: ARG001 - as the others
    """WordPiece with `##`, whatever the file's own prefix."""
    return models.WordPiece(vocabulary, unk_token=str(settings["unk_token"]))


def bpe(vocabulary: Vocabulary, merges: Any, settings: Settings) -> Any:  # noqa: ARG001 - as the others
    """Byte-level BPE: no unknown token, no prefix, no suffix."""
    return models.BPE(
        vocab=vocabulary,
        merges=merges or [],
        dropout=None,
        continuing_subword_prefix="",
        end_of_word_suffix="",
        fuse_unk=False,
    )


def herbert_bpe(vocabulary: Vocabulary, merges: Any, settings: Settings) -> Any:
    """BPE whose words end in `</w>`."""
    return models.BPE(
        vocab=vocabulary,
        merges=merges or [],
        dropout=None,
        unk_token=str(settings["unk_token"]),
        end_of_word_suffix="</w>",
    )


def unknown_at(index: int) -> Callable[[Vocabulary, Settings], int]:
    """The unknown token of a Unigram model has one id, whatever the file says."""
    return lambda vocabulary, settings: index  # noqa: ARG005 - as the others


def unknown_by_name(vocabulary: Vocabulary, settings: Settings) -> int:
    """It is found by its name, else it is the first entry."""
    name = str(settings["unk_token"])
    return next((index for index, (token, _) in enumerate(vocabulary) if token == name), 0)


def unknown_by_score(otherwise: int | None) -> Callable[[Vocabulary, Settings], int]:
    """It is found by its name where its score is 0; else it has this id, or that of the settings."""

    def find(vocabulary: Vocabulary, settings: Settings) -> int:
        wanted = (str(settings["unk_token"]), 0.0)
        if wanted in vocabulary:
            return int(vocabulary.index(wanted))
        return settings["unk_id"] if otherwise is None else otherwise

    return find


def unknown_as_set(vocabulary: Vocabulary, settings: Settings) -> Any:  # noqa: ARG001 - as the others
    """Its id is a setting."""
    return settings["unk_id"]


def camembert_pieces(pieces: Any, settings: Settings) -> Any:
    """Its special tokens before the pieces of the file, the first of which gives way, and the mask token at the end."""
    pad, unknown, mask = (str(settings[role]) for role in ("pad_token", "unk_token", "mask_token"))
    first = [("<s>NOTUSED", 0.0), (pad, 0.0), ("</s>NOTUSED", 0.0), (unknown, 0.0), ("<unk>NOTUSED", -100.0)]
    return [*first, *pieces[1:], (mask, 0.0)]


def xlm_roberta_pieces(pieces: Any, settings: Settings) -> Any:
    """Its special tokens in place of the first three pieces of the file, and the mask token at the end."""
    bos, pad, eos, unknown, mask = (str(settings[f"{role}_token"]) for role in ("bos", "pad", "eos", "unk", "mask"))
    return [*((token, 0.0) for token in (bos, pad, eos, unknown)), *pieces[3:], (mask, 0.0)]
