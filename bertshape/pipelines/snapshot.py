"""Write down what a checkpoint is: the contract that `check` compares it with."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bertshape.checkpoint.stored_values import unwatched
from bertshape.checkpoint.value_digests import part_digests, tensor_digests
from bertshape.contract.contract import CheckpointContract, ContractCase, explicit_path
from bertshape.contract.expectations import CONFIG_PREFIX, NOTHING, Expectation
from bertshape.contract.folded_names import fold_names
from bertshape.contract.read import PROJECT_NAME, holds_contract, read_contract
from bertshape.contract.shape_pattern import ShapePattern
from bertshape.files import read_text
from bertshape.pipelines import facts
from bertshape.pipelines.batch import make_batch
from bertshape.pipelines.digests import tokenizer_hash
from bertshape.pipelines.model import open_model
from bertshape.pipelines.model_source import ModelSource
from bertshape.pipelines.predicted import predict
from bertshape.pipelines.request import LengthOptions, Texts, Wanted
from bertshape.pipelines.vector_facts import RECIPE_NAMES, TOKENIZER_NAMES, fact_group

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bertshape.checkpoint.stored_values import Read
    from bertshape.pipelines.model import Model

PROBE_TEXTS = ("This is an example sentence.", "Unbelievably naïve: 東京, 42 and 🙂!")
"""A plain text, and one with accents, ideographs, digits and an emoji, where tokenizers differ."""


def snapshot(
    model: str,
    *,
    revision: str | None = None,
    offline: bool = False,
    texts: Sequence[str] = (),
    values: bool = False,
    read: Read = unwatched,
) -> CheckpointContract:
    """The contract of a checkpoint as it is now.

    Args:
        model: Folder, Hub id or `embedded:` name; the contract names it so.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        texts: Texts whose token ids and shapes to write down, besides the probe texts.
        values: Write down digests of the stored numbers too, which reads them all.
        read: Takes how far that is.

    Raises:
        BertshapeError: The checkpoint cannot be read, or a text is no text.
    """
    Texts((*PROBE_TEXTS, *texts)).check()
    opened = open_model(ModelSource(model, revision, offline))
    unread = opened.checkpoint.weights_error or opened.recipe.error
    if unread is not None:  # A contract without what could not be read would pass for whole.
        raise unread
    expect = tuple(Expectation(name, "=", value) for name, value in _facts(opened).items())
    tensors = fold_names({name: shape.sizes for name, shape in facts.stored_tensors(opened).items()})
    return CheckpointContract(
        model=model,
        revision=revision,
        expect=expect,
        tokenizer=tokenizer_hash(opened),
        tensors={name: ShapePattern(sizes) for name, sizes in tensors.items()},
        values=part_digests(tensor_digests(opened.checkpoint, read)) if values else {},
        cases=tuple(_case(opened, text) for text in dict.fromkeys((*PROBE_TEXTS, *texts))),
    )


def _facts(model: Model) -> dict[str, int | str]:
    """What is written down; of what changes the vectors also that it is not there."""
    absent = set(TOKENIZER_NAMES) | (set(RECIPE_NAMES) if model.recipe.has_chain else set(RECIPE_NAMES[:1]))
    named = {}
    for name, value in facts.all_scalars(model).items():
        if value is not None:
            named[name] = value
        elif name in absent or name.startswith(CONFIG_PREFIX):
            named[name] = NOTHING
    return named


@dataclass(frozen=True)
class Update:
    """A contract file, brought up to date.

    Attributes:
        text: What the file should hold.
        changes: What that changes, a line each.
        kept: Expectations that a person wrote to stay, and that do not hold any more, a line each.
    """

    text: str
    changes: tuple[str, ...]
    kept: tuple[str, ...] = ()


def update_snapshot(
    path: Path,
    model: str,
    *,
    revision: str | None = None,
    offline: bool = False,
    texts: Sequence[str] = (),
    values: bool = False,
    read: Read = unwatched,
) -> Update:
    """Bring a contract file up to date with one checkpoint; comments and added expectations stay.

    Args:
        path: The file; of a pyproject.toml, `[tool.bertshape]`.
        model: The checkpoint. Where the file does not name it, it is added at the end.
        revision: Branch, tag or commit of a Hub repository; the one in the file where it is None.
        offline: Use the Hub's cache alone.
        texts: Texts to add where the file does not hold them.
        values: Write down digests of the stored numbers too; where the file holds some, they are anyway.
        read: Takes how far the reading of these numbers is.

    Raises:
        BertshapeError: The file is no contract or cannot be edited, or the checkpoint cannot be read.
    """
    # tomlkit takes 60 ms, which only what writes contracts should wait for.
    from bertshape.contract.update import add_contract, kept_expectations, update_contract

    within = ("tool", "bertshape") if path.name == PROJECT_NAME else ()
    contracts = read_contract(path) if not within or holds_contract(path) else ()
    old = read_text(path)
    index = _entry(contracts, model, revision)
    if index is None:
        new = seen_from(
            path.parent, snapshot(model, revision=revision, offline=offline, texts=texts, values=values, read=read)
        )
        return Update(add_contract(old, new, within=within), (f"checkpoint {new.model} added",))
    entry = contracts[index]
    own = [case.text for case in entry.cases if case.pair is None]
    new = snapshot(
        model,
        revision=revision or entry.revision,
        offline=offline,
        texts=(*own, *texts),
        values=values or bool(entry.values),
        read=read,
    )
    new = replace(new, cases=tuple(case for case in new.cases if case.text in (*own, *texts)))
    kept = kept_expectations(old, index, new, within=within)
    brought = update_contract(old, index, new, within=within, known=facts.is_scalar, group=fact_group)
    return Update(*brought, kept)


def seen_from(folder: Path, contract: CheckpointContract) -> CheckpointContract:
    """The contract as it must be written in a folder, for a contract is read from there.

    The path of a checkpoint stays as a person wrote it as far as it can; links in it are not resolved.
    """
    model = contract.model
    if os.path.isabs(model) or not os.path.isdir(model):
        return contract
    absolute = os.path.abspath(model)
    relative = os.path.relpath(absolute, os.path.realpath(folder))
    for path in (model, relative, absolute):
        if os.path.isdir(folder / path) and os.path.samefile(folder / path, model):
            return replace(contract, model=explicit_path(path))
    return replace(contract, model=os.path.join(os.getcwd(), model))  # `link/..` leads elsewhere than its text says


def _entry(contracts: Sequence[CheckpointContract], model: str, revision: str | None) -> int | None:
    """Position of the checkpoint in a contract; of several of its revisions, the one asked for."""
    same = [index for index, entry in enumerate(contracts) if _is_same(entry.location, model)]
    exact = [index for index in same if contracts[index].revision == revision]
    if exact or len(same) == 1:
        return (exact or same)[0]
    return None


def _is_same(one: str, other: str) -> bool:
    return one == other or (os.path.isdir(one) and os.path.isdir(other) and os.path.samefile(one, other))


def _case(model: Model, text: str) -> ContractCase:
    report = predict(make_batch(model, Texts((text,)), LengthOptions(), Wanted(), "auto"))
    shapes = {name: row.shape for name, row in report.outputs.items() if row.count is None}
    pooling = model.recipe.pooling or "mean"
    pooled = report.pooled[pooling].shape
    if pooled is not None:
        shapes[f"pooled.{pooling}"] = pooled
    return ContractCase(
        text=text,
        pair=None,
        input_ids=tuple(token.input_id for token in report.tokenization.rows[0].tokens),
        shapes={name: ShapePattern(shape.sizes) for name, shape in shapes.items()},
    )
