"""Sounds to be answered, made by formula: alarms, sirens, doorbells, phones, knocks.

Each function draws all its parameters from `rng`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data_builder.clips import FloatArray
from data_builder.mix import noise
from data_builder.synth_parts import Rng, clock, rest, strike, sweep, timbre, tone
from soundflow import SAMPLE_RATE_HZ as SR


def smoke_alarm(rng: Rng) -> FloatArray:
    """T3 (smoke) or T4 (carbon monoxide) pattern at 520 Hz (square) or about 3 kHz, or steady fast beeps."""
    low = rng.random() < 0.25
    hz = float(rng.uniform(500, 540)) if low else float(rng.uniform(2700, 3500))
    partials = (1.0, 0.0, 0.33, 0.0, 0.2, 0.0, 0.14) if low else (1.0, float(rng.uniform(0, 0.4)))
    kind = int(rng.integers(3))
    if kind == 0:
        beep, gap, count, pause = 0.5, 0.5, 3, 1.5
    elif kind == 1:
        beep, gap, count, pause = 0.1, 0.1, 4, 5.0
    else:
        beep, gap = float(rng.uniform(0.08, 0.4)), float(rng.uniform(0.06, 0.4))
        count, pause = 40, 0.0
    one = tone(beep, hz, partials, 0.003)
    parts: list[FloatArray] = []
    target = float(rng.uniform(2.6, 5.0)) * SR
    while sum(map(len, parts)) < target:
        for _ in range(count):
            parts += [one, rest(gap)]
        parts.append(rest(min(pause, 1.5)))
    return np.concatenate(parts)[: int(target)]


def two_tone_alarm(rng: Rng) -> FloatArray:
    """Burglar or fire panel: two tones in turn, or a fast rising sweep."""
    low, high = float(rng.uniform(600, 1600)), float(rng.uniform(1.25, 1.9))
    partials = timbre(rng, 4)
    if rng.random() < 0.5:
        part = float(rng.uniform(0.1, 0.35))
        pair = np.concatenate([tone(part, low, partials, 0.004), tone(part, low * high, partials, 0.004)])
    else:
        t = clock(float(rng.uniform(0.15, 0.6)))
        pair = sweep(low * high ** (t / max(float(t[-1]), 1e-3)), partials)
    return np.tile(pair, int(float(rng.uniform(2.5, 5)) * SR / len(pair)) + 1)


def alarm_clock(rng: Rng) -> FloatArray:
    """Groups of short beeps, as alarm clocks and appliances in fault make them: always more than one group."""
    hz, count = float(rng.uniform(900, 3000)), int(rng.integers(2, 5))
    one = np.concatenate([tone(0.07, hz, timbre(rng, 3), 0.003), rest(0.06)])
    group = np.concatenate([np.tile(one, count), rest(float(rng.uniform(0.25, 0.5)))])
    return np.tile(group, int(3.5 * SR / len(group)) + 1)


def siren_sweep(rng: Rng) -> FloatArray:
    """Wail (slow) or yelp (fast) between about 500 and 1,600 Hz."""
    period = float(rng.uniform(2.5, 5.0)) if rng.random() < 0.5 else float(rng.uniform(0.25, 0.5))
    t = clock(float(rng.uniform(3.0, 5.5)))
    low, span = float(rng.uniform(450, 700)), float(rng.uniform(1.9, 2.6))
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * (t / period + float(rng.random())))
    return sweep(np.asarray(low * span**wave, dtype=np.float32), timbre(rng, 4))


def siren_hilo(rng: Rng) -> FloatArray:
    """Two tones in turn, as European ambulances."""
    low, ratio = float(rng.uniform(380, 620)), float(rng.uniform(1.2, 1.4))
    t = clock(float(rng.uniform(3.0, 5.0)))
    part = float(rng.uniform(0.4, 0.8))
    high = ((t / part).astype(np.int64) % 2).astype(np.float32)
    return sweep(np.asarray(low * ratio**high, dtype=np.float32), timbre(rng, 6))


def _chime(rng: Rng, hz: float, seconds: float) -> FloatArray:
    """One stroke of a door chime: a bar or tube whose ground tone outlives the rest by far, and the hammer's click.

    The partials of a free bar, a tuned bar and a tube are those of Fletcher and Rossing, The Physics of Musical
    Instruments, 2nd edition, chapters 2 and 19.
    """
    ratios = ((1.0, 2.756, 5.404, 8.933), (1.0, 3.0, 6.1), (1.0, 3.98, 9.9), (1.0, 2.0, 3.0, 4.2, 5.4))[rng.integers(4)]
    t = clock(seconds)
    long = float(rng.uniform(0.35, 2.2))
    out = np.zeros(len(t), dtype=np.float32)
    for i, ratio in enumerate(ratios):
        f = hz * ratio * float(rng.uniform(0.99, 1.01))
        if f < 7500:
            level = 1.0 if i == 0 else 10 ** (-float(rng.uniform(2, 26)) / 20)
            decay = long * (1.0 if i == 0 else float(rng.uniform(0.06, 0.6)))
            beat = 1 + 0.3 * float(rng.random()) * np.sin(2 * np.pi * float(rng.uniform(0.5, 6)) * t)
            out += level * np.exp(-t / decay) * beat * np.sin(2 * np.pi * f * t + float(rng.uniform(0, 6)))
    click = np.exp(-t / float(rng.uniform(0.001, 0.015))) * rng.standard_normal(len(t), dtype=np.float32)
    out += float(rng.uniform(0, 0.7)) * np.asarray(click, dtype=np.float32)
    out[:16] *= np.linspace(0, 1, 16, dtype=np.float32)
    return out


def door_chime(rng: Rng) -> FloatArray:
    """Ding, ding-dong, or three to eight notes, struck; the last stroke often dies before it is cut."""
    hz, count = 430 * 5.0 ** float(rng.random()), int(rng.choice([1, 2, 2, 2, 2, 3, 4, 8]))
    if count == 2:
        steps = [0.0, -float(rng.choice([2, 3, 4, 4, 5]))]
    else:
        steps = [0.0, *(float(s) for s in rng.choice([0, 4, 7, -3, -5, -8, 2], size=count - 1))]
    gap, ring = float(rng.uniform(0.25, 1.0)) * (0.6 if count > 2 else 1.0), float(rng.uniform(0.8, 3.0))
    out = np.zeros(int((gap * (count - 1) + ring) * SR), dtype=np.float32)
    for i, step in enumerate(steps):
        hit = float(rng.uniform(0.5, 1.0)) * _chime(rng, hz * 2 ** (step / 12), ring)
        at = int(i * gap * SR)
        out[at : at + len(hit)] += hit[: len(out) - at]
    return out


def electronic_chime(rng: Rng) -> FloatArray:
    """The chip of a wireless doorbell: harmonic notes that fade, ding-dong or a short figure."""
    hz, count = float(rng.uniform(450, 1300)), int(rng.choice([2, 2, 2, 3, 4, 8]))
    steps = [0, -4] if count == 2 else [int(s) for s in rng.choice([0, 4, 7, 12, -5, 5], size=count)]
    partials, length = timbre(rng, 5), float(rng.uniform(0.25, 0.9)) * (0.6 if count > 3 else 1.0)
    fall = float(rng.uniform(1.5, 6))
    notes = [tone(length, hz * 2 ** (s / 12), partials, 0.004) * np.exp(-clock(length) * fall) for s in steps]
    return np.asarray(np.concatenate(notes), dtype=np.float32)


def door_buzzer(rng: Rng) -> FloatArray:
    """An electric buzz, or the even tone of an intercom."""
    t = clock(float(rng.uniform(0.5, 1.6)))
    if rng.random() < 0.3:
        return tone(len(t) / SR, float(rng.uniform(380, 900)), timbre(rng, 3), 0.01)
    buzz = np.sign(np.sin(2 * np.pi * float(rng.uniform(90, 130)) * t)) * (0.7 + 0.3 * noise(rng, len(t), -3.0))
    return np.asarray(buzz, dtype=np.float32)


def phone_bell(rng: Rng) -> FloatArray:
    """An old telephone: two bells struck 20 times a second, in rings of one or two bursts."""
    hz, rate = float(rng.uniform(700, 1500)), float(rng.uniform(16, 25))
    burst = float(rng.uniform(0.8, 1.8))
    out = np.zeros(int((burst + 0.4) * SR), dtype=np.float32)
    for i in range(int(burst * rate)):
        hit = strike(rng, hz * (1.0 if i % 2 else 1.19), 0.35, 0.15, (1.0, 2.3, 3.9))
        at = int(i / rate * SR)
        out[at : at + len(hit)] += hit[: len(out) - at]
    return np.concatenate([out, rest(float(rng.uniform(0.2, 0.9))), out])


def phone_modern(rng: Rng) -> FloatArray:
    """A warbling electronic ring or a short ringtone figure, repeated."""
    hz = float(rng.uniform(600, 1400))
    if rng.random() < 0.5:
        t = clock(float(rng.uniform(0.6, 1.2)))
        flip = ((t * float(rng.uniform(14, 26))).astype(np.int64) % 2).astype(np.float32)
        ring = sweep(np.asarray(hz * 1.25**flip, dtype=np.float32), timbre(rng, 3))
    else:
        steps = rng.choice([0, 2, 4, 5, 7, 9, 12], size=int(rng.integers(4, 8)))
        length = float(rng.uniform(0.08, 0.14))
        ring = np.concatenate([tone(length, hz * 2 ** (float(s) / 12), timbre(rng, 3), 0.004) for s in steps])
    return np.tile(np.concatenate([ring, rest(float(rng.uniform(0.25, 0.9)))]), 3)


def knock(rng: Rng) -> FloatArray:
    """Two to five raps on a door: a burst of many short modes of a panel, the higher ones weaker and sooner gone."""
    count, gap = int(rng.integers(2, 6)), float(rng.uniform(0.12, 0.3))
    low, tilt, ring = float(rng.uniform(60, 220)), float(rng.uniform(0.4, 1.3)), float(rng.uniform(0.015, 0.06))
    hz = low * (1 + np.sort(rng.exponential(4.0, size=40)))
    hz = hz[hz < 6000]
    t = clock(0.3).astype(np.float64)
    decay = ring / (1 + hz / 700)
    modes = np.exp(-t[None] / decay[:, None]) * np.sin(2 * np.pi * hz[:, None] * t + rng.uniform(0, 6.3, (len(hz), 1)))
    out = np.zeros(int((count * gap + 0.4) * SR), dtype=np.float32)
    for i in range(count):
        hit = (rng.uniform(0.5, 1.0, len(hz)) * (low / hz) ** tilt) @ modes
        hit += float(rng.uniform(0.1, 0.5)) * np.exp(-t / 0.003) * rng.standard_normal(len(t))
        at = int((i * gap + float(rng.uniform(0, 0.03))) * SR)
        out[at : at + len(hit)] += np.asarray(float(rng.uniform(0.6, 1.0)) * hit, dtype=np.float32)
    return out


ALERTING: dict[str, tuple[Callable[[Rng], FloatArray], ...]] = {
    "alarm": (smoke_alarm, smoke_alarm, two_tone_alarm, alarm_clock),
    "siren": (siren_sweep, siren_hilo),
    "doorbell": (door_chime, door_chime, door_chime, electronic_chime, door_buzzer),
    "phone_ring": (phone_bell, phone_modern),
    "knock": (knock,),
}
