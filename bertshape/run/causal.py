"""Whether attention is causal, by running: what models outside the table of families do."""

from __future__ import annotations

from typing import Any

import torch

_LENGTH = 6


def is_causal(model: Any, device: torch.device) -> bool:
    """Whether another last token leaves the vectors of those before it as they were.

    Args:
        model: The model, in evaluation mode.
        device: Its device.

    Returns:
        False too where it does not take such a row, or gives no vector per token.
    """
    try:
        input_ids = torch.tensor([[index % 2 for index in range(_LENGTH)]], device=device)
        other = input_ids.clone()
        other[0, -1] = 1 - other[0, -1]
        with torch.inference_mode():
            first, second = (
                model(input_ids=row, return_dict=True).get("last_hidden_state") for row in (input_ids, other)
            )
            if first is None or first.shape[1] != _LENGTH:
                return False
            return bool((first[0, :-1] == second[0, :-1]).all() and (first[0, -1] != second[0, -1]).any())
    except Exception:  # What such a model raises is not known; the run that was asked for says it.
        return False
