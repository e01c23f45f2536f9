"""The documents that bertshape prints, each by its name."""

from __future__ import annotations

from bertshape.report.schema.building import (
    Schema,
    array,
    choice,
    constant,
    mapping,
    nullable,
    number,
    part,
    record,
    several,
    text,
    whole,
    yes_no,
)
from bertshape.report.schema.texts import DIMENSIONS, POOLER, SEQUENCE, WEIGHTS, WORDS
from bertshape.report.to_dict import SCHEMA_VERSION

LENGTHS = ("positions", "positions - pad_token_id - 1", "unbounded")
STATES = ("ok", "note", "warning", "error")

_VERSION: dict[str, Schema] = {
    "schema_version": constant("Version of this schema.", SCHEMA_VERSION),
}
_BERTSHAPE: dict[str, Schema] = {"bertshape": text("Version of bertshape that printed it.", least=1)}
_OK: dict[str, Schema] = {"ok": constant("There is an answer; whether it is good is in the answer.", True)}
_ENVELOPE = _VERSION | _OK | _BERTSHAPE
_FINDINGS: dict[str, Schema] = {
    "findings": array("What a person should know; empty where all is sound.", part("finding", "A finding."))
}
_FAILURE = part("failure", "Why there is no answer.")

_SHARED: dict[str, Schema] = {
    "inputs": part("inputs", "What the model is given."),
    "outputs": mapping("What the model gives, by name.", part("output", "An output.")),
    "pooled": mapping("The vector of each pooling strategy, by its name.", part("pooled_vector", "A vector.")),
    "embedding": nullable(
        array(
            "The steps of a sentence-transformers checkpoint; null for others.",
            part("embedding_step", "A step."),
            least=1,
        )
    ),
}
_ASKED_FOR: dict[str, Schema] = {
    "tasks": mapping("Task heads, by task; with --task.", part("task_head", "A head.")),
    "layers": part("layer", "The shapes inside the model; with --layers, where they are known."),
}


def _inspect() -> Schema:
    return record(
        "The report of `inspect --json`.",
        {
            **_ENVELOPE,
            "checkpoint": part("checkpoint", "The checkpoint."),
            "run": part("run", "Whether and where the model was run."),
            "sequences": array("The texts, in order.", part("sequence", "A text."), least=1),
            **_SHARED,
            **_FINDINGS,
        },
        optional=_ASKED_FOR,
    )


def _record() -> Schema:
    source: dict[str, Schema] = {
        "line": whole("Number of the text's line in the file; with --input.", 1),
        "id": {"description": "The id that the file gives the text, or null.", "type": ["string", "integer", "null"]},
    }
    schema = record(
        "A line of `inspect --format jsonl`: a text, and the shapes of the batch it ran in.",
        {
            **_VERSION,
            **_OK,
            "index": whole("Number of the text, from 0."),
            "model": text("The checkpoint's name, as it was given.", least=1),
            **SEQUENCE,
            **_SHARED,
            **_FINDINGS,
        },
        optional={**source, **WORDS, **_ASKED_FOR},
    )
    return schema | {"dependentRequired": {"line": ["id"], "id": ["line"]}}


def _facts() -> Schema:
    size = "{}; null where the files do not say."
    return record(
        "The checkpoint in names and numbers, as expectations name them.",
        {
            "model_type": text("Family, as config.json names it.", least=1),
            "architecture": nullable(text("Class that config.json declares first.")),
            **DIMENSIONS,
            "max_length": nullable(whole("Tokens that a text may have; null for no limit.")),
            "tokenizer_size": nullable(whole("Tokens that the tokenizer knows; null where it was not loaded.")),
            "pooling": nullable(text("Declared pooling; null where none is declared.", least=1)),
            "embedding_dimension": nullable(whole(size.format("Size of the sentence embedding"), 1)),
            "pooler": POOLER,
            "dtype": nullable(text("Dtype of the stored parameters; null without weights.", least=1)),
            "parameters": nullable(whole("Parameters of the base model; null where the family is not known.")),
        },
    )


def _checked() -> Schema:
    outcome = record(
        "One thing that was checked.",
        {
            "name": text("What was checked, as a person wrote it.", least=1),
            "passed": yes_no("Whether it holds."),
            "problems": array("A line for each thing that is not as expected.", text("A line.", least=1)),
        },
    )
    unread = "{}; null without readable headers."
    tensors = {
        "stored": nullable(whole(unread.format("Tensors in the weight files"))),
        "backbone": nullable(whole(unread.format("Those of the model without heads"))),
    }
    sizes = {
        "read": nullable(whole(unread.format("Bytes of the weight files that were read for the check"))),
        "weights": nullable(whole(unread.format("Bytes of the weight files"))),
    }
    name = {"name": text("The checkpoint, as it was given.", least=1)}
    return several(
        "A checkpoint's verdict, or why it cannot be read.",
        record(
            "A verdict.",
            {
                **name,
                "passed": yes_no("Whether everything holds."),
                "facts": _facts(),
                "tensors": record("Number of stored tensors.", tensors),
                "bytes": record("Sizes.", sizes),
                **_FINDINGS,
                "outcomes": array("Everything that was checked, soundness first.", outcome, least=1),
            },
        ),
        record("No verdict.", {**name, "passed": constant("It does not pass.", False), "error": _FAILURE}),
    )


def _check() -> Schema:
    return record(
        "The verdicts of `check --json`.",
        {
            **_ENVELOPE,
            "passed": yes_no("Whether every checkpoint passes."),
            "checkpoints": array("The checkpoints, in order.", part("checked", "A checkpoint.")),
        },
    )


def _diff() -> Schema:
    scalar: Schema = {
        "description": "A name or a number; null where a side lacks it.",
        "type": ["string", "integer", "null"],
        "minimum": 0,
    }
    shape = nullable(text("Sizes such as [30522, 384]; null where a side lacks the tensor.", least=1))
    pairs = {"least": 2, "most": 2}
    return record(
        "What `diff --json` found.",
        {
            **_ENVELOPE,
            "before": text("The first side, as it was given.", least=1),
            "after": text("The second side, as it was given.", least=1),
            "same": yes_no("Whether nothing differs."),
            "differences": mapping("Facts that differ, by name.", array("The value of each side.", scalar, **pairs)),
            "equal": mapping("Facts that do not, by name.", scalar),
            "tensors": mapping(
                "Stored tensors that differ, by name, those of several layers in one.",
                array("The shape on each side.", shape, **pairs),
            ),
            "same_tensors": whole("Number of tensors that do not differ."),
            "tokens_differing": nullable(whole("Tokens with another id; null where a side is a contract.")),
            "tokenizer_differs": nullable(yes_no("Whether the tokenizer files differ; null where not known.")),
        },
    )


def _families() -> Schema:
    row = record(
        "A family.",
        {
            "pooler": yes_no("Whether it gives a pooler_output."),
            "token_type_ids": yes_no("Whether it takes them."),
            "length": choice("How many tokens fit.", *LENGTHS),
            "unbounded_when": nullable(text("Condition under which that does not hold.", least=1)),
            "outputs": array("Outputs besides hidden_states.", text("Name of an output.", least=1), least=1),
            "observed_only": array("Those that may be known only by running.", text("Name of an output.", least=1)),
        },
    )
    rows = mapping("The families, by the model_type of config.json.", row)
    return record("The table of `families --json`.", {**_ENVELOPE, "families": rows})


def _poolings() -> Schema:
    row = record(
        "A strategy.",
        {
            "axes": array("Names of the axes of what it gives.", text("Name of an axis.", least=1), least=1),
            "formula": text("How it is computed.", least=1),
            "over": text("What it averages or chooses from.", least=1),
            "source": text("Where it comes from.", least=1),
        },
    )
    fields = {
        "grammar": text("How strategies are written, layers and combinations included.", least=1),
        "poolings": mapping("The strategies, by name.", row),
    }
    return record("The table of `poolings --json`.", {**_ENVELOPE, **fields})


def _embed() -> Schema:
    return record(
        "What `embed --json` wrote.",
        {
            **_ENVELOPE,
            "name_or_path": text("The checkpoint, as it was given.", least=1),
            "weights": choice("Weights that ran.", *(name for name in WEIGHTS if name != "none")),
            "path": text("The file.", least=1),
            "written": yes_no("Whether it was written; not where the model is unsound."),
            "device": nullable(text("Device that ran; null where nothing ran.", least=1)),
            "texts": whole("How many texts it holds a vector of."),
            "cut": whole("How many of them were cut."),
            "tokens": whole("How many tokens they have."),
            "padding": whole("How many positions were padding."),
            "batches": whole("How many forward passes ran."),
            "seconds": number("What tokenization and these took."),
            "saved": mapping("The arrays in the file, by name.", part("saved_array", "An array.")),
            "findings": array("What a person should know; empty where all is sound.", part("finding", "A finding.")),
        },
    )


def _doctor() -> Schema:
    fact = record(
        "A fact about this machine.",
        {
            "area": text("What it belongs to, such as devices.", least=1),
            "name": text("What it is.", least=1),
            "value": text("What was found."),
            "state": choice("How good that is.", *STATES),
            "meaning": text("What it means for bertshape, or what to do about it.", least=1),
            "numbers": mapping("What value says for people, exactly.", number("A number.")),
        },
    )
    fields = {
        "usable": yes_no("Whether bertshape works here; the exit code says the same."),
        "facts": array("The facts, area after area.", fact, least=1),
    }
    return record("What `doctor --json` found.", {**_ENVELOPE, **fields})


def _error() -> Schema:
    failed = constant("There is no answer.", False)
    return record(
        "What every command prints with --json where it cannot answer.",
        {**_VERSION, "ok": failed, **_BERTSHAPE, "error": _FAILURE},
    )


def _profile() -> Schema:
    fields = {
        "profile": part("counted", "The counts."),
        "summary": part("summary", "What follows from the counts."),
    }
    return record("What `profile --json` counted.", {**_ENVELOPE, **fields})


PARTS: dict[str, Schema] = {"checked": _checked()}
DOCUMENTS: dict[str, Schema] = {
    "inspect": _inspect(),
    "record": _record(),
    "check": _check(),
    "diff": _diff(),
    "embed": _embed(),
    "profile": _profile(),
    "families": _families(),
    "poolings": _poolings(),
    "doctor": _doctor(),
    "error": _error(),
}
