"""Texts that tell recipes apart: made for `which` where a person has none."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError, UsageError
from bertshape.pipelines.candidates import USUAL_CUTS, known_cuts
from bertshape.pipelines.model import open_model

if TYPE_CHECKING:
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.model_source import ModelSource
    from bertshape.tokens.tokenizer import LoadedTokenizer

NAME = "the built-in probes"
_FIXED = (
    "Hi.",
    "This is an example sentence.",
    "THIS IS AN EXAMPLE SENTENCE.",
    "Paris, London and NASA are proper names.",
    "naïve café, Ångström, Zürich, São Paulo",
    "naive cafe, Angstrom, Zurich, Sao Paulo",
    "北京 and 東京 are cities; Москва and Αθήνα are too.",
    "3.14159, 1,000,000 and 2024-01-31",
    "What is pooling? One vector per text.",
    "two  spaces   and    more",
)
"""Short and of several lengths, so that batches have padding; with capitals, accents and scripts."""
_SENTENCE = (
    "the model reads one word after another and gives one vector for each of them so that a longer text has more "
    "vectors and all of them are pooled into one at the end which is what a search index keeps"
)
_LONGEST = 2048
"""Longer texts take a CPU too long; a cut beyond is not probed."""


def probes_of(source: ModelSource) -> tuple[str, ...]:
    """The probes for the model of that name.

    Args:
        source: The model.

    Raises:
        BertshapeError: There is no such model, or its tokenizer makes no probes.
    """
    if source.name is None:
        hint = "Pass -m FOLDER or a Hub id: the probes are made for its limits."
        raise UsageError("--probes needs a model", hint=hint, code="model-missing")
    return probe_texts(open_model(source, "checkpoint", as_encode=True))


def probe_texts(model: Model) -> tuple[str, ...]:
    """The probes for a model, one text per line.

    They are short texts, one of as many tokens as each declared limit, and one a token longer than each limit and each
    length that people cut texts to.

    Args:
        model: The model, whose tokenizer counts.

    Raises:
        CheckpointError: The tokenizer gives no tokens for words.
    """
    longest = min(model.architecture.usable_length or _LONGEST, _LONGEST)
    limits = {cut for cut in known_cuts(model) if cut <= longest}
    lengths = sorted({*limits, *(cut + 1 for cut in (*limits, *USUAL_CUTS) if cut <= longest)})
    return (*_FIXED, *(_text(model.tokenizer, length, start) for start, length in enumerate(lengths)))


def _text(tokenizer: LoadedTokenizer, length: int, start: int) -> str:
    """Words with at least so many tokens, special ones counted, and few more."""
    words = list(islice(cycle(_SENTENCE.split()), start, start + length))
    fewest, most = 1, len(words)
    if len(tokenizer.encode(" ".join(words))) < length:
        # Words that the vocabulary has no tokens for vanish.
        raise CheckpointError(
            f"{tokenizer.file} gives fewer tokens than words: no probes can be made",
            hint="Pass texts of your own with --texts.",
            code="probes-impossible",
        )
    while fewest < most:
        middle = (fewest + most) // 2
        enough = len(tokenizer.encode(" ".join(words[:middle]))) >= length
        fewest, most = (fewest, middle) if enough else (middle + 1, most)
    return " ".join(words[:most])
