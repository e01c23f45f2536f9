"""What several JSON documents share: the envelope, findings, tensors. A string in `Annotated` describes its field.

Only `bertshape schema` and tests import the modules `documents*`: to the rest of the package they are types.
"""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

Count = Annotated[int, Meta(ge=0)]
Size = Annotated[int, Meta(ge=1)]
Number = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Name = Annotated[str, Meta(min_length=1)]
Code = Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
Span = Annotated[list[Count], Meta(min_length=2, max_length=2)]
Scalar = int | str | None
Evidence = Literal["predicted", "observed", "same_shape_observed", "from_headers"]


class Versions(TypedDict):
    """Which version of the documents this is."""

    schema_version: Annotated[Literal["1"], "Version of this schema."]
    ok: Annotated[bool, "Whether the answer is good: true exactly where the exit code is 0."]


class Envelope(Versions):
    """What every document begins with."""

    bertshape: Annotated[Name, "Version of bertshape that printed it."]


class Finding(TypedDict):
    """Something that a person should know."""

    code: Annotated[Code, "Kebab-case name, stable across releases."]
    severity: Annotated[Literal["error", "warning", "note"], "An error makes the exit code 1."]
    message: Annotated[Name, "What, where, expected and actual, in one line."]
    hint: Annotated[str, "What to do next, or empty."]
    where: Annotated[str | None, "File or field to blame."]
    expected: Annotated[int | float | str | None, "What should be there, where one value says it."]
    actual: Annotated[int | float | str | None, "What is there."]


Findings = Annotated[list[Finding], "What a person should know; empty where all is sound."]


class ErrorDetails(TypedDict):
    """Why there is no report."""

    code: Annotated[Code, "Kebab-case name, stable across releases."]
    message: Annotated[Name, "What is wrong, where, expected and actual, in one line."]
    hint: Annotated[str, "What to do next, or empty."]


class Tensor(TypedDict):
    """A tensor's shape: `axes` and `shape` are as long as each other."""

    axes: Annotated[list[Name], "Name of each axis, such as batch_size or 2*hidden_size."]
    shape: Annotated[list[Count], "Size of each axis: as many numbers as there are axes."]
    dtype: Annotated[Name, "Dtype of the elements, by its name in torch, such as float32."]


class SizedTensor(Tensor):
    """A tensor's shape, and how many bytes it takes."""

    bytes: Annotated[Count, "Bytes of the elements of all tensors that this entry stands for."]
