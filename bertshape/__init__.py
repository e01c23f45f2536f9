"""What comes out of a BERT checkpoint, in which shape, and why."""

from __future__ import annotations

from bertshape.version import __version__

TYPE_CHECKING = False  # `typing` takes 5 ms, in which a Ctrl-C ends in a traceback: no handler is there yet.
if TYPE_CHECKING:
    from bertshape.contract.contract import CheckpointContract
    from bertshape.errors import BertshapeError, ExitCode
    from bertshape.pipelines.api.calls import (
        check_checkpoint,
        diff_checkpoints,
        embed_texts,
        inspect_texts,
        snapshot_checkpoint,
    )
    from bertshape.pipelines.api.embedder import Embedder
    from bertshape.pipelines.api.memory import memory_of
    from bertshape.pipelines.api.profile import profile_files, profile_texts
    from bertshape.pipelines.api.which import probe_texts, which_recipe
    from bertshape.pipelines.diff import Comparison
    from bertshape.report.check import CheckReport
    from bertshape.report.embed import EmbedReport
    from bertshape.report.finding import Finding
    from bertshape.report.memory import MemoryReport
    from bertshape.report.profile import ProfileReport
    from bertshape.report.report import Report
    from bertshape.report.which import WhichReport

__all__ = [
    "BertshapeError",
    "CheckReport",
    "CheckpointContract",
    "Comparison",
    "EmbedReport",
    "Embedder",
    "ExitCode",
    "Finding",
    "MemoryReport",
    "ProfileReport",
    "Report",
    "WhichReport",
    "__version__",
    "check_checkpoint",
    "diff_checkpoints",
    "embed_texts",
    "inspect_texts",
    "memory_of",
    "probe_texts",
    "profile_files",
    "profile_texts",
    "snapshot_checkpoint",
    "which_recipe",
]

_HOMES = {
    "BertshapeError": "errors",
    "CheckReport": "report.check",
    "CheckpointContract": "contract.contract",
    "Comparison": "pipelines.diff",
    "EmbedReport": "report.embed",
    "Embedder": "pipelines.api.embedder",
    "ExitCode": "errors",
    "Finding": "report.finding",
    "MemoryReport": "report.memory",
    "ProfileReport": "report.profile",
    "Report": "report.report",
    "WhichReport": "report.which",
    "check_checkpoint": "pipelines.api.calls",
    "diff_checkpoints": "pipelines.api.calls",
    "embed_texts": "pipelines.api.calls",
    "inspect_texts": "pipelines.api.calls",
    "memory_of": "pipelines.api.memory",
    "probe_texts": "pipelines.api.which",
    "profile_files": "pipelines.api.profile",
    "profile_texts": "pipelines.api.profile",
    "snapshot_checkpoint": "pipelines.api.calls",
    "which_recipe": "pipelines.api.which",
}

if not TYPE_CHECKING:  # A type checker that sees __getattr__ takes every misspelt name for an attribute.

    def __getattr__(name: str) -> object:
        # Imported when first used (PEP 562): `bertshape --version` and `--help` need none of it.
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = _HOMES[name]
        if home.startswith("pipelines.api"):
            # What a call gives is shown as a page or a screen; the command line has its own ways.
            __import__(f"{__name__}.render.notebook", fromlist=["notebook"]).show_results()
        return getattr(__import__(f"{__name__}.{home}", fromlist=[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
