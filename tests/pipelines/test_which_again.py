"""`which`: the command and the program that it prints make the vectors again, carried out."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import numpy
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling

from bertshape import embed_texts, which_recipe
from tests.predict.test_sentence_chain import edit
from tests.support.checkpoints import build_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from bertshape.report.which import WhichReport
    from tests.conftest import Command

TEXTS = ["A short text.", "This is a Longer sentence about Pooling, and padding.", "Numbers: 0 1.", "hi", "words " * 30]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny chain with a Dense step, a prompt, and a tokenizer that keeps the case."""
    torch.manual_seed(0)
    base = build_checkpoint("roberta", tmp_path_factory.mktemp("base") / "m")
    folder = tmp_path_factory.mktemp("chain") / "m"
    modules = [Transformer(str(base)), Pooling(48, "mean"), Dense(48, 24)]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))
    edit(folder, "config_sentence_transformers.json", prompts={"query": 'Find "it": '})
    return folder


def unit(rows: Any) -> Any:
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)


def carried_out(report: WhichReport, folder: Path, bertshape: Command) -> list[Any]:
    """What the command, where there is one, and the program make."""
    recipe = report.candidates[0].recipe
    name = "sentence_embedding" if recipe.declared_steps else f"pooled.{recipe.pooling}"
    (folder / "texts.txt").write_text("\n".join(text.strip() for text in TEXTS) + "\n")
    again, made = folder / "again.npz", []
    if report.command is not None:
        places = {"texts.txt": str(folder / "texts.txt"), "vectors.npz": str(again)}
        done = bertshape(*[places.get(word, word) for word in shlex.split(report.command)][1:])
        assert done.returncode == 0, done.stderr
        made.append(numpy.load(again)[name])
    assert report.python
    namespace: dict[str, Any] = {"texts": [text.strip() for text in TEXTS]}
    exec(report.python.replace("vectors.npz", str(again)), namespace)
    return [*made, namespace["vectors"]]


CASES: dict[str, tuple[str, str, int | None, str, int | None, bool]] = {
    # name: strategy (empty for the declared steps), prompt, cut, order of the norm, truncated dimension, a command
    "declared": ("", "", None, "", None, True),
    "declared, prompt": ("", 'Find "it": ', None, "", None, True),
    "declared, truncated": ("", "", None, "", 8, True),
    "declared, cut, truncated": ("", "", 16, "", 8, True),
    "declared, norm, truncated": ("", "", None, "before", 8, False),
    "declared, truncated, norm": ("", "", None, "after", 8, False),
    "unmasked": ("mean_unmasked", "", None, "", None, True),
    "cls, prompt": ("cls", 'Find "it": ', None, "", None, True),
    "max of a layer": ("max@-2", "query: ", None, "", None, True),
    "layers": ("mean@-3::mean", "", 16, "", None, True),
    "pair": ("cls+max", "", None, "", None, True),
    "norm": ("max", "", None, "after", None, False),
    "truncated": ("lasttoken", "", None, "", 20, False),
    "norm, truncated": ("weightedmean", 'Find "it": ', None, "before", 20, False),
    "truncated, norm": ("mean@-2", "", 16, "after", 20, False),
}


@pytest.mark.parametrize("name", CASES)
def test_the_command_and_the_program_make_the_vectors_again(
    name: str, folder: Path, tmp_path: Path, bertshape: Command
) -> None:
    pooling, prompt, cut, norm, size, has_command = CASES[name]
    texts = [text.strip() for text in TEXTS]
    options: dict[str, Any] = {"prompt": prompt, "max_length": cut}
    embed_texts(texts, tmp_path / "v.npz", model=folder, pooling=[pooling] if pooling else [], **options)
    vectors = numpy.load(tmp_path / "v.npz")[f"pooled.{pooling}" if pooling else "sentence_embedding"]
    vectors = unit(vectors) if norm == "before" else vectors
    vectors = vectors[:, :size]
    vectors = unit(vectors) if norm == "after" else vectors
    numpy.save(tmp_path / "v.npy", vectors)
    report = which_recipe(tmp_path / "v.npy", texts, model=folder)
    assert report.found, report.lacks
    assert (report.command is not None) == has_command
    for made in carried_out(report, folder, bertshape):
        numpy.testing.assert_allclose(made, vectors, atol=2e-5)


@pytest.mark.parametrize("declared", [True, False], ids=["undone", "done"])
def test_another_case_of_letters_is_made_again(
    declared: bool, folder: Path, tmp_path: Path, bertshape: Command
) -> None:
    """With the prompt, which is put into lower case too."""
    edit(folder, "sentence_bert_config.json", do_lower_case=False)
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    texts = [text.strip() for text in TEXTS]
    prompt = 'Find "it": '
    vectors = model.encode(texts, prompt=prompt)
    if declared:
        edit(folder, "sentence_bert_config.json", do_lower_case=True)
    else:
        vectors = model.encode([(prompt + text).lower() for text in texts], prompt="")
    numpy.save(tmp_path / "v.npy", vectors)
    report = which_recipe(tmp_path / "v.npy", texts, model=folder)
    edit(folder, "sentence_bert_config.json", do_lower_case=declared)
    assert report.recipe is not None, report.lacks
    assert report.recipe.lower_case is not declared
    assert report.command is None
    for made in carried_out(report, folder, bertshape):
        numpy.testing.assert_allclose(made, vectors, atol=2e-5)
    edit(folder, "sentence_bert_config.json", do_lower_case=False)
