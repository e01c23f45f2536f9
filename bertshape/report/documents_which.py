"""The JSON document of `which`."""

from typing import Annotated, TypedDict

from bertshape.report.documents_common import Count, Envelope, Findings, Name, Number, Size


class RecipeCandidate(TypedDict):
    """A way of making vectors, and how near it comes to those given."""

    pooling: Annotated[Name, "The pooling strategy, such as mean@-2."]
    declared_steps: Annotated[bool, "Whether the checkpoint's own steps after the model are followed."]
    steps: Annotated[
        list[Name], "Declared steps taken after another pooling than the declared one, or not all of them."
    ]
    prompt: Annotated[str, "What stands before each text; empty for nothing."]
    lower_case: Annotated[bool, "Whether texts are put into lower case first."]
    cut_to: Annotated[Size | None, "Tokens that longer texts are cut to; null where none is cut."]
    normalize: Annotated[bool, "Whether vectors are scaled to length 1 at the end."]
    normalize_whole: Annotated[bool, "Whether they are scaled to length 1 before they are cut to truncate_dim."]
    truncate_dim: Annotated[Size | None, "Size that vectors are cut to; null where they are not."]
    dtype: Annotated[Name, "Dtype that the numbers were rounded to."]
    difference: Annotated[Number, "Largest difference of two numbers."]
    cosine: Annotated[float, "Mean cosine of the two vectors of a text."]
    same: Annotated[str, "Why it gives the same vectors as the one found; empty where it does not."]


class DistantText(TypedDict):
    """A text whose vectors are furthest apart."""

    line: Annotated[Count, "Number of its line, row or text."]
    tokens: Annotated[Count, "Its tokens."]
    difference: Annotated[Number, "Largest difference of two numbers."]
    text: Annotated[str, "Its beginning."]


class WhichDocument(Envelope):
    """What `which --json` found."""

    model: Annotated[Name, "The checkpoint, as it was given."]
    path: Annotated[Name, "The file of vectors."]
    texts: Annotated[Count, "Texts that were compared."]
    of: Annotated[Count, "Texts that there are."]
    dimension: Annotated[Size, "Numbers of each vector."]
    tolerance: Annotated[Number, "Largest difference that passes."]
    found: Annotated[bool, "Whether a recipe reproduces the vectors."]
    declared: Annotated[bool, "Whether it is what the checkpoint declares."]
    candidates: Annotated[list[RecipeCandidate], "The recipes that come nearest, the best first."]
    lacks: Annotated[list[Name], "What the nearest lacks, where none reproduces the vectors."]
    worst: Annotated[list[DistantText], "Texts with the largest differences, of the best recipe."]
    command: Annotated[Name | None, "Command that makes the same vectors; null where embed has no option for it."]
    python: Annotated[str, "The same as a program; empty where nothing was found."]
    findings: Findings
