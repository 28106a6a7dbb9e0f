"""The two kinds of actor: perception with decisions (and the text of replies, which needs the same cache), and voice.

They hold no session that the front could not open elsewhere: an actor that dies is replaced, never restarted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import ray
import torch

from serving import heap
from serving.decider import Decider
from serving.handle import EngineInfo
from serving.tier import Tier, info_of
from serving.work import Pass, Work
from soundflow.niceness import VOICES
from soundflow.respond.voice import choose_voice
from soundflow.tiers import weights
from soundflow.types import FloatArray


@ray.remote(max_restarts=0, num_cpus=1)
class PerceptionActor:
    """One `Decider` on one core, or, with `num_gpus` in its options, on a part of a GPU."""

    def __init__(self, tier: Tier, seats: int) -> None:
        """What `tier` names has to lie on this node, too; errors as of `Tier.load`."""
        heap.settle()
        torch.set_num_threads(1)
        model = tier.load()
        self._decider, self._info = Decider(model, seats), info_of(model)
        heap.lasting()

    def info(self) -> EngineInfo:
        return self._info

    def pid(self) -> int:
        """Of its process."""
        return os.getpid()

    def step(self, work: list[Work], texts: bool) -> Pass:
        return self._decider.step(work, texts)


@ray.remote(max_restarts=-1, num_cpus=0)
class VoiceActor:
    """One voice; it holds no state, so Ray may restart it."""

    def __init__(self) -> None:
        os.nice(VOICES)
        self._voice = choose_voice(weights.part("voice"))

    def info(self) -> tuple[str, int]:
        """Name and rate; "" and 0 where this node has no voice."""
        return (self._voice.name, self._voice.rate_hz) if self._voice else ("", 0)

    def speak(self, text: str) -> Iterator[FloatArray]:
        if self._voice is not None:
            yield from self._voice.speak(text)
