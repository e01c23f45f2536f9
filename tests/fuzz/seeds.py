"""Inputs to begin with: sound ones of each kind, and those that once broke a reader."""

from __future__ import annotations

import json

from bertshape.contract.contract import CheckpointContract
from bertshape.contract.write import write_contract
from bertshape.predict.family import family_names, load_family
from tests.hostile.model import CONFIG, shapes, tokenizer_json, weights_of
from tests.support.checkpoints import minilm_folder
from tests.support.weight_files import packed, tensor

_MINILM = minilm_folder()
_CHAIN = (_MINILM / "modules.json").read_text(encoding="utf-8")
"""The published modules.json of all-MiniLM-L6-v2, whose last step is Normalize; LaBSE and others have a Dense there."""


def _tokenizer_files(name: str, **settings: object) -> bytes:
    """The published tokenizer.json of all-MiniLM-L6-v2 with few of its words, and settings of a class."""
    document = json.loads((_MINILM / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = document["model"]["vocab"]
    kept = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "text", "two", "words", "##s", "!")
    document["model"]["vocab"] = {token: vocabulary[token] for token in kept}
    published = json.loads((_MINILM / "tokenizer_config.json").read_text(encoding="utf-8"))
    config = {**published, "tokenizer_class": name, **settings}
    files = {"tokenizer": document, "tokenizer_config": config, "special_tokens_map": {}, "added_tokens": {}}
    return json.dumps(files).encode()


_PIECES = [[piece, -float(index)] for index, piece in enumerate(("<s>", "<pad>", "</s>", "<unk>", "\u2581a", "text"))]


def _with_model(name: str, **model: object) -> bytes:
    files = json.loads(_tokenizer_files(name))
    files["tokenizer"]["model"] = model
    return json.dumps(files).encode()


_CONTRACT = """
[[checkpoint]]
model = "org/name"
revision = "v1"
expect = ["hidden_size=384", "pooling=mean", 'last_hidden_state=[batch_size, ..., 384]']
[checkpoint.tensors]
"layer.{0-5}.weight" = [384, "_"]
pooler.bias = [384]
[[checkpoint.case]]
text = '''two
lines'''
input_ids = [101, 102]
last_hidden_state = [1, 2, 384]
"""
_FILES = {
    "config": {**CONFIG, "id2label": {"0": "a", "1": "b"}, "num_labels": 2, "dtype": "float32"},
    "tokenizer_config": {
        "tokenizer_class": "BertTokenizer",
        "model_max_length": 12,
        "pad_token": "[PAD]",
        "mask_token": {"content": "[MASK]"},
        "padding_side": "right",
        "do_lower_case": True,
    },
    "special_tokens_map": {"unk_token": "[UNK]", "cls_token": {"content": "[CLS]"}},
    "sentence_bert_config": {"max_seq_length": 9},
    "modules": [
        {"name": "0", "type": "sentence_transformers.models.Transformer", "path": ""},
        {"name": "1", "type": "sentence_transformers.models.Pooling", "path": "p"},
        {"name": "2", "type": "sentence_transformers.models.Dense", "path": "p"},
        {"name": "3", "type": "sentence_transformers.models.Normalize", "path": "n"},
    ],
    "p/config": {
        "embedding_dimension": 8,
        "pooling_mode": "mean",
        "pooling_mode_cls_token": False,
        "in_features": 8,
        "out_features": 4,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
        "module_input_name": "sentence_embedding",
    },
}
SEEDS: dict[str, tuple[bytes, ...]] = {
    "header": (
        weights_of(dict(list(shapes().items())[:3])),
        packed({"a": tensor(), "b": tensor("F16", [2, 2], [8, 16]), "__metadata__": {"x": "y"}}, 16),
        packed({}),
        packed('{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}', 1),
    ),
    "config": (
        json.dumps(dict(CONFIG)).encode(),
        b'{"model_type":"nosuch","d_model":8,"n_layer":2}',
        *(
            json.dumps({"model_type": name, **family.defaults}).encode()
            for name in family_names()
            if (family := load_family(name))
        ),
    ),
    "expectation": (
        b"hidden_size=8",
        b"hidden_size >= 6",
        b"pooling!=mean",
        b"last_hidden_state=[batch_size, _, 8]",
        b"last_hidden_state=[..., 2*hidden_size]",
        b"tensor:layer.{0-2}.weight=[8]",
        b"pooler_output=[1, 8]",
    ),
    "contract": (
        _CONTRACT.encode(),
        write_contract(
            [CheckpointContract(model="./x", revision=None, expect=(), tokenizer=None, tensors={}, cases=())]
        ).encode(),
        b"checkpoint = [{model = 'x', expect = [\"a=1\"]}]",
    ),
    "records": (b"a text\ntwo words\r\n", b'\xef\xbb\xbf{"text": "a", "pair": "b", "id": 3}\n\n{"text": ""}\n'),
    "pooling": (b"mean", b"cls+max", b"mean@-2", b"mean@-4:-1:concat", b"cls+mean@0+words_first"),
    "tokenizer": (tokenizer_json().encode(),),
    "tokenizer_files": (
        _tokenizer_files("BertTokenizer"),
        _tokenizer_files("PreTrainedTokenizerFast", padding_side="left"),
        _with_model("XLMRobertaTokenizer", type="Unigram", unk_id=3, vocab=_PIECES),
        _with_model("RobertaTokenizer", type="BPE", vocab={"<s>": 0, "a": 1, "b": 2, "ab": 3}, merges=["a b"]),
        _with_model("PreTrainedTokenizerFast", type="WordLevel", vocab={"[UNK]": 0, "a": 1}, unk_token="[UNK]"),
    ),
    "modules": (_CHAIN.encode(), _CHAIN.replace("Normalize", "Dense").encode()),
    "checkpoint": (json.dumps(_FILES).encode(),),
}
