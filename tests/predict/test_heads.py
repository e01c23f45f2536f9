"""Task heads: the table held to transformers, shapes predicted and observed, and heads that are not in the weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from transformers.models.auto import modeling_auto

from bertshape import inspect_texts
from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import UsageError
from bertshape.predict.family import family_names, load_family
from bertshape.predict.head_outputs import LABELLED, stored_labels
from bertshape.predict.heads import TASKS, load_head, select_tasks
from tests.support.checkpoints import FAMILIES, edited_copy
from tests.tools.make_family import tiny_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bertshape.report.report import TaskFacts
    from tests.conftest import Run

MAPPINGS: dict[str, Any] = {
    "sequence-classification": modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
    "token-classification": modeling_auto.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES,
    "question-answering": modeling_auto.MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES,
    "masked-lm": modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    "multiple-choice": modeling_auto.MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES,
    "next-sentence-prediction": modeling_auto.MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES,
}
TEXTS = ["one", "Two words.", "Three words here."]


@pytest.mark.parametrize("name", family_names())
def test_the_table_is_that_of_transformers(name: str) -> None:
    """Which heads there are, their classes, and where their own tensors lie."""
    for task in TASKS:
        head, expected = load_head(name, task), MAPPINGS[task].get(name)
        expected = expected[0] if isinstance(expected, tuple) else expected
        assert (head.model_class if head else None) == expected, task


@pytest.mark.parametrize("name", [name for name in family_names() if load_head(name, "token-classification")])
def test_a_head_owns_what_the_model_does_not(name: str) -> None:
    family = load_family(name)
    assert family is not None
    config = tiny_config(name)
    for head in filter(None, (load_head(name, task) for task in TASKS)):
        with torch.device("meta"):
            model = getattr(transformers, head.model_class)(config)
        names = [key for key, _ in model.named_parameters(remove_duplicate=False)]
        outside = {key for key in names if not key.startswith(f"{model.base_model_prefix}.")}
        assert outside == {key for key in names if head.owns(key)}
        # Every prefix is of use.
        assert all(any(key.startswith(prefix) for key in outside) for prefix in head.prefixes)


def sizes(task: TaskFacts) -> dict[str, tuple[int, ...]]:
    return {name: output.shape.sizes for name, output in task.outputs.items()}


@pytest.mark.parametrize("family", FAMILIES)
def test_predicted_and_observed_shapes_agree(family: str, tiny: Callable[[str], Path]) -> None:
    """In every family, for all tasks at once: a finding tells where they do not."""
    model = str(tiny(family))
    predicted = inspect_texts(TEXTS, model=model, weights="none", tasks=["all"])
    observed = inspect_texts(TEXTS, model=model, tasks=["all"])
    assert list(observed.tasks) == list(TASKS)
    assert not [finding for finding in observed.findings if finding.severity == "error"]
    for name, task in observed.tasks.items():
        assert sizes(task) == sizes(predicted.tasks[name])
        assert task.reason == predicted.tasks[name].reason
        assert {output.evidence for output in task.outputs.values()} <= {"observed"}
    length = observed.tokenization.sequence_length
    assert sizes(observed.tasks["token-classification"]) == {"logits": (3, length, 2)}
    assert sizes(observed.tasks["multiple-choice"]) == {"logits": (1, 3)}
    assert sizes(observed.tasks["question-answering"]) == {"start_logits": (3, length), "end_logits": (3, length)}
    vocabulary = observed.checkpoint.dimensions["vocab_size"]
    assert sizes(observed.tasks["masked-lm"]) == {"logits": (3, length, vocabulary)}


def with_head(folder: Path, source: Path, model_class: str, **options: Any) -> Path:
    """The source checkpoint saved again with a trained head."""
    model = getattr(transformers, model_class).from_pretrained(source, **options)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((source / name).read_bytes())
    return folder


LABELS = {0: "NEGATIVE", 1: "NEUTRAL", 2: "POSITIVE"}


def test_a_stored_head_is_found_and_gives_its_numbers(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = with_head(tmp_path / "m", tiny("bert"), "BertForSequenceClassification", id2label=LABELS)
    out = tmp_path / "out.safetensors"
    report = inspect_texts(TEXTS, model=str(folder), tasks=["sequence-classification"], save=out)
    task = report.tasks["sequence-classification"]
    assert (task.head, task.labels, sizes(task)) == ("stored", tuple(LABELS.values()), {"logits": (3, 3)})
    assert not [finding for finding in report.findings if finding.code.startswith("head")]
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        expected = model(**tokenizer(TEXTS, padding=True, return_tensors="pt")).logits
    torch.testing.assert_close(load_file(out)["sequence-classification.logits"], expected)


def test_a_head_that_is_not_stored_is_said_to_be_random(minilm: Path) -> None:
    for weights in ("none", "checkpoint"):
        report = inspect_texts("a b", model=str(minilm), tasks=["all"], weights=weights)
        assert {task.head for task in report.tasks.values()} == {"random"}
        message = next(finding.message for finding in report.findings if finding.code == "head-random")
        assert all(name in message for name in TASKS)
        assert not report.failed


def test_random_weights_are_said_once() -> None:
    report = inspect_texts("a b", model="embedded:bert-tiny-uncased", tasks=["masked-lm"])
    assert report.tasks["masked-lm"].head == "random"
    assert [finding.code for finding in report.findings] == ["random-weights"]


def test_a_head_of_another_task_is_told(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """`classifier.weight` of a sentence classifier loads into a token classifier without a word."""
    folder = with_head(tmp_path / "m", tiny("bert"), "BertForSequenceClassification", id2label=LABELS)
    report = inspect_texts("a b", model=str(folder), tasks=["token-classification"])
    assert report.tasks["token-classification"].head == "stored"
    finding = next(finding for finding in report.findings if finding.code == "head-of-another-task")
    assert "BertForSequenceClassification" in finding.message


def test_a_head_of_another_size_is_an_error(
    tiny: Callable[[str], Path], tmp_path: Path, bertshape: Callable[..., Run]
) -> None:
    source = with_head(tmp_path / "m", tiny("bert"), "BertForSequenceClassification", id2label=LABELS)
    folder = edited_copy(source, tmp_path / "edited", id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1})
    for weights in ("none", "checkpoint"):
        report = inspect_texts("a b", model=str(folder), tasks=["sequence-classification"], weights=weights)
        assert report.failed
        assert any(finding.code == "head-partly-random" for finding in report.findings)
    done = bertshape("check", str(folder))
    assert done.returncode == 1
    assert "says 2 labels, the stored head of BertForSequenceClassification has 3" in " ".join(done.stdout.split())
    assert bertshape("check", str(source)).returncode == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_stored_labels_are_counted_in_every_family(family: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    checkpoints = {}
    for task in LABELLED:
        head = load_head(family, task)
        assert head is not None
        folder = with_head(tmp_path / task, tiny(family), head.model_class, id2label=LABELS | {3: "OTHER", 4: "LAST"})
        checkpoints[task] = stored_labels(open_checkpoint(str(folder)), head)
    assert checkpoints == dict.fromkeys(LABELLED, 5)


def test_a_masked_lm_head_shares_the_word_embeddings(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Its decoder is not stored a second time, and is not random for that."""
    folder = with_head(tmp_path / "m", tiny("bert"), "BertForMaskedLM")
    report = inspect_texts("a b", model=str(folder), tasks=["masked-lm", "next-sentence-prediction"])
    assert (report.tasks["masked-lm"].head, report.tasks["next-sentence-prediction"].head) == ("stored", "random")


def test_question_answering_has_two_outputs_whatever_the_labels(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """With three labels transformers itself fails to tell begin from end."""
    folder = with_head(tmp_path / "m", tiny("bert"), "BertForSequenceClassification", id2label=LABELS)
    report = inspect_texts("a b", model=str(folder), tasks=["question-answering"])
    assert set(sizes(report.tasks["question-answering"])) == {"start_logits", "end_logits"}
    assert not report.failed


def test_a_family_without_the_head_says_so(tiny: Callable[[str], Path]) -> None:
    report = inspect_texts("a b", model=str(tiny("roberta")), tasks=["next-sentence-prediction"], weights="none")
    assert report.tasks["next-sentence-prediction"].reason == (
        "transformers has no next-sentence-prediction head for roberta"
    )


def test_tasks_are_chosen_by_name() -> None:
    assert select_tasks(["all"]) == TASKS
    assert select_tasks(["masked-lm", "sequence-classification", "masked-lm"]) == (TASKS[0], "masked-lm")
    with pytest.raises(UsageError, match="no task 'masked_lm'") as caught:
        select_tasks(["masked_lm"])
    assert caught.value.hint == "Did you mean masked-lm?"


def test_names_of_labels_are_data(bertshape: Callable[..., Run], tiny: Callable[[str], Path], tmp_path: Path) -> None:
    labels = {"0": "[red]x[/red]", "1": "\x1b[31m", "10": "ten", "2": "two"}
    folder = edited_copy(tiny("bert"), tmp_path / "m", id2label=labels)
    command = ("inspect", "a", "--model", str(folder), "--weights", "none", "--task", "sequence-classification")
    shown = bertshape(*command, columns=160).stdout
    assert "[red]x[/red], \\x1b[31m, two, ten" in shown
    document = json.loads(bertshape(*command, "--json").stdout)
    assert document["tasks"]["sequence-classification"]["labels"] == ["[red]x[/red]", "\x1b[31m", "two", "ten"]
    assert document["tasks"]["sequence-classification"]["outputs"]["logits"]["shape"] == [1, 4]
