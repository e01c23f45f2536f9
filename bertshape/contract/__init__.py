"""The contract file: what checkpoints must be, read from and written as TOML."""

from __future__ import annotations

from bertshape.contract.model import CheckpointContract, ContractCase
from bertshape.contract.reading import find_contract, read_contract
from bertshape.contract.writing import write_contract
from bertshape.folding import fold_names, unfold_name

__all__ = [
    "CheckpointContract",
    "ContractCase",
    "find_contract",
    "fold_names",
    "read_contract",
    "unfold_name",
    "write_contract",
]
