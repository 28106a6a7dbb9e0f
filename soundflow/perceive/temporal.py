"""What the last seconds sounded like, one after another, says about answering: a recurrent head over the embeddings.

The alert branch hears 0.975 s at a time, and a siren that wails slowly, a mandolin's single notes and a gust are much
alike in so little. A gated recurrent unit (Cho et al. 2014, arXiv 1406.1078) hears how they go on. It is trained beside
the branch and not into it, on the encoder's own embeddings, so that it errs in other places; what it says is added to
the branch's log-odds. No torch: a step is 0.1 million multiplications.

temporal.safetensors    tensors of `TENSORS`, named and laid out as torch has them (Linear, ReLU, GRU, and Linear over
                        state and input); as metadata `format`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.own import features
from soundflow.types import FloatArray

FILE: Final = "temporal.safetensors"
FORMAT: Final = "1"
LIMIT: Final = 3.0
"""Bound of what is added, in log-odds: it has a say beside the branch, whose bound is 8."""
TENSORS: Final = (
    *("into.weight", "into.bias", "out.weight", "out.bias"),
    *("gru.weight_ih_l0", "gru.weight_hh_l0", "gru.bias_ih_l0", "gru.bias_hh_l0"),
)


@dataclass(slots=True)
class TemporalState:
    """`hidden` [H], within -1 and 1; zeros before the stream began."""

    hidden: FloatArray

    def snapshot(self) -> dict[str, Any]:
        """A copy that later steps do not change."""
        return {"hidden": self.hidden.copy()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to `snapshot`. ConfigError where it comes from another head."""
        hidden = np.asarray(snapshot["hidden"], np.float32)
        if hidden.shape != self.hidden.shape:
            raise ConfigError(f"temporal state: expected {self.hidden.shape}, got {hidden.shape}")
        self.hidden = hidden.copy()


@dataclass(frozen=True)
class TemporalHead:
    """`tensors`: into [P, D], gates [3H, P] and [3H, H] (reset, update, candidate), out [1, H + P], and their biases.

    Raises:
        ConfigError: a tensor is missing, does not fit, or holds a number that is not finite.
    """

    tensors: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        if set(self.tensors) != set(TENSORS):
            raise ConfigError(f"{', '.join(TENSORS)} were expected, got {', '.join(sorted(self.tensors))}")
        got = {name: self.tensors[name].shape for name in TENSORS}
        width, size = (got[name][-1] if len(got[name]) == 2 else 0 for name in ("into.weight", "gru.weight_hh_l0"))
        narrow = len(self.tensors["into.bias"])
        wanted: dict[str, tuple[int, ...]] = {
            "into.weight": (narrow, width),
            "into.bias": (narrow,),
            "out.weight": (1, size + narrow),
            "out.bias": (1,),
            "gru.weight_ih_l0": (3 * size, narrow),
            "gru.weight_hh_l0": (3 * size, size),
            "gru.bias_ih_l0": (3 * size,),
            "gru.bias_hh_l0": (3 * size,),
        }
        if wrong := [name for name, shape in wanted.items() if got[name] != shape or 0 in shape]:
            raise ConfigError(f"{wrong[0]}: {wanted[wrong[0]]} expected, got {got[wrong[0]]}")
        if bad := [name for name, value in self.tensors.items() if not np.isfinite(value).all()]:
            raise ConfigError(f"{bad[0]}: finite numbers were expected")

    @property
    def width(self) -> int:
        """D, of the embeddings."""
        return int(self.tensors["into.weight"].shape[1])

    def init_state(self) -> TemporalState:
        """State of a stream that has not begun."""
        return TemporalState(np.zeros(self.tensors["gru.weight_hh_l0"].shape[1], np.float32))

    def step(self, sound: FloatArray, state: TemporalState) -> float:
        """Log-odds, within LIMIT, to add to the branch's for the chunk of embedding [D] `sound`; `state` moves on."""
        t, h = self.tensors, state.hidden
        x = np.maximum(t["into.weight"] @ features(sound[None])[0] + t["into.bias"], 0.0)
        reset_x, update_x, new_x = np.split(t["gru.weight_ih_l0"] @ x + t["gru.bias_ih_l0"], 3)
        reset_h, update_h, new_h = np.split(t["gru.weight_hh_l0"] @ h + t["gru.bias_hh_l0"], 3)
        update = _sigmoid(update_x + update_h)
        new = np.tanh(new_x + _sigmoid(reset_x + reset_h) * new_h)
        state.hidden = ((1 - update) * new + update * h).astype(np.float32)
        said = float(t["out.weight"][0] @ np.concatenate([state.hidden, x]) + t["out.bias"][0])
        return min(max(said, -LIMIT), LIMIT)

    def along(self, sound: FloatArray) -> FloatArray:
        """[T] of `step` over a stream's embeddings [T, D] from its beginning."""
        state = self.init_state()
        return np.array([self.step(x, state) for x in sound.astype(np.float32)], np.float32)

    @staticmethod
    def load(folder: Path) -> TemporalHead | None:
        """The head beside an adapter, None where it has none. WeightsError names the file and what is wrong."""
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            with safe_open(path, "numpy") as file:
                found = (file.metadata() or {}).get("format")
                tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118 - no dictionary
            if found != FORMAT:
                raise ConfigError(f"format {FORMAT} was expected, got {found!r}")
            return TemporalHead(tensors)
        except (OSError, SafetensorError, ConfigError) as error:
            raise WeightsError(f"{path}: a temporal head was expected ({error})") from error

    def save(self, path: Path) -> None:
        """Write the file, in float16."""
        save_file({name: self.tensors[name].astype(np.float16) for name in TENSORS}, path, {"format": FORMAT})


def _sigmoid(x: FloatArray) -> FloatArray:
    made: FloatArray = 0.5 + 0.5 * np.tanh(0.5 * x)
    return made
