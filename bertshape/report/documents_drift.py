"""What `diff --texts` adds to the document of `diff`."""

from typing import Annotated, TypedDict

from msgspec import Meta

from bertshape.report.documents_common import Count, Name, Share

Cosine = Annotated[float, Meta(ge=-1, le=1)]


class DriftCosines(TypedDict):
    """Cosines of the two sentence embeddings of every text."""

    least: Annotated[Cosine, "The least."]
    percent_1: Annotated[Cosine, "The one that 1 % of the texts are not above."]
    mean: Annotated[Cosine, "Their mean."]
    changed: Annotated[Count, "Texts below 0.999."]


class DriftedText(TypedDict):
    """A text that is not what it was."""

    line: Annotated[Count, "Number of its line, row or text."]
    text: Annotated[str, "Its beginning."]
    tokens_before: Annotated[Count, "Its tokens on the first side."]
    tokens_after: Annotated[Count, "Its tokens on the second side."]
    position: Annotated[Count | None, "The first token that differs; null where the ids are the same."]
    before: Annotated[str | None, "That token on the first side; null where that side has ended."]
    after: Annotated[str | None, "That token on the second side; null where that side has ended."]
    id_before: Annotated[Count | None, "Its id on the first side."]
    id_after: Annotated[Count | None, "Its id on the second side."]
    cosine: Annotated[Cosine | None, "Of the two sentence embeddings; null where not compared."]


class Drift(TypedDict):
    """What both sides make of a corpus."""

    path: Annotated[Name, "The file of texts."]
    texts: Annotated[Count, "Texts in it."]
    retokenized: Annotated[Count, "Texts whose ids are not the same on both sides."]
    changed: Annotated[Count, "Texts with other ids or another sentence embedding."]
    share: Annotated[Share, "Share of the texts that changed."]
    most: Annotated[Share | None, "Share that may change (--max-drift); null for no limit."]
    tokens_before: Annotated[Count, "Tokens of all texts on the first side, without padding."]
    tokens_after: Annotated[Count, "Tokens of all texts on the second side, without padding."]
    longer: Annotated[Count, "Texts with more tokens on the second side."]
    shorter: Annotated[Count, "Texts with fewer tokens on the second side."]
    ids_used: Annotated[Count, "Different ids that the texts have on any side."]
    ids_moved: Annotated[Count, "How many of these stand for another token on the other side."]
    cosines: Annotated[DriftCosines | None, "Of the sentence embeddings; null where not compared."]
    reason: Annotated[str | None, "Why they were not compared; null where they were."]
    worst: Annotated[list[DriftedText], "Texts that changed most."]
