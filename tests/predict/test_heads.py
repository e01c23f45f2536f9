"""Task heads: the table compared with transformers, shapes, and heads that are not in the weights."""

from __future__ import annotations

import importlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from transformers.models.auto import modeling_auto

from bertshape import inspect_texts
from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import UsageError
from bertshape.predict.config import resolve
from bertshape.predict.family import family_names, load_family
from bertshape.predict.heads import TASKS, head_classes, head_of_class, load_head, select_tasks
from bertshape.predict.labels import LABELLED
from bertshape.predict.stored_head import read_stored_head
from bertshape.predict.tensor_names import BUFFERS
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
def test_the_table_has_the_tasks_of_transformers(name: str) -> None:
    """Which heads there are, and their classes."""
    for task in TASKS:
        head, expected = load_head(name, task), MAPPINGS[task].get(name)
        family = load_family(name)
        if family is not None and family.whole_classes:
            expected = None  # Its classes run the decoder, or part of it.
        expected = expected[0] if isinstance(expected, tuple) else expected
        assert (head.model_class if head else None) == expected, task


# Keys that no family has under one name, sizes that no other key has, and other forms of a family's heads.
_OWN_SIZES: dict[str, dict[str, Any]] = {
    "deberta": {"pooler_hidden_size": 34},
    "deberta-v2": {"pooler_hidden_size": 34},
    "luke": {"entity_emb_size": 22},
    "rembert": {"output_embedding_size": 26},
}
_OTHER_FORMS: dict[str, tuple[dict[str, Any], ...]] = {
    "deberta": ({"legacy": False},),
    "deberta-v2": ({"legacy": False},),
    "electra": ({"summary_use_proj": False},),
    "flaubert": ({"summary_proj_to_labels": False}, {"summary_use_proj": False}),
    "modernbert": ({"classifier_bias": True, "norm_bias": True}, {"decoder_bias": False}),
    "xlm": ({"summary_proj_to_labels": False},),
    "xlnet": ({"summary_use_proj": False}, {"summary_proj_to_labels": True}),
}
FORMS: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in family_names()] + [
    (name, changes) for name, forms in _OTHER_FORMS.items() for changes in forms
]
_LABELS = 9


def classes_with_heads(name: str) -> dict[str, Any]:
    """Classes of a family's module in transformers that put something on the base model, by name."""
    family = load_family(name)
    assert family is not None
    module = importlib.import_module(f"transformers.models.{family.module}.modeling_{family.file}")
    if family.whole_classes:
        return {}
    return {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, transformers.PreTrainedModel)
        and value.__module__ == module.__name__
        # Gemma3's module has the model of images too.
        and (value.config_class is None or value.config_class.__name__ == family.config_class)
        and re.search(r"(For[A-Z]\w+|LMHeadModel|GenerationDecoder)$", key)
    }


@pytest.mark.parametrize(("name", "changes"), FORMS)
def test_heads_are_those_of_transformers(name: str, changes: dict[str, Any]) -> None:
    """Every class: names, shapes and ties of what it puts on the base model, and whether it has a pooler."""
    classes = classes_with_heads(name)
    assert set(classes) == set(head_classes(name))
    for model_class, build in classes.items():
        # Built anew: some classes write into their configuration.
        count = 2 if model_class == "DistilBertForQuestionAnswering" else _LABELS
        config = tiny_config(name, num_labels=count, **_OWN_SIZES.get(name, {}), **changes)
        architecture = resolve(json.loads(config.to_json_string()), "config.json")
        head, backbone = head_of_class(name, model_class), architecture.expected_tensors()
        assert head is not None
        assert backbone is not None
        with torch.device("meta"):
            model = build(config)
        prefix = f"{model.base_model_prefix}."
        own = {key.removeprefix(prefix): tuple(value.shape) for key, value in model.state_dict().items()}
        outside = {key: shape for key, shape in own.items() if key not in backbone and "position_ids" not in key}
        assert head.expected_tensors(architecture, count) == {
            key: shape for key, shape in outside.items() if not BUFFERS.search(key)
        }
        assert head.tied_tensors(architecture) == {
            key: source.removeprefix(prefix) for key, source in model.all_tied_weights_keys.items()
        }
        assert (head.pooler is not None) == any(key.startswith("pooler.") for key in set(own) - set(head.names))
        assert head.counts_labels or not any(count in shape for shape in outside.values())


@pytest.mark.parametrize("name", [name for name in family_names() if head_classes(name)])
def test_a_pooler_that_is_called_idle_is(name: str) -> None:
    """The numbers of a head follow its pooler exactly where the table says that it is used."""
    for model_class, build in classes_with_heads(name).items():
        head = head_of_class(name, model_class)
        if head is None or head.pooler is None or "Entity" in model_class:
            continue  # LUKE's entity classes want entities.
        torch.manual_seed(0)
        model = build(tiny_config(name, pad_token_id=0)).eval()
        ids = torch.full((1, 2, 8) if head.task == "multiple-choice" else (2, 8), 5)
        ids[..., -3:] = 2  # Longformer finds the end of a question by three separators.
        with torch.no_grad():
            before = model(input_ids=ids)
            next(value for key, value in model.named_parameters() if ".pooler." in key).add_(1.0)
            after = model(input_ids=ids)
        changed = [key for key in before if not torch.equal(before[key], after[key])]
        assert ("used" if changed else "idle") == head.pooler, model_class


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
        checkpoint = open_checkpoint(str(folder))
        assert checkpoint.headers is not None
        architecture = resolve(checkpoint.config, checkpoint.config_path)
        checkpoints[task] = read_stored_head(head, architecture, checkpoint.headers.tensors, 2).labels
    assert checkpoints == dict.fromkeys(LABELLED, 5)


def test_a_masked_lm_head_shares_the_word_embeddings(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Its decoder is not stored a second time, and is not random for that."""
    folder = with_head(tmp_path / "m", tiny("bert"), "BertForMaskedLM")
    report = inspect_texts("a b", model=str(folder), tasks=["masked-lm", "next-sentence-prediction"])
    assert (report.tasks["masked-lm"].head, report.tasks["next-sentence-prediction"].head) == ("stored", "random")


def test_question_answering_needs_two_labels_and_leaves_other_rows(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """With three labels transformers itself fails to take begin and end apart."""
    folder = with_head(tmp_path / "m", tiny("bert"), "BertForSequenceClassification", id2label=LABELS)
    report = inspect_texts("a b", model=str(folder), tasks=["question-answering", "sequence-classification"])
    row = report.tasks["question-answering"]
    assert (dict(row.outputs), row.reason) == (
        {},
        "BertForQuestionAnswering needs num_labels 2, for begin and end; config.json says 3, and transformers fails",
    )
    assert sizes(report.tasks["sequence-classification"]) == {"logits": (1, 3)}
    assert "head-fails" in {finding.code for finding in report.findings}
    assert not report.failed
    model = transformers.BertForQuestionAnswering.from_pretrained(folder)
    with pytest.raises(ValueError, match="too many values to unpack"):
        model(torch.ones((1, 3), dtype=torch.int64))


def test_a_family_without_the_head_says_so(tiny: Callable[[str], Path]) -> None:
    report = inspect_texts("a b", model=str(tiny("roberta")), tasks=["next-sentence-prediction"], weights="none")
    assert report.tasks["next-sentence-prediction"].reason == (
        "transformers has no next-sentence-prediction head for roberta"
    )


def test_tasks_are_chosen_by_name() -> None:
    assert select_tasks(["all"]) == TASKS
    assert select_tasks(["masked-lm", "sequence-classification", "masked-lm"]) == (TASKS[0], "masked-lm")
    assert select_tasks(["masked_lm"]) == ("masked-lm",)
    with pytest.raises(UsageError, match="no task 'masked-lmm'") as caught:
        select_tasks(["masked-lmm"])
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
