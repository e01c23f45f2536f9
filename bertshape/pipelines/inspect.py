"""The pipeline: request -> case -> predicted report -> real run -> observed report."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from bertshape import __version__
from bertshape.checkpoint.checkpoint import fetch_weights, steps_without_weights
from bertshape.pipelines.model import Case, make_case, open_model
from bertshape.pipelines.verdict import Verdict, judge_loading, judge_model
from bertshape.predict.outputs import predict_inputs, predict_outputs, predict_pooled
from bertshape.report.finding import Finding
from bertshape.report.report import CheckpointFacts, Report, Run
from bertshape.soundness.texts import notes
from bertshape.soundness.tokenizer import tokenizer_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bertshape.pipelines.request import InspectionRequest
    from bertshape.predict.layers import Layer
    from bertshape.report.report import OutputFacts, PoolerVerdict, StepFacts, TaskFacts
    from bertshape.run.observation import ForwardRequest, Observation, Plan

_RUN_HINT = "Leave --weights none out, or take --weights random."


def _ignore(report: Report) -> None:
    """Nobody watches."""


def inspect(
    request: InspectionRequest,
    on_prediction: Callable[[Report], None] = _ignore,
    on_run: Callable[[Report], None] = _ignore,
) -> Report:
    """Inspect texts: what comes out of the checkpoint, in which shape.

    Args:
        request: What to inspect.
        on_prediction: Called with the predicted report where a run follows, before weights are downloaded.
        on_run: Called with it once more when the weights are there, before torch is imported.

    Raises:
        BertshapeError: Any failure, with a hint.
    """
    request.check()
    case = make_case(request, open_model(request.model, revision=request.revision, offline=request.offline))
    report = predict(case)
    if case.weights == "none":
        return report
    on_prediction(report)
    if case.weights == "checkpoint":
        fetch_weights(case.model.checkpoint, progress=request.progress)
    on_run(report)
    # Its texts are tokens by now, and torch comes next: 6 MB less at the peak.
    case.model.tokenizer.release()
    return run(case, report)


def predict(case: Case, verdict: Verdict | None = None) -> Report:
    """The report of a case without a run.

    Args:
        case: The case.
        verdict: What is known of its model, where many cases share one.
    """
    verdict = verdict or judge_model(case.model, case.weights)
    request, checkpoint, architecture = case.request, case.model.checkpoint, case.model.architecture
    outputs = predict_outputs(architecture, case.tokenization, case.dtype, attentions=request.attentions)
    report = Report(
        checkpoint=_facts(case, verdict.pooler),
        run=Run(executed=False),
        tokenization=case.tokenization,
        inputs=predict_inputs(architecture, case.tokenization),
        outputs=outputs,
        pooled=predict_pooled(
            case.strategies, architecture, case.tokenization, case.dtype, declared=case.model.declared_pooling
        ),
        embedding=_predict_steps(case, outputs),
        tasks=_predict_heads(case),
        layers=_predict_inside(case),
        words=request.words,
    )
    of_texts = tokenizer_findings(checkpoint, architecture, case.model.tokenizer, case.tokenization)
    report = report.with_findings(*notes(report), *_not_predicted(case, report), *of_texts, *verdict.findings)
    return _with_head_findings(case, report) if case.weights == "none" else report


def run(case: Case, report: Report) -> Report:
    """The report of a case with what a real run shows.

    Args:
        case: The case.
        report: Its prediction.

    Raises:
        BertshapeError: The weights cannot be loaded, or the device fails.
    """
    # Not on top, here and below: what only some inspections need. Imports are most of a prediction's time.
    from bertshape.run.runner import Runner

    return conclude(case, report, Runner(forward_request(case)).observe(case.tokenization, plan(case, report)))


def conclude(case: Case, report: Report, observation: Observation) -> Report:
    """The report of a case with what a run showed of its batch.

    Args:
        case: The case.
        report: Its prediction.
        observation: What the run gave.
    """
    from bertshape.pipelines.reconcile import observe

    report = observe(report, observation, family_known=case.model.architecture.family is not None)
    report = _with_head_findings(case, report)
    if case.weights == "random":
        return report
    loaded = judge_loading(case.model, observation.loading, failed=report.failed)
    if loaded.pooler is not None:
        report = replace(report, checkpoint=replace(report.checkpoint, pooler=loaded.pooler))
    return report.with_findings(*loaded.findings)


def forward_request(case: Case) -> ForwardRequest:
    """What `forward` needs to know of a case's model."""
    from bertshape.run.observation import ForwardRequest

    checkpoint = case.model.checkpoint
    return ForwardRequest(
        folder=checkpoint.folder if case.weights == "checkpoint" else None,
        config=checkpoint.config,
        architecture=case.model.architecture,
        device=case.request.device,
        dtype=case.dtype,
        safetensors=checkpoint.headers is not None,
        attentions=case.request.attentions,
    )


def plan(case: Case, report: Report) -> Plan:
    """What `forward` is to do with a case's batch: all that has a predicted result."""
    from bertshape.predict.heads import load_head
    from bertshape.run.observation import Plan, Saving
    from bertshape.run.sentence_chain import Chain

    request, checkpoint = case.request, case.model.checkpoint
    sentence, chain, saving = checkpoint.sentence_embedding, None, None
    if sentence is not None:
        followed = [step for step, facts in zip(sentence.modules, report.embedding, strict=False) if facts.shape]
        folder = checkpoint.location.folder if case.weights == "checkpoint" else None
        chain = Chain(tuple(followed), folder, sentence.pooling, request.truncate_dim)
    if request.save is not None:
        about = {"checkpoint": checkpoint.name, "weights": case.weights, "dtype": case.dtype, "bertshape": __version__}
        saving = Saving(request.save, request.save_only, request.hidden_states, about)
    heads = [load_head(case.model.architecture.model_type, name) for name in report.tasks]
    return Plan(
        strategies=tuple(row for row in case.strategies if report.pooled[row.name].shape is not None),
        chain=chain,
        layers=request.layers,
        tasks=tuple(head for head in heads if head is not None),
        saving=saving,
    )


def _predict_steps(case: Case, outputs: Mapping[str, OutputFacts]) -> tuple[StepFacts, ...]:
    checkpoint = case.model.checkpoint
    sentence, hidden = checkpoint.sentence_embedding, outputs.get("last_hidden_state")
    if sentence is None:
        return ()
    from bertshape.predict.sentence_chain import predict_embedding

    return predict_embedding(
        sentence.modules,
        sentence.pooling,
        hidden.shape if hidden else None,
        lacking=steps_without_weights(checkpoint) if case.weights != "random" else (),
        truncate_dim=case.request.truncate_dim,
    )


def _predict_heads(case: Case) -> Mapping[str, TaskFacts]:
    if not case.tasks:
        return {}
    from bertshape.predict.head_outputs import predict_tasks

    model = case.model
    tasks = predict_tasks(case.tasks, model.checkpoint, model.architecture, case.tokenization, case.dtype)
    if case.weights != "random":
        return tasks
    return {name: task if task.reason else replace(task, head="random") for name, task in tasks.items()}


def _predict_inside(case: Case) -> Layer | None:
    if not case.request.layers:
        return None
    from bertshape.predict.layers import predict_layers

    batch = case.tokenization
    return predict_layers(case.model.architecture, batch.batch_size, batch.sequence_length, case.dtype)


def _not_predicted(case: Case, report: Report) -> Iterator[Finding]:
    """What only a run would show, where there is none."""
    if case.weights == "none" and case.request.layers and report.layers is None:
        what = f"the layers of {case.model.architecture.model_type} are only known by running"
        yield Finding("only-by-running", "note", what, _RUN_HINT)
    missing = [
        name for name in case.model.architecture.observed_only if name != "attentions" or case.request.attentions
    ]
    if case.weights == "none" and missing:
        names, verb = " and ".join(missing), "is" if len(missing) == 1 else "are"
        what = f"{names} of {case.model.architecture.model_type} {verb} only known by running"
        yield Finding("only-by-running", "note", what, _RUN_HINT)


def _with_head_findings(case: Case, report: Report) -> Report:
    # Of random weights it is said once that all is random.
    if case.weights == "random" or not report.tasks:
        return report
    from bertshape.predict.head_outputs import task_findings

    number = case.tokenization.batch_size
    return report.with_findings(*task_findings(report.tasks, case.model.checkpoint, num_texts=number))


def _facts(case: Case, pooler: PoolerVerdict | None) -> CheckpointFacts:
    checkpoint, architecture = case.model.checkpoint, case.model.architecture
    snapshot, sentence = checkpoint.location.snapshot, checkpoint.sentence_embedding
    declared = checkpoint.config.get("architectures")
    first = declared[0] if isinstance(declared, list) and declared else None
    return CheckpointFacts(
        name_or_path=checkpoint.name,
        source=checkpoint.location.source,
        revision=snapshot.commit if snapshot else None,
        model_type=architecture.model_type,
        architecture=first if isinstance(first, str) else None,
        weights=case.weights,
        dtype=case.dtype,
        parameters=architecture.parameters(),
        dimensions=asdict(architecture.dimensions),
        length_limits=case.model.limits,
        sentence_embedding=sentence.to_dict() if sentence else None,
        pooler=pooler,
    )
