"""Derive what families keep in memory, from counts of live tensors: `python -m tests.tools.memory_terms MODEL_TYPE...`.

Writes bertshape/predict/activations/MODEL_TYPE.toml. Sizes are prime numbers that all differ, so that the number of
elements of a storage says which sizes it is a product of. Of all moments of a run those stay that may be the peak under
some sizes; models of two and of three layers tell apart what each layer adds.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers

from bertshape.predict.family import family_names
from tests.support.live_storages import Counted, Mode, build, count, inputs_of
from tests.tools.memory_sums import Sum, covers, frontier, most, rounded, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = Path(__file__).parents[2] / "bertshape" / "predict" / "activations"
MODES: tuple[Mode, ...] = ("inference", "training", "checkpointing")
BATCH_SIZE, LENGTH, HEADS, HALF_HEAD = 7, 19, 5, 17
PRIMES = {"B": BATCH_SIZE, "L": LENGTH, "A": HEADS, "D": HALF_HEAD, "I": 59, "E": 61, "K": 67, "M": 2 * LENGTH - 1}
KEY_VALUE_HEADS, GROUPS, PART = 3, 11, 5
GROUPED = PRIMES | {"A": GROUPS, "G": KEY_VALUE_HEADS, "P": GROUPS + 2, "H": PART}
"""Of families whose heads may share keys and values: A is a part of the heads then, and all of them where none shares.

H is a part of hidden_size, and P what a key, its value and their queries take together.
"""
SIZES = {
    "hidden_size": 2 * HALF_HEAD * HEADS,
    "num_attention_heads": HEADS,
    "intermediate_size": PRIMES["I"],
    "embedding_size": PRIMES["E"],
    "vocab_size": 97,
    "max_position_embeddings": 128,
    "type_vocab_size": 2,
}
T5 = ("t5", "mt5", "umt5")
_GROUPS = ("q", "k", "v", "post_attention", "intermediate", "output")
OWN: dict[str, dict[str, Any]] = {
    "big_bird": {"attention_type": "original_full"},
    # Half of the heads are a convolution's; the other half is five.
    "convbert": {"hidden_size": 4 * HALF_HEAD * HEADS, "num_attention_heads": 2 * HEADS, "conv_kernel_size": 67},
    "distilbert": {"hidden_dim": 59},
    "gpt2": {"n_inner": 59},
    # A quarter of a head is turned by its position, in halves.
    "gpt_neox": {"hidden_size": 8 * HALF_HEAD * HEADS},
    "luke": {"entity_vocab_size": 31, "entity_emb_size": 61},
    "mobilebert": {"hidden_size": 67, "intra_bottleneck_size": SIZES["hidden_size"]},
    "rembert": {"input_embedding_size": 61},
    # Beside vectors of hidden_size these are small.
    "roc_bert": {"pronunciation_embed_dim": 1, "shape_embed_dim": 1},
    "squeezebert": {"embedding_size": 170} | {f"{name}_groups": 1 for name in _GROUPS},
    **{name: {"d_model": 71, "d_kv": 2 * HALF_HEAD, "d_ff": 59} for name in T5},
    "xlnet": {"d_inner": 59},
}
"""Keys of which transformers has no common name, and what else a family needs."""
LETTERS: dict[str, dict[str, str]] = {
    "convbert": {"K": "conv_kernel_size"},
    "mobilebert": {"H": "intra_bottleneck_size", "K": "hidden_size"},
    **{name: {"D": "d_kv"} for name in T5},
}
"""What letters stand for where that differs."""
HALVED = {"convbert": 2}
"""How many times the heads of the configuration are those that attend."""
HEAD = {"gpt_neox": 8}
"""How often the prime is in the size of a head, where not twice."""
HOLDS = {
    "big_bird": 'longest = "5*block_size+2*num_random_blocks*block_size"',
    "mt5": 'when = "feed_forward_proj begins gated"\notherwise = "t5"',
    "nystromformer": 'when = "segment_means_seq_len == num_landmarks"',
    "t5": 'when = "not feed_forward_proj begins gated"\notherwise = "mt5"',
    "umt5": 'when = "feed_forward_proj begins gated"',
}
"""Lines that say where the terms hold, for families that do other things elsewhere."""
NOT_MEASURED = ("canine", "funnel", "longformer", "yoso")
"""Families whose tensors are no products of sizes, or that run other code on a GPU."""
NO_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")
"""With sdpa a GPU keeps no mask of the dropout; the CPU has no fused kernel that drops anything."""


def config_of(model_type: str, layers: int, attention: str, shared: int = KEY_VALUE_HEADS) -> Any:
    """A configuration of prime sizes; key/value heads are `shared` where a family has fewer of them than heads."""
    config_class = transformers.CONFIG_MAPPING[model_type]
    aliases = getattr(config_class, "attribute_map", {})
    known = config_class().to_dict()
    sizes = {**SIZES, "num_hidden_layers": layers}
    options: dict[str, Any] = {
        aliases.get(name, name): size for name, size in sizes.items() if aliases.get(name, name) in known
    }
    own = {aliases.get(name, name): size for name, size in OWN.get(model_type, {}).items()}
    if "num_key_value_heads" in known:
        heads = GROUPS * (shared if shared == KEY_VALUE_HEADS else 1)
        own |= {"num_attention_heads": heads, "num_key_value_heads": shared}
        own |= {"hidden_size": heads * PART, "head_dim": 2 * HALF_HEAD}
    if "use_cache" in known:
        own["use_cache"] = False
    options |= {key: 0.0 for key in NO_DROPOUT if key in known and attention == "sdpa"}
    return config_class(**(options | {"pad_token_id": 1, "architectures": []} | own))


def sum_of(counted: Counted, state: Iterable[int], dtype: torch.dtype, config: Any) -> Sum:
    """What lives in a state, as products of sizes; what is no product of a batch or a length is left out."""
    terms: Sum = {}
    for number in state:
        storage = counted.storages[number]
        own = storage.is_floating and storage.itemsize == dtype.itemsize
        for letters, times in products(storage.elements, config):
            # Ids and masks of a row: nothing beside tensors of hidden_size.
            if ("B" in letters or "L" in letters or letters == "HH") and letters not in ("B", "L", "BL", "LD"):
                key = letters, 0 if own else 1
                terms[key] = terms.get(key, 0) + times * (1 if own else storage.itemsize)
    return terms


def products(elements: int, config: Any) -> Iterator[tuple[str, float]]:
    """The products of sizes that a number of elements is the sum of, each with how often."""
    grouped, heads = hasattr(config, "num_key_value_heads"), HALVED.get(config.model_type, 1)
    primes = GROUPED if grouped else PRIMES | ({"H": config.d_model} if config.model_type in T5 else {})
    if grouped and config.num_key_value_heads != KEY_VALUE_HEADS:
        primes = {letter: prime for letter, prime in primes.items() if letter != "G"}
    rest, letters = elements, ""
    for letter, prime in primes.items():
        while rest % prime == 0:
            rest, letters = rest // prime, letters + letter
    times = rest / HEAD.get(config.model_type, 2) ** letters.count("D")
    if "P" in letters:
        yield from ((_named(letters.replace("P", part)), often * times) for part, often in (("A", 1), ("", 2)))
    elif grouped:
        yield _named(letters), times
    else:
        times /= heads ** letters.count("A")
        # The size of a head is no size of its own: all heads are hidden_size.
        while "H" not in primes and "A" in letters and "D" in letters:
            letters = letters.replace("A", "", 1).replace("D", "H", 1)
        yield letters, times


def _named(letters: str) -> str:
    """With H for all of hidden_size and A for all heads, of which others are parts."""
    for _ in range(letters.count("H")):
        letters = letters.replace("A", "", 1).replace("G", "", 1)
    return letters.replace("G", "", letters.count("A"))


def derive(
    model_type: str, attention: str, mode: Mode, dtype: torch.dtype, shared: int = KEY_VALUE_HEADS
) -> tuple[Sum, list[Sum]] | None:
    """What each layer adds, and the rest at all moments that may be the peak; None where transformers cannot run it."""
    runs: dict[int, list[Sum]] = {}
    for layers in (2, 3):
        config = config_of(model_type, layers, attention, shared)
        try:
            model = build(config, attention, dtype)
            counted = count(model, inputs_of(config, BATCH_SIZE, LENGTH), mode)
        except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
            print(f"{model_type} {attention} {mode} {dtype}: {' '.join(str(error).split())[:120]}", file=sys.stderr)
            return None
        runs[layers] = [sum_of(counted, state, dtype, config) for state in counted.states]
    peaks = {layers: most(states) for layers, states in runs.items()}
    layer = {key: grown for key, value in peaks[3].items() if (grown := value - peaks[2].get(key, 0))}
    rests = [
        frontier({key: state.get(key, 0) - layers * layer.get(key, 0) for key in {*state, *layer}} for state in states)
        for layers, states in runs.items()
    ]
    # What stands in one of them alone is of the time before the last layer, when less was kept.
    return layer, [state for state in rests[0] if state in rests[1]]


def table_of(model_type: str, attention: str, shared: int = KEY_VALUE_HEADS) -> list[str]:
    """The lines of one family and one implementation of attention; none where transformers has it not."""
    lines: list[str] = []
    for mode in MODES:
        if model_type in T5 and attention == "sdpa" and mode != "inference":
            # The mask has gradients, for which the CPU has no fused kernel.
            lines.append(f"{mode} = {{}}")
            continue
        single = derive(model_type, attention, mode, torch.float32, shared)
        if single is None:
            break
        half = derive(model_type, attention, mode, torch.bfloat16, shared)
        both = half is not None and _same(single, half)
        lines += _lines(mode, half if both and half else single)
        if half is not None and not both:
            lines += _lines(f"{mode}_16", half)
        elif half is None:
            lines.append(f"{mode}_16 = {{}}")
    return lines


def _same(single: tuple[Sum, list[Sum]], half: tuple[Sum, list[Sum]]) -> bool:
    """Whether the terms of 16 bits, with elements of 4 bytes, are those of float32."""
    if rounded(half[0]) != rounded(single[0]):
        return False
    ours, theirs = ([rounded(state) for state in states] for states in (half[1], single[1]))
    covered = all(any(covers(one, other) for one in ours) for other in theirs)
    return covered and all(any(covers(other, one) for other in theirs) for one in ours)


def _lines(name: str, found: tuple[Sum, list[Sum]]) -> list[str]:
    layer, rests = found
    if not rests:
        return [f"{name} = {{}}"]
    own = f'layer = "{written(layer)}", ' if layer else ""
    listed = ", ".join(sorted(f'"{written(state)}"' for state in rests))
    return [f"{name} = {{ {own}rest = [{listed}] }}"]


def file_of(model_type: str) -> str:
    """The text of a family's file; empty where nothing could be counted."""
    blocks = ["\n".join([f"[{name}]", *lines]) for name in ("eager", "sdpa") if (lines := table_of(model_type, name))]
    if not blocks:
        return ""
    blocks += otherwise_shared(model_type)
    letters = [f'{letter} = "{name}"' for letter, name in LETTERS.get(model_type, {}).items()]
    head = [*([HOLDS[model_type]] if model_type in HOLDS else [])]
    head += ["\n".join(["[letters]", *letters])] if letters else []
    return "\n\n".join([*head, *blocks]) + "\n"


def otherwise_shared(model_type: str) -> list[str]:
    """The tables of a family whose heads may share keys and values, where none does, and where all share one."""
    if not hasattr(transformers.CONFIG_MAPPING[model_type](), "num_key_value_heads"):
        return []
    return [
        "\n".join([f"[{name}.{attention}]", *lines])
        for name, shared in (("ungrouped", GROUPS), ("single", 1))
        for attention in ("eager", "sdpa")
        if (lines := table_of(model_type, attention, shared))
    ]


def main(model_types: Iterable[str]) -> None:
    """Write the files of these families; one whose terms another has refers to that."""
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    known = {path.read_text(): path.stem for path in sorted(FOLDER.glob("*.toml"))}
    for model_type in model_types:
        text = file_of(model_type)
        same = known.get(text, model_type)
        if text and same != model_type:
            text = f'same_as = "{same}"\n'
        if text:
            (FOLDER / f"{model_type}.toml").write_text(text)
            known.setdefault(text, model_type)
        print(f"{model_type}: {f'as {same}' if same != model_type else f'{len(text)} characters'}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or [name for name in family_names() if name not in NOT_MEASURED])
