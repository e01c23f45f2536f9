"""`bertshape check`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from bertshape.cli import options
from bertshape.cli.completion import complete_model
from bertshape.cli.completion_expect import complete_expectation
from bertshape.cli.console import open_console, print_plain
from bertshape.cli.json_output import print_json
from bertshape.cli.pages import format_of, page_of, shown_in
from bertshape.cli.progress import count_bytes
from bertshape.cli.slips import check_checkpoints
from bertshape.contract.expectations import parse_expectation
from bertshape.contract.read import find_contract, read_contract
from bertshape.errors import ExitCode, UsageError
from bertshape.files import output_errors
from bertshape.pipelines.check import check_all, list_names
from bertshape.pipelines.check_request import CheckCase, CheckRequest, request_from_contract
from bertshape.pipelines.model_source import ModelSource, device_name
from bertshape.pipelines.output_paths import check_inputs_stay
from bertshape.render.escape import visible
from bertshape.report.check import check_document

if TYPE_CHECKING:
    from bertshape.report.check import CheckReport

Format = Literal["table", "json", "junit", "github", "gitlab", "sarif", "html"]
Severity = Literal["error", "warning"]


def check_command(
    checkpoints: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CHECKPOINT...",
            help="Folders, Hub ids or embedded: names; none reads a contract.",
            autocompletion=complete_model,
        ),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect",
            "-e",
            metavar="NAME=VALUE",
            help="What must hold; repeatable. See docs/check.md.",
            autocompletion=complete_expectation,
        ),
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", metavar="TEXT", help="Text of the expectations on shapes; repeatable.")
    ] = None,
    contract: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Contract to check.  [default: bertshape.toml or pyproject.toml]"),
    ] = None,
    values: Annotated[
        bool, typer.Option("--values", help="Read all weights: look for NaN and infinities, compare with the contract.")
    ] = False,
    run: Annotated[bool, typer.Option("--run", help="Run the model on every text as well; imports torch.")] = False,
    device: options.Device = "auto",
    revision: options.Revision = None,
    offline: options.Offline = False,
    timeout: options.Timeout = None,
    refresh: options.Refresh = False,
    as_json: options.JsonFlag = False,
    output_format: Annotated[Format, typer.Option("--format", help="How to print the verdict.")] = "table",
    listing: Annotated[
        bool, typer.Option("--list", help="Print every name that --expect takes, with its value now.")
    ] = False,
    fail_on: Annotated[Severity, typer.Option("--fail-on", help="Findings that fail the check.")] = "error",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only what fails.")] = False,
    output: options.ReportFile = None,
    open_page: options.OpenPage = False,
    debug: options.Debug = False,  # noqa: ARG001 - read where errors are reported
) -> Callable[[], int]:
    """Check checkpoints for soundness, and for what you expect of them."""

    def action() -> int:
        asked = "json" if as_json else output_format
        chosen = format_of(asked, output, () if listing else get_args(Format), opened=open_page)
        if listing and chosen != "table":
            hint = "Leave out --json, --format and --open."
            raise UsageError(f"--list prints a name on each line, and no {chosen}", hint=hint, code="list-format")
        if checkpoints and contract:
            hint = "Pass one of the two."
            raise UsageError("both checkpoints and --contract are given", hint=hint, code="contract-and-checkpoints")
        if revision and not checkpoints:
            hint = 'Write revision = "..." in the contract, or pass the checkpoint.'
            raise UsageError("--revision is of checkpoints on the command line", hint=hint, code="contract-revision")
        expected = tuple(parse_expectation(item) for item in expect or ())
        cases = tuple(CheckCase(item) for item in text or ())
        if checkpoints:
            check_checkpoints(checkpoints)
            requests = [CheckRequest(ModelSource(name, revision, offline, timeout, refresh)) for name in checkpoints]
        else:
            requests = _contract_requests(contract, output, offline=offline)
        if listing:
            for request in requests:
                sys.stdout.writelines(f"{visible(line)}\n" for line in list_names(request))
            return ExitCode.OK
        how: dict[str, Any] = {"values": values, "run": run, "device": device_name(device), "fail_on": fail_on}
        with count_bytes(shown=values) as read:
            reports = check_all(
                (
                    replace(request, expect=request.expect + expected, cases=request.cases + cases, **how)
                    for request in requests
                ),
                read,
            )
        _print(reports, chosen, quiet=quiet)
        return exit_code(reports)

    return shown_in(output, action, opened=open_page)


def exit_code(reports: list[CheckReport]) -> int:
    """The code of the first checkpoint that cannot be read, else 1 where something fails."""
    errors = [report.error.exit_code for report in reports if report.error is not None]
    if errors:
        return errors[0]
    return ExitCode.OK if all(report.passed for report in reports) else ExitCode.FAILED


def _contract_requests(contract: Path | None, output: Path | None, *, offline: bool) -> list[CheckRequest]:
    path = contract or find_contract(Path())
    if path is None:
        raise UsageError(
            "there is nothing to check: no checkpoint, no bertshape.toml, no [tool.bertshape] in pyproject.toml",
            hint="Pass a checkpoint, or write a contract: bertshape snapshot CHECKPOINT -o bertshape.toml",
            code="contract-missing",
        )
    check_inputs_stay(output, [str(path)])
    return [request_from_contract(entry, offline=offline) for entry in read_contract(path)]


def _print(reports: list[CheckReport], chosen: str, *, quiet: bool) -> None:
    if chosen == "json":
        print_json(check_document(reports))
    elif chosen == "html":
        sys.stdout.write(page_of(reports))
    elif chosen in ("junit", "github", "gitlab", "sarif"):
        _print_for_ci(reports, chosen)
    else:
        # Rich takes 40 ms to import, a third of a check that prints JSON.
        from bertshape.render import check, tables

        console = open_console()
        signs = tables.signs_of(console)
        print_plain(console, check.render_checks(reports, console.width, quiet=quiet, signs=signs))


def _print_for_ci(reports: list[CheckReport], chosen: str) -> None:
    from bertshape.render import github, gitlab, junit, sarif

    root = _repository()
    if chosen == "junit":
        now = datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
        sys.stdout.write(junit.render_junit(reports, now, root))
        return
    if chosen in ("gitlab", "sarif"):
        sys.stdout.write((gitlab.render_gitlab if chosen == "gitlab" else sarif.render_sarif)(reports, root))
        return
    sys.stdout.write(github.render_annotations(reports, root))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with output_errors(summary), open(summary, "a", encoding="utf-8") as file:
            file.write(github.render_summary(reports))


def _repository() -> str:
    """Where CI has put the repository; elsewhere the working folder stands for it."""
    return os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR") or os.getcwd()
