"""A trained adapter on disk: adapter.safetensors, adapter.json, calibration.json, tags.json and, where there is an
alert branch, alert.safetensors; sounds that a user taught beside it are `soundflow.perceive.own`'s, heads that name
sounds `soundflow.perceive.named`'s. Read only, never a
pickle.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from soundflow.decide.policy import Calibration
from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.tags import TagCalibration
from soundflow.types import Kind

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What training made. `deltas`: LoRA updates by Hugging Face weight name; `projector`: its state dict."""

    chunk_ms: int
    deltas: dict[str, Tensor]
    projector: dict[str, Tensor]
    decision_in: Tensor
    decision_out: Tensor
    bias: Tensor
    calibration: Calibration
    tags: TagCalibration


def load(folder: Path) -> Checkpoint:
    """Read an adapter folder. WeightsError or ConfigError name file and field."""
    meta = _meta(folder / "adapter.json")
    path = folder / "adapter.safetensors"
    try:
        tensors = {k: v.float() for k, v in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: a safetensors file was expected ({error})") from error
    scale = meta["lora"]["alpha"] / meta["lora"]["rank"]
    deltas: dict[str, Tensor] = {}
    try:
        for name, a in tensors.items():
            if name.startswith("lora_A."):
                weight = name.removeprefix("lora_A.")
                deltas[weight] = scale * tensors[f"lora_B.{weight}"] @ a
        rows_in, rows_out, bias = (tensors[f"decision.{n}"] for n in ("in", "out", "bias"))
    except (KeyError, RuntimeError) as error:
        raise WeightsError(f"{path}: a complete adapter was expected ({error})") from error
    projector = {k.removeprefix("projector."): v for k, v in tensors.items() if k.startswith("projector.")}
    calibration, tags = folder / "calibration.json", folder / "tags.json"
    return Checkpoint(
        meta["chunk_ms"],
        deltas,
        projector,
        rows_in,
        rows_out,
        bias,
        Calibration.load(calibration) if calibration.exists() else Calibration(),
        TagCalibration.load(tags) if tags.exists() else TagCalibration.identity(),
    )


def branch(folder: Path) -> Path | None:
    """The adapter's alert branch, if it has one."""
    path = folder / "alert.safetensors"
    return path if path.is_file() else None


def _meta(path: Path) -> dict[str, Any]:
    try:
        meta: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: a readable adapter.json was expected ({error})") from error
    expected = {"format": FORMAT, "decisions": [k.label for k in Kind]}
    for key, value in expected.items():
        if meta.get(key) != value:
            raise ConfigError(f"{path}: {key} {value!r} was expected, got {meta.get(key)!r}")
    rank = meta.get("lora", {}).get("rank", 0)
    if not isinstance(meta.get("chunk_ms"), int) or not rank > 0:
        raise ConfigError(f"{path}: chunk_ms (int) and lora.rank > 0 were expected")
    return meta


def host_dtype() -> torch.dtype:
    """bfloat16 where the CPU multiplies it natively, else float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return torch.float32
    return torch.bfloat16 if "avx512_bf16" in flags or "amx_bf16" in flags else torch.float32
