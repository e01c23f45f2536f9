"""The commands as data: their groups, first lines, examples and pages, and the panels of their options."""

from __future__ import annotations

from dataclasses import dataclass

PAGES = "https://github.com/bertshape/bertshape/blob/main/docs"
"""Where the pages stand."""


@dataclass(frozen=True)
class About:
    """What the help says of a command.

    Attributes:
        group: Group in the list of commands.
        summary: Its first line.
        examples: Command lines that work, each with what it does.
        page: Its page in docs/, without the ending.
    """

    group: str
    summary: str
    examples: tuple[tuple[str, str], ...]
    page: str


_LOOK, _GUARD, _MANY, _REFERENCE = "Look", "Guard", "Many texts", "Reference"

COMMANDS = {
    "inspect": About(
        _LOOK,
        "Show the tokens, outputs and pooled vectors of texts.",
        (
            ('bertshape inspect "This is an example sentence."', "the embedded default, no download"),
            ('bertshape inspect "A text." -m ./my-model', "your own checkpoint"),
            ('bertshape inspect "A text." "Another one." -p cls,mean', "a padded batch, two strategies"),
            ('bertshape inspect "A text." -m ./my-model --open', "a picture of the shapes, in the browser"),
            ('bertshape inspect "A text." -m ./my-model --json | jq .pooled.mean.shape', "for another program"),
        ),
        "options",
    ),
    "memory": About(
        _LOOK,
        "Show how much memory a model takes, without running it.",
        (
            ("bertshape memory ./my-model", "32 texts of 512 tokens, in inference and in training"),
            ("bertshape memory ./my-model --batch-size 8 --length 128", "another batch"),
            ("bertshape memory ./my-model --fit 24GB", "and the largest batch that fits"),
        ),
        "memory",
    ),
    "diff": About(
        _LOOK,
        "Show what differs between two checkpoints.",
        (
            ("bertshape diff ./before ./after", "dimensions, tokenizer, pooling, tensors"),
            ("bertshape diff ./my-model bertshape.toml", "a checkpoint and a contract"),
            ('bertshape diff ./before ./after --text "A text."', "and what both give for a text"),
        ),
        "check",
    ),
    "check": About(
        _GUARD,
        "Check checkpoints: soundness, and what you expect.",
        (
            ("bertshape check ./my-model", "soundness, in a fraction of a second"),
            ("bertshape check ./my-model -e hidden_size=384 -e pooling=mean", "and what you expect"),
            ("bertshape check", "what bertshape.toml says, in CI"),
        ),
        "check",
    ),
    "snapshot": About(
        _GUARD,
        "Write the contract of a checkpoint for `check`.",
        (
            ("bertshape snapshot ./my-model -o bertshape.toml", "what it is now, in a file to commit"),
            ("bertshape snapshot ./my-model -o bertshape.toml --update", "the file after a change on purpose"),
        ),
        "check",
    ),
    "embed": About(
        _MANY,
        "Write one vector for every text of a file.",
        (
            ("bertshape embed corpus.txt -m ./my-model -o vectors.npz", "as the checkpoint declares"),
            ("bertshape embed corpus.txt -m ./my-model -p cls,mean -o vectors.safetensors", "two strategies at once"),
        ),
        "embed",
    ),
    "which": About(
        _MANY,
        "Find out how vectors were made: pooling, layers, prompt, cut.",
        (
            ("bertshape which vectors.npy --texts texts.txt -m ./my-model", "the recipe, and what reproduces it"),
            (
                "bertshape which vectors.npz --texts texts.txt -m ./my-model --declared",
                "1 unless it is the declared one",
            ),
            ("bertshape which --probes -m ./my-model -o probes.txt", "texts that tell recipes apart"),
            ("bertshape which probes.npy -m ./my-model", "vectors of these texts, made by somebody"),
        ),
        "which",
    ),
    "profile": About(
        _MANY,
        "Show what shapes a corpus will produce.",
        (
            ("bertshape profile corpus.jsonl -m ./my-model", "lengths, cuts, padding, bytes"),
            ("bertshape profile shards/*.parquet --json > profile.json", "counts that can be added up"),
        ),
        "profile",
    ),
    "families": About(
        _REFERENCE, "List the model families of the table.", (("bertshape families", "what differs"),), "families"
    ),
    "poolings": About(
        _REFERENCE, "List every pooling strategy.", (("bertshape poolings", "formula, axes, source"),), "poolings"
    ),
    "doctor": About(
        _REFERENCE,
        "Show whether bertshape works here, and why not.",
        (
            ("bertshape doctor", "the verdict and the problems"),
            ("bertshape doctor --all", "everything"),
            ("bertshape doctor --json", "for a bug report"),
        ),
        "doctor",
    ),
    "schema": About(
        _REFERENCE,
        "Print the JSON Schema of what --json prints.",
        (("bertshape schema inspect > inspect.schema.json", "one document"),),
        "json",
    ),
}
"""The commands in the order of the help; `NAME_command` of the module `cli/NAME.py` is the function of each."""

_PANELS = {
    "Arguments": "texts vectors file files checkpoint checkpoints before after document",
    "Checkpoint": "model revision offline weights dry_run contract refresh timeout",
    "Texts": (
        "probes text_file vector_column sample pair input_file input_format text text_column pair_column id_column "
        "on_error prompt no_prompt prompt_name max_length truncation padding batch_size length merge"
    ),
    "Run": "device dtype run verify allow_unsound no_torch",
    "Expect": "fit declared tolerance expect values fail_on max_cut max_drift listing",
    "Show": (
        "pooling hidden_states attentions layers stats words task truncate_dim "
        "explain all_tokens no_tokens everything quiet"
    ),
    "Output": "output save save_only as_json output_format open_page force update debug help",
}
PANEL_OF = {name: panel for panel, names in _PANELS.items() for name in names.split()}
"""Panel of each option and argument, by the name of its parameter."""
PANEL_ORDER = {panel: number for number, panel in enumerate(_PANELS, start=1)}
"""Where a panel stands in the help."""
