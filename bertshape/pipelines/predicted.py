"""A batch -> its report without a run: every shape predicted, every finding that needs no run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bertshape.checkpoint.checkpoint import steps_without_weights
from bertshape.pipelines.model import needs_own_code
from bertshape.predict.from_headers import read_headers
from bertshape.predict.head_outputs import predict_tasks, task_findings
from bertshape.predict.layers import predict_layers
from bertshape.predict.outputs import predict_inputs, predict_outputs, predict_pooled
from bertshape.predict.sentence_chain import model_outputs, predict_embedding
from bertshape.report.finding import Finding
from bertshape.report.report import CheckpointFacts, Report, Run
from bertshape.soundness.texts import notes
from bertshape.soundness.tokenizer import tokenizer_findings
from bertshape.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bertshape.checkpoint.recipe import Recipe
    from bertshape.pipelines.batch import Batch
    from bertshape.predict.architecture import Dimensions
    from bertshape.report import documents_checkpoint
    from bertshape.report.layer import Layer
    from bertshape.report.report import Evidence, StepFacts, TaskFacts

_RUN_HINT = "Run it: leave out --dry-run, or --weights none."


def predict(batch: Batch) -> Report:
    """The report of a batch without a run.

    Args:
        batch: The batch.
    """
    model, wanted = batch.model, batch.wanted
    checkpoint, architecture = model.checkpoint, model.architecture
    outputs = predict_outputs(architecture, batch.tokenization, batch.dtype, attentions=wanted.attentions)
    pooled = predict_pooled(
        batch.strategies, architecture, batch.tokenization, batch.dtype, declared=model.recipe.pooling
    )
    report = Report(
        checkpoint=_facts(batch),
        run=Run(executed=False),
        tokenization=batch.tokenization,
        inputs=predict_inputs(architecture, batch.tokenization),
        outputs=outputs,
        pooled=pooled,
        embedding=_predict_steps(batch),
        tasks=_predict_heads(batch),
        layers=_predict_inside(batch),
        words=wanted.words,
    )
    of_texts = tokenizer_findings(checkpoint, architecture, model.tokenizer, batch.tokenization)
    report = _from_headers(batch, report)
    report = report.with_findings(
        *notes(report),
        *_no_attentions(batch),
        *_not_predicted(batch, report),
        *_windows(batch),
        *of_texts,
        *model.verdict.findings,
    )
    return with_head_findings(batch, report) if model.weights == "none" else report


def _from_headers(batch: Batch, report: Report) -> Report:
    """The report of a model that only code of its own runs: its rows rest on config.json and the headers, for good."""
    model = batch.model
    if not needs_own_code(model.checkpoint, model.architecture) or model.checkpoint.headers is None:
        return report
    evidence: Evidence = "from_headers"
    stored = read_headers(model.checkpoint.headers.tensors)
    return replace(
        report,
        checkpoint=replace(report.checkpoint, parameters=stored.parameters),
        outputs={name: replace(row, evidence=evidence) for name, row in report.outputs.items()},
        pooled={name: replace(row, evidence=evidence) for name, row in report.pooled.items()},
        embedding=tuple(replace(row, evidence=evidence) for row in report.embedding),
    )


def with_head_findings(batch: Batch, report: Report) -> Report:
    """The report with what a person should know of its task heads."""
    # Of random weights one finding says that all is random.
    if batch.model.weights == "random" or not report.tasks:
        return report
    number = batch.tokenization.batch_size
    return report.with_findings(*task_findings(report.tasks, batch.model.checkpoint, num_texts=number))


def _predict_steps(batch: Batch) -> tuple[StepFacts, ...]:
    model, rows = batch.model, batch.tokenization
    if not model.recipe.has_chain:
        return ()
    return predict_embedding(
        model.recipe.steps,
        model_outputs(model.architecture, rows.batch_size, rows.sequence_length, batch.dtype),
        lacking=steps_without_weights(model.checkpoint) if model.weights != "random" else (),
        truncate_dim=batch.wanted.truncate_dim or model.recipe.truncate_dim,
    )


def _predict_heads(batch: Batch) -> Mapping[str, TaskFacts]:
    if not batch.tasks:
        return {}
    model = batch.model
    return predict_tasks(
        batch.tasks,
        model.checkpoint,
        model.architecture,
        batch.tokenization,
        batch.dtype,
        random=model.weights == "random",
    )


def _predict_inside(batch: Batch) -> Layer | None:
    if not batch.wanted.layers:
        return None
    rows = batch.tokenization
    return predict_layers(batch.model.architecture, rows.batch_size, rows.sequence_length, batch.dtype)


def _no_attentions(batch: Batch) -> Iterator[Finding]:
    architecture = batch.model.architecture
    if batch.wanted.attentions and not architecture.gives_attentions:
        message = f"{architecture.model_type} has no attention weights: it mixes tokens in another way"
        yield Finding("no-attentions", "note", message)


def _windows(batch: Batch) -> Iterator[Finding]:
    """Texts longer than what a token sees in some layers."""
    architecture, rows = batch.model.architecture, batch.tokenization.rows
    window, family = architecture.window, architecture.family
    lengths = [len(row.tokens) - row.padding for row in rows]
    if window is None or family is None or max(lengths) <= window:
        return
    longer = sum(length > window for length in lengths)
    sees = "up to itself" if architecture.is_causal else "around it"
    message = (
        f"{family.window} is {window}: in the layers with a window a token sees {window} tokens {sees}; {longer} of "
        f"{counted(len(lengths), 'text')} longer"
    )
    yield Finding("attention-window", "note", message, where=f"config.json {family.window}", actual=max(lengths))


def _not_predicted(batch: Batch, report: Report) -> Iterator[Finding]:
    """What only a run would show, where there is none."""
    architecture = batch.model.architecture
    if batch.model.weights != "none":
        return
    if architecture.family is None and not needs_own_code(batch.model.checkpoint, architecture):
        what = f"shapes of {architecture.model_type} are predicted by common rules, and only known by running"
        yield Finding("only-by-running", "note", what, _RUN_HINT)
    if batch.wanted.layers and report.layers is None:
        what = f"the layers of {architecture.model_type} are only known by running"
        yield Finding("only-by-running", "note", what, _RUN_HINT)
    missing = [name for name in architecture.observed_only if name != "attentions" or batch.wanted.attentions]
    if missing:
        names, verb = " and ".join(missing), "is" if len(missing) == 1 else "are"
        what = f"{names} of {architecture.model_type} {verb} only known by running"
        yield Finding("only-by-running", "note", what, _RUN_HINT)


def _facts(batch: Batch) -> CheckpointFacts:
    model = batch.model
    checkpoint, architecture = model.checkpoint, model.architecture
    snapshot, declared = checkpoint.location.snapshot, checkpoint.config.get("architectures")
    first = declared[0] if isinstance(declared, list) and declared else None
    return CheckpointFacts(
        model=checkpoint.name,
        source=checkpoint.location.source,
        revision=snapshot.commit if snapshot else None,
        model_type=architecture.model_type,
        architecture=first if isinstance(first, str) else None,
        weights=model.weights,
        dtype=batch.dtype,
        parameters=architecture.parameters(),
        dimensions=_dimensions(architecture.dimensions),
        length_limits=model.limits,
        sentence_embedding=_declared(model.recipe),
        pooler=model.verdict.pooler,
    )


def _dimensions(sizes: Dimensions) -> documents_checkpoint.Dimensions:
    return {
        "hidden_size": sizes.hidden_size,
        "num_hidden_layers": sizes.num_hidden_layers,
        "num_attention_heads": sizes.num_attention_heads,
        "intermediate_size": sizes.intermediate_size,
        "vocab_size": sizes.vocab_size,
        "max_position_embeddings": sizes.max_position_embeddings,
        "type_vocab_size": sizes.type_vocab_size,
        "embedding_size": sizes.embedding_size,
    }


def _declared(recipe: Recipe) -> documents_checkpoint.SentenceEmbedding | None:
    if not recipe.has_chain:
        return None
    return {
        "pooling": recipe.pooling,
        "dimension": recipe.embedding_dimension,
        "modules": [
            {"step": step.name, "input_dimension": step.input_dimension, "output_dimension": step.output_dimension}
            for step in recipe.steps
        ],
    }
