"""What each task's head gives, predicted from config.json, and whether the checkpoint holds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.errors import CheckpointError
from bertshape.predict.heads import NUM_LABELS, load_head
from bertshape.predict.labels import read_labels, task_labels
from bertshape.predict.stored_head import read_stored_head
from bertshape.report.finding import Finding
from bertshape.report.report import OutputFacts, TaskFacts
from bertshape.shapes import BATCH_SIZE, SEQUENCE_LENGTH, TensorShape
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bertshape.checkpoint.checkpoint import Checkpoint
    from bertshape.predict.architecture import Architecture
    from bertshape.predict.heads import Head
    from bertshape.report.report import HeadVerdict
    from bertshape.tokens.batch import Tokenization

NUM_CHOICES, VOCAB_SIZE = "num_choices", "vocab_size"
_QUESTION_ANSWERING = "question-answering"
_AXES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sequence-classification": {"logits": (BATCH_SIZE, NUM_LABELS)},
    "token-classification": {"logits": (BATCH_SIZE, SEQUENCE_LENGTH, NUM_LABELS)},
    _QUESTION_ANSWERING: {
        "start_logits": (BATCH_SIZE, SEQUENCE_LENGTH),
        "end_logits": (BATCH_SIZE, SEQUENCE_LENGTH),
    },
    "masked-lm": {"logits": (BATCH_SIZE, SEQUENCE_LENGTH, VOCAB_SIZE)},
    "multiple-choice": {"logits": (BATCH_SIZE, NUM_CHOICES)},
    "next-sentence-prediction": {"logits": (BATCH_SIZE, NUM_LABELS)},
}


def predict_tasks(
    names: Sequence[str],
    checkpoint: Checkpoint,
    architecture: Architecture,
    tokenization: Tokenization,
    dtype: str,
    *,
    random: bool = False,
) -> dict[str, TaskFacts]:
    """Shapes of each head's outputs.

    Args:
        names: Tasks, as `select_tasks` gives them.
        checkpoint: For its labels, and the names of its stored tensors.
        architecture: Dimensions and family.
        tokenization: The batch. Its texts are the choices of one question for multiple-choice.
        dtype: Dtype of the parameters, and so of the outputs.
        random: Whether random weights run, so that no head is a stored one.
    """
    tasks = {}
    for name in names:
        head = load_head(architecture.model_type, name)
        if head is None:
            reason = f"transformers has no {name} head for {architecture.model_type}"
            tasks[name] = TaskFacts(None, None, (), {}, reason)
            continue
        failure = _cannot_run(head, checkpoint.config)
        if failure is not None:
            tasks[name] = TaskFacts(head.model_class, None, (), {}, failure)
            continue
        labels = task_labels(name, checkpoint.config)
        sizes = {
            BATCH_SIZE: 1 if name == "multiple-choice" else tokenization.batch_size,
            NUM_CHOICES: tokenization.batch_size,
            SEQUENCE_LENGTH: tokenization.sequence_length,
            NUM_LABELS: len(labels),
            VOCAB_SIZE: architecture.dimensions.vocab_size or 0,
        }
        outputs = {
            output: OutputFacts(TensorShape(axes, tuple(sizes[axis] for axis in axes), dtype))
            for output, axes in _AXES[name].items()
        }
        verdict = "random" if random else _stored(checkpoint, architecture, head)
        tasks[name] = TaskFacts(head.model_class, verdict, labels, outputs)
    return tasks


def _cannot_run(head: Head, config: Mapping[str, object]) -> str | None:
    """Why transformers fails with a head that it has."""
    try:
        count = len(read_labels(config))
    except CheckpointError as error:
        return error.message
    if head.task != _QUESTION_ANSWERING or not head.counts_labels or count == 2:
        return None
    # It makes as many outputs as there are labels, and takes them apart as begin and end.
    return f"{head.model_class} needs num_labels 2, for begin and end; config.json says {count}, and transformers fails"


def task_findings(tasks: Mapping[str, TaskFacts], checkpoint: Checkpoint, *, num_texts: int) -> Iterator[Finding]:
    """What a person should know before trusting the numbers of a head.

    Args:
        tasks: The heads, with what is known of them.
        checkpoint: Stored weights, whose class config.json declares.
        num_texts: Texts of the batch.
    """
    random = [name for name, task in tasks.items() if task.head == "random"]
    if random:
        yield Finding(
            "head-random",
            "warning",
            f"the weights hold no head for {', '.join(random)}: shapes are exact, numbers are random",
            "Fine-tune the head, or pass a checkpoint that was saved with it.",
        )
    partly = [name for name, task in tasks.items() if task.head == "partly_random"]
    if partly:
        yield Finding(
            "head-partly-random",
            "error",
            f"the weights hold the head for {', '.join(partly)} in part, or in another shape: the rest is random",
            "Check num_labels and id2label in config.json against the stored head.",
            where="config.json num_labels",
        )
    failing = {name: task.reason for name, task in tasks.items() if task.model_class is not None and task.reason}
    for name, reason in failing.items():
        if name == _QUESTION_ANSWERING:
            yield Finding(
                "head-fails", "warning", f"{name}: {reason}", "Correct id2label.", where="config.json id2label"
            )
    declared = checkpoint.config.get("architectures")
    classes = [name for name in declared if isinstance(name, str)] if isinstance(declared, list) else []
    for name, task in tasks.items():
        # ForPreTraining saves the heads of masked-lm and of next-sentence-prediction together.
        own = not classes or task.model_class in classes or any("PreTraining" in known for known in classes)
        if task.head == "stored" and not own and name != "masked-lm":
            yield Finding(
                "head-of-another-task",
                "warning",
                f"{name}: the stored head was saved as {classes[0]}, whose tensors have the names of "
                f"{task.model_class}: it loads, and its numbers mean something else",
                f"Load it as {classes[0]}.",
            )
    if "multiple-choice" in tasks and tasks["multiple-choice"].reason is None:
        texts = "the text is the only choice" if num_texts == 1 else f"the {counted(num_texts, 'text')} are the choices"
        yield Finding("choices", "note", f"multiple-choice: {texts} of one question")


def with_head(task: TaskFacts, *, missing: int, misfits: int, total: int) -> TaskFacts:
    """The same head with what loading showed.

    Args:
        task: The head.
        missing: How many of its parameters the weights did not fill.
        misfits: How many of these are there in another shape.
        total: How many it has.
    """
    if missing == 0:
        return replace(task, head="stored")
    return replace(task, head="random" if missing == total and not misfits else "partly_random")


def _stored(checkpoint: Checkpoint, architecture: Architecture, head: Head) -> HeadVerdict | None:
    """How much of a head is in the files; None where the names are not known without loading."""
    if checkpoint.headers is None:
        return None
    num_labels = len(read_labels(checkpoint.config)) if head.counts_labels else 2
    stored = read_stored_head(head, architecture, checkpoint.headers.tensors, num_labels)
    if stored.absent:
        return "random"
    return "stored" if stored.whole else "partly_random"
