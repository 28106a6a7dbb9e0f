"""Synthetic faults of equipment, drawn over wide ranges. Each is a pattern in time, complete when it is over.

No open corpus at hand holds such faults; these are marked `synth:` wherever they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from data_builder.clips import FloatArray
from data_builder.mix import band, noise
from data_builder.synth_parts import Rng, clock, rest, strike, timbre, tone
from soundflow import SAMPLE_RATE_HZ as SR


def _repeat(rng: Rng, one: Callable[[], FloatArray], times: int, period: float, jitter: float) -> FloatArray:
    """`one` sound `times` times, `period` seconds apart."""
    parts = []
    for k in range(times):
        sound = one()
        parts.append(sound)
        if k < times - 1:
            parts.append(rest(max(0.05, period * (1 + jitter * float(rng.uniform(-1, 1))) - len(sound) / SR)))
    return np.concatenate(parts)


def low_battery_chirp(rng: Rng) -> FloatArray:
    """Short high chirps of 3 to 4 kHz. Detectors chirp every 30 to 60 s; here the wait is cut to 1.2 to 3 s."""
    hz, length, parts = float(rng.uniform(2800, 4200)), float(rng.uniform(0.04, 0.12)), timbre(rng, 2)
    return _repeat(rng, lambda: tone(length, hz, parts, 0.004), int(rng.integers(2, 4)), float(rng.uniform(1.2, 3)), 0)


def dripping(rng: Rng) -> FloatArray:
    """Drops: each a damped tone whose pitch rises as the bubble closes (Minnaert resonance), over a faint splash."""
    base, period = float(rng.uniform(500, 2200)), float(rng.uniform(0.35, 1.1))

    def drop() -> FloatArray:
        length = float(rng.uniform(0.05, 0.14))
        t = clock(length)
        hz = base * float(rng.uniform(0.8, 1.25)) * (1 + float(rng.uniform(0.2, 1.2)) * t / length)
        bubble = np.sin(2 * np.pi * np.cumsum(hz) / SR) * np.exp(-t * float(rng.uniform(25, 60)))
        splash = noise(rng, len(t), 0.0) * np.exp(-t * 180)
        return np.asarray(bubble * np.minimum(1, t / 0.002) + 0.15 * splash, dtype=np.float32)

    return _repeat(rng, drop, int(rng.integers(4, 9)), period, float(rng.uniform(0.02, 0.35)))


def grinding_motor(rng: Rng) -> FloatArray:
    """A motor hum whose teeth catch: harmonics, and bursts of rough noise at an uneven rate of the turn."""
    length, hz = float(rng.uniform(2.0, 4.0)), float(rng.uniform(40, 140))
    t = clock(length)
    wander = 1 + 0.04 * np.sin(2 * np.pi * float(rng.uniform(0.3, 1.5)) * t) + 0.01 * noise(rng, len(t), -6.0)
    phase = 2 * np.pi * np.cumsum(hz * wander) / SR
    hum = sum(np.sin(k * phase) / k for k in range(1, 9))
    catch = np.maximum(0, np.sin(phase * float(rng.uniform(0.08, 0.2)))) ** float(rng.uniform(4, 12))
    grit = band(noise(rng, len(t), 0.0), float(rng.uniform(600, 1500)), float(rng.uniform(3000, 7000)))
    rough = grit * catch * (0.5 + 0.5 * np.abs(noise(rng, len(t), -3.0)))
    return np.asarray(0.35 * hum + float(rng.uniform(1.5, 4)) * rough, dtype=np.float32)


def unbalanced_washer(rng: Rng) -> FloatArray:
    """Heavy thumps at the turn of a drum (1.2 to 3 a second) on the rush of its motor."""
    period, body = 1 / float(rng.uniform(1.2, 3.0)), float(rng.uniform(45, 110))

    def thump() -> FloatArray:
        t = clock(min(0.3, period * 0.8))
        boom = np.sin(2 * np.pi * body * t) * np.exp(-t * float(rng.uniform(12, 22)))
        slap = band(noise(rng, len(t), -3.0), 150, 2500) * np.exp(-t * 40)
        return np.asarray(boom + 0.5 * slap, dtype=np.float32)

    beats = _repeat(rng, thump, int(rng.integers(5, 10)), period, 0.06)
    rush = band(noise(rng, len(beats), -3.0), 80, float(rng.uniform(800, 2500)))
    return np.asarray(beats + float(rng.uniform(0.05, 0.15)) * rush, dtype=np.float32)


def hissing_leak(rng: Rng) -> FloatArray:
    """A steady broadband hiss from 2 to 4 kHz upwards that sets in within a tenth of a second."""
    length = float(rng.uniform(2.0, 4.0))
    hiss = band(noise(rng, int(length * SR), 0.0), float(rng.uniform(1500, 4000)), 7600)
    flutter = 1 + float(rng.uniform(0, 0.2)) * noise(rng, len(hiss), -6.0)
    return np.asarray(hiss * flutter * np.minimum(1, clock(length) / 0.1)[: len(hiss)], dtype=np.float32)


def arcing(rng: Rng) -> FloatArray:
    """Snaps at random within mains half-waves (100 or 120 a second), and the buzz between them."""
    length, mains = float(rng.uniform(1.8, 3.5)), float(rng.choice([100.0, 120.0]))
    t = clock(length)
    gate = np.abs(np.sin(np.pi * mains * t)) > 0.8
    burst = (noise(rng, len(t), -9.0) > float(rng.uniform(0.0, 0.8))) & gate
    buzz = band(noise(rng, len(t), 0.0), 800, 7600) * burst
    out = 0.6 * buzz
    for _ in range(int(length * float(rng.uniform(4, 14)))):
        at = int(rng.integers(max(1, len(t) - 400)))
        out[at : at + 400] += float(rng.uniform(1, 4)) * noise(rng, 400, 0.0) * np.exp(-np.arange(400) / 60)
    return np.asarray(out, dtype=np.float32)


def open_door_beep(rng: Rng) -> FloatArray:
    """Pairs or triples of soft beeps with a pause, as a fridge left open."""
    hz, length, count = float(rng.uniform(900, 2600)), float(rng.uniform(0.08, 0.25)), int(rng.integers(1, 4))
    parts = timbre(rng, 3)
    pair = np.concatenate([p for _ in range(count) for p in (tone(length, hz, parts), rest(length * 0.8))])
    if rng.random() < 0.3:
        pair = strike(rng, hz, 0.5, 0.15, (1.0, 2.76))
    return _repeat(rng, lambda: pair, int(rng.integers(3, 5)), float(rng.uniform(0.9, 1.6)), 0)


FAULTS: Final[dict[str, tuple[Callable[[Rng], FloatArray], ...]]] = {
    "low_battery_chirp": (low_battery_chirp,),
    "dripping": (dripping,),
    "grinding_motor": (grinding_motor,),
    "unbalanced_washer": (unbalanced_washer,),
    "hissing_leak": (hissing_leak,),
    "arcing": (arcing,),
    "open_door_beep": (open_door_beep,),
}
