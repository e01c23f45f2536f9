"""What changes the vectors and no shape, changed alone: `check` of a snapshot and `diff` exit 1 and name it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from bertshape.pipelines import facts
from bertshape.pipelines.model import open_model
from bertshape.pipelines.model_source import ModelSource
from bertshape.predict.family import family_names, load_family
from tests.support.checkpoints import edited_copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Command

    Tiny = Callable[[str], Path]
    Edit = Callable[[Path], object]

CHAIN = (("Transformer", ""), ("Pooling", "1_Pooling"), ("Dense", "2_Dense"), ("Normalize", "3_Normalize"))


def write(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


def modules(*steps: tuple[str, str]) -> list[dict[str, object]]:
    kinds = "sentence_transformers.models."
    return [
        {"idx": index, "name": str(index), "path": path, "type": kinds + name}
        for index, (name, path) in enumerate(steps)
    ]


def sentence_folder(source: Path, folder: Path) -> Path:
    """A tiny BERT with a chain in which every field of the recipe has a value."""
    edited_copy(source, folder)
    write(folder / "modules.json", modules(*CHAIN))
    write(folder / "sentence_bert_config.json", {"max_seq_length": 32, "do_lower_case": False})
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 48, "pooling_mode_mean_tokens": True})
    write(folder / "2_Dense" / "config.json", {"in_features": 48, "out_features": 12, "bias": True})
    save_file(
        {"linear.weight": torch.ones(12, 48), "linear.bias": torch.ones(12)}, folder / "2_Dense/model.safetensors"
    )
    prompts = {"prompts": {"query": "find: ", "document": ""}, "default_prompt_name": None, "truncate_dim": None}
    write(folder / "config_sentence_transformers.json", prompts)
    return folder


def keys(file: str, **values: object) -> Edit:
    """Edit that sets keys of a JSON file."""

    def edit(folder: Path) -> None:
        write(folder / file, json.loads((folder / file).read_text()) | values)

    return edit


def chain(*steps: tuple[str, str]) -> Edit:
    return lambda folder: write(folder / "modules.json", modules(*steps))


def tokenizer(change: Callable[[Any], object]) -> Edit:
    """Edit of tokenizer.json as a document."""

    def edit(folder: Path) -> None:
        document = json.loads((folder / "tokenizer.json").read_text())
        change(document)
        write(folder / "tokenizer.json", document)

    return edit


OUTER, INNER, SETTINGS = "config_sentence_transformers.json", "sentence_bert_config.json", "tokenizer_config.json"
CHANGES: dict[str, tuple[Edit, str]] = {
    "max_seq_length": (keys(INNER, max_seq_length=16), "max_seq_length"),
    "do_lower_case": (keys(INNER, do_lower_case=True), "do_lower_case"),
    "max_length of a call": (keys(INNER, processing_kwargs={"text": {"max_length": 8}}), "max_seq_length"),
    "truncation": (keys(INNER, processing_kwargs={"text": {"truncation": False}}), "truncation"),
    "processor_kwargs": (keys(INNER, processor_kwargs={"padding_side": "left"}), "processor_kwargs"),
    "config_kwargs": (keys(INNER, config_kwargs={"layer_norm_eps": 0.5}), "config_kwargs"),
    "model_kwargs": (keys(INNER, model_kwargs={"dtype": "float16"}), "model_kwargs"),
    "Normalize removed": (chain(*CHAIN[:3]), "modules"),
    "Dense removed": (chain(*CHAIN[:2], CHAIN[3]), "modules"),
    "steps exchanged": (chain(*CHAIN[:2], CHAIN[3], CHAIN[2]), "modules"),
    "pooling": (keys("1_Pooling/config.json", pooling_mode_cls_token=True, pooling_mode_mean_tokens=False), "pooling"),
    "include_prompt": (keys("1_Pooling/config.json", include_prompt=False), "include_prompt"),
    "activation": (
        keys("2_Dense/config.json", activation_function="torch.nn.modules.linear.Identity"),
        "activation_function",
    ),
    "use_residual": (keys("2_Dense/config.json", use_residual=True), "use_residual"),
    "bias": (keys("2_Dense/config.json", bias=False), "bias false"),
    "feature": (keys("2_Dense/config.json", module_input_name="token_embeddings"), "modules.2"),
    "a prompt": (keys(OUTER, prompts={"query": "other: ", "document": ""}), "prompts.query"),
    "a new prompt": (keys(OUTER, prompts={"query": "find: ", "document": "", "more": "x"}), "prompts"),
    "a default prompt": (keys(OUTER, default_prompt_name="query"), "default_prompt_name"),
    "truncate_dim": (keys(OUTER, truncate_dim=6), "truncate_dim"),
    "kind": (keys(OUTER, model_type="SparseEncoder"), "modules"),
    "padding_side": (keys(SETTINGS, padding_side="left"), "padding_side"),
    "truncation_side": (keys(SETTINGS, truncation_side="left"), "truncation_side"),
    "model_input_names": (
        keys(SETTINGS, model_input_names=["input_ids", "token_type_ids", "attention_mask"]),
        "model_input_names",
    ),
    "model_max_length": (keys(SETTINGS, model_max_length=9), "max_length"),
    "a special token": (keys(SETTINGS, sep_token="[MASK]"), "special_tokens"),
    "strip_accents": (keys(SETTINGS, strip_accents=False), "tokenizer_settings"),
    "tokenizer.json": (tokenizer(lambda document: document.update(post_processor=None)), "tokenizer"),
}


@pytest.fixture(scope="module")
def sound(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sentence_folder(tiny("bert"), tmp_path_factory.mktemp("vector-facts") / "m")


@pytest.fixture
def contract(sound: Path, tmp_path: Path, run_cli: Command) -> Path:
    """A contract of `m` beside it, in a folder of its own."""
    shutil.copytree(sound, tmp_path / "m")
    done = run_cli("snapshot", "m", "--values", "-o", "c.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path / "c.toml"


def answers(run_cli: Command, here: Path, sound: Path, *options: str) -> tuple[set[int], str, str]:
    checked = run_cli("check", "--contract", "c.toml", "--json", *options, cwd=here)
    (checkpoint,) = json.loads(checked.stdout)["checkpoints"]
    problems = [line for outcome in checkpoint["outcomes"][1:] for line in outcome["problems"]]
    compared = run_cli("diff", str(sound), "m", *options, cwd=here)
    return {checked.returncode if problems else 0, compared.returncode}, "\n".join(problems), compared.stdout


def test_nothing_differs_from_itself(contract: Path, sound: Path, run_cli: Command) -> None:
    codes, problems, text = answers(run_cli, contract.parent, sound, "--values")
    assert (codes, problems) == ({0}, "")
    assert "hold the same values" in " ".join(text.split())
    assert run_cli("diff", "c.toml", "m", "--values", cwd=contract.parent).returncode == 0


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_recipe_is_named(name: str, contract: Path, sound: Path, run_cli: Command) -> None:
    edit, named = CHANGES[name]
    edit(contract.parent / "m")
    codes, problems, text = answers(run_cli, contract.parent, sound)
    assert codes == {1}, (problems, text)
    assert named in problems
    assert named in text


def test_a_layer_of_other_numbers_is_named_where_values_are_compared(
    contract: Path, sound: Path, run_cli: Command
) -> None:
    file = contract.parent / "m" / "model.safetensors"
    state = load_file(file)
    name = next(key for key in state if "layer.1.output.dense.weight" in key)
    save_file({key: row.clone() for key, row in state.items()} | {name: torch.rand_like(state[name])}, file)
    codes, _, text = answers(run_cli, contract.parent, sound)
    assert codes == {0}
    assert "values not compared (--values)" in " ".join(text.split())
    codes, problems, text = answers(run_cli, contract.parent, sound, "--values")
    assert codes == {1}
    assert problems.startswith(f"values of {name[: name.index('layer.1')]}layer.1: expected sha256:")
    assert name in text
    # The contract can be brought up to date.
    update = run_cli("snapshot", "m", "-o", "c.toml", "--update", cwd=contract.parent)
    assert "values of" in update.stdout
    assert run_cli("check", "--contract", "c.toml", "--values", cwd=contract.parent).returncode == 0


def test_other_numbers_of_a_dense_step_are_found(contract: Path, sound: Path, run_cli: Command) -> None:
    file = contract.parent / "m" / "2_Dense" / "model.safetensors"
    save_file(load_file(file) | {"linear.bias": torch.zeros(12)}, file)
    codes, problems, _ = answers(run_cli, contract.parent, sound, "--values")
    assert codes == {1}
    assert "values of 2_Dense/linear" in problems


def test_without_digests_in_the_contract_the_hint_says_how(tmp_path: Path, sound: Path, run_cli: Command) -> None:
    run_cli("snapshot", str(sound), "-o", "c.toml", cwd=tmp_path)
    checked = json.loads(run_cli("check", "--contract", "c.toml", "--json", cwd=tmp_path).stdout)
    notes = {row["code"]: row["hint"] for row in checked["checkpoints"][0]["findings"]}
    assert "snapshot --values" in notes["values-not-compared"]
    refused = run_cli("diff", "c.toml", str(sound), "--values", cwd=tmp_path)
    assert (refused.returncode, "--values -o c.toml --update" in " ".join(refused.stderr.split())) == (2, True)


def other(value: object) -> object:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 2 + 3
    if isinstance(value, list):
        return [*value, value[0]] if value else [1]
    return {"gelu": "relu", "relu": "gelu"}.get(str(value), "another")


@pytest.mark.parametrize("model_type", family_names())
def test_each_key_that_a_forward_pass_reads_is_a_fact(model_type: str, tmp_path: Path, tiny: Tiny) -> None:
    """Of all families, as the whole of what `check -e`, `snapshot` and `diff` compare; the weights do not matter."""
    family = load_family(model_type)
    assert family is not None
    folder, config = edited_copy(tiny("bert"), tmp_path / "m"), {"model_type": model_type}
    write(folder / "config.json", config)
    before = facts.all_scalars(open_model(ModelSource(str(folder))))
    for key, default in family.forward.items():
        write(folder / "config.json", config | {key: other(default)})
        after = facts.all_scalars(open_model(ModelSource(str(folder))))
        changed = {name for name in after if after[name] != before.get(name)}
        assert changed - {"parameters"} == {f"config.{key}"}


def test_a_key_of_config_is_compared_with_a_default(tmp_path: Path, sound: Path, run_cli: Command) -> None:
    """Whether it stands in the file or not; and any other key can be asked for."""
    folder = edited_copy(sound, tmp_path / "m", hidden_act=None, own_key=[1, 2])
    for line in ("config.hidden_act=gelu", "config.layer_norm_eps=1e-12", "config.own_key=1, 2", "config.absent=none"):
        assert run_cli("check", str(folder), "-e", line).returncode == 0, line
    for line in ("config.hidden_act=relu", "config.layer_norm_eps=1e-5", "config.own_key=none", "modules.9=Dense"):
        assert run_cli("check", str(folder), "-e", line).returncode == 1, line
