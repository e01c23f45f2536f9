"""How vectors were made, as far as it can be found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertshape.report.envelope import envelope
from bertshape.report.inspect_document import finding_entries

if TYPE_CHECKING:
    from bertshape.report import documents_which
    from bertshape.report.finding import Finding


@dataclass(frozen=True)
class VectorRecipe:
    """How texts became vectors.

    Attributes:
        pooling: Strategy, such as `mean@-2`; that of the checkpoint where its own steps are followed.
        declared_steps: Whether the checkpoint's own steps after the model are followed.
        steps: Declared steps after the pooling, such as `Dense`, where another pooling is followed by them, or not all
            are taken.
        prompt: What stands before each text; empty for nothing.
        lower_case: Whether texts are put into lower case first.
        cut_to: Tokens that longer texts are cut to; None where none is cut.
        normalize: Whether the vectors are scaled to length 1 at the end.
        normalize_whole: Whether they are scaled to length 1 before they are cut to `truncate_dim`.
        truncate_dim: Size that the vectors are cut to; None where they are not.
        dtype: Dtype that the numbers were rounded to.
    """

    pooling: str
    declared_steps: bool = False
    steps: tuple[str, ...] = ()
    prompt: str = ""
    lower_case: bool = False
    cut_to: int | None = None
    normalize: bool = False
    normalize_whole: bool = False
    truncate_dim: int | None = None
    dtype: str = "float32"


@dataclass(frozen=True)
class Candidate:
    """A recipe and how near it comes.

    Attributes:
        recipe: The recipe.
        difference: Largest difference of two numbers.
        cosine: Mean cosine of the two vectors of a text.
        same: Why it gives the same vectors as the one found; empty where it does not.
    """

    recipe: VectorRecipe
    difference: float
    cosine: float
    same: str = ""


@dataclass(frozen=True)
class WorstText:
    """A text whose vectors are furthest apart.

    Attributes:
        line: Number of its line, row or text.
        tokens: Its tokens.
        difference: Largest difference of two numbers.
        text: Its beginning.
    """

    line: int
    tokens: int
    difference: float
    text: str


@dataclass(frozen=True)
class WhichReport:
    """What was found.

    Attributes:
        model: The checkpoint.
        path: The file of vectors.
        texts: Texts that were compared.
        of: Texts that there are.
        dimension: Numbers of each vector.
        tolerance: Largest difference that passes.
        found: Whether a recipe reproduces the vectors.
        declared: Whether that recipe gives what the checkpoint declares.
        must_be_declared: Whether another recipe than the declared one is a failure.
        candidates: The recipes that come nearest, the best first.
        lacks: What the nearest lacks, where none reproduces the vectors.
        worst: Texts with the largest differences, of the best recipe.
        command: Command line that makes the same vectors; None where `embed` has no option for it.
        python: The same as a program; empty where nothing was found.
        findings: What a person should know.
    """

    model: str
    path: str
    texts: int
    of: int
    dimension: int
    tolerance: float
    found: bool
    declared: bool
    must_be_declared: bool
    candidates: tuple[Candidate, ...]
    lacks: tuple[str, ...] = ()
    worst: tuple[WorstText, ...] = ()
    command: str | None = None
    python: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the vectors are reproduced, by the declared recipe where that is asked for."""
        return self.found and (self.declared or not self.must_be_declared)

    @property
    def recipe(self) -> VectorRecipe | None:
        """The recipe found, or None."""
        return self.candidates[0].recipe if self.found else None

    def to_dict(self) -> documents_which.WhichDocument:
        """The JSON document, as plain dicts and lists."""
        return {
            **envelope(ok=self.ok),
            "model": self.model,
            "path": self.path,
            "texts": self.texts,
            "of": self.of,
            "dimension": self.dimension,
            "tolerance": self.tolerance,
            "found": self.found,
            "declared": self.declared,
            "candidates": [_candidate(candidate) for candidate in self.candidates],
            "lacks": list(self.lacks),
            "worst": [
                {"line": text.line, "tokens": text.tokens, "difference": text.difference, "text": text.text}
                for text in self.worst
            ],
            "command": self.command,
            "python": self.python,
            "findings": finding_entries(self.findings),
        }


def _candidate(candidate: Candidate) -> documents_which.RecipeCandidate:
    recipe = candidate.recipe
    return {
        "pooling": recipe.pooling,
        "declared_steps": recipe.declared_steps,
        "steps": list(recipe.steps),
        "prompt": recipe.prompt,
        "lower_case": recipe.lower_case,
        "cut_to": recipe.cut_to,
        "normalize": recipe.normalize,
        "normalize_whole": recipe.normalize_whole,
        "truncate_dim": recipe.truncate_dim,
        "dtype": recipe.dtype,
        "difference": candidate.difference,
        "cosine": candidate.cosine,
        "same": candidate.same,
    }
