"""Whether what sounds now is what sounded then: the cosine of two sound embeddings. No torch, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from soundflow.types import FloatArray

ALIKE: Final = 0.75
"""Cosine of the YAMNet embeddings of two chunks. Of pairs of alerting sounds of different classes (dev and dial, 20 dB)
fewer than 5 in 100 pass it; of what one instrument gave in a minute, under five names, 11 chunks in 13 do."""


def unit(embedding: FloatArray) -> FloatArray:
    """[D] scaled to length 1; zeros stay zeros, and are like nothing."""
    return embedding / np.float32(max(float(np.linalg.norm(embedding)), 1e-9))


def like(kept: Iterable[tuple[int, FloatArray]], embedding: FloatArray, since: int) -> list[int]:
    """Times, after `since`, of what sounded like [D] `embedding`; `kept` holds pairs of a time and a `unit` vector."""
    recent = [(at, vector) for at, vector in kept if at > since]
    if not recent:
        return []
    cosines = np.stack([vector for _, vector in recent]) @ unit(embedding)
    return [at for (at, _), cosine in zip(recent, cosines, strict=True) if cosine >= ALIKE]
