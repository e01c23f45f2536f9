"""Write the table of docs/memory.md, of predicted against counted bytes: `python -m tests.tools.memory_table`."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import transformers

from bertshape.predict.family import family_names
from bertshape.predict.memory import ATTENTIONS, Mode
from tests.differential.memory import OWN, Case, bytes_of, known
from tests.tools.make_family import tiny_config

PAGE = Path(__file__).parents[2] / "docs" / "memory.md"
SHAPES = ((2, 16), (5, 60), (8, 24))
MODES: tuple[Mode, ...] = ("inference", "training", "checkpointing")
SIZES = {
    "hidden_size": 128,
    "num_attention_heads": 8,
    "num_hidden_layers": 3,
    "intermediate_size": 200,
    "max_position_embeddings": 130,
}


def row(name: str) -> str | None:
    """The largest errors of one family; None where nothing of it was counted."""
    found = known(tiny_config(name, **OWN.get(name, {})))
    if found is None:
        return None
    sizes = {key: size for key, size in SIZES.items() if name != "mobilebert" or key == "num_hidden_layers"}
    cells = []
    for mode in MODES:
        for attention in ATTENTIONS:
            errors: list[float] = []
            for shape in SHAPES if mode == "inference" else SHAPES[1:2]:
                if found.bytes(mode, attention, "float32", shape) is not None:
                    predicted, counted = bytes_of(Case(name, mode, attention, "float32", shape, sizes))
                    errors += [predicted / counted - 1] if predicted else []
            cells.append(f"{max(errors, key=abs):+.1%}" if errors else "–")
    return f"| `{name}` | {' | '.join(cells)} |"


def main() -> None:
    """Count, and write the page."""
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    ways = [f"{mode}, {attention}" for mode in MODES for attention in ATTENTIONS]
    lines = [f"| family | {' | '.join(ways)} |", "|---|" + "---|" * len(ways)]
    lines += [line for name in family_names() if (line := row(name))]
    table = "<!-- table -->\n" + "\n".join(lines) + "\n<!-- end -->"
    PAGE.write_text(re.sub(r"<!-- table -->.*<!-- end -->", lambda _: table, PAGE.read_text(), flags=re.DOTALL))


if __name__ == "__main__":
    main()
