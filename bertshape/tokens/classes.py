"""The tokenizer classes of transformers 5 that `tokenizers` alone can build: a table, one row per class.

A class with an `__init__` of its own takes the vocabulary from tokenizer.json and builds normalizer, pre-tokenizer and
template anew, from tokenizer_config.json and its own defaults; other classes take the file as it is. The rows hold what
each class does, and tests/differential/tokens.py compares them with the classes of the transformers that is installed.
A class that has no row is asked of transformers itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from bertshape.tokens import parts
from bertshape.tokens.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
"""Special tokens that have a name, in the order in which transformers adds them."""


@dataclass(frozen=True)
class TokenizerClass:
    """What one class of transformers does with a folder.

    Attributes:
        name: Its name, without `Fast`.
        files: Vocabulary files that it reads where there is no tokenizer.json.
        special_tokens: Default of each named special token.
        settings: Its other settings that matter here, with their defaults.
        model: Kind of its model: WordPiece, BPE or Unigram; None leaves it to the vocabulary.
        make_model: Builds the model from vocabulary, merges and settings; None for Unigram.
        unk_id: Id of the unknown token in a Unigram model, from vocabulary and settings.
        arrange: Its own order of the pieces in a file of SentencePiece, from those pieces and the settings.
        normalizer: Builds the normalizer from the settings and SentencePiece's table.
        pre_tokenizer: Builds the pre-tokenizer from the settings.
        template: Set at the end; None keeps that of tokenizer.json.
        first_template: Set at the beginning, where tokenizer.json has none.
        inputs: Tensors that it makes.
        padding_side: Where tokenizer_config.json and tokenizer.json do not say it.
        extra_special_tokens: More special tokens, where none are declared.
        stripped_mask: Whether the mask token takes the blank before it.
        added: Roles that are wrapped before they are added, so that they match in normalized text.
        fixed: Settings that it does not hand on, and so keeps at their defaults.
        from_file: Whether it has no `__init__` of its own, and so takes tokenizer.json as it is.
        late: Whether it adds the special tokens once more at the end.
        since: First version of transformers that does this.
    """

    name: str
    files: tuple[str, ...]
    special_tokens: Mapping[str, str | None]
    normalizer: Callable[[Mapping[str, Any], bytes | None], Any]
    pre_tokenizer: Callable[[Mapping[str, Any]], Any]
    template: Template | None
    model: Literal["WordPiece", "BPE", "Unigram"] | None
    make_model: Callable[[Any, Any, Mapping[str, Any]], Any] | None = None
    unk_id: Callable[[Any, Mapping[str, Any]], Any] | None = None
    arrange: Callable[[Any, Mapping[str, Any]], Any] | None = None
    first_template: Template | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("input_ids", "attention_mask")
    padding_side: Literal["right", "left"] = "right"
    extra_special_tokens: tuple[str, ...] | None = None
    stripped_mask: bool = False
    added: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    from_file: bool = False
    late: bool = False
    since: str = ""


def _tokens(bos: str | None, eos: str | None, unk: str, sep: str, pad: str, cls: str, mask: str) -> dict[str, Any]:
    values = zip(ROLES, (bos, eos, unk, sep, pad, cls, mask), strict=True)
    return {role: value for role, value in values if value is not None}


def _template(pattern: str, *roles: str, ids: tuple[int | None, ...] = (None, None), pieces: bool = False) -> Template:
    """A template from a pattern such as `C $A S | C $A S $B:1 S:1`, where C and S stand for the two roles."""
    first, second = (f"{{{role}}}" for role in roles or ("cls_token", "sep_token"))
    single, pair = (
        tuple(piece.replace("C", first).replace("S", second) for piece in side.split()) for side in pattern.split("|")
    )
    kind: Literal["pieces", "words"] = "pieces" if pieces else "words"
    return Template(single=single, pair=pair, roles=roles or ("cls_token", "sep_token"), ids=ids, kind=kind)


_BERT = _tokens(None, None, "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]")
_DEBERTA = _tokens("[CLS]", "[SEP]", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]")
_ROBERTA = _tokens("<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>")
_ALBERT = _tokens("[CLS]", "[SEP]", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]")
_BERT_PAIR = "C:0 $A:0 S:0 | C:0 $A:0 S:0 $B:1 S:1"
_BERT_TEMPLATE = _template(_BERT_PAIR, ids=(2, 3))
# The tokens' names are written into it; their ids are those of the settings.
_ALBERT_TEMPLATE = Template(
    single=("[CLS]:0", "$A:0", "[SEP]:0"), pair=("[CLS]:0", "$A:0", "[SEP]:0", "$B:1", "[SEP]:1"), kind="albert"
)
_ROBERTA_PAIR = "C $A S | C $A S S $B S"
_LOWERED = {"do_lower_case": True, "tokenize_chinese_chars": True, "strip_accents": None, "clean_text": True}
_WITH_TYPES = ("input_ids", "token_type_ids", "attention_mask")
_VOCAB_AND_MERGES = ("vocab.json", "merges.txt")


def _bert(name: str, **changes: Any) -> TokenizerClass:
    row: dict[str, Any] = {"files": ("vocab.txt",), "special_tokens": _BERT, "settings": _LOWERED}
    row |= {"make_model": parts.word_piece, "normalizer": parts.bert_normalizer, "model": "WordPiece"}
    row |= {"pre_tokenizer": parts.bert_pre_tokenizer, "template": _BERT_TEMPLATE, "inputs": _WITH_TYPES}
    row |= {"fixed": ("clean_text",)}
    return TokenizerClass(name, **(row | changes))


def _albert(name: str, **changes: Any) -> TokenizerClass:
    row: dict[str, Any] = {"files": ("spiece.model",), "special_tokens": _ALBERT, "model": "Unigram"}
    row |= {"unk_id": parts.unknown_at(1), "normalizer": parts.albert_normalizer, "template": None, "since": "5.14"}
    row |= {"pre_tokenizer": parts.words_metaspace, "first_template": _ALBERT_TEMPLATE}
    row |= {"settings": {"do_lower_case": True, "keep_accents": False, "add_prefix_space": True}}
    return TokenizerClass(name, **(row | changes))


_ROWS = (
    _bert("BertTokenizer"),
    _bert("DistilBertTokenizer", inputs=("input_ids", "attention_mask")),
    _bert("ConvBertTokenizer", from_file=True),
    _bert(
        "SplinterTokenizer",
        special_tokens=_BERT | {"question_token": "[QUESTION]"},
        template=Template(kind="splinter"),
        inputs=("input_ids", "attention_mask"),
    ),
    _bert("DPRContextEncoderTokenizer", fixed=("clean_text", "do_lower_case")),
    _bert("DPRQuestionEncoderTokenizer", fixed=("clean_text", "do_lower_case")),
    _bert(
        "FunnelTokenizer",
        special_tokens=_tokens("<s>", "</s>", "<unk>", "<sep>", "<pad>", "<cls>", "<mask>"),
        fixed=(),
        template=_template("C:2 $A:0 S:0 | C:2 $A:0 S:0 $B:1 S:1"),
        inputs=("input_ids", "attention_mask"),
    ),
    _bert(
        "MPNetTokenizer",
        special_tokens=_tokens("<s>", "</s>", "[UNK]", "</s>", "<pad>", "<s>", "<mask>"),
        settings={**_LOWERED, "trim_offsets": True, "add_prefix_space": False},
        template=Template(kind="roberta", ids=(0, 2)),
        inputs=("input_ids", "attention_mask"),
        stripped_mask=True,
        added=ROLES,
        fixed=("clean_text", "trim_offsets", "add_prefix_space"),
        since="5.14",
    ),
    TokenizerClass(
        "RobertaTokenizer",
        files=_VOCAB_AND_MERGES,
        special_tokens=_ROBERTA,
        settings={"add_prefix_space": False, "trim_offsets": True},
        make_model=parts.bpe,
        normalizer=parts.no_normalizer,
        pre_tokenizer=parts.byte_level,
        template=Template(kind="roberta"),
        model="BPE",
    ),
    TokenizerClass(
        "DebertaTokenizer",
        files=_VOCAB_AND_MERGES,
        special_tokens=_DEBERTA,
        settings={"add_prefix_space": False},
        make_model=parts.bpe,
        normalizer=parts.no_normalizer,
        pre_tokenizer=parts.byte_level,
        template=_template(_ROBERTA_PAIR),
        model="BPE",
        inputs=("input_ids", "attention_mask", "token_type_ids"),
    ),
    TokenizerClass(
        "HerbertTokenizer",
        files=_VOCAB_AND_MERGES,
        special_tokens=_tokens(None, None, "<unk>", "</s>", "<pad>", "<s>", "<mask>"),
        make_model=parts.herbert_bpe,
        normalizer=parts.herbert_normalizer,
        pre_tokenizer=parts.bert_pre_tokenizer,
        template=Template(kind="bert", ids=(0, 2)),
        model="BPE",
    ),
    TokenizerClass(
        "XLMRobertaTokenizer",
        files=("sentencepiece.bpe.model",),
        special_tokens=_ROBERTA,
        settings={"add_prefix_space": True},
        unk_id=parts.unknown_at(3),
        arrange=parts.xlm_roberta_pieces,
        normalizer=parts.precompiled_normalizer,
        pre_tokenizer=parts.words_metaspace,
        template=_template(_ROBERTA_PAIR, "bos_token", "eos_token", pieces=True),
        model="Unigram",
    ),
    TokenizerClass(
        "CamembertTokenizer",
        files=("sentencepiece.bpe.model",),
        special_tokens=_ROBERTA,
        settings={"add_prefix_space": True},
        unk_id=parts.unknown_by_name,
        arrange=parts.camembert_pieces,
        normalizer=parts.precompiled_normalizer,
        pre_tokenizer=parts.words_metaspace,
        template=_template(_ROBERTA_PAIR, "bos_token", "eos_token"),
        model=None,
        extra_special_tokens=("<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"),
        stripped_mask=True,
        since="5.14",
    ),
    TokenizerClass(
        "BarthezTokenizer",
        files=("sentencepiece.bpe.model",),
        special_tokens=_ROBERTA,
        settings={"add_prefix_space": True},
        unk_id=parts.unknown_at(3),
        normalizer=parts.barthez_normalizer,
        pre_tokenizer=parts.metaspace,
        template=None,
        model=None,
        stripped_mask=True,
    ),
    _albert("AlbertTokenizer"),
    _albert("FNetTokenizer", from_file=True, inputs=("input_ids", "token_type_ids")),
    TokenizerClass(
        "RemBertTokenizer",
        files=("sentencepiece.model",),
        special_tokens=_ALBERT,
        settings={"do_lower_case": False, "keep_accents": True, "add_prefix_space": True},
        unk_id=parts.unknown_at(2),
        normalizer=parts.rembert_normalizer,
        pre_tokenizer=parts.metaspace,
        template=replace(_template(_BERT_PAIR), null_is_unknown=True),
        model="Unigram",
        late=True,
        since="5.14",
    ),
    TokenizerClass(
        "BigBirdTokenizer",
        files=("spiece.model",),
        special_tokens=_tokens("<s>", "</s>", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]"),
        settings={"add_prefix_space": True},
        unk_id=parts.unknown_by_score(100),
        normalizer=parts.big_bird_normalizer,
        pre_tokenizer=parts.metaspace,
        template=_template(_BERT_PAIR),
        model="Unigram",
        stripped_mask=True,
        added=ROLES,
    ),
    TokenizerClass(
        "DebertaV2Tokenizer",
        files=("spm.model",),
        special_tokens=_DEBERTA,
        settings={"do_lower_case": False, "split_by_punct": False, "add_prefix_space": True, "unk_id": 1},
        unk_id=parts.unknown_by_score(None),
        normalizer=parts.deberta_v2_normalizer,
        pre_tokenizer=parts.deberta_v2_pre_tokenizer,
        template=_template(_BERT_PAIR, ids=(0, 0)),
        model="Unigram",
        inputs=("input_ids", "attention_mask", "token_type_ids"),
    ),
    TokenizerClass(
        "XLNetTokenizer",
        files=("spiece.model",),
        special_tokens=_tokens("<s>", "</s>", "<unk>", "<sep>", "<pad>", "<cls>", "<mask>"),
        settings={"do_lower_case": False, "add_prefix_space": True, "unk_id": 0},
        unk_id=parts.unknown_as_set,
        normalizer=parts.xlnet_normalizer,
        pre_tokenizer=parts.words_metaspace,
        template=_template("$A:0 S:0 C:2 | $A:0 S:0 $B:1 S:1 C:2"),
        model="Unigram",
        padding_side="left",
        extra_special_tokens=("<eop>", "<eod>"),
        stripped_mask=True,
        fixed=("add_prefix_space",),
        since="5.14",
    ),
)
CLASSES: Mapping[str, TokenizerClass] = MappingProxyType({row.name: row for row in _ROWS})
