"""A profile: counts of each file under one setting, its JSON, and how profiles become one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from bertshape.corpus.counts import Counts
from bertshape.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Setting:
    """What the counts depend on; profiles are added only where all of it is the same.

    Attributes:
        tokenizer: Digest of the tokenizer.
        unknown_token: Token that is counted as unknown, or None.
        hidden_size: Of the checkpoint, for the bytes of a batch.
        limits: Length limits by the place where each is declared, and `effective`: what the model runs.
        max_length: One more limit, that was asked for.
        cut_at: Length at which texts are cut before they make batches; None for no limit.
        batch_sizes: Batch sizes that padding was counted for.
    """

    tokenizer: str
    unknown_token: str | None
    hidden_size: int
    limits: Mapping[str, int]
    max_length: int | None
    cut_at: int | None
    batch_sizes: tuple[int, ...]


@dataclass(frozen=True)
class Profile:
    """A corpus, counted.

    Attributes:
        setting: What the counts depend on.
        files: Name and number of texts of each file, sorted by name.
        counts: Of all files together.
    """

    setting: Setting
    files: tuple[tuple[str, int], ...]
    counts: Counts

    def to_dict(self) -> dict[str, object]:
        """The counts, from which all else follows: what `profile_from_json` reads."""
        setting, total = self.setting, self.counts
        return {
            "setting": {
                "tokenizer": setting.tokenizer,
                "unknown_token": setting.unknown_token,
                "hidden_size": setting.hidden_size,
                "limits": dict(setting.limits),
                "max_length": setting.max_length,
                "cut_at": setting.cut_at,
                "batch_sizes": list(setting.batch_sizes),
            },
            "files": [{"name": name, "texts": texts} for name, texts in self.files],
            "counts": {
                "lengths": {str(length): total.lengths[length] for length in sorted(total.lengths)},
                "unknown": total.unknown,
                "texts_with_unknown": total.texts_with_unknown,
                "special": total.special,
                "batches": {
                    str(size): {f"{rows}x{length}": count for (rows, length), count in sorted(shapes.items())}
                    for size, shapes in sorted(total.batches.items())
                },
            },
        }


def merge_profiles(profiles: Iterable[Profile]) -> Profile:
    """Add profiles up; the result is that of all their files at once, in whatever order they come.

    Raises:
        UsageError: There is none, or they were made under different settings.
    """
    waiting = list(profiles)
    if not waiting:
        raise UsageError("there is no profile to merge", hint="Name some.", code="profile-missing")
    setting = waiting[0].setting
    counts = Counts({}, 0, 0, 0, {size: {} for size in setting.batch_sizes})
    for profile in waiting:
        for field in fields(Setting):
            one, other = getattr(setting, field.name), getattr(profile.setting, field.name)
            if one != other:
                raise UsageError(
                    f"profiles of different settings cannot be merged: {field.name} is {one} in "
                    f"{_name(waiting[0])} and {other} in {_name(profile)}",
                    hint="Profile all files with one tokenizer, and with the same options.",
                    code="profiles-differ",
                )
        counts = counts + profile.counts
    return Profile(setting, tuple(sorted(entry for profile in waiting for entry in profile.files)), counts)


def _name(profile: Profile) -> str:
    return profile.files[0][0] if profile.files else "an empty one"
