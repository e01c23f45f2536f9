"""What the scores of `which` mean, in words: the recipe, what is one with it, what the nearest lacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bertshape.pipelines.candidates import declared_meta, rank
from bertshape.pipelines.which_again import Again
from bertshape.report.finding import Finding
from bertshape.report.which import Candidate, VectorRecipe, WhichReport, WorstText
from bertshape.run.recipes import BATCH_SIZE, DECLARED
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertshape.corpus.text_file import Record
    from bertshape.corpus.vectors import GivenVectors
    from bertshape.pipelines.candidates import Tokenized
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.second_looks import Looks, SecondLooks
    from bertshape.pipelines.which_request import WhichRequest
    from bertshape.run.recipes import Score

_SHOWN = 8
_WORST = 3
_NOISE = ((0.005, "a run in float16"), (0.03, "a run in bfloat16"))
_MEANS = {"mean", "first_last_avg", "last4_mean"}
_ONE_DIRECTION = {*_MEANS, "mean_sqrt_len_tokens", "last4_sum"}
_LACKS = {
    "offset": "constant offset of up to {0:.3g}: the vectors were centred otherwise",
    "binary": "binary quantization: {0:.1%} of the signs are right",
    "columns scaled": "quantization with a range for each column: these agree with a mean correlation of {0:.4f}",
    "columns moved": "right numbers in other columns: {0:.0f} columns are not in their places",
    "rotated": "right distances between texts: the {0:.0f} columns were turned, as by PCA",
    "linear": "a linear map of these vectors to {0:.0f} numbers, such as whitening or PCA",
    "rounded": "rounding: all numbers have {0:.0f} decimals, and differ by no more than these explain",
    "int8": "int8 quantization: the numbers have at most {0:.0f} levels",
    "scale": "right direction, other norm: each is {0:.6g} times as long",
    "norm": "right direction, other norm: the factor differs from text to text, {0:.6g} on average",
    "shuffled": "right vectors in another order: {0:.0f} rows are not those of their texts",
}


def answer(
    request: WhichRequest, given: GivenVectors, looks: SecondLooks, tried: Looks, file: Sequence[str]
) -> WhichReport:
    """The report.

    Args:
        request: What was asked for.
        given: The vectors.
        looks: The model and the texts that were compared.
        tried: The candidates, and the ways of making tokens.
        file: The words of a command that read the texts.
    """
    model, kept, tolerance, tokenized = looks.model, looks.records, looks.job.tolerance, tried.tokenized
    close = max(3 * min(score.difference for score in tried.scores), tolerance / 10)
    scores = tried.scores
    if not tried.lacks:
        scores = tuple(sorted(scores, key=lambda score: rank(score, tolerance, close)))
    best = scores[0]
    found, declared = best.difference <= tolerance, declared_meta(model)
    candidates = _candidates(scores[:_SHOWN], given, looks, tried, close if found else -1)
    again = Again(candidates[0].recipe, model, request, _batch_size(best, model, tried))
    ways = (tokenized[best.variant].meta, *tokenized[best.variant].same)
    is_declared = found and best.strategy == DECLARED and not best.truncated and declared in ways
    findings = [*_notes(tokenized[best.variant], model), *_sampled(len(kept), len(given))] if found else []
    if tried.alone:
        message = "only one text at a time gives these vectors: what this model gives depends on padding"
        findings.append(Finding("padding-changes", "warning", message, "See check --run -e padding_invariant."))
    return WhichReport(
        model=model.checkpoint.name,
        path=given.name,
        texts=len(kept),
        of=len(given),
        dimension=given.dimension,
        tolerance=tolerance,
        found=found,
        declared=is_declared,
        must_be_declared=request.declared,
        candidates=candidates,
        lacks=() if found else tried.lacks or _lacks(best, tokenized[best.variant], tolerance, given),
        worst=_worst(best, tokenized[best.variant], kept),
        command=again.command(file) if found else None,
        python=again.python() if found else "",
        findings=(*model.verdict.errors, *findings, *_not_declared(found=found, declared=is_declared, model=model)),
    )


def _batch_size(best: Score, model: Model, tried: Looks) -> int | None:
    """Texts that ran together, where others beside a text may change its vector."""
    if tried.alone:
        return 1
    beside = "unmasked" in best.strategy or model.tokenizer.padding_side == "left"
    return BATCH_SIZE if beside else None


def _candidates(
    scores: Sequence[Score], given: GivenVectors, looks: SecondLooks, tried: Looks, close: float
) -> tuple[Candidate, ...]:
    """The first candidates; those with no larger difference than `close` are one with the first."""
    best = scores[0]
    longest = max(len(row) for row in tried.tokenized[best.variant].rows)
    return tuple(
        Candidate(
            _recipe(score, tried.tokenized, looks.model, given),
            score.difference,
            score.cosine,
            _why_same(best, score, longest, looks.model.recipe.pooling or "mean")
            if score is not best and score.difference <= close
            else "",
        )
        for score in scores
    )


def _recipe(score: Score, tokenized: Sequence[Tokenized], model: Model, given: GivenVectors) -> VectorRecipe:
    meta = tokenized[score.variant].meta
    chain = score.strategy == DECLARED
    return VectorRecipe(
        pooling=(model.recipe.pooling or "mean") if chain else score.strategy,
        declared_steps=chain,
        steps=_steps(model)[: score.steps],
        prompt=meta.prompt,
        lower_case=meta.lower_case,
        cut_to=meta.cut_to,
        normalize=score.normalized == "after",
        normalize_whole=score.normalized == "before",
        truncate_dim=given.dimension if score.truncated else None,
        dtype=given.rounded_to,
    )


def _steps(model: Model) -> tuple[str, ...]:
    """Names of the declared steps after Pooling."""
    names = [step.name for step in model.recipe.steps]
    return tuple(names[names.index("Pooling") + 1 :]) if "Pooling" in names else ()


def _why_same(best: Score, other: Score, longest: int, declared: str) -> str:
    names = {best.strategy, other.strategy}
    kinds = {re.split("[@:]", declared if name == DECLARED else name)[0] for name in names}
    if best.variant != other.variant:
        return "other tokens, the same vectors within the tolerance"
    if "mean_unmasked" in kinds:
        return f"no text is padded here: a text of more than {longest} tokens would tell them apart"
    directed = other.normalized and (best.normalized or best.strategy == DECLARED)
    if directed and (kinds <= _ONE_DIRECTION or kinds == {declared}):
        return "the same direction: no text tells them apart once vectors have length 1"
    if names == {"second_to_last", "mean@-2"} or (best.normalized == other.normalized and kinds <= _MEANS):
        return "another name of the same"
    return "the same numbers on these texts: more and longer texts may tell them apart"


def _notes(way: Tokenized, model: Model) -> list[Finding]:
    """Which parts of the recipe these texts do not show."""
    notes = []
    cuts = sorted({meta.cut_to for meta in way.same if meta.cut_to and meta.cut_to != way.meta.cut_to})
    if cuts and way.meta.cut_to:
        fewest = min(*cuts, way.meta.cut_to)
        shown = ", ".join(map(str, sorted({*cuts, way.meta.cut_to})))
        message = f"whether texts are cut to {shown} tokens cannot be seen: none is longer than {fewest}"
        notes.append(Finding("cut-not-seen", "note", message, f"A text of more than {fewest} tokens would show it."))
    other_case = any(meta.lower_case != way.meta.lower_case for meta in way.same)
    if other_case and model.tokenizer.encode("Aa Bb Cc").ids != model.tokenizer.encode("aa bb cc").ids:
        message = "whether texts are put into lower case cannot be seen: their tokens are the same"
        hint = "A text with capitals would show it."
        notes.append(Finding("case-not-seen", "note", message, hint))
    return notes


def _sampled(compared: int, count: int) -> list[Finding]:
    if compared == count:
        return []
    message = f"{compared:,} of {counted(count, 'text')} were compared, always the same ones"
    return [Finding("sampled", "note", message, "Pass --sample N for more.")]


def _not_declared(*, found: bool, declared: bool, model: Model) -> list[Finding]:
    if not found or declared or not model.recipe.declared:
        return []
    message = f"this is not the recipe that {model.checkpoint.name} declares"
    return [Finding("not-declared", "warning", message, "encode() of sentence-transformers gives other vectors.")]


def _quantized(given: GivenVectors) -> tuple[str, ...]:
    """What integers are: sentence-transformers quantizes by a range of each dimension, which they lack."""
    if not given.quantized:
        return ()
    return (f"{given.dtype} numbers: quantized vectors, such as quantize_embeddings gives; compare those from before",)


def _noise(best: Score, largest: float) -> str:
    """What noise of that size comes from, as a rule: on MiniLM 0.002 of the largest in float16, 0.014 in bfloat16."""
    share = best.difference / largest
    likely = next((name for most, name in _NOISE if share < most), "quantized weights or numbers")
    return (
        f"noise of up to {share:.2g} of the largest number, as from {likely}; cosines from {best.least_cosine:.6f} on"
    )


def _lacks(best: Score, way: Tokenized, tolerance: float, given: GivenVectors) -> tuple[str, ...]:
    lines = [_LACKS[code].format(number) for code, number in best.lacks]
    pairs = list(zip((len(row) for row in way.whole), best.row_differences, strict=True))
    fits = [length for length, value in pairs if value <= tolerance]
    fails = [length for length, value in pairs if value > tolerance]
    if fits and fails and max(fits) < min(fails):
        lines.append(f"right for texts under {min(fails)} tokens: longer ones were cut at another length")
    elif fits and fails:
        lines.append(f"right for {len(fits)} of {counted(len(pairs), 'text')}")
    if not lines and best.cosine > 0.99:
        lines.append(_noise(best, given.largest))
    known = (*_quantized(given), *lines)
    return known or _unknown(best, given)


def _unknown(best: Score, given: GivenVectors) -> tuple[str, ...]:
    lines = [f"nothing that is recognised: mean cosine {best.cosine:.3f}; another model or other texts"]
    lines.append("or a prompt that is none of the checkpoint's, nor a usual one: try it with --prompt")
    if len(best.row_differences) <= given.dimension + 1:
        more = given.dimension + 2
        lines.append(
            f"or a linear step, such as whitening or PCA: to see one takes {more:,} texts or more, and --sample"
        )
    return tuple(lines)


def _worst(best: Score, way: Tokenized, kept: Sequence[Record]) -> tuple[WorstText, ...]:
    order = sorted(range(len(kept)), key=lambda index: -best.row_differences[index])[:_WORST]
    return tuple(
        WorstText(kept[index].line, len(way.whole[index]), best.row_differences[index], kept[index].text[:60])
        for index in order
    )
