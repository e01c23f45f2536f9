"""The table of families against transformers: defaults, names and shapes of tensors, usable lengths."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from bertshape.errors import BertshapeError, CheckpointError
from bertshape.predict.config import resolve
from bertshape.predict.family import family_names, load_family
from bertshape.predict.tensor_names import backbone_name, backbone_tensors, layer_index
from tests.tools.make_family import OWN_SIZES, build_model, tiny_config

if TYPE_CHECKING:
    from pathlib import Path

transformers.utils.logging.set_verbosity_error()

# Configurations beside the default under which every [[conditional]] of the table is true once and false once.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "albert": [{"num_hidden_groups": 2, "inner_group_num": 3}],
    "big_bird": [{"use_bias": False}, {"attention_type": "original_full"}, {"is_decoder": True}],
    "canine": [{"num_hash_functions": 4, "downsampling_rate": 3, "upsampling_kernel_size": 5}],
    "convbert": [
        {"embedding_size": 48, "num_groups": 2},
        {"head_ratio": 8},
        {"hidden_size": 36, "head_ratio": 1},
    ],
    "deberta": [
        {"relative_attention": True, "max_relative_positions": 9, "pos_att_type": ["p2c", "c2p"], "talking_head": True},
        {"relative_attention": True, "pos_att_type": "c2p|p2c", "position_biased_input": False},
        {"embedding_size": 20, "type_vocab_size": 0},
    ],
    "dpr": [{"projection_dim": 24}],
    "electra": [{"embedding_size": 48}],
    "deberta-v2": [
        {"relative_attention": True, "position_buckets": 16, "pos_att_type": ["p2c", "c2p"]},
        {"relative_attention": True, "max_relative_positions": 9, "pos_att_type": "c2p|p2c", "share_att_key": True},
        {
            "relative_attention": True,
            "pos_att_type": ["p2c"],
            "position_biased_input": False,
            "norm_rel_ebd": "layer_norm",
        },
        {"conv_kernel_size": 3, "conv_groups": 2, "embedding_size": 20, "type_vocab_size": 0},
    ],
    "ernie": [{"use_task_id": True, "task_type_vocab_size": 9}],
    "esm": [{"emb_layer_norm_before": True}, {"position_embedding_type": "rotary"}],
    "eurobert": [
        {"attention_bias": True, "mlp_bias": True},
        {"num_key_value_heads": 2, "head_dim": 6},
    ],
    "flaubert": [{"n_langs": 3}, {"n_langs": 3, "use_lang_emb": False}],
    "funnel": [{"block_sizes": [1, 3], "num_decoder_layers": 1}, {"architectures": ["FunnelBaseModel"]}],
    "gemma": [{"attention_bias": True}],
    "gemma2": [{"attention_bias": True}],
    "gemma3_text": [{"attention_bias": True}],
    "gpt2": [{"add_cross_attention": True}, {"n_inner": None}],
    "gpt_neox": [{"attention_bias": False}],
    "llama": [{"attention_bias": True, "mlp_bias": True}, {"num_key_value_heads": None, "head_dim": 6}],
    "luke": [{"entity_emb_size": 48}, {"use_entity_aware_attention": False}],
    "mistral": [{"head_dim": 6}],
    "mobilebert": [
        {"use_bottleneck": False, "trigram_input": False},
        {"key_query_shared_bottleneck": False, "num_feedforward_networks": 2},
        {"use_bottleneck_attention": True, "classifier_activation": False, "num_feedforward_networks": 1},
    ],
    "nomic_bert": [{"head_dim": 6}],
    "nystromformer": [{"conv_kernel_size": 33}, {"num_landmarks": 4}],
    "phi3": [{"num_key_value_heads": None}],
    "qwen2": [{"num_key_value_heads": None}],
    "qwen3": [{"attention_bias": True}],
    "roc_bert": [
        {"enable_pronunciation": False},
        {"enable_shape": False},
        {"enable_pronunciation": False, "enable_shape": False},
        {"concat_input": False},
    ],
    "roformer": [{"embedding_size": 48}],
    "squeezebert": [
        {"q_groups": 2, "k_groups": 3, "v_groups": 4, "post_attention_groups": 6, "intermediate_groups": 8},
        {"output_groups": 2},
    ],
    "t5": [
        {"feed_forward_proj": proj, "is_decoder": decodes}
        for proj in ("relu", "gated-gelu")
        for decodes in (False, True)
    ],
    "mt5": [{"feed_forward_proj": "relu"}, {"is_decoder": True}, {"feed_forward_proj": "relu", "is_decoder": True}],
    "umt5": [{"feed_forward_proj": "relu"}, {"is_decoder": True}, {"feed_forward_proj": "relu", "is_decoder": True}],
    "xlm": [{"n_langs": 3}, {"n_langs": 3, "use_lang_emb": False}],
    "yoso": [{"conv_window": 9}],
    "modernbert": [{"attention_bias": True, "mlp_bias": True, "norm_bias": True}],
}
# DPR's classes hold the model under a name of their own.
WRAPPED = {"dpr": "question_encoder."}
for _name in family_names():
    _family = load_family(_name)
    if _family is not None and any(
        {"is_decoder", "add_cross_attention"} <= {*row.when} for row in _family.conditionals
    ):
        VARIANTS.setdefault(_name, []).append({"is_decoder": True, "add_cross_attention": True})
CASES = [(name, variant) for name in family_names() for variant in [{}, *VARIANTS.get(name, [])]]


def as_json(config: Any) -> dict[str, Any]:
    """The configuration as config.json would hold it."""
    values: dict[str, Any] = json.loads(config.to_json_string())
    return values


def build(config: Any) -> Any:
    return build_model(config)


@pytest.mark.parametrize("name", family_names())
def test_defaults_are_those_of_the_config_class(name: str) -> None:
    family = load_family(name)
    assert family is not None
    module = importlib.import_module(f"transformers.models.{family.module}.configuration_{family.file}")
    config = getattr(module, family.config_class)()
    assert config.model_type == name
    for key, value in family.defaults.items():
        absent = {
            "use_task_id": False,
            "conv_kernel_size": 0,
            "conv_groups": 1,
            "share_att_key": False,
            "position_buckets": -1,
            "is_causal": True,
        }
        own = getattr(config, key, absent.get(key))
        assert (list(own) if isinstance(own, tuple) else own) == value, key


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_tensors_are_those_of_the_model(name: str, variant: dict[str, Any]) -> None:
    config = tiny_config(name, **variant)
    with torch.device("meta"):
        model = build(config)
    architecture = resolve(as_json(config), "config.json")
    family, prefix = architecture.family, WRAPPED.get(name, "")
    expected = {key.removeprefix(prefix): tuple(tensor.shape) for key, tensor in model.named_parameters()}
    assert architecture.expected_tensors() == expected
    assert architecture.parameters() == sum(tensor.numel() for tensor in model.parameters())
    assert family is not None
    assert type(model).__name__ in (family.model_class, *family.other_classes)


@pytest.mark.parametrize("name", family_names())
def test_the_cases_reach_every_condition(name: str) -> None:
    """A condition that is never true, or never false, is not tested by the comparison with transformers."""
    architectures = [resolve(as_json(tiny_config(name, **variant)), "x") for variant in [{}, *VARIANTS.get(name, [])]]
    family = load_family(name)
    assert family is not None
    for row in family.conditionals:
        held = {all(map(architecture.holds, row.when)) for architecture in architectures}
        assert held == {True, False}, row.when


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_what_follows_from_other_values_may_be_left_out(name: str, variant: dict[str, Any]) -> None:
    """What transformers computed, it writes into config.json; other tools leave it out."""
    family = load_family(name)
    assert family is not None
    derived = {*family.derived, *(key for row in family.conditionals for key in row.derived)}
    derived -= {*variant, *OWN_SIZES.get(name, {})}
    written = as_json(tiny_config(name, **variant))
    silent = {key: value for key, value in written.items() if key not in derived}
    assert resolve(silent, "x").expected_tensors() == resolve(written, "x").expected_tensors()


@pytest.mark.parametrize("name", family_names())
def test_no_size_is_written_as_a_number(name: str) -> None:
    """A number in place of a dimension would hold for the tested sizes alone."""
    family = load_family(name)
    assert family is not None
    tables = [family.tensors, family.layer_tensors]
    tables += [table for row in family.conditionals for table in (row.tensors, row.layer_tensors)]
    assert not [(key, shape) for table in tables for key, shape in table.items() if {*map(type, shape)} != {str}]


@pytest.mark.parametrize("name", family_names())
def test_an_empty_config_means_the_defaults(name: str) -> None:
    """config.json may leave out what the config class assumes."""
    config = transformers.CONFIG_MAPPING[name]()
    full, bare = resolve(as_json(config), "x"), resolve({"model_type": name}, "x")
    assert bare.dimensions == full.dimensions
    assert bare.usable_length == full.usable_length
    assert bare.expected_tensors() == full.expected_tensors()


@pytest.mark.parametrize("name", family_names())
def test_outputs_and_usable_length_are_those_of_a_run(name: str) -> None:
    config = tiny_config(name)
    architecture = resolve(as_json(config), "config.json")
    model = build(config).eval()
    usable = architecture.usable_length

    def run(length: int) -> Any:
        names = ["attention_mask", *(["token_type_ids"] if architecture.accepts_token_type_ids else [])]
        inputs = {name: torch.ones(1, length, dtype=torch.int64) for name in names}
        with torch.inference_mode():
            return model(input_ids=torch.full((1, length), 5), **inputs, output_hidden_states=True)

    outputs = run(usable or 300)
    assert ("pooler_output" in outputs) == architecture.has_pooler
    assert ("last_hidden_state" in outputs) == architecture.has_last_hidden_state
    if "hidden_states" not in architecture.observed_only:
        assert len(outputs.hidden_states) == architecture.dimensions.num_hidden_layers + 1
    if usable is not None:
        with pytest.raises((IndexError, RuntimeError, ValueError)):
            run(usable + 1)


@pytest.mark.parametrize("name", family_names())
def test_names_in_task_checkpoints_are_understood(name: str, tmp_path: Path) -> None:
    """A checkpoint with a masked-LM head stores the same backbone under a prefix; its head is no backbone."""
    config = tiny_config(name, type_vocab_size=2) if name != "modernbert" else tiny_config(name)
    with torch.device("meta"):
        model = _with_a_head(config)
    architecture = resolve(as_json(config), "config.json")
    family, expected = architecture.family, architecture.expected_tensors()
    assert family is not None
    assert expected is not None
    stored = {backbone_name(key, family) for key in model.state_dict()} - {None}
    # Most heads of this kind are saved without the pooler.
    assert stored in ({key for key in expected if not (family.pooler and key.startswith(family.pooler))}, set(expected))


def _with_a_head(config: Any) -> Any:
    """A model with a task head: for masked tokens where the family has one."""
    autos: tuple[Any, ...] = (
        transformers.AutoModelForMaskedLM,
        # The decoders' class for questions has a prefix of its own, which their base model does not look for.
        transformers.AutoModelForSequenceClassification,
        transformers.AutoModelForQuestionAnswering,
    )
    if config.model_type in ("t5", "mt5", "umt5"):
        return transformers.AutoModelForSeq2SeqLM.from_config(config)
    if config.model_type.endswith("_text_model"):
        return build(config)
    for auto in autos:
        if type(config) in auto._model_mapping:
            return auto.from_config(config)
    # Neither DPR nor a generator has a head of these kinds; the passages' encoder has names of its own, too.
    others = {"bert-generation": transformers.BertGenerationDecoder, "dpr": transformers.DPRContextEncoder}
    return others[config.model_type](config)


def test_tensors_that_the_checkpoint_fuses_are_taken_apart() -> None:
    """Nomic's checkpoints store query, key and value as one, under older names, and transformers saves them so too."""
    nomic, bert = load_family("nomic_bert"), load_family("bert")
    assert nomic is not None
    assert bert is not None
    parts = {f"layers.3.self_attn.{part}_proj.weight": (12, 20) for part in "qkv"}
    assert backbone_tensors("encoder.layers.3.attn.Wqkv.weight", (36, 20), nomic) == parts
    # What cannot be cut into three is shown as it is, so that the check names it.
    odd = "encoder.layers.3.attn.Wqkv.weight"
    assert backbone_tensors(odd, (37, 20), nomic) == {"layers.3.attn.Wqkv.weight": (37, 20)}
    assert backbone_tensors("bert.pooler.dense.bias", (20,), bert) == {"pooler.dense.bias": (20,)}
    assert backbone_tensors("cls.predictions.bias", (20,), bert) == {}


def test_layers_are_counted_wherever_the_number_stands() -> None:
    xlm, canine, funnel = load_family("xlm"), load_family("canine"), load_family("funnel")
    assert xlm is not None
    assert canine is not None
    assert funnel is not None
    assert layer_index("layer_norm1.11.weight", xlm) == 11
    assert layer_index("attentions.3.q_lin.weight", xlm) == 3
    assert layer_index("encoder.layer.7.output.dense.bias", canine) == 7
    # Neither is one of num_hidden_layers.
    assert layer_index("final_char_encoder.layer.0.output.dense.bias", canine) is None
    assert layer_index("encoder.blocks.0.1.ffn.layer_norm.bias", funnel) is None


def test_old_names_are_understood() -> None:
    bert = load_family("bert")
    assert bert is not None
    assert backbone_name("bert.embeddings.LayerNorm.gamma", bert) == "embeddings.LayerNorm.weight"
    assert (
        backbone_name("bert.encoder.layer.11.output.LayerNorm.beta", bert) == "encoder.layer.11.output.LayerNorm.bias"
    )
    assert backbone_name("embeddings.position_ids", bert) is None
    assert backbone_name("cls.predictions.bias", bert) is None
    assert layer_index("encoder.layer.11.output.dense.bias", bert) == 11
    assert layer_index("embeddings.word_embeddings.weight", bert) is None


def test_roberta_loses_positions_to_padding() -> None:
    config = {"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}
    assert resolve(config, "x").usable_length == 512


def test_an_embedding_size_that_is_not_said_follows_hidden_size() -> None:
    assert resolve({"model_type": "roformer", "hidden_size": 1024}, "x").dimensions.embedding_size == 1024
    assert resolve({"model_type": "electra", "hidden_size": 1024}, "x").dimensions.embedding_size == 128


def test_both_names_of_a_dimension_are_taken() -> None:
    """The attribute_map of transformers: DistilBERT says dim, and hidden_size is accepted."""
    assert resolve({"model_type": "distilbert", "dim": 32}, "x").dimensions.hidden_size == 32
    assert resolve({"model_type": "distilbert", "hidden_size": 48}, "x").dimensions.hidden_size == 48
    assert resolve({"model_type": "distilbert"}, "x").config_key("hidden_size") == "dim"


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"hidden_size": "384"}, "config-invalid", "hidden_size"),
        ({"hidden_size": 384.0}, "config-invalid", "hidden_size"),
        ({"hidden_size": True}, "config-invalid", "hidden_size"),
        ({"num_hidden_layers": -1}, "config-invalid", "num_hidden_layers"),
        ({"num_hidden_layers": 2_000_000_000}, "config-invalid", "num_hidden_layers"),
        ({"model_type": "albert", "num_hidden_groups": 10**9}, "config-invalid", "num_hidden_groups"),
        ({"model_type": "albert", "inner_group_num": "many"}, "config-invalid", "inner_group_num"),
        (
            {"model_type": "mobilebert", "num_hidden_layers": 200, "num_feedforward_networks": 200},
            "config-invalid",
            "x",
        ),
        ({"model_type": "funnel", "block_sizes": 4}, "config-invalid", "block_sizes"),
        ({"model_type": "funnel", "block_sizes": [4, "4"]}, "config-invalid", "block_sizes"),
        ({"model_type": "funnel", "block_sizes": [4, -4, 4]}, "config-invalid", "block_sizes"),
        ({"model_type": "funnel", "block_sizes": [10**9]}, "config-invalid", "block_sizes"),
        ({"model_type": "funnel", "block_sizes": []}, "config-invalid", "block_sizes"),
        ({"model_type": "canine", "num_hash_functions": 0}, "config-invalid", "num_hash_functions"),
        ({"num_attention_heads": 0}, "config-invalid", "num_attention_heads"),
        ({"vocab_size": 10**30}, "config-invalid", "vocab_size"),
        ({"model_type": None}, "model-type-missing", "model_type"),
        ({"model_type": 3}, "model-type-missing", "model_type"),
        ({"model_type": "unheard-of", "image_size": 224}, "not-an-encoder", "images"),
        ({"model_type": "unheard-of", "num_mel_bins": 80}, "not-an-encoder", "sound"),
    ],
)
def test_impossible_configs_are_refused(change: dict[str, object], code: str, named: str) -> None:
    with pytest.raises(CheckpointError, match=named) as caught:
        resolve({"model_type": "bert"} | change, "here/config.json")
    assert caught.value.code == code
    assert "here/config.json" in caught.value.message


def test_an_unknown_family_is_read_by_common_keys() -> None:
    architecture = resolve({"model_type": "newbert", "d_model": 64, "n_layers": 3, "n_heads": 2}, "x")
    assert architecture.family is None
    assert (architecture.dimensions.hidden_size, architecture.dimensions.num_hidden_layers) == (64, 3)
    assert architecture.expected_tensors() is None
    with pytest.raises(CheckpointError, match="hidden_size"):
        resolve({"model_type": "newbert"}, "x")


COMMON_KEYS = ("hidden_size", "num_hidden_layers", "vocab_size", "pad_token_id", "type_vocab_size", "dim")
SCALARS = st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.sampled_from(["", "3", "abc"])
VALUES = SCALARS | st.lists(SCALARS, max_size=3)


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """A family, with nonsense in some of the keys that its file speaks of."""
    name = draw(st.sampled_from([*family_names(), "other"]))
    family = load_family(name)
    words = {word for row in family.conditionals for when in row.when for word in when.split()} if family else set()
    keys = sorted({*COMMON_KEYS, *(family.defaults if family else ()), *words})
    return {"model_type": name} | draw(st.dictionaries(st.sampled_from(keys), VALUES, max_size=5))


@given(configs())
def test_any_config_is_read_or_refused(config: dict[str, Any]) -> None:
    try:
        architecture = resolve(config, "x")
    except BertshapeError:
        return
    assert architecture.dimensions.hidden_size > 0
    # A count near the most would be right, and slow.
    if architecture.dimensions.num_hidden_layers < 100:
        architecture.expected_tensors()
