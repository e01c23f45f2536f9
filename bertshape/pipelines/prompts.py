"""The prompt before each text: which one, and how many tokens it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bertshape.errors import UsageError
from bertshape.pipelines.request import Prompting
from bertshape.tokens.cut import encode_cut

if TYPE_CHECKING:
    from bertshape.checkpoint.recipe import Recipe
    from bertshape.pipelines.model import Model


def prompting_of(name: str | None, text: str | None) -> Prompting:
    """What a call from Python asks for: an empty prompt is none, whatever the checkpoint's default."""
    return Prompting(name, text or None, none=text == "")


def settle_prompt(prompting: Prompting, recipe: Recipe, *, as_encode: bool = False) -> str:
    """The prompt itself; empty for none.

    Args:
        prompting: What was asked for.
        recipe: What the checkpoint declares.
        as_encode: Take the declared default where nothing is asked for, as `encode` does.

    Raises:
        UsageError: The checkpoint has no prompt of that name.
    """
    if prompting.text is not None:
        return prompting.text
    if prompting.name is None:
        return (recipe.prompt or "") if as_encode and not prompting.none else ""
    if not recipe.knows_prompt(prompting.name):
        names = ", ".join(recipe.prompts)
        raise UsageError(
            f"--prompt-name {prompting.name}: the checkpoint has no prompt of that name",
            hint=f"It has {names}; or write one with --prompt." if names else "It has none: write one with --prompt.",
            code="prompt-unknown",
        )
    return recipe.prompts.get(prompting.name, "")


def prompt_length(prompt: str, model: Model, cut_to: int | None) -> int:
    """Tokens of a prompt at the beginning of a text, as sentence-transformers counts them.

    Args:
        prompt: The prompt; may be empty.
        model: The model.
        cut_to: Length that texts are cut to.

    Returns:
        Those of the prompt alone, with the special tokens before it, the padding that the checkpoint asks for, and
        without a special one after it; 0 where Pooling reads the prompt too.
    """
    if not prompt or model.recipe.include_prompt:
        return 0
    encoded, kept = encode_cut(model.tokenizer, prompt, None, cut_to)
    positions = kept if kept is not None else range(len(encoded))
    if not positions:
        return 0
    length = _padded(len(positions), model, cut_to)
    if length > len(positions) and model.tokenizer.padding_side == "right":
        return length - 1  # A padding token is a special one.
    special = {model.tokenizer.backend.token_to_id(token) for token in model.tokenizer.special_tokens.values()}
    ends = bool(encoded.special_tokens_mask[positions[-1]]) or encoded.ids[positions[-1]] in special
    return length - ends


def _padded(length: int, model: Model, cut_to: int | None) -> int:
    """Length of a prompt, padded as `processing_kwargs` says."""
    step = model.recipe.transformer
    if step.pads_whole and cut_to is not None:
        length = max(length, cut_to)
    multiple = step.pad_to_multiple_of or 1
    return -(-length // multiple) * multiple
