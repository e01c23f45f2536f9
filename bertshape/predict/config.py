"""config.json -> `Architecture`, refusing what no model can be built from."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import fields
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.predict.architecture import Architecture, Dimensions, as_number
from bertshape.predict.expressions import evaluate, holds
from bertshape.predict.family import Family, load_family

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED = ("hidden_size", "num_hidden_layers")
# Keys that other families use, tried in turn for a model type that the table lacks.
_ALIASES = {
    "hidden_size": ("hidden_size", "dim", "d_model", "emb_dim", "n_embd"),
    "num_hidden_layers": ("num_hidden_layers", "n_layers", "num_layers", "n_layer", "encoder_layers"),
    "num_attention_heads": ("num_attention_heads", "n_heads", "num_heads", "n_head", "encoder_attention_heads"),
    "intermediate_size": ("intermediate_size", "hidden_dim", "d_inner", "ffn_dim", "encoder_ffn_dim"),
    "vocab_size": ("vocab_size", "n_words", "n_token"),
    "max_position_embeddings": ("max_position_embeddings", "n_positions"),
}
# Models that turn vectors by their position have no table of positions that ends.
_ROTARY = ("rope_parameters", "rope_scaling", "rope_theta", "rotary_dim", "rotary_pct")
# Keys by which models of other media are known, whatever their name; models of texts have none of them.
_MEDIA = {
    "images": ("image_size", "patch_size", "num_channels", "vision_config"),
    "sound": ("num_mel_bins", "num_feat_extract_layers", "conv_stride", "sampling_rate", "audio_config"),
}
_RESTORE = "Restore the file from the original checkpoint."
_LARGEST = 2**31 - 1
_MOST_LAYERS = 1_000
"""Names, and modules in a run, are made layer by layer; encoders in use have up to 48, and 10,000 take minutes."""


def resolve(config: Mapping[str, object], where: str) -> Architecture:
    """Read the dimensions of a configuration.

    Args:
        config: Content of config.json.
        where: Path of config.json, for messages.

    Raises:
        CheckpointError: The model is no encoder, or a dimension is missing or impossible.
    """
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or not model_type:
        hint = 'Add "model_type": "bert", or the family the weights belong to.'
        raise CheckpointError(
            f"{where} has no model_type (a string), so its family is unknown", hint=hint, code="model-type-missing"
        )
    family = load_family(model_type)
    if family is None:
        _refuse_others(config, model_type, where)
    values: dict[str, object] = dict(ChainMap(dict(config), dict(family.defaults) if family else {}))
    if family is not None:
        # The other name of a key goes before it, as in transformers, wherever it stands in the file.
        values |= {own: config[alias] for alias, own in family.aliases.items() if alias in config}
        _derive(values, family)
    sizes = {field.name: _size(values, config, family, field.name, where) for field in fields(Dimensions)}
    sizes["embedding_size"] = sizes["embedding_size"] or sizes["hidden_size"]
    dimensions = Dimensions(**sizes)  # type: ignore[arg-type]
    if family is not None:
        _check_counts(dimensions, values, family, where)
    else:
        _check_count(dimensions.num_hidden_layers, "the number of layers", where, listed=False)
    pad_token_id = values.get("pad_token_id")
    pad = pad_token_id if isinstance(pad_token_id, int) and not isinstance(pad_token_id, bool) else None
    bare = Architecture(model_type, family, dimensions, values, pad, None)
    usable = _usable_length(bare)
    return Architecture(model_type, family, dimensions, values, pad, usable)


def _refuse_others(config: Mapping[str, object], model_type: str, where: str) -> None:
    """Refuse what the table lacks and no rule can take for a model of texts."""
    for media, keys in _MEDIA.items():
        found = next((key for key in keys if config.get(key) is not None), None)
        if found is not None:
            raise CheckpointError(
                f"{where} is a {model_type} model of {media} ({found}): bertshape inspects models of texts",
                hint="Pass a text encoder, such as the text part of the same model.",
                code="not-an-encoder",
            )


def _size(
    values: Mapping[str, object], config: Mapping[str, object], family: Family | None, dimension: str, where: str
) -> int | None:
    keys = _ALIASES.get(dimension, (dimension,)) if family is None else _keys(family, dimension)
    key = next((key for key in keys if key in config), next((key for key in keys if key in values), None))
    value = values.get(key) if key is not None else None
    if value is None:
        if dimension in _REQUIRED:
            raise CheckpointError(f"{where} lacks {keys[0]}", hint=_RESTORE, code="config-invalid")
        return None
    # transformers writes 0 for "no token types" and -1 for "no positions"; the rest must count something.
    least = {"type_vocab_size": 0, "max_position_embeddings": -1}.get(dimension, 1)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _LARGEST:
        raise CheckpointError(
            f"{where}: {key} is {str(value)[:50]!r}, expected a whole number from {least} to {_LARGEST}",
            hint=_RESTORE,
            code="config-invalid",
        )
    return None if value == -1 else value


def _derive(values: dict[str, object], family: Family) -> None:
    """Add what the family's config class computes from other values."""

    def number(name: str) -> int:
        return as_number(values.get(name))

    derived = dict(family.derived)
    for row in family.conditionals:
        if row.derived and all(holds(condition, values, number) for condition in row.when):
            derived |= row.derived
    for key, expression in derived.items():
        if values.get(key) is None:
            values[key] = max(evaluate(expression, number), 1)


def _check_counts(dimensions: Dimensions, values: Mapping[str, object], family: Family, where: str) -> None:
    """Names are counted out: a typing error must not become a billion of them."""
    for keys in family.counted_together:
        total = 1
        for key in keys:
            count = getattr(dimensions, key, None) or values.get(key)
            _check_count(count, key, where, listed=isinstance(family.defaults.get(key), list))
            total *= as_number(count)
        if total > _MOST_LAYERS:
            message = f"{where}: {' x '.join(keys)} is {total}, expected at most {_MOST_LAYERS}"
            raise CheckpointError(message, hint=_RESTORE, code="config-invalid")


def _check_count(count: object, key: str, where: str, *, listed: bool) -> None:
    counts = count if listed and isinstance(count, list) else [count]
    whole = all(isinstance(number, int) and not isinstance(number, bool) and number >= 1 for number in counts)
    if isinstance(count, list) != listed or not whole or not 1 <= sum(counts) <= _MOST_LAYERS:
        expected = f"whole numbers, {_MOST_LAYERS} in sum" if listed else f"a whole number from 1 to {_MOST_LAYERS}"
        message = f"{where}: {key} is {str(count)[:50]!r}, expected {expected}"
        raise CheckpointError(message, hint=_RESTORE, code="config-invalid")


def _keys(family: Family, dimension: str) -> tuple[str, ...]:
    """Names of a dimension in config.json, those first that go before the family's own key."""
    own = family.dimensions.get(dimension, dimension)
    return (*(alias for alias, key in family.aliases.items() if key == own), own)


def _usable_length(architecture: Architecture) -> int | None:
    family, positions = architecture.family, architecture.dimensions.max_position_embeddings
    if family is None:
        return None if any(architecture.values.get(key) for key in _ROTARY) else positions
    bounds = [architecture.number(key) for key in family.length_bounds]
    unbounded = family.unbounded_when and architecture.holds(family.unbounded_when)
    if positions is not None and family.length != "unbounded" and not unbounded:
        bounds.append(positions - (0 if family.length == "positions" else architecture.padding_index + 1))
    if architecture.exact_length is not None:
        bounds.append(architecture.exact_length)
    return max(min(bounds), 0) if bounds else None
