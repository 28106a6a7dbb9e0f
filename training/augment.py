"""Noise on cached features, so that the model does not learn recordings by heart. Labels stay as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.features import Features

_EDGE = 1 / 1024


def without_embedding(features: Features) -> Features:
    """The same stream with its sound embedding taken away."""
    return replace(features, sound=np.zeros_like(features.sound))


def perturbed(features: Features, rng: np.random.Generator, spread: float = 0.4, drop: float = 0.15) -> Features:
    """A stream as a slightly different encoder would hear it; one draw for the whole stream.

    Tags: logit -> a logit + n, a within 0.85 to 1.15, n normal of `spread` a tag. Sound embedding: `drop` of its values
    are zeroed and the rest scaled by 0.8 to 1.25.
    """
    p = np.clip(features.tags.astype(np.float32), _EDGE, 1 - _EDGE)
    shift = rng.normal(0.0, spread, p.shape[1]).astype(np.float32)
    logits = np.log(p / (1 - p)) * np.float32(rng.uniform(0.85, 1.15)) + shift
    kept = (rng.random(features.sound.shape[1]) >= drop) * np.float32(rng.uniform(0.8, 1.25))
    return replace(
        features,
        tags=(1 / (1 + np.exp(-logits))).astype(np.float16),
        sound=(features.sound * kept.astype(np.float16)),
    )
