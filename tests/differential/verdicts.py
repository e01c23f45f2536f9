"""Verdicts on checkpoints with one change, against what transformers says when it loads them.

transformers' word is `output_loading_info=True` of two loads: by the class that config.json names, and by the base
model. A tensor that either lacks, or has in another shape, must be an error of ours; what the class has no place for
must be a finding; where neither has anything to say, no rule may warn. Of a tokenizer, its largest id must be a row of
the embedding that was loaded.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

import tokenizers
import transformers
from safetensors.torch import save_file

from bertshape.checkpoint.checkpoint import open_checkpoint
from bertshape.errors import BertshapeError
from bertshape.predict.config import resolve
from bertshape.predict.heads import head_of_class
from bertshape.predict.tensor_names import BUFFERS
from bertshape.soundness.soundness import check_soundness
from bertshape.tokens.tokenizer import load_tokenizer
from tests.differential.mutants import Mutant, classes, draw

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path


def check(rng: random.Random, folder: Path) -> str:
    """A mutant of any class of any family; see area.py."""
    with quiet():
        return disagreement(draw(rng.choice(sorted(classes())), rng), folder) or ""


@contextmanager
def quiet() -> Iterator[None]:
    """Without what transformers says on stderr of each mutant."""
    level = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(level)
        transformers.logging.enable_progress_bar()


@dataclass(frozen=True)
class Word:
    """What a judge says: `clean`, `extra` (tensors without a place) or `bad`, and why."""

    level: str
    pooler: bool
    why: str


def transformers_says(mutant: Mutant, folder: Path) -> Word:
    """By loading it twice."""
    family, why = mutant.sound.family, []
    extra: list[set[str]] = []
    pooler, bad = False, False
    declared = mutant.config["architectures"][0]
    base = declared if family.has_class(declared) else family.model_class
    for name in dict.fromkeys((declared, base)):
        loader = getattr(mutant.sound.module, name)
        # DeBERTa passes over more position embeddings than it has, and says nothing.
        silenced = mock.patch.object(loader, "_keys_to_ignore_on_load_unexpected", None)
        try:
            with silenced:
                model, info = loader.from_pretrained(
                    folder, output_loading_info=True, ignore_mismatched_sizes=True, local_files_only=True
                )
        except Exception as error:
            return Word("bad", pooler=False, why=f"{type(error).__name__}: {str(error)[:100]}")
        lacking = {*info["missing_keys"], *(row[0] for row in info["mismatched_keys"])}
        # Ranges and integers of I-BERT's quantisation are no learned numbers, and are not read before quant_mode is on.
        lacking = {key for key in lacking if not BUFFERS.search(key)}
        unexpected = sorted(key for key in info["unexpected_keys"] if not BUFFERS.search(key))
        of_pooler = {key for key in info["missing_keys"] if family.pooler and f".{family.pooler}" in f".{key}"}
        # A pooler that is absent is random: a matter of its own, where no head reads it. Half of one is as bad as
        # anything else.
        idle = (head := head_of_class(family.model_type, name)) is not None and head.pooler == "idle"
        if (name == base or idle) and len(of_pooler) == _POOLER_TENSORS:
            pooler, lacking = True, lacking - of_pooler
        bad = bad or bool(lacking)
        if mutant.entries is not None:
            bad = bad or mutant.entries > len(model.get_input_embeddings().weight)
        extra.append({key.removeprefix(mutant.sound.prefix) for key in unexpected})
        why.append(f"{name} lacks {sorted(lacking)[:3]}, leaves {unexpected[:3]}")
    # What the base model takes has a place: a pooler that the declared class lacks.
    left_over = set.intersection(*extra)
    return Word("bad" if bad else "extra" if left_over else "clean", pooler, "; ".join(why))


def bertshape_says(folder: Path) -> Word:
    """By the rules, from small files and headers."""
    try:
        checkpoint = open_checkpoint(str(folder))
        tokenizer = load_tokenizer(checkpoint) if (folder / "tokenizer.json").exists() else None
        findings = check_soundness(checkpoint, resolve(checkpoint.config, checkpoint.config_path), tokenizer)
    except BertshapeError as error:
        return Word("bad", pooler=False, why=error.message)
    pooler = any(finding.code == "pooler-random" for finding in findings)
    rest = [finding for finding in findings if finding.code not in ("pooler-random", *_NOT_OF_WEIGHTS)]
    level = "bad" if any(finding.severity == "error" for finding in findings) else "extra" if rest else "clean"
    return Word(level, pooler, "; ".join(f"{finding.severity} {finding.message}" for finding in findings))


_POOLER_TENSORS = 2
_NOT_OF_WEIGHTS = (
    "attention-causal",
    "encoder-alone",
    "config-defaults",
    "head-not-checked",
    "length-exceeds-positions",
    "length-limits-disagree",
    "pooling-undeclared",
    "token-type-ids-not-made",
    "tokenizer-class-not-asked",
)


def write_tokenizer(folder: Path, entries: int, pad: int | None) -> None:
    """A tokenizer of so many words, with the padding token where config.json has it."""
    special = ["[UNK]", "[CLS]", "[SEP]"]
    special.insert(pad or 0, "[PAD]")
    words = [*special, *(f"word{index}" for index in range(entries - len(special)))]
    vocabulary = {word: index for index, word in enumerate(words)}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    pair = [(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", pair
    )
    backend.save(str(folder / "tokenizer.json"))
    roles = {f"{role}_token": f"[{role.upper()}]" for role in ("unk", "cls", "sep", "pad")}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"} | roles))


def disagreement(mutant: Mutant, folder: Path) -> str | None:
    """Where the two judges part; None where they agree."""
    save_file({key: value.contiguous() for key, value in mutant.state.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})  # fmt: skip
    (folder / "config.json").write_text(json.dumps(mutant.config))
    (folder / "tokenizer.json").unlink(missing_ok=True)
    if mutant.entries is not None:
        write_tokenizer(folder, mutant.entries, mutant.config.get("pad_token_id"))
    theirs, ours = transformers_says(mutant, folder), bertshape_says(folder)
    agree = theirs.level == ours.level or (theirs.level, ours.level) == ("extra", "bad")
    if agree and (theirs.pooler == ours.pooler or "bad" in (ours.level, theirs.level)):
        return None
    return f"{mutant}\n    transformers: {theirs}\n    bertshape:    {ours}"
