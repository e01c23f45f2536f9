"""Text encoders that are no BERT, from end to end: predicted, observed, checked, and embedded as `encode` does."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from bertshape import embed_texts, inspect_texts
from bertshape.errors import CheckpointError
from bertshape.pipelines.model import open_model
from bertshape.pipelines.model_source import ModelSource
from bertshape.predict.family import family_names, load_family
from tests.predict.test_layers import walk
from tests.tools.make_family import tiny_config

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = [
    "This is an example sentence.",
    "words",
    "Sentence embeddings average the vectors of tokens, and padding must not take part.",
]
GROUPS = {name: family.group for name in family_names() if (family := load_family(name))}
OTHERS = [name for name, group in GROUPS.items() if group != "encoder"]
POOLINGS = {"lasttoken": "pooling_mode_lasttoken", "mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}


@functools.cache
def tokenizer_json() -> str:
    """Pieces of bytes, an end after each text and no beginning, as embedders of this kind have them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<unk>", "<pad>", "</s>"]
    tokenizer.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=190, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 2)])
    return str(tokenizer.to_str())


def save(folder: Path, name: str, pooling: str, side: str, class_name: str | None = None, **changes: Any) -> Path:
    """A tiny random checkpoint with a tokenizer and the files of sentence-transformers."""
    family = load_family(name)
    assert family is not None
    config = tiny_config(name, num_hidden_layers=2, **changes)
    torch.manual_seed(0)
    getattr(transformers, class_name or family.model_class)(config).eval().save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(tokenizer_json()), pad_token="<pad>", eos_token="</s>", padding_side=side
    ).save_pretrained(folder)
    steps = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (path, kind) in enumerate(steps.items())
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    said = {"word_embedding_dimension": config.hidden_size} | {
        key: key == POOLINGS[pooling] for key in POOLINGS.values()
    }
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(said))
    return folder


def distance(folder: Path) -> float:
    """The largest difference of a number of `embed` from that of `encode`."""
    path = folder / "own.safetensors"
    report = embed_texts(TEXTS, path, model=folder, device="cpu")
    assert report.written, report.findings
    theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, convert_to_tensor=True)
    return float((load_file(path)["sentence_embedding"] - theirs).abs().max())


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_is_followed_from_end_to_end(name: str, tmp_path: Path) -> None:
    """Each family, with the pooling that its checkpoints have: what is shown is what their libraries give."""
    last = GROUPS[name] == "decoder"
    folder = save(tmp_path / "m", name, "lasttoken" if last else "mean", "left" if last else "right")
    verdict = open_model(ModelSource(str(folder)), weights_needed=True).verdict
    warned = [finding.code for finding in verdict.findings if finding.severity != "note"]
    assert warned == (["padding-side-left"] if name == "gpt2" else [])  # Its positions count padding.
    if name != "siglip_text_model":  # sentence-transformers cannot load it.
        assert distance(folder) < 1e-5
    predicted = inspect_texts(TEXTS, model=str(folder), weights="none", layers=True)
    observed = inspect_texts(TEXTS, model=str(folder), layers=True, device="cpu")
    assert {output.evidence for output in observed.outputs.values()} == {"observed"}
    assert {name: row.shape for name, row in predicted.pooled.items()} == {
        name: row.shape for name, row in observed.pooled.items()
    }
    assert predicted.layers is not None
    assert observed.layers is not None
    seen, shaped = dict(walk(observed.layers)), 0
    for path, layer in walk(predicted.layers):
        assert seen[path].parameters == layer.parameters, path
        if layer.shape is not None and seen[path].shape is not None:
            shaped += 1
            assert (seen[path].shape, seen[path].heads) == (layer.shape, layer.heads), path
    assert shaped > 5


@pytest.mark.parametrize("name", [name for name in OTHERS if GROUPS[name] == "t5-encoder"])
def test_the_encoder_of_a_whole_model_is_shown(name: str, tmp_path: Path) -> None:
    """As sentence-transformers takes it out; what is left of the weights is named, and no reason to doubt them."""
    family = load_family(name)
    assert family is not None
    folder = save(tmp_path / "m", name, "mean", "right", family.whole_classes[-1], tie_word_embeddings=False)
    assert distance(folder) < 1e-5
    findings = inspect_texts(TEXTS, model=str(folder), device="cpu").findings
    assert {finding.code: finding.severity for finding in findings if finding.severity != "warning"} == {
        "encoder-alone": "note",
        "tensors-left-out": "note",
    }


@pytest.mark.parametrize(("pooling", "side"), [("mean", "left"), ("cls", "left"), ("lasttoken", "right")])
def test_a_decoder_may_be_pooled_otherwise(pooling: str, side: str, tmp_path: Path) -> None:
    """And it is said what its first token is, as a warning where that is what the vectors are made of."""
    folder = save(tmp_path / "m", "qwen3", pooling, side)
    assert distance(folder) < 1e-5
    report = inspect_texts(TEXTS, model=str(folder), weights="none")
    assert report.pooled["cls"].over == "the first token; causal: sees itself alone"
    causal = next(finding for finding in report.findings if finding.code == "attention-causal")
    assert causal.severity == ("warning" if pooling == "cls" else "note")


@pytest.mark.parametrize(
    ("name", "changes", "causal"),
    [
        ("gemma3_text", {"use_bidirectional_attention": True}, False),
        ("qwen2", {"is_causal": False}, False),
        ("llama", {}, True),
    ],
)
def test_attention_is_causal_where_it_is_said(name: str, changes: dict[str, Any], causal: bool, tmp_path: Path) -> None:
    """By what the last token changes in the vectors before it; EmbeddingGemma sees both ways."""
    folder = save(tmp_path / "m", name, "mean", "right", **changes)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        one, other = (model(input_ids=torch.tensor([[5, 6, 7, 8, last]])).last_hidden_state for last in (9, 10))
    assert torch.allclose(one[:, :-1], other[:, :-1], atol=1e-6) == causal
    report = inspect_texts(TEXTS, model=str(folder), weights="none")
    assert ("attention-causal" in {finding.code for finding in report.findings}) == causal
    assert report.pooled["cls"].over.endswith("sees itself alone") == causal


def test_a_window_is_named_for_texts_that_are_longer(tmp_path: Path) -> None:
    folder = save(tmp_path / "m", "mistral", "mean", "right")
    long, short = (inspect_texts(text, model=str(folder), weights="none") for text in (TEXTS[2], TEXTS[1]))
    found = [finding.message for finding in long.findings if finding.code == "attention-window"]
    assert [message[:20] for message in found] == ["sliding_window is 12"]
    assert "attention-window" not in {finding.code for finding in short.findings}


def own_code(folder: Path, **changes: Any) -> Path:
    """A checkpoint whose model only its own code knows, as those of gte's `new` are."""
    save(folder, "llama", "mean", "right")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "new", "architectures": ["NewModel"], "auto_map": {"AutoModel": "modeling.NewModel"}}
    (folder / "config.json").write_text(json.dumps(config | changes))
    (folder / "modeling.py").write_text("raise SystemExit('this must not run')")
    return folder


def test_a_model_of_its_own_code_is_predicted_from_its_headers(tmp_path: Path) -> None:
    """It never runs, every row says where it is from, and the weights are counted."""
    report = inspect_texts(TEXTS, model=str(own_code(tmp_path / "m")))
    stored = load_file(tmp_path / "m" / "model.safetensors")
    assert not report.run.executed
    assert report.checkpoint.parameters == sum(tensor.numel() for tensor in stored.values())
    rows: list[Any] = [
        *report.outputs.values(),
        *(row for row in report.pooled.values() if row.shape),
        *report.embedding,
    ]
    assert {row.evidence for row in rows} == {"from_headers"}
    assert report.outputs["last_hidden_state"].shape.sizes[-1] == 48
    assert "custom-code" in {finding.code for finding in report.findings if finding.severity == "warning"}
    with pytest.raises(CheckpointError, match="never run"):
        embed_texts(TEXTS, tmp_path / "v.npy", model=tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"num_hidden_layers": 3}, "layers-mismatch"),
        ({"vocab_size": 300}, "dimension-mismatch"),
        ({"hidden_size": 44}, "dimension-mismatch"),
        ({}, None),
    ],
)
def test_headers_are_compared_with_the_config_of_a_model_without_a_table(
    change: dict[str, int], code: str | None, tmp_path: Path
) -> None:
    report = inspect_texts(TEXTS, model=str(own_code(tmp_path / "m", **change)))
    found = [finding.code for finding in report.findings if finding.code in ("layers-mismatch", "dimension-mismatch")]
    assert found == ([code] if code else [])


def test_outputs_have_names_where_the_config_asks_for_a_tuple(tmp_path: Path) -> None:
    """CLIP does what config.json says, whatever its forward is asked for."""
    folder = save(tmp_path / "m", "clip_text_model", "mean", "right")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"return_dict": False}))
    report = inspect_texts(TEXTS, model=str(folder), device="cpu")
    assert {"last_hidden_state", "pooler_output", "hidden_states"} <= set(report.outputs)


def test_an_encoder_with_a_decoder(tmp_path: Path) -> None:
    """As AutoModel runs it: the last_hidden_state of BART is its decoder's, and there are no hidden_states."""
    sizes: dict[str, Any] = {
        f"{part}_{size}": 4 for part in ("encoder", "decoder") for size in ("layers", "attention_heads", "ffn_dim")
    }
    config = transformers.BartConfig(vocab_size=200, d_model=32, max_position_embeddings=64, pad_token_id=1, **sizes)
    model = transformers.BartModel(config).eval()
    model.save_pretrained(tmp_path)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(tokenizer_json()), pad_token="<pad>", eos_token="</s>"
    ).save_pretrained(tmp_path)
    report = inspect_texts(TEXTS, model=tmp_path, device="cpu")
    batch = transformers.AutoTokenizer.from_pretrained(tmp_path)(TEXTS, padding=True, return_tensors="pt")
    expected = model(batch["input_ids"], batch["attention_mask"])
    outputs = report.to_dict()["outputs"]
    assert tuple(outputs["last_hidden_state"]["shape"]) == expected.last_hidden_state.shape
    assert "hidden_states" not in outputs
    assert "its decoder's" in next(found.message for found in report.findings if found.code == "family-unknown")
