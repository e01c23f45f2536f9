"""Load a model: the checkpoint's weights, or random ones, and what transformers says of it."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
import transformers
from transformers.utils import logging

from bertshape.checkpoint.pickles import check_pickle
from bertshape.errors import BertshapeError, CheckpointError, one_line
from bertshape.run.devices import is_device_failure
from bertshape.run.imports import import_losses
from bertshape.run.observation import Loading
from bertshape.run.random_weights import SEED, build_random

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from transformers import PreTrainedModel

    from bertshape.run.request import ForwardRequest


def find_classes(request: ForwardRequest) -> tuple[Any, Any]:
    """The family's own classes: importing them alone is a second faster than the Auto classes.

    Raises:
        CheckpointError: This transformers has no such model.
    """
    family = request.architecture.family
    if family is None:
        # The Auto classes import every family's configuration: only for a family that the table lacks.
        from transformers import CONFIG_MAPPING, MODEL_MAPPING

        model_type = request.architecture.model_type
        if model_type not in CONFIG_MAPPING or CONFIG_MAPPING[model_type] not in MODEL_MAPPING:
            raise _unknown_type(model_type)
        config_class = CONFIG_MAPPING[model_type]
        found: Any = MODEL_MAPPING[config_class]
        model_class = found[0] if isinstance(found, tuple) else found
        if model_class.main_input_name != "input_ids":
            raise CheckpointError(
                f"{request.architecture.model_type} is no model of texts: {model_class.__name__} of transformers takes "
                f"{model_class.main_input_name}",
                hint="Pass a text encoder.",
                code="not-an-encoder",
            )
        return model_class, config_class
    package = f"transformers.models.{family.module}"
    import_losses()
    try:
        modeling = importlib.import_module(f"{package}.modeling_{family.file}")
        configuration = importlib.import_module(f"{package}.configuration_{family.file}")
    except ModuleNotFoundError as error:
        # A family that is younger than this transformers, not a part of transformers that is broken.
        if error.name is None or not error.name.startswith(package):
            raise
        raise _unknown_type(family.model_type) from error
    declared = request.config.get("architectures")
    others = [name for name in family.other_classes if isinstance(declared, list) and name in declared]
    return getattr(modeling, (others or [family.model_class])[0]), getattr(configuration, family.config_class)


def _unknown_type(model_type: str) -> CheckpointError:
    return CheckpointError(
        f"transformers {transformers.__version__} has no model type {model_type!r}",
        hint='Predict without running: inspect --weights none; or try a newer one: pip install -U "transformers<6". '
        "Code from a checkpoint is never run.",
        code="model-type-unknown",
    )


def load(request: ForwardRequest, model_class: Any, config_class: Any) -> tuple[PreTrainedModel, Loading]:
    """Build the model on the CPU and fill it.

    Args:
        request: What to load.
        model_class: The family's base model.
        config_class: Its configuration.

    Returns:
        The model in evaluation mode, and what transformers says of the weights.

    Raises:
        CheckpointError: The weights cannot be loaded, or are a pickle of more than tensors.
    """
    # On a device of its own nothing is drawn: the CPU's generator is the one to give back as it was.
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(SEED)
        return _load(request, model_class, config_class)


def _load(request: ForwardRequest, model_class: Any, config_class: Any) -> tuple[PreTrainedModel, Loading]:
    try:
        # As an argument: transformers 5.0 overwrites the field of the same name.
        implementation = {"attn_implementation": "eager"} if request.attentions else {}
        # CLIP gives a tuple where config.json asks for one, whatever its forward is asked for.
        config = config_class.from_dict({**request.config, "return_dict": True}, **implementation)
        if request.folder is None:
            return build_random(model_class, config, getattr(torch, request.dtype)), Loading()
        if not request.safetensors:
            for path in sorted(request.folder.glob("*.bin")):
                check_pickle(path)
        model, info = model_class.from_pretrained(
            request.folder,
            config=config,
            local_files_only=True,
            use_safetensors=request.safetensors,
            weights_only=True,
            dtype=request.dtype,
            output_loading_info=True,
            # Mismatched sizes are findings that name the field to blame; transformers' own error names none.
            ignore_mismatched_sizes=True,
        )
    except (BertshapeError, MemoryError):
        raise
    except Exception as error:
        if is_device_failure(error):
            raise
        raise _load_error(request, error) from error
    return model, _loading(info)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' notices and bars away while it loads, and leave its settings as they were."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _loading(info: Mapping[str, Any]) -> Loading:
    mismatched = sorted((name, tuple(stored)) for name, stored, _ in info["mismatched_keys"])
    return Loading(tuple(sorted(info["missing_keys"])), tuple(sorted(info["unexpected_keys"])), tuple(mismatched))


def _load_error(request: ForwardRequest, error: Exception) -> CheckpointError:
    where = "random weights" if request.folder is None else str(request.folder)
    if "weights_only" in str(error) or type(error).__name__ in ("EOFError", "UnpicklingError"):
        return CheckpointError(
            f"the pickle weights in {where} hold more than tensors, or are broken; they were not loaded",
            hint="Ask for a safetensors file: pickles can run code.",
            code="weights-unsafe",
        )
    return CheckpointError(
        f"transformers cannot load {where}: {type(error).__name__}: {one_line(error)}",
        hint="See the whole error with --debug.",
        code="load-failed",
    )
