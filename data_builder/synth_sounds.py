"""Sounds made by formula: alarms, sirens, doorbells, phones, knocks, and benign tones, ticks and hums.

Each function draws all its parameters from `rng` and returns [N] float32 mono at 16 kHz of any level. Every sound made
here is marked `synth:NAME` in a sample, so that nobody takes it for a recording.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data_builder.clips import FloatArray
from data_builder.mix import noise
from soundflow import SAMPLE_RATE_HZ as SR

Rng = np.random.Generator
LICENCE = "synthetic (data_builder)"


def _time(seconds: float) -> FloatArray:
    return np.arange(int(seconds * SR), dtype=np.float32) / SR


def _tone(seconds: float, hz: float, partials: tuple[float, ...] = (1.0,), edge: float = 0.008) -> FloatArray:
    """A harmonic tone with soft edges; `partials` are amplitudes of harmonics 1, 2, ..."""
    t = _time(seconds)
    out = sum(a * np.sin(2 * np.pi * hz * (i + 1) * t) for i, a in enumerate(partials) if hz * (i + 1) < 7600)
    n = min(int(edge * SR), len(t) // 2)
    gain = np.ones(len(t), dtype=np.float32)
    if n:
        gain[:n] = np.linspace(0, 1, n)
        gain[-n:] = gain[:n][::-1]
    return np.asarray(out * gain, dtype=np.float32)


def _rest(seconds: float) -> FloatArray:
    return np.zeros(int(seconds * SR), dtype=np.float32)


def _sweep(hz: FloatArray, partials: tuple[float, ...]) -> FloatArray:
    """A tone that follows the frequency contour `hz` [N]."""
    phase = 2 * np.pi * np.cumsum(hz.astype(np.float64)) / SR
    return np.asarray(sum(a * np.sin((i + 1) * phase) for i, a in enumerate(partials)), dtype=np.float32)


def _timbre(rng: Rng, harmonics: int = 5) -> tuple[float, ...]:
    decay = float(rng.uniform(0.15, 0.7))
    return tuple(decay**i * float(rng.uniform(0.3, 1.0)) for i in range(harmonics))


def _strike(rng: Rng, hz: float, seconds: float, decay: float, ratios: tuple[float, ...]) -> FloatArray:
    """A struck bar or bell: partials at `ratios` of `hz`, the higher ones dying sooner."""
    t = _time(seconds)
    out = np.zeros(len(t), dtype=np.float32)
    for i, ratio in enumerate(ratios):
        if hz * ratio < 7500:
            amp = float(rng.uniform(0.4, 1.0)) / (1 + 0.6 * i)
            out += amp * np.exp(-t * (1 + 0.8 * i) / decay) * np.sin(2 * np.pi * hz * ratio * t)
    out[:16] *= np.linspace(0, 1, 16, dtype=np.float32)
    return out


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
    one = _tone(beep, hz, partials, 0.003)
    parts: list[FloatArray] = []
    target = float(rng.uniform(2.6, 5.0)) * SR
    while sum(map(len, parts)) < target:
        for _ in range(count):
            parts += [one, _rest(gap)]
        parts.append(_rest(min(pause, 1.5)))
    return np.concatenate(parts)[: int(target)]


def two_tone_alarm(rng: Rng) -> FloatArray:
    """Burglar or fire panel: two tones in turn, or a fast rising sweep."""
    low, high = float(rng.uniform(600, 1600)), float(rng.uniform(1.25, 1.9))
    partials = _timbre(rng, 4)
    if rng.random() < 0.5:
        part = float(rng.uniform(0.1, 0.35))
        pair = np.concatenate([_tone(part, low, partials, 0.004), _tone(part, low * high, partials, 0.004)])
    else:
        t = _time(float(rng.uniform(0.15, 0.6)))
        pair = _sweep(low * high ** (t / max(float(t[-1]), 1e-3)), partials)
    return np.tile(pair, int(float(rng.uniform(2.5, 5)) * SR / len(pair)) + 1)


def alarm_clock(rng: Rng) -> FloatArray:
    """Groups of short beeps, as alarm clocks and appliances in fault make them: always more than one group."""
    hz, count = float(rng.uniform(900, 3000)), int(rng.integers(2, 5))
    one = np.concatenate([_tone(0.07, hz, _timbre(rng, 3), 0.003), _rest(0.06)])
    group = np.concatenate([np.tile(one, count), _rest(float(rng.uniform(0.25, 0.5)))])
    return np.tile(group, int(3.5 * SR / len(group)) + 1)


def siren_sweep(rng: Rng) -> FloatArray:
    """Wail (slow) or yelp (fast) between about 500 and 1,600 Hz."""
    period = float(rng.uniform(2.5, 5.0)) if rng.random() < 0.5 else float(rng.uniform(0.25, 0.5))
    t = _time(float(rng.uniform(3.0, 5.5)))
    low, span = float(rng.uniform(450, 700)), float(rng.uniform(1.9, 2.6))
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * (t / period + float(rng.random())))
    return _sweep(np.asarray(low * span**wave, dtype=np.float32), _timbre(rng, 4))


def siren_hilo(rng: Rng) -> FloatArray:
    """Two tones in turn, as European ambulances."""
    low, ratio = float(rng.uniform(380, 620)), float(rng.uniform(1.2, 1.4))
    t = _time(float(rng.uniform(3.0, 5.0)))
    part = float(rng.uniform(0.4, 0.8))
    high = ((t / part).astype(np.int64) % 2).astype(np.float32)
    return _sweep(np.asarray(low * ratio**high, dtype=np.float32), _timbre(rng, 6))


def doorbell(rng: Rng) -> FloatArray:
    """Ding-dong, or a chime of two to four notes, or an electric buzz."""
    kind = rng.random()
    if kind < 0.15:
        t = _time(float(rng.uniform(0.6, 1.4)))
        buzz = np.sign(np.sin(2 * np.pi * float(rng.uniform(90, 130)) * t)) * (0.7 + 0.3 * noise(rng, len(t), -3.0))
        return np.asarray(buzz, dtype=np.float32)
    hz, decay = float(rng.uniform(480, 900)), float(rng.uniform(0.35, 1.0))
    ratios = (1.0, 2.0, 3.01, 4.1) if rng.random() < 0.5 else (1.0, 2.76, 5.4)
    if kind < 0.65:
        notes = (hz, hz / float(rng.choice([1.25, 1.26, 1.2, 1.335])))
    else:
        steps = rng.choice([0, 4, 7, 12, -5, 5], size=int(rng.integers(2, 5)))
        notes = tuple(hz * 2 ** (float(s) / 12) for s in steps)
    gap = float(rng.uniform(0.35, 0.7))
    out = np.zeros(int((gap * len(notes) + 3 * decay) * SR), dtype=np.float32)
    for i, note in enumerate(notes):
        hit = _strike(rng, note, 3 * decay, decay, ratios)
        at = int(i * gap * SR)
        out[at : at + len(hit)] += hit[: len(out) - at]
    return out


def phone_bell(rng: Rng) -> FloatArray:
    """An old telephone: two bells struck 20 times a second, in rings of one or two bursts."""
    hz, rate = float(rng.uniform(700, 1500)), float(rng.uniform(16, 25))
    burst = float(rng.uniform(0.8, 1.8))
    out = np.zeros(int((burst + 0.4) * SR), dtype=np.float32)
    for i in range(int(burst * rate)):
        hit = _strike(rng, hz * (1.0 if i % 2 else 1.19), 0.35, 0.15, (1.0, 2.3, 3.9))
        at = int(i / rate * SR)
        out[at : at + len(hit)] += hit[: len(out) - at]
    return np.concatenate([out, _rest(float(rng.uniform(0.2, 0.9))), out])


def phone_modern(rng: Rng) -> FloatArray:
    """A warbling electronic ring or a short ringtone figure, repeated."""
    hz = float(rng.uniform(600, 1400))
    if rng.random() < 0.5:
        t = _time(float(rng.uniform(0.6, 1.2)))
        flip = ((t * float(rng.uniform(14, 26))).astype(np.int64) % 2).astype(np.float32)
        ring = _sweep(np.asarray(hz * 1.25**flip, dtype=np.float32), _timbre(rng, 3))
    else:
        steps = rng.choice([0, 2, 4, 5, 7, 9, 12], size=int(rng.integers(4, 8)))
        length = float(rng.uniform(0.08, 0.14))
        ring = np.concatenate([_tone(length, hz * 2 ** (float(s) / 12), _timbre(rng, 3), 0.004) for s in steps])
    return np.tile(np.concatenate([ring, _rest(float(rng.uniform(0.25, 0.9)))]), 3)


def knock(rng: Rng) -> FloatArray:
    """Two to five raps on a door: a burst of many short modes of a panel, the higher ones weaker and sooner gone."""
    count, gap = int(rng.integers(2, 6)), float(rng.uniform(0.12, 0.3))
    low, tilt, ring = float(rng.uniform(60, 220)), float(rng.uniform(0.4, 1.3)), float(rng.uniform(0.015, 0.06))
    hz = low * (1 + np.sort(rng.exponential(4.0, size=40)))
    hz = hz[hz < 6000]
    t = _time(0.3).astype(np.float64)
    decay = ring / (1 + hz / 700)
    modes = np.exp(-t[None] / decay[:, None]) * np.sin(2 * np.pi * hz[:, None] * t + rng.uniform(0, 6.3, (len(hz), 1)))
    out = np.zeros(int((count * gap + 0.4) * SR), dtype=np.float32)
    for i in range(count):
        hit = (rng.uniform(0.5, 1.0, len(hz)) * (low / hz) ** tilt) @ modes
        hit += float(rng.uniform(0.1, 0.5)) * np.exp(-t / 0.003) * rng.standard_normal(len(t))
        at = int((i * gap + float(rng.uniform(0, 0.03))) * SR)
        out[at : at + len(hit)] += np.asarray(float(rng.uniform(0.6, 1.0)) * hit, dtype=np.float32)
    return out


def beep(rng: Rng) -> FloatArray:
    """One short beep of an appliance, not repeated."""
    return _tone(float(rng.uniform(0.06, 0.4)), float(rng.uniform(600, 3000)), _timbre(rng, 3), 0.004)


def notes(rng: Rng) -> FloatArray:
    """A slow melody, arpeggio or chord of one additive instrument."""
    root, timbre = float(rng.uniform(110, 520)), _timbre(rng, 8)
    scale = (0, 2, 4, 5, 7, 9, 11, 12)
    length, attack = float(rng.uniform(0.18, 0.7)), float(rng.uniform(0.005, 0.06))
    plucked, chord = rng.random() < 0.6, rng.random() < 0.25
    parts: list[FloatArray] = []
    for _ in range(int(rng.integers(3, 9))):
        pitches = [root * 2 ** (float(rng.choice(scale)) / 12) for _ in range(3 if chord else 1)]
        note = sum((_tone(length, p, timbre, attack) for p in pitches), start=_rest(length))
        parts.append(note * np.exp(-_time(length) * 4).astype(np.float32) if plucked else note)
    return np.concatenate(parts)


def clock_tick(rng: Rng) -> FloatArray:
    """A clock ticking once or twice a second."""
    period, hz = float(rng.choice([0.5, 1.0])), float(rng.uniform(1500, 4500))
    t = _time(period)
    tick = np.exp(-t / float(rng.uniform(0.002, 0.01))) * np.sin(2 * np.pi * hz * t)
    tick += 0.5 * np.exp(-t / 0.001) * rng.standard_normal(len(t), dtype=np.float32)
    return np.tile(np.asarray(tick, dtype=np.float32), int(float(rng.uniform(2, 4)) / period))


def click(rng: Rng) -> FloatArray:
    """A switch or a plastic click."""
    t = _time(0.12)
    decay, hz = float(rng.uniform(0.001, 0.008)), float(rng.uniform(800, 5000))
    out = np.exp(-t / decay) * (rng.standard_normal(len(t), dtype=np.float32) + np.sin(2 * np.pi * hz * t))
    return np.asarray(out, dtype=np.float32)


def hum(rng: Rng) -> FloatArray:
    """Mains hum with harmonics, steady for two to four seconds."""
    out = _tone(float(rng.uniform(2, 4)), float(rng.choice([50.0, 60.0, 100.0, 120.0])), _timbre(rng, 10), 0.2)
    return out + 0.02 * noise(rng, len(out), -3.0)


def fan(rng: Rng) -> FloatArray:
    """A fan: brownish noise with a slow beat and a faint blade tone."""
    t = _time(float(rng.uniform(2, 4)))
    beat = 1 + 0.15 * np.sin(2 * np.pi * float(rng.uniform(2, 9)) * t)
    tone = 0.2 * np.sin(2 * np.pi * float(rng.uniform(70, 240)) * t)
    ramp = np.minimum(1, np.minimum(t, t[-1] - t) / 0.3)
    return np.asarray((noise(rng, len(t), float(rng.uniform(-5, -2.5))) * beat + tone) * ramp, dtype=np.float32)


def typing(rng: Rng) -> FloatArray:
    """Keyboard-like clicks at uneven times."""
    out = np.zeros(int(float(rng.uniform(1.2, 3.5)) * SR), dtype=np.float32)
    at = 0
    while True:
        hit = click(rng)
        if at + len(hit) > len(out):
            return out
        out[at : at + len(hit)] += float(rng.uniform(0.3, 1.0)) * hit
        at += int(float(rng.uniform(0.07, 0.35)) * SR)


def howl(rng: Rng) -> FloatArray:
    """Wind in a gap: noise through a narrow resonance that wanders, which a siren's wail is taken for."""
    n = int(float(rng.uniform(3, 6)) * SR)
    t = np.arange(n, dtype=np.float64) / SR
    turns = sum(np.sin(2 * np.pi * float(rng.uniform(0.1, 0.6)) * t + float(rng.uniform(0, 6))) for _ in range(3)) / 3
    hz = float(rng.uniform(250, 800)) * 2 ** (float(rng.uniform(0.2, 0.8)) * turns)
    # A tone whose amplitude and phase are slow noise is a band of noise around its frequency.
    wander = np.cumsum(rng.standard_normal(n)) * float(rng.uniform(0.01, 0.06))
    slow = np.abs(np.convolve(rng.standard_normal(n), np.hanning(1600), mode="same")) / 20
    tone = np.sin(2 * np.pi * np.cumsum(hz) / SR + wander) * slow * (1.2 + turns)
    return np.asarray(tone + float(rng.uniform(0.1, 0.8)) * noise(rng, n, -5.0), dtype=np.float32)


def whistle(rng: Rng) -> FloatArray:
    """A person whistling: a pure tone that glides from note to note, with some breath."""
    root, steps = float(rng.uniform(700, 1600)), rng.choice([-3, -1, 0, 2, 4, 5, 7, 9], size=int(rng.integers(2, 9)))
    hold = int(float(rng.uniform(0.15, 0.5)) * SR)
    hz = np.repeat(root * 2.0 ** (steps / 12), hold)
    glide = int(float(rng.uniform(0.02, 0.12)) * SR)
    hz = np.convolve(np.pad(hz, glide, mode="edge"), np.ones(glide) / glide, mode="same")[glide:-glide]
    t = np.arange(len(hz)) / SR
    hz = hz * (1 + float(rng.uniform(0, 0.02)) * np.sin(2 * np.pi * float(rng.uniform(4, 7)) * t))
    out = _sweep(np.asarray(hz, dtype=np.float32), (1.0, float(rng.uniform(0, 0.08))))
    return out + float(rng.uniform(0.005, 0.05)) * noise(rng, len(out), 0.0)


def engine(rng: Rng) -> FloatArray:
    """A motor that idles, revs or passes: many harmonics of a low pitch that glides, and noise."""
    t = _time(float(rng.uniform(2.5, 5)))
    bend = np.sin(np.pi * np.clip(t / t[-1] * float(rng.uniform(0.7, 1.4)), 0, 1)) * float(rng.uniform(0, 1.3))
    hz = np.asarray(float(rng.uniform(25, 110)) * 2**bend, dtype=np.float32)
    buzz = _sweep(hz, tuple(float(rng.uniform(0.2, 1.0)) / (1 + 0.15 * i) for i in range(24)))
    ramp = np.minimum(1, np.minimum(t, t[-1] - t) / float(rng.uniform(0.1, 1.2)))
    return np.asarray((buzz + float(rng.uniform(0.2, 1.5)) * noise(rng, len(t), -4.0)) * ramp, dtype=np.float32)


ALERTING: dict[str, tuple[Callable[[Rng], FloatArray], ...]] = {
    "alarm": (smoke_alarm, smoke_alarm, two_tone_alarm, alarm_clock),
    "siren": (siren_sweep, siren_hilo),
    "doorbell": (doorbell,),
    "phone_ring": (phone_bell, phone_modern),
    "knock": (knock,),
}
BENIGN: dict[str, tuple[Callable[[Rng], FloatArray], ...]] = {
    "beep": (beep,),
    "music": (notes,),
    "clock_tick": (clock_tick,),
    "click": (click,),
    "hum": (hum,),
    "fan": (fan,),
    "keyboard_typing": (typing,),
    "wind": (howl,),
    "whistle": (whistle,),
    "car_engine": (engine,),
}
