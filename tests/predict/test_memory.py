"""Predicted tensor bytes against those that live in runs, whose sizes are none that the sums were derived with."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Literal

import pytest
import torch
import transformers

import bertshape
from bertshape.errors import UsageError
from bertshape.pipelines.memory import memory
from bertshape.pipelines.memory_fit import fits, most
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
@pytest.mark.parametrize("name", ["bert", "modernbert", "llama"])
def test_training(name: str, mode: str, attention: str) -> None:
    one = case(name, mode=mode, attention=attention, shape=(4, 24))
    assert bytes_of(one)[0]
    assert difference(one) == ""


@pytest.mark.parametrize("key_value_heads", [1, 4])
@pytest.mark.parametrize("name", ["qwen3", "phi3", "gemma3_text"])
def test_heads_that_share_keys(name: str, key_value_heads: int) -> None:
    """And have a size that does not follow from hidden_size."""
    one = case(name, dtype="bfloat16", shape=(2, 50))
    one.sizes.update(num_key_value_heads=key_value_heads, head_dim=48)
    assert difference(one) == ""


@pytest.mark.parametrize("name", ["t5", "mt5"])
def test_gates_of_t5(name: str) -> None:
    """Whichever of the two a configuration has, whatever its family has by default."""
    for kind in ("relu", "gated-gelu"):
        config = tiny_config(name, feed_forward_proj=kind, d_ff=300, num_layers=2)
        found = known(config)
        assert found is not None
        counted = count(build(config, "eager", torch.float32), inputs_of(config, 3, 30)).peak
        assert found.bytes("inference", "eager", "float32", (3, 30)) == pytest.approx(counted, rel=0.02)


@pytest.mark.parametrize("name", ["gpt2", "qwen3"])
def test_what_the_cache_adds(name: str) -> None:
    """A decoder keeps keys and values, unless it is asked not to."""
    one = case(name)
    one.sizes["num_hidden_layers"] = 5
    config = one.config()
    found = known(config)
    assert found is not None
    assert MemoryUse(found.architecture, {}, 0, found).cache("float32", (3, 40)) is None
    config.use_cache = True
    counted = [
        count(build(config, "eager", torch.float32), inputs_of(config, 3, 40)).peak for config in (config, one.config())
    ]
    architecture = known(config).architecture  # type: ignore[union-attr]
    added = MemoryUse(architecture, {}, 0, found).cache("float32", (3, 40))
    assert added == pytest.approx(counted[0] - counted[1], rel=WITHIN)


def test_bert_large_that_is_not_allocated() -> None:
    """On the meta device, where masks cannot be looked at: without any, which is less by the bytes of one."""
    config = transformers.BertConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096
    )
    found = known(config)
    assert found is not None
    with torch.device("meta"):
        model = build(config, "eager", torch.float32)
        counted = count(model, {"input_ids": torch.zeros((32, 512), dtype=torch.int64)}).peak
    assert found.bytes("inference", "eager", "float32", (32, 512)) == counted + 4 * 32 * 512 * 512


def test_seven_billions_that_are_not_allocated() -> None:
    config = transformers.MistralConfig(use_cache=False)
    found = known(config)
    assert found is not None
    assert found.architecture.parameters() == pytest.approx(7.1e9, rel=0.02)
    with torch.device("meta"):
        model = build(config, "eager", torch.bfloat16)
        inputs = {name: torch.ones((8, 1024), dtype=torch.int64) for name in ("input_ids", "attention_mask")}
        counted = count(model, inputs).peak
    assert found.bytes("inference", "eager", "bfloat16", (8, 1024)) == pytest.approx(counted, rel=0.01)


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


@pytest.mark.parametrize("name", ["bert", "modernbert", "qwen3", "t5", "big_bird"])
def test_what_fits_agrees_with_the_prediction(name: str) -> None:
    """For any memory: as many as are said fit, and one more does not."""
    rng = random.Random(name)
    found = known(case(name).config())
    assert found is not None
    use = MemoryUse(found.architecture, {"weight": 10**6}, 0, found)
    for _ in range(20):
        shape, memory = (rng.randint(1, 50), rng.randint(1, 120)), int(2 ** rng.uniform(20, 36))
        for fit in fits(use, shape, memory, ("float32", "bfloat16")):
            way = fit.use, fit.attention, fit.dtype
            bound = min(bound for bound in (use.most, found.longest, 2**31) if bound)
            batches = [use.total(*way, (number, shape[1])) for number in (fit.batch_size, fit.batch_size + 1)]
            lengths = [use.total(*way, (shape[0], number)) for number in (fit.length, fit.length + 1)]
            assert fit.batch_size == 0 or batches[0] <= memory  # type: ignore[operator]
            assert batches[1] > memory  # type: ignore[operator]
            assert fit.length == 0 or lengths[0] <= memory  # type: ignore[operator]
            assert fit.length == bound or lengths[1] > memory  # type: ignore[operator]


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
    [
        *(("24GB", 24 * 10**9), ("24 GiB", 24 * 2**30), ("512mb", 512 * 10**6), ("1.5GB", 15 * 10**8), ("1000B", 1000)),
        *(("0.5TB", 5 * 10**11), ("24gib", 24 * 2**30), ("1.1GB", 11 * 10**8), ("4.35GB", 435 * 10**7)),
    ],
)
def test_sizes_of_memory(text: str, expected: int) -> None:
    assert parse_bytes(text, "--fit") == expected


@pytest.mark.parametrize("text", ["", "GB", "24", "24 G", "-1GB", "24 apples", "1e3GB", "nan", "∞", "٣GB"])
def test_what_is_no_size_of_memory(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_bytes(text, "--fit")
    assert caught.value.code == "fit-invalid"


def test_the_files_are_those_of_families() -> None:
    """No file is left over, and none is missing."""
    folder = Path(bertshape.__file__).parent / "predict" / "activations"
    assert {path.stem for path in folder.glob("*.toml")} == {*OF_FAMILIES}
