"""Parts of the schema that are about shapes: tensors, outputs, vectors, heads, the tree of layers."""

from __future__ import annotations

from bertshape.report.schema.building import (
    Schema,
    array,
    choice,
    constant,
    mapping,
    nullable,
    part,
    record,
    several,
    text,
    whole,
    yes_no,
)

EVIDENCE = ("predicted", "observed")
HEAD_VERDICTS = ("stored", "random", "partly random")
MOST_AXES = 8
"""Tensors of encoders have 4 at most."""

_AXES = array("Name of each axis.", text("Name of an axis, such as batch_size or 2*hidden_size.", least=1))
_SHAPE = array("Size of each axis: as many numbers as there are axes.", whole("Size of an axis."))
_DTYPE = text("Dtype of the elements, by its name in torch, such as float32.", least=1)
_EVIDENCE = choice("Where the shape comes from: predicted from the files, or observed in a real run.", *EVIDENCE)
_AVAILABLE = constant("There is a shape.", True)
_NOT_AVAILABLE = constant("There is none.", False)
_AS_MANY = part("as_many_sizes_as_axes", "A size for each axis.")

SHAPE: dict[str, Schema] = {"axes": _AXES, "shape": _SHAPE, "dtype": _DTYPE}
"""Fields of everything that has a shape."""
BYTES = whole("Bytes of the elements of all tensors that this entry stands for.")


def _counted_out() -> Schema:
    """Lists of one length each, counted out: JSON Schema cannot compare two lengths."""

    def of_length(count: int) -> Schema:
        length = {"type": "array", "minItems": count, "maxItems": count}
        return {"properties": {"axes": length, "shape": length}}

    unknown = {"properties": {name: {"type": "null"} for name in SHAPE}}
    counted = [*map(of_length, range(MOST_AXES + 1)), unknown]
    return {"description": "axes and shape are as long as each other, or both are null.", "anyOf": counted}


def _pooled() -> Schema:
    about = {
        "formula": text("How the vector is computed: h is last_hidden_state, m the attention mask.", least=1),
        "over": text("What it averages or chooses from, with counts.", least=1),
        "declared": yes_no("Whether the checkpoint's sentence-transformers files declare this strategy."),
    }
    reason = {"available": _NOT_AVAILABLE, "reason": text("Why there is no vector.", least=1)}
    return several(
        "The vector of a pooling strategy, or why there is none.",
        record(
            "A vector.",
            {"available": _AVAILABLE, **SHAPE, "bytes": BYTES, "evidence": _EVIDENCE, **about},
            rules=[_AS_MANY],
        ),
        record("No vector.", {**reason, **about}),
    )


def _step() -> Schema:
    about = {
        "step": text("Class of the step, such as Dense; truncate_dim for the cut that --truncate-dim makes."),
        "formula": text("What the step does.", least=1),
    }
    reason = {"available": _NOT_AVAILABLE, "reason": text("Why the step cannot be followed.", least=1)}
    return several(
        "A step from the tokens to the sentence embedding, as sentence-transformers takes it.",
        record(
            "A step that is followed, and the shape of what it gives.",
            {**about, "available": _AVAILABLE, **SHAPE, "evidence": _EVIDENCE},
            rules=[_AS_MANY],
        ),
        record("A step that is not.", {**about, **reason}),
    )


def _task() -> Schema:
    model_class = text("Class of transformers that has the head.", least=1)
    verdict = choice(
        "Whether the weights hold the head's tensors; null where nothing is stored, or only loading could tell.",
        *HEAD_VERDICTS,
    )
    outputs = mapping("What the head gives, by name.", part("output", "An output of the head."))
    reason = {"available": _NOT_AVAILABLE, "reason": text("Why there is no output.", least=1)}
    return several(
        "A task head on the model, or why there is none.",
        record(
            "A head.",
            {
                "available": _AVAILABLE,
                "class": model_class,
                "head": nullable(verdict),
                "labels": array("Names of the labels, where the outputs have some.", text("Name of a label.")),
                "outputs": outputs,
            },
        ),
        record("No head.", {**reason, "class": nullable(model_class)}),
    )


def _layer() -> Schema:
    return record(
        "A part of the model, equal ones folded into one; axes, shape and dtype are null where no tensor is known.",
        {
            "name": text("Its name in the part that holds it; {0-11} stands for twelve equal ones.", least=1),
            "class": nullable(text("Its class; null where no run showed it.", least=1)),
            "copies": whole("How many equal parts it stands for.", 1),
            "calls": whole("How often each was called in a forward pass."),
            "parameters": nullable(whole("Numbers in one copy, with all parts inside; null where not known.")),
            "axes": nullable(_AXES),
            "shape": nullable(_SHAPE),
            "dtype": nullable(_DTYPE),
            "heads": nullable(
                array(
                    "Attention heads and the size of one, where attention splits the last axis.",
                    whole("Heads, then the size of one.", 1),
                    least=2,
                    most=2,
                )
            ),
            "evidence": _EVIDENCE,
            "children": array("The parts inside.", part("layer", "A part inside.")),
        },
        rules=[_AS_MANY],
    )


def _output() -> Schema:
    counted = {
        "count": whole("Number of tensors, where the output is a tuple; then shape is that of one."),
        "labels": array("What each of them is, in order; empty where not known.", text("Label of a tensor.")),
    }
    schema = record(
        "An output of the model.",
        {**SHAPE, "bytes": BYTES, "evidence": _EVIDENCE},
        optional=counted,
        rules=[_AS_MANY],
    )
    return schema | {"dependentRequired": {"count": ["labels"], "labels": ["count"]}}


PARTS: dict[str, Schema] = {
    "as_many_sizes_as_axes": _counted_out(),
    "tensor": record("A tensor that the model is given.", SHAPE, rules=[_AS_MANY]),
    "saved_array": record("An array in the written file.", {**SHAPE, "bytes": BYTES}, rules=[_AS_MANY]),
    "output": _output(),
    "pooled_vector": _pooled(),
    "embedding_step": _step(),
    "task_head": _task(),
    "layer": _layer(),
}
