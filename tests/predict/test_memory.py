"""Predicted tensor bytes against those that live in runs, whose sizes are none that the sums were derived with."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import torch

import bertshape
from bertshape.errors import UsageError
from bertshape.pipelines.memory import memory
from bertshape.pipelines.memory_fit import most
from bertshape.pipelines.memory_request import MemoryRequest, parse_bytes
from bertshape.pipelines.memory_use import MemoryUse
from bertshape.pipelines.model_source import ModelSource
from bertshape.predict.family import family_names
from tests.differential.memory import OWN, WITHIN, Case, bytes_of, difference, known
from tests.support.live_storages import build, count, count_step, inputs_of
from tests.tools.make_family import tiny_config
from tests.tools.memory_terms import NOT_MEASURED

SIZES = {
    "hidden_size": 128,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "intermediate_size": 96,
    "max_position_embeddings": 130,
}
OF_FAMILIES = [name for name in family_names() if name not in NOT_MEASURED]


def case(name: str, **changes: object) -> Case:
    sizes = {key: size for key, size in SIZES.items() if name != "mobilebert" or key == "num_hidden_layers"}
    options: dict[str, object] = {"mode": "inference", "attention": "eager", "dtype": "float32", "shape": (3, 40)}
    return Case(model_type=name, sizes=sizes, **(options | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", OF_FAMILIES)
def test_each_family_in_inference(name: str) -> None:
    """With both implementations of attention, where transformers has both."""
    found = known(case(name).config())
    if found is None:
        pytest.skip("this configuration does what was not counted")
    for attention in found.attentions:
        predicted, _ = bytes_of(case(name, attention=attention))
        assert predicted
        assert difference(case(name, attention=attention)) == ""


def test_every_family_is_counted_or_said_to_be_not() -> None:
    """Which families have no sums is decided in one place."""
    without = {name for name in family_names() if known(tiny_config(name, **OWN.get(name, {}))) is None}
    assert without == {*NOT_MEASURED}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("mode", ["training", "checkpointing"])
@pytest.mark.parametrize("name", ["bert", "modernbert"])
def test_training(name: str, mode: str, attention: str) -> None:
    one = case(name, mode=mode, attention=attention, shape=(4, 24))
    assert bytes_of(one)[0]
    assert difference(one) == ""


def test_half_precision() -> None:
    """Where numbers are made float32 for a while, as in ModernBERT's softmax, 16 bits have sums of their own."""
    for dtype in ("bfloat16", "float32"):
        assert difference(case("modernbert", dtype=dtype, shape=(2, 120))) == ""
    found = known(case("modernbert").config())
    assert found is not None
    half, single = (found.bytes("inference", "eager", dtype, (2, 400)) for dtype in ("float16", "float32"))
    assert half is not None
    assert single is not None
    assert single < 2 * half


@pytest.mark.parametrize(("checkpointing", "shape"), [(False, (8, 60)), (False, (1, 4)), (True, (8, 60))])
def test_a_step_with_adamw(checkpointing: bool, shape: tuple[int, int]) -> None:
    """Weights, states, gradients and activations together, where activations are most of it, and where least."""
    one = case("bert", attention="sdpa", mode="training")
    config = one.config()
    found = known(config)
    assert found is not None
    model = build(config, "sdpa", torch.float32)
    counted = count_step(model, inputs_of(config, *shape), checkpointing=checkpointing)
    expected = found.architecture.expected_tensors()
    assert expected is not None
    sizes = {name: torch.Size(size).numel() for name, size in expected.items()}
    use = MemoryUse(found.architecture, sizes, sizes["embeddings.word_embeddings.weight"], found)
    predicted = use.total("training_checkpointing" if checkpointing else "training", "sdpa", "float32", shape)
    assert predicted is not None
    assert abs(predicted - counted) <= WITHIN * counted


@pytest.mark.parametrize(
    ("shape", "counted"), [((8, 128), 22.5), ((32, 256), 252.0), ((32, 512), 888.0)], ids=["8x128", "32x256", "32x512"]
)
def test_minilm(shape: tuple[int, int], counted: float) -> None:
    """What was counted in runs of all-MiniLM-L6-v2 without padding, in MiB; padding adds a mask."""
    sizes = {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536, "num_hidden_layers": 6}
    found = known(case("bert").config().__class__(**sizes))
    assert found is not None
    predicted = found.bytes("inference", "eager", "float32", shape)
    mask = 4 * shape[0] * shape[1] ** 2
    assert predicted == counted * 2**20 + mask


@pytest.mark.parametrize("name", ["hidden_states", "attentions"])
def test_outputs_that_are_kept(name: Literal["hidden_states", "attentions"]) -> None:
    one = case("bert")
    one.sizes["num_hidden_layers"] = 5
    config = one.config()
    found = known(config)
    assert found is not None
    model = build(config, "eager", torch.float32)
    inputs = inputs_of(config, 3, 40)
    added = count(model, inputs, name).peak - count(model, inputs).peak
    states, attentions = MemoryUse(found.architecture, {}, 0, found).kept("float32", (3, 40))
    assert (states if name == "hidden_states" else attentions) == added


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("shape", [(8, 128), (32, 256)])
def test_what_a_gpu_allocates(attention: str, shape: tuple[int, int]) -> None:
    """A GPU's own count, which rounds each tensor up to 512 bytes and has the workspace of kernels in it."""
    one = case("bert", attention=attention)
    config = one.config()
    config.hidden_size, config.intermediate_size, config.max_position_embeddings = 512, 2048, 512
    model = build(config, attention, torch.float32).to("cuda").eval()
    inputs = {name: tensor.to("cuda") for name, tensor in inputs_of(config, *shape).items()}
    with torch.no_grad():
        model(**inputs)
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        model(**inputs)
    counted = torch.cuda.max_memory_allocated() - before
    found = known(config)
    predicted = found and found.bytes("inference", one.attention, "float32", shape)
    assert predicted
    assert abs(predicted - counted) <= WITHIN * counted


@pytest.mark.parametrize("bound", [1, 7, 512])
def test_the_largest_that_fits(bound: int) -> None:
    for largest in range(bound + 3):
        assert most(lambda size, largest=largest: size <= largest, bound) == min(largest, bound)  # type: ignore[misc]


def test_what_fits_does_and_one_more_does_not() -> None:
    request = MemoryRequest(ModelSource("embedded:bert-tiny-uncased"), 32, 128, 2**30)
    report = memory(request)
    assert report.fits
    for fit in report.fits:
        for batch_size, fitting in ((fit.batch_size, True), (fit.batch_size + 1, False)):
            peaks = memory(MemoryRequest(request.source, batch_size, 128)).dtypes
            peak = next(
                peak.total for dtype in peaks if dtype.dtype == fit.dtype
                for peak in dtype.peaks if (peak.use, peak.attention) == (fit.use, fit.attention)
            )  # fmt: skip
            assert (peak <= 2**30) is fitting
        assert 1 <= fit.length <= 512


@pytest.mark.parametrize(
    ("text", "expected"),
    [("24GB", 24 * 10**9), ("24 GiB", 24 * 2**30), ("512mb", 512 * 10**6), ("1.5GB", 15 * 10**8), ("1000B", 1000)],
)
def test_sizes_of_memory(text: str, expected: int) -> None:
    assert parse_bytes(text, "--fit") == expected


@pytest.mark.parametrize("text", ["", "GB", "24", "24 G", "-1GB", "24 apples", "1e9", "nan", "٣GB"])
def test_what_is_no_size_of_memory(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_bytes(text, "--fit")
    assert caught.value.code == "fit-invalid"


def test_the_files_are_those_of_families() -> None:
    """No file is left over, and none is missing."""
    folder = Path(bertshape.__file__).parent / "predict" / "activations"
    assert {path.stem for path in folder.glob("*.toml")} == {*OF_FAMILIES}
