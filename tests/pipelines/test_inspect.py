"""The whole pipeline on real checkpoints: predictions hold, and broken weights are named."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from bertshape import BertshapeError, Report, inspect_texts
from bertshape.errors import CheckpointError, DeviceError, UsageError
from bertshape.pipelines.events import Events
from bertshape.pipelines.inspect import inspect
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.request import InspectionRequest, Texts
from tests.conftest import EXAMPLE
from tests.support.checkpoints import FAMILIES, edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tiny = Callable[[str], Path]

BATCHES: dict[str, dict[str, object]] = {
    "one": {"texts": EXAMPLE},
    "empty": {"texts": ""},
    "batch": {"texts": [EXAMPLE, "Short.", ""]},
    "pairs": {"texts": [EXAMPLE, "Short."], "pairs": ["A second.", "Another second text."]},
    "padded to 20": {"texts": "short", "padding": "max_length", "max_length": 20},
    "truncated": {"texts": [EXAMPLE, "x"], "max_length": 6},
}


def codes(report: Report, severity: str) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity == severity}


def message(report: Report, code: str) -> str:
    return next(finding.message for finding in report.findings if finding.code == code)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("batch", BATCHES)
def test_prediction_is_observation(tiny: Tiny, family: str, batch: str) -> None:
    """Every row is observed, no row disagrees, and the prediction alone says the same."""
    model = str(tiny(family))
    options = {"model": model, "attentions": True, **BATCHES[batch]}
    predicted = inspect_texts(**options, weights="none")  # type: ignore[arg-type]
    observed = inspect_texts(**options)  # type: ignore[arg-type]
    assert not codes(observed, "error")
    assert {row.evidence for row in observed.outputs.values()} == {"observed"}
    assert {row.evidence for row in observed.pooled.values() if row.shape} == {"observed"}
    assert {name: (row.shape, row.count) for name, row in predicted.outputs.items()} == {
        name: (row.shape, row.count) for name, row in observed.outputs.items()
    }
    assert {name: row.shape for name, row in predicted.pooled.items()} == {
        name: row.shape for name, row in observed.pooled.items()
    }
    assert predicted.checkpoint.parameters == observed.checkpoint.parameters


@pytest.mark.parametrize("family", FAMILIES)
def test_random_weights_give_the_same_shapes(tiny: Tiny, family: str) -> None:
    trained = inspect_texts(EXAMPLE, model=str(tiny(family)))
    random = inspect_texts(EXAMPLE, model=str(tiny(family)), weights="random")
    assert random.outputs == trained.outputs
    assert random.run.executed
    assert "random-weights" in codes(random, "note")


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_dtype_is_that_of_the_outputs(tiny: Tiny, dtype: str) -> None:
    report = inspect_texts(EXAMPLE, model=str(tiny("bert")), dtype=dtype)  # type: ignore[arg-type]
    assert not codes(report, "error")
    assert {row.shape.dtype for row in report.outputs.values()} == {dtype}


def test_a_half_precision_checkpoint_stays_so(tiny: Tiny, tmp_path: Path) -> None:
    import transformers

    transformers.AutoModel.from_pretrained(tiny("bert"), dtype=torch.float16).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny("bert") / name).read_bytes())
    report = inspect_texts(EXAMPLE, model=str(tmp_path))
    assert (report.checkpoint.dtype, report.outputs["last_hidden_state"].shape.dtype) == ("float16", "float16")
    assert not codes(report, "error")


def test_minilm(minilm: Path) -> None:
    report = inspect_texts(EXAMPLE, model=str(minilm))
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert document["inputs"]["sequence_length"] == 8
    assert document["outputs"]["last_hidden_state"] == {
        "axes": ["batch_size", "sequence_length", "hidden_size"],
        "shape": [1, 8, 384],
        "dtype": "float32",
        "bytes": 8 * 384 * 4,
        "evidence": "observed",
        "count": None,
        "labels": [],
        "each": [],
        "dtypes": [],
        "statistics": None,
        "statistics_of_each": [],
    }
    assert document["pooled"]["mean"]["declared"] is True
    assert [name for name, row in document["pooled"].items() if row["declared"]] == ["mean"]
    assert document["checkpoint"]["pooler"] == "trained"
    assert document["checkpoint"]["length_limits"] == [
        {"file": "config.json", "field": "max_position_embeddings", "limit": 512},
        {"file": "tokenizer_config.json", "field": "model_max_length", "limit": 512},
        {"file": "sentence_bert_config.json", "field": "max_seq_length", "limit": 256},
        {"file": "tokenizer.json", "field": "truncation.max_length", "limit": 128},
    ]
    assert document["checkpoint"]["effective_limit"] == 512
    assert document["checkpoint"]["sentence_embedding"]["dimension"] == 384
    assert document["checkpoint"]["parameters"] == 22_713_216
    assert not codes(report, "error") | codes(report, "warning")


def test_the_embedded_default_is_run_for_real() -> None:
    report = inspect_texts(EXAMPLE)
    assert report.checkpoint.source == "embedded"
    assert report.run.executed
    assert report.outputs["last_hidden_state"].shape.sizes == (1, 8, 768)
    assert report.outputs["last_hidden_state"].evidence == "observed"
    assert report.checkpoint.pooler == "random"


def test_unpadded_batches_do_not_flag_mean_unmasked(minilm: Path) -> None:
    padded = inspect_texts(["one", "and two more"], model=str(minilm))
    even = inspect_texts(["one", "two"], model=str(minilm), dtype="bfloat16")
    assert "mean-unmasked-differs" in codes(padded, "warning")
    assert "mean-unmasked-differs" not in codes(even, "warning")


def test_declared_combination_is_shown(tiny: Tiny, tmp_path: Path) -> None:
    folder = edited_copy(tiny("bert"), tmp_path / "sbert")
    modules = [{"name": "0", "type": "sentence_transformers.models.Transformer", "path": ""}]
    modules.append({"name": "1", "type": "sentence_transformers.models.Pooling", "path": "1_Pooling"})
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"embedding_dimension": 48, "pooling_mode": ["cls", "mean"]})
    )
    report = inspect_texts(EXAMPLE, model=str(folder))
    shape = report.pooled["cls+mean"].shape
    assert shape is not None
    assert (shape.sizes, shape.axes[1], report.pooled["cls+mean"].declared) == ((1, 96), "2*hidden_size", True)
    assert report.pooled["cls+mean"].evidence == "observed"


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"num_hidden_layers": 8}, "layers-mismatch", "num_hidden_layers: .*says 8, the weights hold 6 layers"),
        ({"num_hidden_layers": 4}, "layers-mismatch", "num_hidden_layers: .*says 4, the weights hold 6 layers"),
        ({"hidden_size": 768}, "dimension-mismatch", "hidden_size: .*says 768, the weights hold 384 "),
        ({"intermediate_size": 1000}, "dimension-mismatch", "intermediate_size: .*says 1000, the weights hold 1536 "),
        ({"vocab_size": 31000}, "dimension-mismatch", "vocab_size: .*says 31000, the weights hold 30522 "),
        ({"type_vocab_size": 4}, "dimension-mismatch", "type_vocab_size: .*says 4, the weights hold 2 "),
    ],
)
@pytest.mark.parametrize("weights", ["checkpoint", "none"])
def test_config_that_disagrees_with_the_weights_is_an_error_finding(
    minilm: Path, tmp_path: Path, change: dict[str, object], code: str, named: str, weights: str
) -> None:
    """All of these load in transformers without an error; the field to blame is named once."""
    folder = edited_copy(minilm, tmp_path / "edited", **change)
    report = inspect_texts(EXAMPLE, model=str(folder), weights=weights)  # type: ignore[arg-type]
    assert report.failed
    assert codes(report, "error") == {code}
    assert __import__("re").search(named, message(report, code))
    assert len([finding for finding in report.findings if finding.severity == "error"]) == 1


def test_other_family_on_the_same_weights_is_an_error(minilm: Path, tmp_path: Path) -> None:
    """model_type roberta on BERT's weights loads silently: its positions would be shifted by two."""
    folder = edited_copy(
        minilm, tmp_path / "edited", model_type="roberta", architectures=["RobertaModel"], pad_token_id=1
    )
    report = inspect_texts(EXAMPLE, model=str(folder), weights="none")
    assert report.checkpoint.length_limits["effective"] == 510
    assert codes(report, "error") == {"model-type-mismatch"}


def _without_pooler(folder: Path, target: Path) -> Path:
    from safetensors.torch import load_file, save_file

    edited_copy(folder, target)
    state = {name: tensor for name, tensor in load_file(folder / "model.safetensors").items() if "pooler" not in name}
    (target / "model.safetensors").unlink()
    save_file(state, target / "model.safetensors", metadata={"format": "pt"})
    return target


def test_missing_pooler_is_said(minilm: Path, tmp_path: Path) -> None:
    report = inspect_texts(EXAMPLE, model=str(_without_pooler(minilm, tmp_path / "poolerless")))
    assert report.checkpoint.pooler == "random"
    assert codes(report, "warning") == {"pooler-random"}
    assert not report.failed


def test_families_without_a_pooler_say_why(tiny: Tiny) -> None:
    report = inspect_texts(EXAMPLE, model=str(tiny("distilbert")))
    assert report.checkpoint.pooler == "absent"
    assert report.pooled["pooler"].shape is None
    assert report.pooled["pooler"].reason == "the model has no pooler"
    assert "pooler_output" not in report.outputs


def _as_pickle(folder: Path, target: Path) -> Path:
    from safetensors.torch import load_file

    edited_copy(folder, target)
    torch.save(load_file(folder / "model.safetensors"), target / "pytorch_model.bin")
    (target / "model.safetensors").unlink()
    return target


def test_pickle_weights_are_judged_by_names_and_shapes(tiny: Tiny, tmp_path: Path) -> None:
    folder = _as_pickle(tiny("bert"), tmp_path / "pickle")
    for weights in ("none", "checkpoint"):
        report = inspect_texts(EXAMPLE, model=str(folder), weights=weights)
        assert not codes(report, "error")
        assert report.checkpoint.pooler == "trained"
    more = edited_copy(folder, tmp_path / "more", num_hidden_layers=7)
    broken = inspect_texts(EXAMPLE, model=str(more))
    assert "says 7, the weights hold 5 layers" in message(broken, "layers-mismatch")


def test_a_pickle_that_would_run_code_does_not(tiny: Tiny, tmp_path: Path) -> None:
    folder = edited_copy(tiny("bert"), tmp_path / "evil")
    (folder / "model.safetensors").unlink()
    witness = tmp_path / "witness"

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (type(witness).touch, (witness,))

    torch.save({"embeddings.word_embeddings.weight": Evil()}, folder / "pytorch_model.bin")
    report = inspect_texts(EXAMPLE, model=str(folder))
    assert "asks for a call of a method: that is code, which was not run" in message(report, "weights-unsafe")
    assert not report.run.executed
    assert not witness.exists()


@pytest.mark.parametrize(
    ("options", "error", "code"),
    [
        ({"texts": []}, UsageError, "text-missing"),
        ({"texts": ["a", "b"], "pairs": ["c"]}, UsageError, "pairs-mismatch"),
        ({"texts": "x " * 600}, UsageError, "text-too-long"),
        ({"texts": "x", "padding": "max_length", "max_length": 600}, UsageError, "text-too-long"),
        ({"texts": "x", "max_length": 2}, None, ""),
        ({"texts": "x", "max_length": 1}, UsageError, "max-length-too-small"),
        ({"texts": ["x", "x y"], "padding": "none"}, UsageError, "padding-needed"),
        ({"texts": "x", "device": "tpu"}, UsageError, "device-invalid"),
        ({"texts": "x", "device": "cuda:99"}, DeviceError, "device-not-found"),
        ({"texts": "x", "pooling": ["meen"]}, UsageError, "unknown-pooling"),
        ({"texts": "x", "model": "embedded:nothing"}, CheckpointError, "embedded-not-found"),
        ({"texts": "x", "model": "./nosuch"}, CheckpointError, "folder-not-found"),
        ({"texts": "x", "weights": "checkpoint"}, CheckpointError, "weights-missing"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_hint(
    options: dict[str, object], error: type[BertshapeError] | None, code: str
) -> None:
    if error is None:
        inspect_texts(**options, weights="none")  # type: ignore[arg-type]
        return
    options = {"model": "embedded:bert-tiny-uncased"} | options
    with pytest.raises(error) as caught:
        inspect_texts(**options)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_too_long_is_said_before_any_run_with_numbers_and_remedy(minilm: Path) -> None:
    with pytest.raises(UsageError) as caught:
        inspect_texts("word " * 600, model=str(minilm))
    assert "602 tokens" in caught.value.message
    assert "at most 512" in caught.value.message
    assert "--truncation" in caught.value.hint
    report = inspect_texts("word " * 600, model=str(minilm), truncation=True)
    assert report.tokenization.sequence_length == 512
    assert "90 tokens" in message(report, "truncated")
    assert "length-limit-exceeded" in codes(report, "warning")


def test_an_id_beyond_the_embedding_is_said_before_the_run(tiny: Tiny, tmp_path: Path) -> None:
    folder = edited_copy(tiny("bert"), tmp_path / "few", vocab_size=100)
    with pytest.raises(CheckpointError, match="vocab_size 100") as caught:
        inspect_texts("Unbelievably long words", model=str(folder))
    assert caught.value.code == "token-id-out-of-range"


def test_prediction_comes_before_the_run() -> None:
    seen: list[Report] = []

    class Watching(Events):
        def predicted(self, report: Report) -> None:
            seen.append(report)

    request = InspectionRequest(Texts((EXAMPLE,)), ModelSource("embedded:bert-tiny-uncased"))
    final = inspect(request, Watching())
    assert len(seen) == 1
    assert not seen[0].run.executed
    assert {row.evidence for row in seen[0].outputs.values()} == {"predicted"}
    assert final.run.executed


def test_a_wrong_prediction_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the prediction on purpose: the report must show the observed shape and say so."""
    from bertshape.pipelines import predicted
    from bertshape.predict.outputs import predict_outputs

    def wrong(architecture, tokenization, dtype, *, attentions):  # type: ignore[no-untyped-def]
        rows = predict_outputs(architecture, tokenization, "float16", attentions=attentions)
        rows["phantom"] = rows["last_hidden_state"]
        del rows["pooler_output"]
        return rows

    monkeypatch.setattr(predicted, "predict_outputs", wrong)
    report = inspect_texts(EXAMPLE, model="embedded:bert-tiny-uncased")
    disagreements = [finding.message for finding in report.findings if finding.code == "prediction-disagrees"]
    assert any(
        "last_hidden_state: predicted [1, 8, 128] float16, observed [1, 8, 128] float32" in line
        for line in disagreements
    )
    assert any("phantom" in line and "observed nothing" in line for line in disagreements)
    assert report.outputs["last_hidden_state"].shape.dtype == "float32"
    assert report.outputs["pooler_output"].evidence == "observed"
    assert report.failed


def _unknown(tiny: Tiny, target: Path, family: str) -> Path:
    """A real checkpoint of a family that the table lacks, with BERT's tokenizer."""
    import transformers

    from tests.tools.make_family import tiny_config

    torch.manual_seed(3)
    transformers.AutoModel.from_config(tiny_config(family, vocab_size=300, pad_token_id=0)).save_pretrained(target)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (target / name).write_bytes((tiny("bert") / name).read_bytes())
    return target


@pytest.fixture
def no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the table of families were empty."""
    monkeypatch.setattr(sys.modules["bertshape.predict.config"], "load_family", lambda _: None)


@pytest.mark.usefixtures("no_table")
def test_families_outside_the_table_are_predicted_and_run(tiny: Tiny, tmp_path: Path) -> None:
    report = inspect_texts([EXAMPLE, "x"], model=str(_unknown(tiny, tmp_path / "unknown", "longformer")))
    assert not report.failed
    assert report.outputs["last_hidden_state"].evidence == "observed"
    assert report.outputs["pooler_output"].evidence == "observed"
    assert report.pooled["pooler"].reason == "the model's family is not known"
    assert report.checkpoint.parameters is not None


@pytest.mark.usefixtures("no_table")
def test_a_family_whose_lengths_change_inside_is_shown_as_it_is(tiny: Tiny, tmp_path: Path) -> None:
    """CANINE's hidden states have two lengths: the common rules are wrong, and the run says so."""
    report = inspect_texts([EXAMPLE], model=str(_unknown(tiny, tmp_path / "unknown", "canine")))
    assert not report.failed
    assert "prediction-disagrees" in codes(report, "warning")
    assert report.outputs["hidden_states"].count == 10


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("family", FAMILIES)
def test_prediction_is_observation_on_cuda(tiny: Tiny, family: str) -> None:
    report = inspect_texts([EXAMPLE, "Short."], model=str(tiny(family)), device="cuda", dtype="float16")
    assert not codes(report, "error")
    assert report.run.device is not None
    assert report.run.device.startswith("cuda")
