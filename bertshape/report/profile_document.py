"""The document of a profile: the counts, which can be read back and added to others, and what follows from them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bertshape.report.envelope import envelope
from bertshape.report.inspect_document import finding_entries, limit_entries
from bertshape.report.profile_summary import EFFECTIVE, summarize

if TYPE_CHECKING:
    from bertshape.corpus.counts import Counts
    from bertshape.report import documents, documents_profile
    from bertshape.report.profile import ProfileReport, Setting
    from bertshape.report.profile_summary import Cut, Length, Summary, Waste


def profile_document(profile: ProfileReport) -> documents.ProfileDocument:
    """The counts, which can be merged, and what follows from them."""
    return {
        **envelope(ok=not profile.failed),
        "model": profile.model,
        "profile": {
            "setting": _setting(profile.setting),
            "files": [{"name": name, "texts": texts} for name, texts in profile.files],
            "counts": _counts(profile.counts),
        },
        "summary": _summary(summarize(profile)),
        "findings": finding_entries(profile.findings),
    }


def profile_to_json(profile: ProfileReport) -> str:
    """The document as text, on one line."""
    return json.dumps(profile_document(profile), separators=(",", ":"), allow_nan=False) + "\n"


def _setting(setting: Setting) -> documents_profile.ProfileSetting:
    return {
        "tokenizer": setting.tokenizer,
        "unknown_token": setting.unknown_token,
        "hidden_size": setting.hidden_size,
        "length_limits": limit_entries(setting.limits),
        "effective_limit": setting.limits.get(EFFECTIVE),
        "max_length": setting.max_length,
        "cut_at": setting.cut_at,
        "batch_sizes": list(setting.batch_sizes),
        "memory": [memory.to_dict() for memory in setting.memory],
    }


def _counts(counts: Counts) -> documents_profile.Counts:
    return {
        "lengths": [{"length": length, "texts": texts} for length, texts in sorted(counts.lengths.items())],
        "unknown": counts.unknown,
        "texts_with_unknown": counts.texts_with_unknown,
        "special": counts.special,
        "batches": [
            {
                "batch_size": size,
                "shapes": [
                    {"rows": rows, "sequence_length": length, "batches": count}
                    for (rows, length), count in sorted(shapes.items())
                ],
            }
            for size, shapes in sorted(counts.batches.items())
        ],
    }


def _summary(summary: Summary) -> documents_profile.Summary:
    return {
        "texts": summary.texts,
        "tokens": summary.tokens,
        "special": summary.special,
        "unknown_share": summary.unknown_share,
        "texts_with_unknown": summary.texts_with_unknown,
        "length": None if summary.length is None else _length(summary.length),
        "cuts": [_cut(cut) for cut in summary.cuts],
        "waste": [_waste(waste) for waste in summary.waste],
    }


def _length(length: Length) -> documents_profile.Lengths:
    return {
        "least": length.least,
        "mean": length.mean,
        "percentiles": [{"percent": percent, "length": most} for percent, most in length.percentiles.items()],
        "most": length.most,
    }


def _cut(cut: Cut) -> documents_profile.Cut:
    file, _, field = cut.where.partition(" ")
    other = "effective_limit" if cut.where == EFFECTIVE else cut.where
    return {
        "file": file if field else None,
        "field": field or other,
        "limit": cut.limit,
        "texts": cut.texts,
        "share": cut.share,
        "tokens": cut.tokens,
    }


def _waste(waste: Waste) -> documents_profile.Waste:
    return {
        "padding": waste.padding,
        "batch_size": waste.batch_size,
        "batches": waste.batches,
        "positions": waste.positions,
        "share": waste.share,
        "largest": list(waste.largest),
        "bytes": dict(waste.bytes),
        "memory": dict(waste.memory),
    }
