"""The mean of two adapters of one lineage (Wortsman et al. 2022, model soups, arXiv 2203.05482).

Factors are averaged, not their products: that is a mean only between runs that started from one another, whose factors
have stayed close.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load_file, save_file

from soundflow.errors import WeightsError


def average(first: Path, second: Path, out: Path, share: float) -> None:
    """Write (1 - share) first + share second; a tensor that `second` has beyond `first` is taken whole, being new.

    WeightsError where the two do not have the same tensors otherwise.
    """
    a, b = (load_file(folder / "adapter.safetensors") for folder in (first, second))
    a |= {k: v for k, v in b.items() if k not in a}
    if {k: v.shape for k, v in a.items()} != {k: v.shape for k, v in b.items()}:
        raise WeightsError(f"{first} and {second}: adapters with the same tensors were expected")
    out.mkdir(parents=True, exist_ok=True)
    mean = {k: ((1 - share) * a[k].float() + share * b[k].float()).half().contiguous() for k in a}
    save_file(mean, out / "adapter.safetensors")
    meta = json.loads((first / "adapter.json").read_text())
    lineage = {"average": {"of": [str(first), str(second)], "share": share}, "step": None, "held_out": None}
    (out / "adapter.json").write_text(json.dumps({**meta, **lineage}, indent=1) + "\n")
