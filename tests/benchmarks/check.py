"""`check` and `memory` against the plain script and a floor of their own libraries; `check` on 10 GB against 90 MB."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.predict.config import resolve
from tests.benchmarks.processes import BERTSHAPE, Row, in_turn, median_wall, peak, plain_script
from tests.support.checkpoints import minilm_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HUGE = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "hidden_size": 4096,
    "num_hidden_layers": 12,
    "num_attention_heads": 64,
    "intermediate_size": 16384,
    "pad_token_id": 0,
}
_SHARDS = 5
_FLOOR = """
import sys
from pathlib import Path
import typer
from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer
application = typer.Typer()
@application.command()
def check(folder: Path):
    table = Table("model", "tokens")
    table.add_row(str(folder), str(Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()))
    Console().print(table)
application()
"""


def rows() -> Iterator[Row]:
    """All measurements of `check`."""
    minilm = minilm_folder()
    with tempfile.TemporaryDirectory() as folder:
        huge = write_huge(Path(folder), minilm)
        plain = in_turn((*BERTSHAPE, "check", str(minilm)), plain_script(minilm))
        yield Row("`check` on MiniLM, wall time against the plain script", plain.ratio, 0.05)
        for command in ("check", "memory"):
            floor = in_turn((*BERTSHAPE, command, str(minilm)), (sys.executable, "-c", _FLOOR, str(minilm)), runs=15)
            yield Row(f"`{command}` on MiniLM, wall time against typer, rich and tokenizers alone", floor.ratio, 1.5)
        yield Row("`check` on MiniLM, wall time", median_wall(plain.first), unit=" s")
        yield Row("the plain script on MiniLM, wall time", median_wall(plain.second), unit=" s")
        yield Row("`check` on MiniLM, peak memory", peak(plain.first), 60, " MB")
        sizes = in_turn((*BERTSHAPE, "check", str(huge)), (*BERTSHAPE, "check", str(minilm)))
    yield Row("`check` on 10 GB in shards, wall time against MiniLM's 90 MB", sizes.ratio, 1.5)
    yield Row("`check` on 10 GB in shards, peak memory", peak(sizes.first), 60, " MB")


def write_huge(folder: Path, tokenizer: Path) -> Path:
    """A BERT of 10 GB in shards: true headers, and holes where the numbers would be."""
    (folder / "config.json").write_text(json.dumps(_HUGE))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((tokenizer / name).read_bytes())
    expected = resolve(_HUGE, "config.json").expected_tensors()
    assert expected is not None
    names = list(expected)
    weight_map: dict[str, str] = {}
    for shard in range(_SHARDS):
        file = f"model-{shard + 1:05}-of-{_SHARDS:05}.safetensors"
        tensors = {name: expected[name] for name in names[shard::_SHARDS]}
        weight_map |= dict.fromkeys(tensors, file)
        _write_sparse(folder / file, tensors)
    total = sum(4 * math.prod(shape) for shape in expected.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def _write_sparse(path: Path, tensors: Mapping[str, tuple[int, ...]]) -> None:
    header, end = {}, 0
    for name, shape in tensors.items():
        begin, end = end, end + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
