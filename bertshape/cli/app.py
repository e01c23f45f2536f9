"""The Typer application: each command reads its options and returns the work to be done."""

from __future__ import annotations

import copy
import importlib
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from bertshape.cli.commands import COMMANDS, PAGES, PANEL_OF, PANEL_ORDER
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

_HELP = ("-h", "--help")


def build_program(arguments: Sequence[str]) -> Any:
    """The command line, with the module of the command that the arguments begin with.

    Of other commands only what `COMMANDS` says is known: importing all of them, with the pipelines behind them, would
    take longer than a prediction does.

    Args:
        arguments: The command line without the program's name.
    """
    app = typer.Typer(
        name="bertshape",
        cls=_Group,
        help="What comes out of a BERT checkpoint, in which shape, and why.",
        # Panels are drawn by Rich, which is imported where help is asked for and nowhere else.
        rich_markup_mode="rich" if not arguments or any(option in arguments for option in _HELP) else None,
        context_settings={"help_option_names": list(_HELP)},
    )
    app.callback()(_root)
    words = arguments or _words_to_complete()
    called = words[0] if words and words[0] in COMMANDS else None
    for name, about in COMMANDS.items() if called is None else ((called, COMMANDS[called]),):
        function = command_function(name) if name == called else _not_called
        app.command(name, cls=_Command, help=about.summary, rich_help_panel=about.group)(function)
    return typer.main.get_command(app)


def _words_to_complete() -> list[str]:
    """What stands on the command line that a shell completes; it comes in the environment, not as arguments."""
    if not any(name.startswith("_BERTSHAPE_COMPLETE") for name in os.environ):
        return []
    line = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS") or ""
    return line.split()[1:]


def command_function(name: str) -> Callable[..., Callable[[], int]]:
    """The function of a command: it reads the options and returns the work to be done."""
    module = importlib.import_module(f"bertshape.cli.{name}")
    function: Callable[..., Callable[[], int]] = getattr(module, f"{name}_command")
    return function


class _Command(TyperCommand):
    """A command whose options stand in panels, and whose help ends with examples."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for parameter in self.params:
            _arrange(parameter)

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters in the order of their panels, `--help` among those of the output."""
        params: list[Any] = super().get_params(ctx)
        for parameter in params:
            parameter.rich_help_panel = PANEL_OF.get(parameter.name)
        return sorted(params, key=lambda parameter: PANEL_ORDER.get(parameter.rich_help_panel, 0))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the panels, then the examples and the page."""
        if self.rich_markup_mode is None:
            super().format_help(ctx, formatter)
            return
        notes = _help_notes()
        notes.leave_out_ranges()
        super().format_help(ctx, formatter)
        about = COMMANDS.get(ctx.info_name)
        if about is not None:
            notes.print_notes((("Examples", about.examples), ("Learn more", ((f"{PAGES}/{about.page}.md", ""),))))


class _Group(TyperGroup):
    """The list of commands, which ends with what to do next."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the groups, then where to begin."""
        super().format_help(ctx, formatter)
        if self.rich_markup_mode is not None:
            begin = (*COMMANDS["inspect"].examples[:2], ("bertshape COMMAND --help", "options and examples of one"))
            _help_notes().print_notes((("Examples", begin), ("Learn more", ((f"{PAGES}/index.md", ""),))))


def _arrange(parameter: Any) -> None:
    """Give an option a short name for its value; its help is text, never markup."""
    choices = getattr(parameter.type, "choices", None)
    if choices and parameter.metavar is None:
        parameter.metavar = "NAME"
        parameter.help = f"{parameter.help or ''} One of {', '.join(map(str, choices))}."
    if parameter.metavar is None and getattr(parameter.type, "name", "").startswith(("int", "float")):
        parameter.metavar = "N"
    if parameter.metavar is None and getattr(parameter.type, "name", "") in ("str", "text"):
        parameter.metavar = "NAME"
    if parameter.param_type_name == "argument" and parameter.metavar is not None:
        # Its name says what it is: no `<str>` beside it, and no braces around it in the usage.
        parameter.type = copy.copy(parameter.type)
        parameter.type.get_metavar = lambda *_, **__: ""
        if parameter.required:
            parameter.make_metavar = lambda *_, **__: parameter.metavar
    if getattr(parameter, "help", None):
        parameter.help = parameter.help.replace("[", r"\[")


def _help_notes() -> ModuleType:
    # Rich is imported where help is printed and nowhere else.
    from bertshape.cli import help_notes

    return help_notes


def _not_called() -> None:
    """Stands for a command in the list of commands."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bertshape {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """What comes out of a BERT checkpoint, in which shape, and why."""
