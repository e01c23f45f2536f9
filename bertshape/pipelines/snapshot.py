"""Write down what a checkpoint is: the contract that `check` compares it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.contract.contract import CheckpointContract, ContractCase
from bertshape.contract.expectations import Expectation
from bertshape.contract.folded_names import fold_names
from bertshape.contract.shape_pattern import ShapePattern
from bertshape.pipelines import facts
from bertshape.pipelines.batch import make_batch
from bertshape.pipelines.model import open_model
from bertshape.pipelines.predicted import predict
from bertshape.pipelines.request import LengthOptions, ModelSource, Texts, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.pipelines.model import Model

PROBE_TEXTS = ("This is an example sentence.", "Unbelievably naïve: 東京, 42 and 🙂!")
"""A plain text, and one with accents, ideographs, digits and an emoji, where tokenizers differ."""


def snapshot(
    model: str, *, revision: str | None = None, offline: bool = False, texts: Sequence[str] = ()
) -> CheckpointContract:
    """The contract of a checkpoint as it is now.

    Args:
        model: Folder, Hub id or `embedded:` name; the contract names it so.
        revision: Branch, tag or commit of a Hub repository.
        offline: Use the Hub's cache alone.
        texts: Texts whose token ids and shapes to write down, besides the probe texts.

    Raises:
        BertshapeError: The checkpoint cannot be read, or a text is no text.
    """
    Texts((*PROBE_TEXTS, *texts)).check()
    opened = open_model(ModelSource(model, revision, offline))
    scalars = facts.scalars(opened)
    expect = tuple(Expectation(name, "=", value) for name, value in scalars.items() if value is not None)
    tensors = fold_names({name: shape.sizes for name, shape in facts.stored_tensors(opened).items()})
    return CheckpointContract(
        model=model,
        revision=revision,
        expect=expect,
        tokenizer=facts.tokenizer_hash(opened),
        tensors={name: ShapePattern(sizes) for name, sizes in tensors.items()},
        cases=tuple(_case(opened, text) for text in dict.fromkeys((*PROBE_TEXTS, *texts))),
    )


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
