"""A profile: counts of files under one setting, what is known of the model, and how profiles become one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from bertshape.corpus.counts import Counts
from bertshape.errors import UsageError
from bertshape.report.profile_document import profile_document
from bertshape.report.shown import Shown
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bertshape.report import documents
    from bertshape.report.batch_memory import BatchMemory
    from bertshape.report.finding import Finding


CUT_CODE = "limit-cuts-too-many"
"""Code of the finding that a limit cuts more texts than it may: it belongs to the texts, and does not add up."""


@dataclass(frozen=True)
class Setting:
    """What the counts depend on; profiles are added only where all of it but memory is the same.

    Attributes:
        tokenizer: Digest of the tokenizer.
        unknown_token: Token that is counted as unknown, or None.
        hidden_size: Of the checkpoint, for the bytes of a batch.
        limits: Length limits by the place where each is declared, and `effective`: what the model runs.
        max_length: One more limit, that was asked for.
        cut_at: Length at which texts are cut before they make batches; None for no limit.
        batch_sizes: Batch sizes that padding was counted for.
        memory: What batches take in inference, by dtype; empty where that is not known, or not the same in all.
    """

    tokenizer: str
    unknown_token: str | None
    hidden_size: int
    limits: Mapping[str, int]
    max_length: int | None
    cut_at: int | None
    batch_sizes: tuple[int, ...]
    memory: tuple[BatchMemory, ...] = ()


@dataclass(frozen=True, repr=False)
class ProfileReport(Shown):
    """A corpus, counted.

    Attributes:
        setting: What the counts depend on.
        files: Name and number of texts of each file, sorted by name.
        counts: Of all files together.
        model: Name of the checkpoint; None where profiles of several names were added up.
        findings: What a person should know of the checkpoint.
    """

    setting: Setting
    files: tuple[tuple[str, int], ...]
    counts: Counts
    model: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether there is an error among the findings."""
        return any(finding.severity == "error" for finding in self.findings)

    def brief(self) -> str:
        """The result in one line."""
        texts = sum(number for _, number in self.files)
        return f"{self.model!r}: {counted(texts, 'text')} in {counted(len(self.files), 'file')}"

    def to_dict(self) -> documents.ProfileDocument:
        """The JSON document, as plain dicts and lists."""
        return profile_document(self)


def merge_profiles(profiles: Iterable[ProfileReport]) -> ProfileReport:
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
        if profile.setting.memory != setting.memory:
            setting = replace(setting, memory=())
        for field in fields(Setting):
            if field.name == "memory":
                continue
            one, other = getattr(setting, field.name), getattr(profile.setting, field.name)
            if one != other:
                raise UsageError(
                    f"profiles of different settings cannot be merged: {field.name} is {one} in "
                    f"{_name(waiting[0])} and {other} in {_name(profile)}",
                    hint="Profile all files with one tokenizer, and with the same options.",
                    code="profiles-differ",
                )
        counts = counts + profile.counts
    models = {profile.model for profile in waiting}
    findings = {finding for profile in waiting for finding in profile.findings if finding.code != CUT_CODE}
    return ProfileReport(
        setting=setting,
        files=tuple(sorted(entry for profile in waiting for entry in profile.files)),
        counts=counts,
        model=models.pop() if len(models) == 1 else None,
        findings=tuple(sorted(findings, key=lambda finding: (finding.code, finding.message))),
    )


def _name(profile: ProfileReport) -> str:
    return profile.files[0][0] if profile.files else "an empty one"
