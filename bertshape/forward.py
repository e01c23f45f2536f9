"""The only importer of torch and of transformers' models: load, run, observe. No tensor leaves this module."""

from __future__ import annotations

import gc
import importlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertshape.errors import BertshapeError, CheckpointError, DeviceError
from bertshape.pooling import PoolingInputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import torch
    from transformers import PreTrainedModel

    from bertshape.architectures import Architecture
    from bertshape.pooling import Strategy
    from bertshape.tokenization import Tokenization

SEED = 0
"""Seed of random weights and of tensors that a checkpoint lacks, so that two runs agree."""
_INITIALIZER_RANGE = 0.02
_BLOCK = 1 << 20


@dataclass(frozen=True)
class ForwardRequest:
    """What to run.

    Attributes:
        folder: Folder of config.json and weights; None runs random weights.
        config: Content of config.json.
        architecture: Dimensions and family.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        dtype: Dtype of the parameters, by name.
        safetensors: Whether the weights are in safetensors files; pickles otherwise.
        attentions: Whether attention weights are wanted; only the eager implementation gives them.
    """

    folder: Path | None
    config: Mapping[str, object]
    architecture: Architecture
    device: str
    dtype: str
    safetensors: bool
    attentions: bool


@dataclass(frozen=True)
class Loading:
    """What transformers says of the weights it loaded, by the base model's names.

    Attributes:
        missing: Parameters that no stored tensor filled.
        unexpected: Stored tensors that no parameter took.
        mismatched: Stored shape of tensors whose shape is not the parameter's.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[tuple[str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True)
class Observed:
    """Size and dtype of a tensor as the run gave it, and how many there are where it is a tuple.

    `sizes` are those of each tensor; where they differ within a tuple, of the first one that differs.
    """

    sizes: tuple[int, ...]
    dtype: str
    count: int | None = None


@dataclass(frozen=True)
class Observation:
    """All that a run showed.

    Attributes:
        outputs: By the name of the output.
        pooled: By the name of the strategy; those that need what is not there are left out.
        loading: How loading went.
        device: Device that ran.
        dtype: Dtype of the parameters.
        parameters: Number of parameters.
        unmasked_error: Largest distance of an element of `mean_unmasked` from `mean`.
        torch: Version of torch.
        transformers: Version of transformers.
    """

    outputs: Mapping[str, Observed]
    pooled: Mapping[str, Observed]
    loading: Loading
    device: str
    dtype: str
    parameters: int
    unmasked_error: float
    torch: str
    transformers: str


def run(request: ForwardRequest, tokenization: Tokenization, strategies: Sequence[Strategy]) -> Observation:
    """Run the model once on a batch and look at what comes out.

    Args:
        request: The model.
        tokenization: The batch.
        strategies: Pooling strategies to apply.

    Raises:
        CheckpointError: The weights cannot be loaded.
        DeviceError: The device is not there, or its memory is not enough.
    """
    with _imports():
        import torch
        import transformers

        model_class, config_class = _classes(request)
    device = _device(torch, request.device)
    with _device_errors(device):
        model, loading = _load(request, model_class, config_class)
        model.eval().to(device)
        with torch.inference_mode():
            inputs = _inputs(torch, request.architecture, tokenization, device)
            outputs = model(**inputs, output_hidden_states=True, output_attentions=request.attentions)
            pooling_inputs = _pooling_inputs(torch, outputs, inputs["attention_mask"], tokenization)
            pooled = {strategy.name: strategy.function(pooling_inputs) for strategy in strategies}
            unmasked_error = _unmasked_error(pooled)
    return Observation(
        outputs={name: _observe(value) for name, value in outputs.items() if value is not None and len(value)},
        pooled={name: _observe(value) for name, value in pooled.items()},
        loading=loading,
        device=str(device),
        dtype=_dtype_name(next(model.parameters()).dtype),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        unmasked_error=unmasked_error,
        torch=torch.__version__,
        transformers=transformers.__version__,
    )


@contextmanager
def _imports() -> Iterator[None]:
    """Importing makes millions of objects that stay; the garbage collector would walk them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.enable()


def _classes(request: ForwardRequest) -> tuple[Any, Any]:
    """The family's own classes: importing them alone is a second faster than the Auto classes."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    family = request.architecture.family
    if family is None:
        from transformers import CONFIG_MAPPING, AutoModel

        model_type = request.architecture.model_type
        if model_type not in CONFIG_MAPPING:
            raise CheckpointError(
                f"transformers has no model type {model_type!r}",
                hint="Predict without running: --weights none. Code from a checkpoint is never run.",
                code="model-type-unknown",
            )
        return AutoModel, CONFIG_MAPPING[model_type]
    package = f"transformers.models.{family.module}"
    modeling = importlib.import_module(f"{package}.modeling_{family.file}")
    configuration = importlib.import_module(f"{package}.configuration_{family.file}")
    return getattr(modeling, family.model_class), getattr(configuration, family.config_class)


def _device(torch: Any, requested: str) -> torch.device:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if requested == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    kind, _, index = requested.partition(":")
    if not available[kind]:
        raise DeviceError(
            f"--device {requested}: torch {torch.__version__} sees no {kind} device here",
            hint="Use --device auto or cpu.",
            code="device-not-found",
        )
    if kind == "cuda" and index and int(index) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise DeviceError(
            f"--device {requested}: there are {count} CUDA devices, numbered from 0",
            hint=f"Use a number below {count}.",
            code="device-not-found",
        )
    return torch.device(requested)


def _load(request: ForwardRequest, model_class: Any, config_class: Any) -> tuple[PreTrainedModel, Loading]:
    import torch

    torch.manual_seed(SEED)
    try:
        config = config_class.from_dict(dict(request.config))
        # Mismatched sizes are findings that name the field to blame; transformers' own error names none.
        options: dict[str, Any] = {"output_loading_info": True, "ignore_mismatched_sizes": True}
        options["dtype"] = getattr(torch, request.dtype)
        if request.attentions:
            options["attn_implementation"] = "eager"
        if request.folder is None:
            state = _random_state(model_class, config, options["dtype"])
            model, info = model_class.from_pretrained(None, config=config, state_dict=state, **options)
            return model, Loading()
        model, info = model_class.from_pretrained(
            request.folder,
            config=config,
            local_files_only=True,
            use_safetensors=request.safetensors,
            weights_only=True,
            **options,
        )
    except (BertshapeError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise _load_error(request, error) from error
    return model, _loading(info)


def _random_state(model_class: Any, config: Any, dtype: Any) -> dict[str, torch.Tensor]:
    """Seeded random weights for an empty model: five times faster than transformers' own initialisation.

    One normal block is drawn and repeated; the values matter to nobody, their spread keeps the outputs finite.
    """
    import torch

    with torch.device("meta"):
        empty = model_class.from_config(config) if hasattr(model_class, "from_config") else model_class(config)
    generator = torch.Generator().manual_seed(SEED)
    block = torch.empty(_BLOCK).normal_(0, _INITIALIZER_RANGE, generator=generator).to(dtype)
    state = {}
    for name, parameter in empty.state_dict().items():
        if parameter.ndim < 2:
            fill = 1.0 if name.endswith("weight") else 0.0
            state[name] = torch.full(parameter.shape, fill, dtype=dtype)
            continue
        values = torch.empty(parameter.numel(), dtype=dtype)
        for part in values.split(_BLOCK):
            part.copy_(block[: part.numel()])
        state[name] = values.view(parameter.shape)
    return state


def _loading(info: Mapping[str, Any]) -> Loading:
    mismatched = sorted((name, tuple(stored)) for name, stored, _ in info["mismatched_keys"])
    return Loading(tuple(sorted(info["missing_keys"])), tuple(sorted(info["unexpected_keys"])), tuple(mismatched))


def _load_error(request: ForwardRequest, error: Exception) -> CheckpointError:
    where = "random weights" if request.folder is None else str(request.folder)
    if "weights_only" in str(error) or type(error).__name__ == "UnpicklingError":
        return CheckpointError(
            f"the pickle weights in {where} hold more than tensors, or are broken; they were not loaded",
            hint="Ask for a safetensors file: pickles can run code.",
            code="weights-unsafe",
        )
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return CheckpointError(
        f"transformers cannot load {where}: {first_line}",
        hint="See the whole error with --debug.",
        code="load-failed",
    )


@contextmanager
def _device_errors(device: torch.device) -> Iterator[None]:
    import torch

    hint = "Use fewer or shorter texts, --dtype float16, or --device cpu."
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise DeviceError(f"out of memory on {device}", hint=hint, code="out-of-memory") from error
    except RuntimeError as error:
        # The CPU allocator has no error class of its own.
        if "not enough memory" in str(error) or "can't allocate memory" in str(error):
            raise DeviceError(f"out of memory on {device}", hint=hint, code="out-of-memory") from error
        raise


def _inputs(torch: Any, architecture: Architecture, tokenization: Tokenization, device: Any) -> dict[str, torch.Tensor]:
    """Tensors of shape (batch_size, sequence_length), int64."""
    fields = {"input_ids": "input_id", "attention_mask": "attention_mask"}
    if architecture.accepts_token_type_ids:
        fields["token_type_ids"] = "token_type_id"
    return {
        name: torch.tensor(
            [[getattr(token, field) for token in row.tokens] for row in tokenization.rows], dtype=torch.int64
        ).to(device)
        for name, field in fields.items()
    }


def _pooling_inputs(torch: Any, outputs: Any, attention_mask: Any, tokenization: Tokenization) -> PoolingInputs:
    special = [[int(token.special) for token in row.tokens] for row in tokenization.rows]
    words = [row.word_indices() for row in tokenization.rows]
    device = attention_mask.device
    return PoolingInputs(
        last_hidden_state=outputs.get("last_hidden_state"),
        attention_mask=attention_mask,
        special_tokens_mask=torch.tensor(special, device=device),
        word_index=torch.tensor(words, device=device),
        num_words=tokenization.num_words,
        hidden_states=tuple(outputs.hidden_states),
        pooler_output=outputs.get("pooler_output"),
    )


def _unmasked_error(pooled: Mapping[str, torch.Tensor]) -> float:
    if "mean" not in pooled or "mean_unmasked" not in pooled:
        return 0.0
    return float((pooled["mean"].float() - pooled["mean_unmasked"].float()).abs().max())


def _observe(value: Any) -> Observed:
    if not isinstance(value, tuple):
        return Observed(tuple(value.shape), _dtype_name(value.dtype))
    first = value[0]
    odd = next((tensor for tensor in value if tensor.shape != first.shape), first)
    return Observed(tuple(odd.shape), _dtype_name(odd.dtype), len(value))


def _dtype_name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")
