"""Sound encoder: AudioSet tag scores, embeddings and the alert branch's log-odds of the newest audio, from YAMNet.

Window schedule: `windows` windows of 15,600 samples (0.975 s) a chunk, hop = chunk / windows, the last one ends where
the chunk ends. Look-ahead 0. Before the stream starts there are zeros.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from soundflow.errors import AudioFormatError, ConfigError, WeightsError
from soundflow.perceive import alert, yamnet
from soundflow.perceive.yamnet import EMBEDDING, TAGS, WINDOW_SAMPLES, YamNet
from soundflow.types import FloatArray

__all__ = ["EMBEDDING", "GAIN", "TAGS", "WINDOW_SAMPLES", "SoundEncoder", "SoundFrames", "SoundState", "labels"]

GAIN = 10.0 ** (-8.0 / 20.0)
"""Before the log's offset of 0.001, so that faint noise stays under it: the rule system's AUC on train rows was 0.745
at 0 dB, 0.755, 0.760, 0.754, 0.742, 0.732 at -5, -10, -15, -20, -25 dB."""


@dataclass(frozen=True, slots=True)
class SoundFrames:
    """The windows that ended in one chunk: `scores` [S, 521] in [0, 1], `embeddings` [S, 1024] >= 0, `alerts` [S],
    `names` [S, K].

    `alerts` and `names` are the log-odds of the alert branch; where there is none, zeros and K = 0.
    """

    scores: FloatArray
    embeddings: FloatArray
    alerts: FloatArray
    names: FloatArray = field(default_factory=lambda: np.zeros((1, 0), np.float32))


@dataclass(slots=True)
class SoundState:
    """`tail` [15600 - hop] holds the newest samples of the stream, zeros before it began."""

    tail: FloatArray

    def reset(self) -> None:
        """Make this state equal to a fresh one."""
        self.tail = np.zeros_like(self.tail)

    def snapshot(self) -> dict[str, Any]:
        """A copy that later steps do not change."""
        return {"tail": self.tail.copy()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to `snapshot`. ConfigError where it comes from another window schedule."""
        tail = np.asarray(snapshot["tail"], dtype=np.float32)
        if tail.shape != self.tail.shape:
            raise ConfigError(f"sound state: expected a tail of {self.tail.shape}, got {tail.shape}")
        self.tail = tail.copy()


class SoundEncoder:
    """YAMNet over a stream. One instance serves any number of streams and threads: it holds no stream state.

    Args:
        path: the TFLite file.
        chunk_samples: N, a multiple of `windows`; hop = N / windows may not pass 15,600.
        windows: S, windows a chunk.
        branch: file of an alert branch; WeightsError where it is none.
    """

    def __init__(self, path: Path, chunk_samples: int, windows: int = 2, branch: Path | None = None) -> None:
        if windows < 1 or chunk_samples < 1 or chunk_samples % windows or chunk_samples // windows > WINDOW_SAMPLES:
            raise ConfigError(
                f"sound encoder: expected chunk_samples to be a multiple of windows with a hop of at most"
                f" {WINDOW_SAMPLES}, got chunk_samples={chunk_samples}, windows={windows}"
            )
        self.chunk_samples = chunk_samples
        self.windows = windows
        self.hop = chunk_samples // windows
        self._net = YamNet(path)
        self._branch = alert.load(branch, self._net) if branch else None
        self.names = self._branch.classes if self._branch else ()

    def to_int8(self) -> None:
        """From now on the pointwise convolutions multiply in eight bits (`soundflow.int8`)."""
        yamnet.to_int8(cast(nn.ModuleList, self._net.convs), 0)
        if self._branch:
            yamnet.to_int8(cast(nn.ModuleList, self._branch.convs), alert.FIRST)

    def to_device(self, device: torch.device) -> None:
        """Encode there from now on; samples come from the host and results go back to it."""
        self._net.to(device)
        if self._branch:
            self._branch.to(device)

    def init_state(self) -> SoundState:
        """State of a stream that has not begun."""
        return SoundState(np.zeros(WINDOW_SAMPLES - self.hop, np.float32))

    def step(self, samples: FloatArray, state: SoundState) -> SoundFrames:
        """Encode the windows that end in this chunk.

        Args:
            samples: [N] float32 in [-1, 1], mono 16 kHz, N = `chunk_samples`.
            state: updated in place.
        """
        return self.step_rows([samples], [state])[0]

    def step_rows(self, samples: Sequence[FloatArray], states: Sequence[SoundState]) -> list[SoundFrames]:
        """`step` for a chunk of many streams, in one batch of windows; states in the order of the samples."""
        stacked = np.concatenate([self._windows(x, state) for x, state in zip(samples, states, strict=True)])
        with torch.inference_mode():
            mel = self._net.log_mel(torch.from_numpy(stacked * np.float32(GAIN)).to(self._net.mel.device))
            shared = self._net.below(mel, alert.FIRST)
            alerts, names = (
                self._branch(shared) if self._branch else (mel.new_zeros(len(mel)), mel.new_zeros(len(mel), 0))
            )
            logits, embeddings = self._net.above(shared, alert.FIRST)
            found = [part.cpu().numpy() for part in (torch.sigmoid(logits), embeddings, alerts, names)]
        n = self.windows
        return [SoundFrames(*(part[k * n : (k + 1) * n] for part in found)) for k in range(len(samples))]

    def skim(self, samples: FloatArray, state: SoundState) -> None:
        """Let a chunk pass by: nothing is encoded, and the next one is heard behind it."""
        self._windows(samples, state)

    def _windows(self, samples: FloatArray, state: SoundState) -> FloatArray:
        """[S, 15600] of one stream; its tail moves on."""
        if samples.shape != (self.chunk_samples,):
            raise AudioFormatError(f"sound encoder: expected a chunk of [{self.chunk_samples}], got {samples.shape}")
        audio = np.concatenate([state.tail, samples.astype(np.float32, copy=False)])
        state.tail = audio[len(samples) :].copy()
        return np.stack([audio[s * self.hop : s * self.hop + WINDOW_SAMPLES] for s in range(self.windows)])


def labels(path: Path) -> tuple[str, ...]:
    """The 521 AudioSet display names, in the order of the scores, out of the zip at the end of the TFLite file."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".txt")]
            text = archive.read(names[0]).decode("utf-8") if names else ""
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise WeightsError(f"{path}: expected a TFLite file with its label list zipped inside: {error}") from error
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if len(found) != TAGS or len(set(found)) != TAGS:
        raise WeightsError(f"{path}: expected {TAGS} distinct labels, got {len(found)} ({len(set(found))} distinct)")
    return found
