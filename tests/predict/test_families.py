"""Each family three ways: what is predicted, a model of symbolic sizes, and real runs of a tiny model."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

from bertshape import inspect_texts
from bertshape.predict.config import resolve
from bertshape.predict.family import family_names, load_family
from bertshape.predict.outputs import predict_outputs
from tests.tools.make_family import build_model, tiny_config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bertshape.predict.architecture import Architecture
    from tests.conftest import Run

# Sizes of one tensor, and how many there are where it is a tuple.
Sizes = tuple[tuple[object, ...], int | None]

# Batches of texts of differing lengths: one longer than the models' windows and blocks, and no multiple of them.
# It comes first, because BigBird leaves its blocks for good once it has seen a short batch.
LENGTHS = ((41, 30, 17), (9, 5))
# Where sizes cannot stay symbolic, by what torch says: these models count on a number that is only there in a run.
NOT_SYMBOLIC = {
    "canine": "sequence_length became 13",  # cuts the characters into pieces by Python's range
    "funnel": "sequence_length became 13",  # makes its table of positions for the length it sees
    "flaubert": "data-dependent expression",  # looks at the largest length in the batch
    "longformer": "data-dependent expression",  # asks whether any token has global attention
    "xlm": "data-dependent expression",  # looks at the largest length in the batch
}
# Configurations that change the outputs of a family.
OTHER_OUTPUTS: list[tuple[str, dict[str, Any]]] = [
    ("big_bird", {"attention_type": "original_full"}),
    ("convbert", {"head_ratio": 1}),
    ("dpr", {"projection_dim": 24}),
    ("esm", {"position_embedding_type": "rotary"}),
    ("funnel", {"architectures": ["FunnelBaseModel"]}),
    ("mobilebert", {"classifier_activation": False}),
]


def tiny(name: str, **changes: Any) -> tuple[Any, Architecture]:
    """A configuration of small sizes that all differ, and what bertshape makes of it."""
    # What XLNet keeps is bounded by a number, and not by the length alone.
    own = {"xlnet": {"mem_len": None}, "funnel": {}}.get(name, {})
    config = tiny_config(name, **({} if name == "funnel" else {"num_hidden_layers": 3}), **own, **changes)
    return config, resolve(json.loads(config.to_json_string()), "config.json")


def build(config: Any) -> Any:
    return build_model(config, attn_implementation="eager").eval()


def inputs_of(architecture: Architecture, input_ids: Any, attention_mask: Any) -> dict[str, Any]:
    inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
    if architecture.accepts_token_type_ids:
        inputs["token_type_ids"] = torch.zeros_like(input_ids)
    return inputs | {"output_hidden_states": True, "output_attentions": True}


def sizes_of(outputs: Mapping[str, Any], size: Callable[[Any], object]) -> dict[str, list[Sizes]]:
    """All different sizes of each output, with how often they occur; `size` makes a number or a symbol of each."""
    found: dict[str, list[Sizes]] = {}
    for name, value in outputs.items():
        if torch.is_tensor(value):
            found[name] = [(tuple(map(size, value.shape)), None)]
        elif isinstance(value, tuple) and value and all(map(torch.is_tensor, value)):
            shapes = [tuple(map(size, tensor.shape)) for tensor in value]
            found[name] = [(shape, shapes.count(shape)) for shape in dict.fromkeys(shapes)]
    return found


def predicted(architecture: Architecture, batch_size: object, sequence_length: object) -> dict[str, list[Sizes]]:
    """What bertshape predicts, with these in place of the two sizes that depend on the texts."""
    batch: Any = SimpleNamespace(batch_size=1_000_003, sequence_length=1_000_033)
    places = {batch.batch_size: batch_size, batch.sequence_length: sequence_length}
    outputs = predict_outputs(architecture, batch, "float32", attentions=True)
    return {
        name: [(tuple(places.get(size, size) for size in facts.shape.sizes), facts.count)]
        for name, facts in outputs.items()
    }


def run_symbolically(config: Any, architecture: Architecture) -> dict[str, list[Sizes]]:
    """Run a model without numbers, its batch size and sequence length unknown; sizes are numbers, or `B` and `S`.

    The only use of torch's private modules: nothing public gives symbolic sizes with an attention mask.

    Raises:
        RuntimeError: The model needs a number that is only there in a run.
    """
    from torch._dispatch.python import enable_python_dispatcher
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv, StatelessSymbolicContext
    from transformers.initialization import no_init_weights

    mode = FakeTensorMode(shape_env=ShapeEnv())
    unknown: Any = StatelessSymbolicContext(dynamic_sizes=[DimDynamic.DYNAMIC] * 2)
    input_ids = mode.from_tensor(torch.ones(3, 13, dtype=torch.int64), symbolic_context=unknown)
    with mode, torch.no_grad(), enable_python_dispatcher(), no_init_weights():
        model = build(config)
        outputs = model(**inputs_of(architecture, input_ids, torch.ones_like(input_ids)))
    # By now a model may have turned an unknown size into a number, which is no proof for other sizes.
    for name, size in zip(("batch_size", "sequence_length"), input_ids.shape, strict=True):
        if str(size).isdigit():
            raise RuntimeError(f"{name} became {size}")
    symbols = {str(size): letter for letter, size in zip("BS", input_ids.shape, strict=True)}
    return sizes_of(outputs, lambda size: size if isinstance(size, int) else symbols.get(str(size), str(size)))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in family_names() if name not in NOT_SYMBOLIC])
def test_symbolic_sizes_are_those_predicted(name: str) -> None:
    """Not for a few lengths, but for every batch size and every length."""
    config, architecture = tiny(name)
    observed = run_symbolically(config, architecture)
    expected = predicted(architecture, "B", "S")
    assert {key: observed.get(key) for key in expected} == expected
    assert observed.keys() - expected.keys() <= {*architecture.observed_only}


@pytest.mark.slow
@pytest.mark.parametrize("name", NOT_SYMBOLIC)
def test_what_cannot_be_symbolic_still_cannot(name: str) -> None:
    """So that the list of exceptions does not outlive its reasons."""
    with pytest.raises(RuntimeError, match=NOT_SYMBOLIC[name]):
        run_symbolically(*tiny(name))


@pytest.mark.parametrize(("name", "changes"), [*((name, {}) for name in family_names()), *OTHER_OUTPUTS])
def test_real_sizes_are_those_predicted(name: str, changes: Mapping[str, Any]) -> None:
    """Each output of a batch with padding; and an output is left out of the prediction only where it would be wrong."""
    config, architecture = tiny(name, **changes)
    model = build(config)
    odd: set[str] = set()
    for lengths in LENGTHS:
        size = len(lengths), max(lengths)
        mask = torch.tensor([[int(place < length) for place in range(size[1])] for length in lengths])
        input_ids = mask * 5 + (1 - mask) * config.pad_token_id
        with torch.inference_mode():
            observed = sizes_of(model(**inputs_of(architecture, input_ids, mask)), int)
        expected = predicted(architecture, *size)
        assert {key: observed.get(key) for key in expected} == expected
        assert observed.keys() - expected.keys() <= {*architecture.observed_only}
        odd |= {
            key for key in architecture.observed_only if observed.get(key) != by_common_rules(architecture, size, key)
        }
    assert odd == set(architecture.observed_only)


def by_common_rules(architecture: Architecture, size: tuple[int, int], name: str) -> list[Sizes]:
    """What would be predicted of an output if it were as in most families."""
    dimensions = architecture.dimensions
    hidden = (*size, dimensions.hidden_size)
    rules: dict[str, list[Sizes]] = {
        "hidden_states": [(hidden, dimensions.num_hidden_layers + 1)],
        "attentions": [((size[0], dimensions.num_attention_heads, size[1], size[1]), dimensions.num_hidden_layers)],
        "last_hidden_state": [(hidden, None)],
    }
    return rules[name]


def save_checkpoint(folder: Path, config: Any, model_class: Any) -> Path:
    """A tiny checkpoint as transformers saves it, with a tokenizer that knows a few words."""
    torch.manual_seed(0)
    model_class(config).eval().save_pretrained(folder)
    words = ["[UNK]", "[PAD]", *(f"word{number}" for number in range(90))]
    # The padding token has the id that config.json gives it.
    words[1], words[config.pad_token_id] = words[config.pad_token_id], words[1]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]"
    ).save_pretrained(folder)
    return folder


TEXTS = [" ".join(f"word{number}" for number in range(length)) for length in (12, 31)]
# The class that is saved where it is not the family's own, and what its config.json says.
SAVED: list[tuple[str, str | None, dict[str, Any]]] = [
    # The class of Qwen2's tokenizer reads byte-level BPE alone; tests/pipelines/test_other_encoders.py has it.
    *((name, None, {}) for name in family_names() if name != "qwen2"),
    ("dpr", "DPRContextEncoder", {"projection_dim": 24}),
    ("funnel", "FunnelBaseModel", {}),
    ("mobilebert", None, {"classifier_activation": False}),
]


@pytest.mark.parametrize(("name", "class_name", "changes"), SAVED)
def test_an_inspection_finds_a_saved_checkpoint_sound(
    name: str, class_name: str | None, changes: Mapping[str, Any], tmp_path: Path
) -> None:
    """From config.json and headers through a run: no finding that speaks of an error, every output observed."""
    family = load_family(name)
    assert family is not None
    config = tiny_config(name, **changes)
    folder = save_checkpoint(tmp_path / name, config, getattr(transformers, class_name or family.model_class))
    before = inspect_texts(TEXTS, model=str(folder), weights="none", attentions=True)
    report = inspect_texts(TEXTS, model=str(folder), attentions=True, device="cpu")
    assert not [finding for finding in report.findings if finding.severity == "error"]
    assert report.checkpoint.pooler == ("trained" if "pooler_output" in family.outputs else "absent")
    assert {output.evidence for output in report.outputs.values()} == {"observed"}
    architecture = resolve(json.loads((folder / "config.json").read_text()), "config.json")
    assert before.checkpoint.parameters == report.checkpoint.parameters
    assert not before.outputs.keys() & {*architecture.observed_only}
    assert report.outputs.keys() - before.outputs.keys() <= {*architecture.observed_only}
    assert "hidden_states" in report.outputs


def test_the_list_names_every_family(bertshape: Callable[..., Run]) -> None:
    """The table for people and the JSON say the same of at least 54 families, within the columns there are."""
    rows = json.loads(bertshape("families", "--json").stdout)["families"]
    assert tuple(rows) == family_names()
    assert len(rows) >= 54
    for columns in (40, 80, 160):
        shown = bertshape("families", columns=columns).stdout.splitlines()
        assert max(map(len, shown)) <= columns
        lines = {line.split()[0]: line for line in shown if line.split() and line.split()[0] in rows}
        assert tuple(sorted(lines)) == family_names()
        # A narrow screen has the facts of a family on the two lines below its name.
        bare = [line.strip() for line in shown]
        below = {name: " ".join(bare[index + 1 : index + 3]) for index, name in enumerate(bare)}
        for name, row in rows.items():
            told = lines[name].split()[1:] or below[name].split()
            assert told[:2] == ["pooler" if row["pooler"] else "–", "yes" if row["token_type_ids"] else "–"]
            assert row["group"] != "decoder" or row["causal_when"]
            odd = "all outputs" if len(row["observed_only"]) > 2 else ", ".join(row["observed_only"])
            assert odd in " ".join(told)
