"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from bertshape.cli.completion import complete_device, complete_model


def listed(values: Sequence[str] | None) -> tuple[str, ...]:
    """What a repeatable option names, several by comma in one; `all` stands for none named, which means all."""
    names = tuple(name.strip() for value in values or () for name in value.split(","))
    return () if names == ("all",) else names


def listed_tasks(values: Sequence[str] | None) -> tuple[str, ...]:
    """Tasks that a repeatable option names, several by comma in one."""
    return tuple(name.strip() for value in values or () for name in value.split(","))


RunnableChoice = Literal["checkpoint", "random"]
WeightsChoice = Literal["checkpoint", "random", "none"]
DTypeChoice = Literal["auto", "float32", "float16", "bfloat16"]
PaddingChoice = Literal["longest", "max_length", "none"]
OnErrorChoice = Literal["stop", "skip"]
TableChoice = Literal["table", "json"]
InputFormatChoice = Literal["txt", "jsonl", "csv", "tsv", "parquet"]

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="DIR|HUB_ID",
        help="Checkpoint: a folder, a Hub id, or embedded:NAME.  [default: embedded:bert-base-uncased]",
        autocompletion=complete_model,
    ),
]
Revision = Annotated[str | None, typer.Option(help="Branch, tag or commit of a Hub repository.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use the Hub's local cache alone.")]
Timeout = Annotated[
    float | None,
    typer.Option(min=1, metavar="SECONDS", help="Time for the small files from the Hub.  [default: 120]"),
]
Refresh = Annotated[bool, typer.Option("--refresh", help="Fetch the small files from the Hub again.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Device = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Where to run: auto, cpu, cuda, cuda:N, gpu, N or mps.", autocompletion=complete_device
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Same as --format json.")]
TableFormat = Annotated[TableChoice, typer.Option("--format", help="How to print it.")]
ReportFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the report to a file; its ending names the format."),
]
OpenPage = Annotated[bool, typer.Option("--open", help="Write the report as a page, and open it in the browser.")]
MaxLength = Annotated[int | None, typer.Option(min=1, help="Tokens a text may have; cuts longer ones.")]
Truncation = Annotated[
    bool | None,
    typer.Option("--truncation/--no-truncation", help="Cut texts that are too long.  [default: if --max-length]"),
]
PromptName = Annotated[
    str | None,
    typer.Option("--prompt-name", metavar="NAME", help="Put this prompt of the checkpoint before each text."),
]
Prompt = Annotated[str | None, typer.Option("--prompt", metavar="TEXT", help="Put TEXT before each text.")]
NoPrompt = Annotated[bool, typer.Option("--no-prompt", help="Put no prompt there, not even the checkpoint's default.")]
TruncateDim = Annotated[int | None, typer.Option(min=1, help="Cut the sentence embedding to N numbers.")]
DType = Annotated[DTypeChoice, typer.Option(help="Dtype of the parameters; auto: as transformers loads them.")]
InputFormat = Annotated[
    InputFormatChoice | None, typer.Option(help="Format of the texts.  [default: by the ending of the file]")
]
TextColumn = Annotated[str, typer.Option(metavar="NAME", help="Column, or key of JSON lines, of the texts.")]
PairColumn = Annotated[
    str | None, typer.Option(metavar="NAME", help="The same of second texts.  [default: pair, if there is one]")
]
IdColumn = Annotated[
    str | None, typer.Option(metavar="NAME", help="The same of the ids of texts.  [default: id, if there is one]")
]
OnError = Annotated[
    OnErrorChoice,
    typer.Option(help="At a line without a text, or one that is too long: stop, or skip it and exit with 1."),
]
MaxCut = Annotated[
    str | None, typer.Option(metavar="N%", help="Fail where a limit cuts more than this share of the texts.")
]
