"""`which`: recipes with prompts, cuts, lower case and steps, vectors in every file, noise, and the probes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow
import pytest
import torch
from pyarrow import feather, parquet
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense
from sentence_transformers.util import quantize_embeddings
from transformers import AutoModel, AutoTokenizer

from bertshape import BertshapeError, embed_texts, probe_texts, which_recipe
from bertshape.pipelines.candidates import strategies
from bertshape.pipelines.model import open_model
from bertshape.pipelines.model_source import ModelSource
from tests.predict.test_sentence_chain import edit, save_chain
from tests.support.checkpoints import build_checkpoint, edited_copy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Command

TEXTS = [
    "A short text.",
    "This is a longer sentence about Pooling and padding in Paris.",
    "Numbers: 0 1 2 3.",
    "hi",
    "so it is",
    "many words " * 12,
]


Tiny = Callable[[str], "Path"]


def saved(folder: Path, vectors: Any) -> Path:
    numpy.save(folder / "v.npy", vectors)
    return folder / "v.npy"


def unit(vectors: Any) -> Any:
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_every_strategy_on_every_layer_is_found_again(family: str, tmp_path: Path) -> None:
    """Or one that gives the same vectors on any text, such as mean_no_cls_sep where no other token is special."""
    folder = build_checkpoint(family, tmp_path / "m")
    names = [row.name for row in strategies(open_model(ModelSource(str(folder)), "checkpoint"))]
    assert len(names) > 40
    embed_texts(TEXTS, tmp_path / "v.npz", model=folder, pooling=names)
    arrays = numpy.load(tmp_path / "v.npz")
    for name in names[:: 1 + len(names) // 6]:
        report = which_recipe(saved(tmp_path, arrays[f"pooled.{name}"]), TEXTS, model=folder)
        assert report.found, (name, report.lacks)
        same = {candidate.recipe.pooling for candidate in report.candidates if candidate.same}
        assert name in {report.candidates[0].recipe.pooling, *same}, name


@pytest.mark.parametrize("prompt", ["Query: ", "passage: "], ids=["of the checkpoint", "given"])
def test_a_prompt_is_found_and_the_command_makes_the_vectors_again(
    prompt: str, minilm: Path, tmp_path: Path, bertshape: Command
) -> None:
    folder = save_chain(tmp_path / "m", minilm)
    edit(folder, "config_sentence_transformers.json", prompts={"query": "Query: ", "other": "Other: "})
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    vectors = model.encode([prompt + text for text in TEXTS], prompt="")
    report = which_recipe(saved(tmp_path, vectors), TEXTS, model=folder, prompts=["passage: "])
    assert report.recipe is not None
    assert (report.recipe.prompt, report.declared) == (prompt, False)
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n")
    assert report.command is not None
    places = {"texts.txt": str(tmp_path / "texts.txt"), "vectors.npz": str(tmp_path / "again.npz")}
    words = [places.get(word, word) for word in shlex.split(report.command)]
    assert bertshape(*words[1:]).returncode == 0
    assert numpy.allclose(numpy.load(tmp_path / "again.npz")["sentence_embedding"], vectors, atol=1e-5)


def test_dense_after_another_pooling_is_found_and_the_program_makes_it_again(minilm: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    folder = save_chain(tmp_path / "m", minilm, Dense(384, 32))
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    assert [type(step).__name__ for step in model][:3] == ["Transformer", "Pooling", "Dense"]
    model[1] = type(model[1])(384, "cls")
    vectors = SentenceTransformer(modules=list(model)[:3], device="cpu").encode(TEXTS)
    report = which_recipe(saved(tmp_path, vectors), TEXTS, model=folder)
    assert report.recipe is not None
    assert (report.recipe.pooling, report.recipe.steps, report.declared) == ("cls", ("Dense",), False)
    assert report.command is None
    namespace: dict[str, Any] = {"texts": TEXTS}
    exec(report.python, namespace)
    assert numpy.allclose(namespace["vectors"], vectors, atol=1e-5)


@pytest.mark.parametrize(("cut", "side"), [(16, "right"), (37, "right"), (11, "left")])
def test_a_cut_that_nothing_declares(cut: int, side: str, minilm: Path, tmp_path: Path) -> None:
    texts = [*TEXTS, "word " * 40, "one other " * 30]
    model = SentenceTransformer(str(minilm), device="cpu", local_files_only=True)
    model.max_seq_length, model.tokenizer.truncation_side = cut, side
    report = which_recipe(saved(tmp_path, model.encode(texts)), texts, model=minilm)
    if report.recipe is not None:
        assert (report.recipe.cut_to, side) == (cut, "right")
    else:
        assert report.lacks == (
            f"the declared recipe is right for the texts tried where texts are cut to {cut} tokens at their beginning",
        )


WRITERS: dict[str, Callable[[Path, Any], object]] = {
    "v.npz": lambda path, rows: numpy.savez(path, ids=numpy.arange(len(rows)), rows=rows),
    "v.safetensors": lambda path, rows: save_file({"rows": rows}, path),
    "v.parquet": lambda path, rows: parquet.write_table(pyarrow.table({"rows": list(rows)}), path),
    "v.arrow": lambda path, rows: feather.write_feather(pyarrow.table({"rows": list(rows)}), str(path)),
    "v.jsonl": lambda path, rows: path.write_text("".join(json.dumps({"rows": row}) + "\n" for row in rows.tolist())),
    "v.csv": lambda path, rows: numpy.savetxt(path, rows, delimiter=",", header="a,b", comments=""),
}


@pytest.mark.parametrize("name", WRITERS)
def test_vectors_are_read_from_every_kind_of_file(name: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    embed_texts(TEXTS, tmp_path / "own.npz", model=tiny("bert"), pooling=["max"])
    WRITERS[name](tmp_path / name, numpy.load(tmp_path / "own.npz")["pooled.max"])
    report = which_recipe(tmp_path / name, TEXTS, model=tiny("bert"))
    assert report.recipe is not None
    assert report.recipe.pooling == "max"


NOISE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "float16": (lambda rows: rows + numpy.random.default_rng(0).uniform(-6e-4, 6e-4, rows.shape), "float16"),
    "bfloat16": (lambda rows: rows + numpy.random.default_rng(0).uniform(-4e-3, 4e-3, rows.shape), "bfloat16"),
    "int8": (lambda rows: numpy.round(rows / abs(rows).max() * 127) / 127 * abs(rows).max(), "int8"),
    "int8 by row": (
        lambda rows: numpy.round(rows / abs(rows).max(1, keepdims=True) * 127) / 127 * abs(rows).max(1, keepdims=True),
        "int8",
    ),
    "shuffled": (lambda rows: numpy.roll(rows, 1, axis=0), "another order"),
    "centred": (lambda rows: rows - rows.mean(0), "constant offset"),
}


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_named(name: str, minilm: Path, tmp_path: Path) -> None:
    change, word = NOISE[name]
    vectors = SentenceTransformer(str(minilm), device="cpu", local_files_only=True).encode(TEXTS)
    report = which_recipe(saved(tmp_path, change(vectors).astype(numpy.float32)), TEXTS, model=minilm)
    assert not report.found
    assert word in " ".join(report.lacks)
    assert report.candidates[0].recipe.declared_steps


@pytest.mark.parametrize("name", ["mean", "mean@0"])
def test_the_text_that_is_named_parts_mean_from_mean_unmasked(name: str, tiny: Tiny, tmp_path: Path) -> None:
    """Carried out: with that text, and its vector, the other recipe no longer passes."""
    texts, told = ["a b c", "d e f", "g h i"], []
    for more in ([], ["a b c d"]):
        texts += more
        embed_texts(texts, tmp_path / "v.npz", model=tiny("bert"), pooling=[name])
        vectors = numpy.load(tmp_path / "v.npz")[f"pooled.{name}"]
        report = which_recipe(saved(tmp_path, vectors), texts, model=tiny("bert"))
        told.append({row.same for row in report.candidates if "unmasked" in row.recipe.pooling and row.same})
    assert told == [{"no text is padded here: a text of more than 5 tokens would tell them apart"}, set()]


def test_the_probes_tell_cuts_case_and_strategies_apart(minilm: Path, tmp_path: Path, bertshape: Command) -> None:
    probes = probe_texts(minilm)
    written = bertshape("which", "--probes", "-m", str(minilm)).stdout
    assert written.splitlines() == list(probes)
    lengths = [len(row) for row in open_model(ModelSource(str(minilm)), "checkpoint").tokenizer.encode_batch(probes)]
    for limit in (16, 64, 128, 256, 512):
        assert limit + 1 in lengths
    assert {128, 256, 512} <= set(lengths)
    model = SentenceTransformer(str(minilm), device="cpu", local_files_only=True)
    model.max_seq_length = 100
    report = which_recipe(saved(tmp_path, unit(model.encode(list(probes)))), model=minilm)
    assert report.recipe is not None
    assert (report.recipe.cut_to, report.findings[-1].code) == (100, "not-declared")


def test_vectors_of_other_texts_than_the_probes_are_refused(minilm: Path, tmp_path: Path) -> None:
    with pytest.raises(BertshapeError, match="3 vectors, and the built-in probes 28 texts") as caught:
        which_recipe(saved(tmp_path, numpy.ones((3, 384))), model=minilm)
    assert "which --probes" in caught.value.hint


def test_rows_in_another_order_are_found_beyond_the_sample(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    texts = [f"number {index} of many texts {index * 7}" for index in range(40)]
    embed_texts(texts, tmp_path / "v.npz", model=tiny("bert"), pooling=["mean"])
    vectors = numpy.load(tmp_path / "v.npz")["pooled.mean"]
    swapped = vectors.copy()
    swapped[[3, 30]] = swapped[[30, 3]]
    for given, sample in ((numpy.roll(vectors, 5, axis=0), 10), (swapped, 40)):
        report = which_recipe(saved(tmp_path, given), texts, model=tiny("bert"), sample=sample)
        assert "another order" in " ".join(report.lacks)


def test_integers_are_called_quantized_and_zeros_refused(minilm: Path, tmp_path: Path) -> None:
    vectors = SentenceTransformer(str(minilm), device="cpu", local_files_only=True).encode(TEXTS)
    quantized = quantize_embeddings(vectors, "int8")
    report = which_recipe(saved(tmp_path, quantized), TEXTS, model=minilm)
    assert report.lacks[0].startswith("int8 numbers: quantized vectors")
    assert not any("another model" in line for line in report.lacks)
    assert report.candidates[0].recipe.dtype == "float32"
    with pytest.raises(BertshapeError, match="all its numbers are zero"):
        which_recipe(saved(tmp_path, numpy.zeros((6, 384))), TEXTS, model=minilm)


@pytest.mark.parametrize("name", ["pooled", "attended", "filled up", "bare"])
def test_padding_and_special_tokens_by_mistake_are_named(
    name: str, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    """Batches in the order of the texts with the padding in the mean, a fixed length, and no special tokens."""
    folder = tiny("bert")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    parts = [TEXTS[:4], TEXTS[4:]] if name != "bare" else [[text] for text in TEXTS]
    padding, special = "max_length" if name == "filled up" else True, name != "bare"
    made = []
    for part in parts:
        inputs = tokenizer(
            part,
            padding=padding,
            max_length=64,
            return_tensors="pt",
            add_special_tokens=special,
            truncation=True,
        )
        if name == "attended":
            inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
        with torch.inference_mode():
            made.append(model(**inputs).last_hidden_state.amax(1))
    report = which_recipe(saved(tmp_path, torch.cat(made).numpy()), TEXTS, model=folder)
    words = {
        "pooled": "padding is pooled too, in batches of 4 in the order of the texts",
        "attended": "padding is attended too, in batches of 4 in the order of the texts",
        "filled up": "padding is pooled too, in rows of 64 tokens",
        "bare": "texts are tokenized without special tokens",
    }
    assert report.lacks == (f"max is right for the texts tried where {words[name]}",)


def test_usual_prompts_and_edits_of_texts_are_tried(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    model = SentenceTransformer(str(tiny("roberta")), device="cpu", local_files_only=True)
    texts = [*TEXTS, "two\nlines", "three\nmore\nlines"]
    report = which_recipe(saved(tmp_path, model.encode(texts, prompt="query: ")), texts, model=tiny("roberta"))
    assert report.recipe is not None
    assert report.recipe.prompt == "query: "
    edited = [text.replace("\n", " ") for text in texts]
    report = which_recipe(saved(tmp_path, model.encode(edited)), texts, model=tiny("roberta"))
    assert report.lacks[0].endswith("is right for the texts tried where each line break is a blank")
    report = which_recipe(saved(tmp_path, model.encode(texts, prompt="odd one; ")), texts, model=tiny("roberta"))
    assert any("try it with --prompt" in line for line in report.lacks)


def _turned(rows: Any) -> Any:
    centred = rows - rows.mean(0)
    return centred @ numpy.linalg.svd(centred, full_matrices=False)[2].T


def _white(rows: Any) -> Any:
    return _turned(rows) / _turned(rows).std(0)


MAPS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "columns": (lambda rows: rows[:, ::-1].copy(), "right numbers in other columns: 48"),
    "PCA": (lambda rows: _turned(rows), "right distances between texts"),
    "whitening": (
        lambda rows: _turned(rows)[:, :16] / _turned(rows)[:, :16].std(0),
        "a linear map of these vectors to 16 numbers",
    ),
    "int8": (lambda rows: quantize_embeddings(rows, "int8"), "quantization with a range for each column"),
    "binary": (lambda rows: quantize_embeddings(rows, "binary"), "100.0% of the signs are right"),
    "ubinary": (lambda rows: quantize_embeddings(rows, "ubinary"), "100.0% of the signs are right"),
    "scale": (lambda rows: rows * 7, "right direction, other norm: each is 7 times"),
}


@pytest.mark.parametrize("name", MAPS)
def test_maps_of_the_numbers_are_named(name: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    words = TEXTS[1].split()
    parts = ([words[index * step % len(words)] for step in range(1, 2 + index % 5)] for index in range(90))
    texts = [f"{' '.join(part)} {index}" for index, part in enumerate(parts)]
    embed_texts(texts, tmp_path / "own.npz", model=tiny("bert"), pooling=["mean"])
    rows = numpy.load(tmp_path / "own.npz")["pooled.mean"]
    change, words_shown = MAPS[name]
    report = which_recipe(saved(tmp_path, change(rows)), texts, model=tiny("bert"))
    assert words_shown in " ".join(report.lacks)
    # Layers of a tiny random model are so alike that maps of several fit.
    assert report.candidates[0].recipe.pooling.startswith("mean")


def test_vectors_of_another_checkpoint_are_not_found(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    embed_texts(TEXTS, tmp_path / "v.npz", model=tiny("electra"), pooling=["mean"])
    report = which_recipe(saved(tmp_path, numpy.load(tmp_path / "v.npz")["pooled.mean"]), TEXTS, model=tiny("bert"))
    assert not report.found
    assert "another model" in report.lacks[0]


def test_vectors_of_one_text_at_a_time_are_found_where_padding_changes_them(minilm: Path, tmp_path: Path) -> None:
    folder = edited_copy(minilm, tmp_path / "left")
    edit(folder, "tokenizer_config.json", padding_side="left")
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    report = which_recipe(saved(tmp_path, model.encode(TEXTS, batch_size=1)), TEXTS, model=folder)
    assert report.found
    assert "padding-changes" in {finding.code for finding in report.findings}


def test_rounding_to_two_decimals_is_named(minilm: Path, tmp_path: Path) -> None:
    rows = SentenceTransformer(str(minilm), device="cpu", local_files_only=True).encode(TEXTS) * 4
    report = which_recipe(saved(tmp_path, rows.round(2) / 4), TEXTS, model=minilm)
    assert not any("rounding" in line for line in report.lacks)
    embed_texts(TEXTS, tmp_path / "own.npz", model=minilm, pooling=["mean@-2"])
    rounded = numpy.load(tmp_path / "own.npz")["pooled.mean@-2"].round(2)
    report = which_recipe(saved(tmp_path, rounded), TEXTS, model=minilm)
    assert report.lacks == ("rounding: all numbers have 2 decimals, and differ by no more than these explain",)
    assert report.candidates[0].recipe.pooling == "mean@-2"


def test_the_nearest_row_is_the_strategy_that_lacks_names(tiny: Tiny, tmp_path: Path) -> None:
    """Also where its vectors of all texts are far from those given, and others are nearer."""
    folder, texts = tiny("roberta"), [f"two\nlines\n{'more ' * count}" for count in range(8)]
    edited = [text.replace("\n", " ") for text in texts]
    names = ["max@-2", "mean@0", "cls", "weightedmean@-3", "last4_sum"]
    embed_texts(edited, tmp_path / "v.npz", model=folder, pooling=names)
    for name in names:
        report = which_recipe(saved(tmp_path, numpy.load(tmp_path / "v.npz")[f"pooled.{name}"]), texts, model=folder)
        assert report.lacks[0].startswith(report.candidates[0].recipe.pooling), (name, report.lacks)
