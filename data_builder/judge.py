"""Keeps a synthetic alerting sound only where a sound encoder hears something alerting in it.

A doorbell made by formula that AudioSet's labels call "Music, Synthesizer" teaches a model to answer synthesizers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch

from data_builder.clips import FloatArray
from soundflow.perceive.labels import ALERTING
from soundflow.perceive.sound import labels
from soundflow.perceive.yamnet import WINDOW_SAMPLES, YamNet

LEAST: Final = 0.3
KIN: Final = {"doorbell": ("Ding", "Bell", "Tuning fork", "Chime", "Clang", "Buzzer", "Bicycle bell")}
"""What the encoder calls real sounds of a class for which it has few examples, beside the alerting tags."""
PEAK: Final = 0.05  # -26 dBFS: about where a stream's sounds lie
HOP: Final = 4800


class Judge:
    """`Judge(path)(audio, label)`: does YAMNet hear an alerting sound, or kin of `label`, more than music in it?"""

    def __init__(self, path: Path) -> None:
        names = labels(path)
        alerting = {tag for tags in ALERTING.values() for tag in tags}
        self._net = YamNet(path)
        self._alerting = [i for i, name in enumerate(names) if name in alerting]
        self._kin = {label: [names.index(tag) for tag in tags] for label, tags in KIN.items()}
        self._music = names.index("Music")

    def __call__(self, audio: FloatArray, label: str) -> bool:
        peak = float(np.abs(audio).max(initial=0.0))
        if peak <= 0.0:
            return False
        ends = (np.zeros(WINDOW_SAMPLES // 2, np.float32), np.zeros(WINDOW_SAMPLES, np.float32))
        padded = np.concatenate([ends[0], audio * np.float32(PEAK / peak), ends[1]])
        starts = range(0, len(padded) - WINDOW_SAMPLES, HOP)
        windows = np.stack([padded[s : s + WINDOW_SAMPLES] for s in starts])
        with torch.inference_mode():
            heard = torch.sigmoid(self._net(torch.from_numpy(windows))[0]).amax(0)
        best = float(heard[[*self._alerting, *self._kin.get(label, ())]].max())
        return best >= LEAST and best >= float(heard[self._music])
