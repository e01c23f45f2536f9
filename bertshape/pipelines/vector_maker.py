"""A model that makes vectors of texts: opened and judged once, and then run for any number of texts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bertshape.pipelines.batch import check_truncate_dim
from bertshape.pipelines.embed_request import chain_breaks, is_wrong, vector_strategies
from bertshape.pipelines.events import SILENT, Events
from bertshape.pipelines.lengths import Lengths, settle_lengths
from bertshape.pipelines.model import open_model
from bertshape.pipelines.prompts import prompt_length, settle_prompt
from bertshape.pipelines.running import follow_chain, start
from bertshape.pipelines.windows import Windows
from bertshape.run.request import VectorJob
from bertshape.soundness.texts import random_weights

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertshape.pipelines.embed_request import VectorRequest
    from bertshape.pipelines.model import Model
    from bertshape.pipelines.verify import Sample
    from bertshape.pooling.strategy import Strategy
    from bertshape.report.finding import Finding
    from bertshape.run.observation import Vectors
    from bertshape.run.request import Saving, Window
    from bertshape.run.runner import Runner


@dataclass(frozen=True)
class VectorMaker:
    """A model before it is loaded.

    Attributes:
        request: What was asked for.
        model: The model.
        strategies: What makes the vectors, besides the declared chain.
        findings: What a person should know of it.
    """

    request: VectorRequest
    model: Model
    strategies: tuple[Strategy, ...]
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> bool:
        """Whether its vectors would be wrong, and nobody asked for them all the same."""
        return not self.request.allow_unsound and is_wrong(self.findings, self.strategies)

    @cached_property
    def prompt(self) -> str:
        """What stands before each text."""
        return settle_prompt(self.request.prompting, self.model.recipe, as_encode=True)

    @cached_property
    def lengths(self) -> Lengths:
        """Where texts are cut."""
        return settle_lengths(self.request.lengths, self.model, as_encode=True)

    def windows(self, name: str, sample: Sample, *, skip: bool = False, events: Events = SILENT) -> Windows:
        """What reads texts and makes their tokens."""
        return Windows(
            model=self.model,
            name=name,
            prompt=self.prompt,
            cut_to=self.lengths.cut_to,
            skip=skip,
            single=self.request.batch_size == 1,
            sample=sample,
            events=events,
        )

    def start(self, events: Events) -> RunningMaker:
        """Load the model; errors are those of `running.start`."""
        chain = None if self.request.pooling else follow_chain(self.model, truncate_dim=self.request.truncate_dim)
        running = start(self.model, self.request.run, events, chain=chain)
        # The sentence embedding is the vector, where there may be only one.
        strategies = () if self.request.one_array and chain is not None else self.strategies
        findings = (*self.findings, *running.verdict.findings)
        refused = not self.request.allow_unsound and is_wrong(findings, self.strategies)
        return RunningMaker(self, running.runner, strategies, findings, refused)


@dataclass(frozen=True)
class RunningMaker:
    """The same with the model loaded.

    Attributes:
        maker: What it comes from.
        runner: What runs it.
        strategies: What makes the vectors, besides the declared chain.
        findings: What a person should know of it, by now.
        refused: Whether its vectors would be wrong, and nobody asked for them all the same.
    """

    maker: VectorMaker
    runner: Runner
    strategies: tuple[Strategy, ...]
    findings: tuple[Finding, ...]
    refused: bool

    def run(self, windows: Iterable[Window], events: Events, saving: Saving | None) -> Vectors:
        """Run texts; errors are those of `Runner.embed`.

        Args:
            windows: The texts, from `VectorMaker.windows`.
            events: Who watches.
            saving: Where the vectors go; None gives the arrays themselves.
        """
        model, request = self.maker.model, self.maker.request
        job = VectorJob(
            strategies=self.strategies,
            batch_size=request.batch_size,
            pad_id=model.tokenizer.pad_id or 0,
            padding_side=model.tokenizer.padding_side,
            inputs=model.tokenizer.inputs,
            saving=saving,
            progress=events.advanced,
            prompt_length=prompt_length(self.maker.prompt, model, self.maker.lengths.cut_to),
            keep_broken=request.allow_unsound,
        )
        events.phase("embedding")
        return self.runner.embed(windows, job)


def open_maker(request: VectorRequest) -> VectorMaker:
    """Open a model that is to make vectors, and judge it.

    Args:
        request: What was asked for; it was checked.

    Raises:
        BertshapeError: It cannot be opened or run, or a strategy does not give one vector per text.
    """
    model = open_model(request.source, request.run.weights, as_encode=True)
    if model.weights == "none":
        open_model(request.source, "checkpoint")  # Nothing can run: this raises the reason.
    check_truncate_dim(request.truncate_dim, model)
    strategies = vector_strategies(request, model)
    findings = (*model.verdict.findings, *chain_breaks(request, model))
    if model.weights == "random":
        findings = (random_weights(model.checkpoint.location.source), *findings)
    return VectorMaker(request, model, strategies, findings)
