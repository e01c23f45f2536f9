"""The page of a result of any kind, and its fragment for notebooks."""

from __future__ import annotations

from functools import singledispatch

from bertshape.pipelines.diff import Comparison
from bertshape.render.page.check import check_fragment, check_page
from bertshape.render.page.diff import diff_fragment, diff_page
from bertshape.render.page.inspect import inspect_fragment, inspect_page
from bertshape.render.page.profile import profile_fragment, profile_page
from bertshape.report.check import CheckReport
from bertshape.report.profile import ProfileReport
from bertshape.report.report import Report


def page(result: object, *, explain: bool = False) -> str:
    """A result as a page that stands alone.

    Args:
        result: What a command gives; of `check` the list of its reports.
        explain: Whether the notes for newcomers are unfolded.

    Raises:
        TypeError: There is no page of such a thing.
    """
    if isinstance(result, Report):
        return inspect_page(result, explain=explain)
    return _page(result)


@singledispatch
def _page(result: object) -> str:
    raise TypeError(f"there is no page of {type(result).__name__}")


@singledispatch
def fragment(result: object) -> str:
    """A result as a piece of a notebook.

    Args:
        result: What a function of the Python API gives.

    Raises:
        TypeError: There is no page of such a thing.
    """
    raise TypeError(f"there is no page of {type(result).__name__}")


_page.register(list, check_page)
_page.register(Comparison, diff_page)
_page.register(ProfileReport, profile_page)
fragment.register(Report, inspect_fragment)
fragment.register(CheckReport, check_fragment)
fragment.register(Comparison, diff_fragment)
fragment.register(ProfileReport, profile_fragment)
