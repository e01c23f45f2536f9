"""`inspect`, `embed` and `check` show the model that `AutoModel.from_pretrained(folder)` gives."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from huggingface_hub.errors import StrictDataclassClassValidationError

from bertshape import check_checkpoint, embed_texts, inspect_texts
from bertshape.errors import UsageError
from bertshape.predict.architecture import Architecture
from bertshape.predict.config import resolve
from bertshape.soundness.attention import attention_findings
from tests.differential import model as differential
from tests.differential.area import run
from tests.differential.model_folders import Maker, write_tokenizer
from tests.support.small_cases import sentence_files, set_fields, tiny_bert
from tests.tools.make_family import build_model, tiny_config

if TYPE_CHECKING:
    from pathlib import Path

    from bertshape.report.finding import Finding
    from bertshape.report.report import Report


def saved(folder: Path, model_type: str, **changes: Any) -> Path:
    """A small model of a family, with a tokenizer of whole words."""
    torch.manual_seed(0)
    build_model(tiny_config(model_type, **changes), attn_implementation="eager").save_pretrained(folder)
    write_tokenizer(folder, pad=1)
    return folder


def finding(report: Report, code: str) -> Finding:
    (found,) = [row for row in report.findings if row.code == code]
    return found


def test_generated_folders_give_what_auto_model_gives(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`python -m tests.differential --area model` goes on for as long as one wants."""
    outcome = run(differential, tmp_path / "folders", first=0, seconds=600, most=30)
    with capfd.disabled():
        print(f" {outcome.cases} generated models ", end="")
    assert outcome.differing == {}


def test_the_comparison_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(tmp_path / "m", "roberta")
    assert differential.compare(folder, ["this is"], attentions=False) == ""
    monkeypatch.setattr(Architecture, "padding_index", 0)
    assert "66 tokens are said to run" in differential.compare(folder, ["this is"], attentions=False)


# What a run leaves out, calls again, gives in another dtype or in turned axes.
INSIDE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("albert", {"num_hidden_groups": 2, "inner_group_num": 2}),
    ("albert", {"num_hidden_groups": 5, "num_hidden_layers": 2}),
    ("canine", {}),
    ("deberta-v2", {"relative_attention": True}),
    ("esm", {}),
    ("funnel", {"block_repeats": [1, 2, 1]}),
    ("longformer", {}),
    ("luke", {}),
    ("squeezebert", {}),
    ("t5", {"is_decoder": True}),
    ("umt5", {"is_decoder": True, "dtype": "float16"}),
    ("mt5", {"dtype": "float16"}),
    ("t5", {"dtype": "float16", "num_layers": 1}),
    ("xlnet", {}),
    ("big_bird", {"is_decoder": True, "attention_type": "block_sparse"}),
)


@pytest.mark.parametrize(("model_type", "changes"), INSIDE)
def test_the_parts_inside_are_those_that_run(model_type: str, changes: dict[str, Any], tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", model_type, **changes)
    set_fields(folder, "config.json", dtype=changes.get("dtype", "float32"))
    assert differential.compare(folder, ["this is", "it"], attentions=True, layers=True) == ""


def test_float32_between_layers_of_float16_is_shown(tmp_path: Path) -> None:
    """Transformers keeps one matrix of T5 in float32, and so what its layers hand on, of random weights too."""
    folder = saved(tmp_path / "m", "t5")
    texts, layers = ["this is", "it"], ["second_to_last", "mean@-1", "mean@0", "mean"]
    for weights in ("checkpoint", "random"):
        report = inspect_texts(texts, model=folder, dtype="float16", weights=weights, pooling=layers, device="cpu")
        assert "prediction-disagrees" not in {finding.code for finding in report.findings}
        states = report.outputs["hidden_states"]
        assert states.dtypes == ("float16", *["float32"] * 4, "float16")
        assert [name for name, _ in states.runs] == ["0", "1-4", "5"]


def test_a_case_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        Maker(random.Random(7), tmp_path / name).make()
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("first", "second")]
    assert weights[0] == weights[1]


def test_case_55_a_decoder_is_named(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "m")
    set_fields(folder, "config.json", is_decoder=True)
    report = inspect_texts("a b", model=folder, save=tmp_path / "out.safetensors")
    assert "attention is causal" in finding(report, "attention-causal").message
    set_fields(folder, "config.json", is_decoder=False, add_cross_attention=True)
    report = inspect_texts("a b", model=folder, weights="none")
    assert finding(report, "cross-attention-without-decoder").severity == "error"


def test_case_57_numbers_that_are_none_are_an_error(tmp_path: Path) -> None:
    folder = sentence_files(tiny_bert(tmp_path / "m", dtype=torch.float16))
    model = transformers.AutoModel.from_pretrained(folder)
    with torch.no_grad():
        for layer in model.encoder.layer:
            layer.intermediate.dense.weight.fill_(600.0)
            layer.output.dense.weight.fill_(600.0)
    model.save_pretrained(folder)
    report = inspect_texts("a b", model=folder)
    message = finding(report, "non-finite-outputs").message
    assert report.failed
    assert message.startswith("last_hidden_state and ")
    assert message.endswith("in float16; it begins in hidden_states[1]")
    written = embed_texts(["a b"], tmp_path / "v.safetensors", model=folder)
    assert not written.written
    assert "non-finite-outputs" in {row.code for row in written.findings}
    assert not (tmp_path / "v.safetensors").exists()
    assert embed_texts(["a b"], tmp_path / "v.safetensors", model=folder, allow_unsound=True).written
    checked = check_checkpoint(folder, run=True)
    assert not checked.passed
    assert "non-finite-outputs" in {row.code for row in checked.findings}


@pytest.mark.parametrize(
    ("said", "stored", "loaded"),
    [
        ({"dtype": "float16"}, "float32", "float16"),
        ({"torch_dtype": "bfloat16"}, "float32", "bfloat16"),
        ({"dtype": None}, "float16", "float16"),
        ({"dtype": "float32"}, "float16", "float32"),
    ],
)
def test_the_dtype_is_that_of_transformers(said: dict[str, object], stored: str, loaded: str, tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "m", dtype=getattr(torch, stored))
    set_fields(folder, "config.json", **{"dtype": None, **said})
    report = inspect_texts("a b", model=folder)
    assert report.run.dtype == loaded == str(transformers.AutoModel.from_pretrained(folder).dtype)[6:]
    notes = [row.message for row in report.findings if row.code == "dtype-differs"]
    assert len(notes) == (stored != loaded)
    assert all(f"stored in {stored} (" in note and f"load in {loaded}, as config.json says (" in note for note in notes)


@pytest.mark.parametrize(("model_type", "causal"), [("openai-gpt", True), ("layoutlm", False)])
def test_a_run_shows_causal_attention_of_what_the_table_lacks(tmp_path: Path, model_type: str, causal: bool) -> None:
    folder = saved(tmp_path / "m", model_type)
    report = inspect_texts("this is", model=folder)
    embedded = embed_texts(["this is"], tmp_path / "v.npy", model=folder)
    for findings in (report.findings, embedded.findings):
        assert ("attention-causal" in {found.code for found in findings}) is causal


def test_outputs_of_unequal_shapes_are_listed(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", "canine", num_hidden_layers=2)
    states = inspect_texts("this is an example", model=folder).outputs["hidden_states"]
    assert len(states.runs) > 1
    assert sum(map(len, [states.each])) == states.count
    assert states.bytes == sum(4 * sizes[0] * sizes[1] * sizes[2] for sizes in states.each)


def test_what_fnet_lacks_is_said(tmp_path: Path) -> None:
    report = inspect_texts("this is", model=saved(tmp_path / "m", "fnet"), attentions=True)
    assert "attentions" not in report.outputs
    assert finding(report, "no-attentions").severity == "note"


def test_landmarks_ask_for_one_length(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", "nystromformer", num_landmarks=4, segment_means_seq_len=64)
    with pytest.raises(UsageError, match="rows of exactly 64") as caught:
        inspect_texts("this is", model=folder)
    assert "segment_means_seq_len" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="text 1 has 4 tokens"):
        inspect_texts("this is", model=folder, padding="max_length", max_length=64)
    report = inspect_texts("this is " * 31, model=folder)
    assert report.outputs["last_hidden_state"].shape.sizes == (1, 64, 48)
    with pytest.raises(UsageError, match="text 2 has 4 tokens"):
        embed_texts(["this is " * 31, "this is"], tmp_path / "v.npy", model=folder)
    assert embed_texts(["this is " * 31], tmp_path / "v.npy", model=folder).written


@pytest.mark.parametrize(
    ("config", "usable"),
    [
        ({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 9}, 512),
        ({"model_type": "canine", "max_position_embeddings": 90, "num_hash_buckets": 70}, 70),
        ({"model_type": "clip_text_model", "dim": 8, "n_layers": 1, "max_position_embeddings": 77}, 77),
        ({"model_type": "openai-gpt", "n_embd": 8, "n_layer": 1, "n_positions": 40}, 40),
        ({"model_type": "new-rotary", "hidden_size": 8, "num_hidden_layers": 1, "max_position_embeddings": 77,
          "rope_theta": 1e4}, None),
    ],
)  # fmt: skip
def test_the_length_that_runs(config: dict[str, object], usable: int | None) -> None:
    assert resolve(config, "config.json").usable_length == usable


def test_other_names_of_keys_go_first() -> None:
    """As in transformers: what `attribute_map` maps is set after the fields."""
    config = {"n_words": 99, "vocab_size": 50, "emb_dim": 64, "hidden_size": 32, "pad_index": 7}
    own = transformers.XLMConfig.from_dict(config)
    read = resolve({"model_type": "xlm", **config}, "config.json")
    assert (read.dimensions.vocab_size, read.dimensions.hidden_size, read.pad_token_id) == (99, 32, 7)
    assert (own.vocab_size, own.hidden_size, own.pad_token_id) == (99, 32, 7)


def test_a_head_size_that_transformers_refuses() -> None:
    config = {"model_type": "xlnet", "d_model": 48, "n_head": 4, "d_head": 5}
    (found,) = attention_findings(resolve(config, "config.json"), "config.json", None)
    assert (found.code, found.expected, found.actual) == ("head-size-contradicts", 12, 5)
    with pytest.raises(StrictDataclassClassValidationError, match="d_head"):
        transformers.XLNetConfig.from_dict(config)
