"""Loading against transformers: stored weights bit for bit, random ones by name, shape, buffers and spread."""

from __future__ import annotations

import dataclasses
import gc
import json
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from bertshape import inspect_texts
from bertshape.errors import CheckpointError
from bertshape.predict.config import resolve
from bertshape.predict.family import family_names
from bertshape.run.imports import heavy_imports
from bertshape.run.loading import find_classes, load
from bertshape.run.random_weights import build_random
from bertshape.run.request import ForwardRequest
from tests.support.checkpoints import FAMILIES, edited_copy
from tests.support.small_cases import set_fields, tiny_bert
from tests.tools.make_family import build_model, tiny_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bertshape.run.observation import Loading

DTYPES = ("float32", "float16", "bfloat16")
INPUT_IDS = torch.tensor([[5, 6, 7, 8, 9, 10, 11], [9, 8, 7, 6, 5, 4, 3]])


def request(config: Mapping[str, object], folder: Path | None = None, **changes: Any) -> ForwardRequest:
    values: dict[str, Any] = {"device": "cpu", "dtype": "float32", "safetensors": True, "attentions": False}
    return ForwardRequest(folder, config, resolve(config, "config.json"), **(values | changes))


def stored(folder: Path, **changes: Any) -> tuple[Any, Loading]:
    wanted = request(json.loads((folder / "config.json").read_text()), folder, **changes)
    return load(wanted, *find_classes(wanted))


def random(name: str, **changes: Any) -> Any:
    wanted = request(json.loads(tiny_config(name).to_json_string()), **changes)
    return load(wanted, *find_classes(wanted))[0]


def outputs(model: Any) -> tuple[torch.Tensor, ...]:
    """All that a forward pass gives, with a mask whose last position is padding."""
    mask = torch.ones_like(INPUT_IDS)
    mask[1, -1] = 0
    with torch.inference_mode():
        given = model(input_ids=INPUT_IDS, attention_mask=mask, output_hidden_states=True)
    return tuple(value for item in given.values() for value in (item if isinstance(item, tuple) else (item,)))


def plain(folder: Path, dtype: str) -> tuple[Any, dict[str, Any]]:
    """What transformers loads by itself."""
    model, info = transformers.AutoModel.from_pretrained(
        folder, dtype=getattr(torch, dtype), output_loading_info=True, ignore_mismatched_sizes=True
    )
    return model, info


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("family", ["minilm", *FAMILIES])
def test_stored_weights_give_the_outputs_of_transformers(
    family: str, dtype: str, minilm: Path, tiny: Callable[[str], Path]
) -> None:
    folder = minilm if family == "minilm" else tiny(family)
    model, loading = stored(folder, dtype=dtype)
    expected, info = plain(folder, dtype)
    for one, other in zip(outputs(model), outputs(expected), strict=True):
        assert one.dtype == other.dtype == getattr(torch, dtype)
        assert torch.equal(one, other)
    assert (loading.missing, loading.unexpected, loading.mismatched) == ((), (), ())
    assert not info["missing_keys"]


def test_loading_is_what_transformers_says(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Missing, unexpected and mismatched tensors, and old names, all in one file."""
    folder = edited_copy(tiny("bert"), tmp_path / "damaged")
    state = {f"bert.{name}": tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    del state["bert.pooler.dense.weight"]
    state["bert.embeddings.LayerNorm.gamma"] = state.pop("bert.embeddings.LayerNorm.weight")
    state["bert.encoder.layer.0.output.dense.bias"] = torch.zeros(3)
    state["cls.predictions.bias"] = state["bert.encoder.layer.9.output.dense.bias"] = torch.zeros(4)
    (folder / "model.safetensors").unlink()
    save_file({name: tensor.clone() for name, tensor in state.items()}, folder / "model.safetensors", {"format": "pt"})
    _, loading = stored(folder)
    _, info = plain(folder, "float32")
    assert loading.missing == ("pooler.dense.weight",) == tuple(sorted(info["missing_keys"]))
    assert "cls.predictions.bias" in loading.unexpected
    assert loading.unexpected == tuple(sorted(info["unexpected_keys"]))
    assert loading.mismatched == (("encoder.layer.0.output.dense.bias", (3,)),)


def test_a_family_younger_than_transformers_is_named() -> None:
    """As nomic_bert is to transformers 5.0: known by the table, absent in the package."""
    wanted = request(json.loads(tiny_config("bert").to_json_string()))
    assert wanted.architecture.family is not None
    family = dataclasses.replace(wanted.architecture.family, module="bert_of_tomorrow")
    younger = dataclasses.replace(wanted, architecture=dataclasses.replace(wanted.architecture, family=family))
    with pytest.raises(CheckpointError) as caught:
        find_classes(younger)
    assert caught.value.code == "model-type-unknown"
    assert caught.value.message == f"transformers {transformers.__version__} has no model type 'bert'"
    assert "pip install -U" in (caught.value.hint or "")


def test_broken_weights_are_a_checkpoint_error(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = edited_copy(tiny("bert"), tmp_path / "broken")
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError) as caught:
        stored(folder)
    assert caught.value.code == "load-failed"
    assert str(folder) in caught.value.message


@pytest.mark.parametrize("name", family_names())
def test_random_models_are_those_of_transformers(name: str) -> None:
    """Names, shapes and ties of parameters, and the values of buffers, which no random number may replace."""
    model = random(name)
    expected = build_model(tiny_config(name)).eval()
    assert shapes(model) == shapes(expected)
    assert not model.training
    ours, theirs = dict(model.named_buffers()), dict(expected.named_buffers())
    assert ours.keys() == theirs.keys()
    for key, buffer in ours.items():
        assert buffer.dtype == theirs[key].dtype, key
        assert torch.equal(buffer, theirs[key]), key


@pytest.mark.parametrize("name", family_names())
def test_random_weights_are_seeded_finite_and_differ(name: str) -> None:
    model, again = random(name), random(name)
    for one, other in zip(outputs(model), outputs(again), strict=True):
        if not isinstance(one, torch.Tensor):
            continue  # XLNet keeps no memory of a first segment; decoders keep keys and values.
        assert torch.isfinite(one).all()
        assert torch.equal(one, other)
    first = outputs(model)[0]
    # Another token gives another vector: a table of equal rows would hide a wrong lookup.
    assert not torch.equal(first[0, 0], first[0, 1])
    for key, parameter in model.named_parameters():
        if parameter.ndim < 2:
            assert (parameter == float(key.endswith("weight"))).all(), key
        else:
            assert parameter.float().std() > 0.01, key
            # Tables of one row: RoBERTa's kin have one token type, ESM's contact head one output.
            assert len(parameter) == 1 or not torch.equal(parameter[0], parameter[1]), key


@pytest.mark.parametrize("name", ["bert", "deberta-v2", "modernbert", "roformer", "ibert"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_random_weights_have_the_dtype_asked_for(name: str, dtype: str) -> None:
    wanted = getattr(torch, dtype)
    model = random(name, dtype=dtype)
    expected = transformers.AutoModel.from_config(tiny_config(name), dtype=wanted)
    assert {parameter.dtype for parameter in model.parameters()} == {wanted}
    assert {key: buffer.dtype for key, buffer in model.named_buffers()} == {
        key: buffer.dtype for key, buffer in expected.named_buffers()
    }
    assert all(value.dtype == wanted and torch.isfinite(value).all() for value in outputs(model))
    assert torch.get_default_dtype() == torch.float32


def test_attention_weights_come_out_of_random_models() -> None:
    model = random("bert", attentions=True)
    with torch.inference_mode():
        attentions = model(input_ids=INPUT_IDS, output_attentions=True).attentions
    assert [tuple(layer.shape[-2:]) for layer in attentions] == [(7, 7)] * model.config.num_hidden_layers


def test_random_layers_share_their_memory() -> None:
    """The reason for all this: a bert-base of 438 MB takes a small part of it, and its query is not its key."""
    config = transformers.BertConfig()
    model: Any = build_random(transformers.BertModel, config, torch.float32)
    bytes_of = {p.untyped_storage().data_ptr(): p.untyped_storage().nbytes() for p in model.parameters()}
    whole = sum(parameter.nbytes for parameter in model.parameters())
    assert whole > 430_000_000
    assert sum(bytes_of.values()) < whole / 30
    attention = model.encoder.layer[0].attention.self
    assert not torch.equal(attention.query.weight, attention.key.weight)
    assert not torch.equal(model.encoder.layer[0].output.dense.weight, model.encoder.layer[1].output.dense.weight)


def test_tied_parameters_stay_tied() -> None:
    """The word embeddings of a masked-lm head: the vocabulary is the largest tensor, and its rows overlap."""
    config = transformers.BertConfig(vocab_size=3000, hidden_size=48, num_attention_heads=4, intermediate_size=56)
    model: Any = build_random(transformers.BertForMaskedLM, config, torch.float32)
    table = model.bert.embeddings.word_embeddings.weight
    assert model.cls.predictions.decoder.weight is table
    hidden = torch.linspace(-1, 1, 2 * 48).view(2, 48)
    logits = model.cls.predictions.decoder(hidden)
    torch.testing.assert_close(logits, hidden @ table.contiguous().T)


def test_buffers_like_a_parameter_get_storage() -> None:
    """I-BERT makes its integer weights in the likeness of the float ones."""
    config = transformers.IBertConfig(hidden_size=48, num_hidden_layers=2, num_attention_heads=4, vocab_size=99)
    model: Any = build_random(transformers.IBertModel, config, torch.float32)
    assert {buffer.device.type for buffer in model.buffers()} == {"cpu"}
    assert torch.isfinite(outputs(model)[0]).all()


def test_models_of_other_threads_keep_their_weights() -> None:
    """The hook is the process's, so a model built meanwhile by somebody else must not lose its storage."""
    seen: list[bool] = []

    class Slow(torch.nn.Module):
        def __init__(self, _: object) -> None:
            super().__init__()
            thread = threading.Thread(target=lambda: seen.append(torch.nn.Linear(2, 2).weight.is_meta))
            thread.start()
            thread.join()
            self.inner = torch.nn.Linear(2, 2)
            seen.append(self.inner.weight.is_meta)

    build_random(Slow, transformers.BertConfig(), torch.float32)
    assert seen == [False, True]


def test_a_failure_leaves_nothing_behind() -> None:
    config = json.loads(tiny_config("bert").to_json_string()) | {"num_attention_heads": 5}
    wanted = request(config, dtype="float16")
    with pytest.raises(CheckpointError) as caught:
        load(wanted, *find_classes(wanted))
    assert caught.value.code == "load-failed"
    assert torch.get_default_dtype() == torch.float32
    assert not torch.nn.Linear(2, 2).weight.is_meta


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_as_before(enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    before = gc.isenabled(), gc.get_threshold()
    try:
        if not enabled:
            gc.disable()
        gc.unfreeze()
        with heavy_imports():
            assert gc.isenabled()
            assert gc.get_threshold()[0] > before[1][0]
        assert gc.get_freeze_count() == 0, "nothing was imported"
        monkeypatch.delitem(sys.modules, "colorsys", raising=False)
        with heavy_imports():
            import colorsys
        assert gc.get_freeze_count() > 0
        gc.unfreeze()
        monkeypatch.delitem(sys.modules, "colorsys")
        monkeypatch.setitem(sys.modules, "triton", sys)
        with heavy_imports():
            import colorsys  # noqa: F401
        assert gc.get_freeze_count() == 0, "triton would take what is frozen for leaks"
        assert gc.isenabled() is enabled
        assert gc.get_threshold() == before[1]
    finally:
        gc.unfreeze()
        if before[0]:
            gc.enable()


def interrupt_imports_that_fail() -> None:
    with heavy_imports():
        signal.raise_signal(signal.SIGINT)
        raise ImportError("what numpy makes of being interrupted")


def test_signals_wait_for_the_end_of_imports() -> None:
    """Each handler is called once, after the imports; what has none is not touched."""
    seen: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with heavy_imports():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGHUP)
            assert seen == []
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert seen == [signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)
        assert seen == [signal.SIGTERM] * 2
        with pytest.raises(KeyboardInterrupt):
            interrupt_imports_that_fail()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def shapes(model: Any) -> dict[str, tuple[tuple[int, ...], str, int]]:
    """By every name, ties included: shape, dtype, and the position of the parameter's first name."""
    first: dict[int, int] = {}
    return {
        name: (tuple(parameter.shape), str(parameter.dtype), first.setdefault(id(parameter), index))
        for index, (name, parameter) in enumerate(model.named_parameters(remove_duplicate=False))
    }


@pytest.mark.parametrize("config", [{"return_dict": False}, {"is_decoder": True}])
def test_settings_of_the_outputs_do_not_keep_a_model_from_running(config: dict[str, object], tmp_path: Path) -> None:
    """Tuples in place of names, and the cache of a decoder, which is no tensor to save."""
    folder = tiny_bert(tmp_path / "m")
    set_fields(folder, "config.json", **config)
    report = inspect_texts("a", model=folder, save=tmp_path / "out.safetensors")
    assert report.outputs["last_hidden_state"].shape.sizes == (1, 3, 32)
    assert (tmp_path / "out.safetensors").exists()
