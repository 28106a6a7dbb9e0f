"""What every encoder of the larger tiers is: weights without state, a state, and a step.

An encoder hears chunks of one length, all rows of a batch at once, and gives the frames that have become certain: none
of them changes later. *Streaming* encoders carry their context in the state; *windowed* ones look at the newest
`left_samples` again. For both, frame f of a stream depends on no sample behind the chunk it came out with, and what a
chunk gives does not depend on how the audio was sliced before it was cut in chunks, nor on other rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from torch import Tensor


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """Of an encoder at 16 kHz.

    width: D of a frame. hop_samples: between frames. field_samples: how far behind its beginning a frame looks.
    look_ahead_samples: how much later than the end of its field a frame may come out, at most (0: with the chunk in
    which its field ends). left_samples: audio before its field that can still change a frame; None where nothing but
    the state's size bounds it. labels: of the scores, where it names sounds.
    """

    name: str
    kind: Literal["streaming", "windowed"]
    width: int
    hop_samples: int
    field_samples: int
    look_ahead_samples: int
    left_samples: int | None
    labels: tuple[str, ...] = ()

    @property
    def frame_rate_hz(self) -> float:
        return 16_000 / self.hop_samples


@dataclass(frozen=True, slots=True)
class Encoded:
    """Frames of one chunk: `frames` [B, F, D], of which row b has `counts`[b], the rest zeros; `scores` [B, F, L] in
    [0, 1], where the encoder names sounds (L labels)."""

    frames: Tensor
    counts: Tensor
    scores: Tensor | None = None


class EncoderState(Protocol):
    def reset(self, rows: Sequence[int]) -> None:
        """Make these rows equal to fresh ones; the others do not change."""

    def snapshot(self, row: int) -> dict[str, Any]:
        """Plain values and tensors that later steps do not change."""

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Become what `snapshot` was taken of. ConfigError where it is of another encoder."""


class StreamEncoder(Protocol):
    """Holds weights only; any number of states and threads may use one."""

    @property
    def spec(self) -> EncoderSpec: ...

    @property
    def chunk_samples(self) -> int: ...

    def init_state(self, batch: int) -> Any:
        """An `EncoderState` before the first sample."""

    def step(self, samples: Tensor, state: Any, active: Tensor | None = None) -> Encoded:
        """Hear one chunk.

        Args:
            samples: [B, chunk_samples] float32 in [-1, 1]; what idle rows hold is ignored.
            state: updated in place; idle rows do not change.
            active: [B] bool, None for all.

        Raises:
            AudioFormatError: another shape, NaN or infinity in an active row; the state is then as before.
        """
