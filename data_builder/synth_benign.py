"""Sounds not to be answered, made by formula: beeps, tunes, ticks, machines, wind, a cat.

Each function draws all its parameters from `rng`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data_builder.clips import FloatArray
from data_builder.mix import noise
from data_builder.synth_parts import Rng, clock, rest, sweep, timbre, tone
from soundflow import SAMPLE_RATE_HZ as SR


def beep(rng: Rng) -> FloatArray:
    """One short beep of an appliance, not repeated."""
    return tone(float(rng.uniform(0.06, 0.4)), float(rng.uniform(600, 3000)), timbre(rng, 3), 0.004)


def notes(rng: Rng) -> FloatArray:
    """A slow melody, arpeggio or chord of one additive instrument."""
    root, partials = float(rng.uniform(110, 520)), timbre(rng, 8)
    scale = (0, 2, 4, 5, 7, 9, 11, 12)
    length, attack = float(rng.uniform(0.18, 0.7)), float(rng.uniform(0.005, 0.06))
    plucked, chord = rng.random() < 0.6, rng.random() < 0.25
    parts: list[FloatArray] = []
    for _ in range(int(rng.integers(3, 9))):
        pitches = [root * 2 ** (float(rng.choice(scale)) / 12) for _ in range(3 if chord else 1)]
        note = sum((tone(length, p, partials, attack) for p in pitches), start=rest(length))
        parts.append(note * np.exp(-clock(length) * 4).astype(np.float32) if plucked else note)
    return np.concatenate(parts)


def clock_tick(rng: Rng) -> FloatArray:
    """A clock ticking once or twice a second."""
    period, hz = float(rng.choice([0.5, 1.0])), float(rng.uniform(1500, 4500))
    t = clock(period)
    tick = np.exp(-t / float(rng.uniform(0.002, 0.01))) * np.sin(2 * np.pi * hz * t)
    tick += 0.5 * np.exp(-t / 0.001) * rng.standard_normal(len(t), dtype=np.float32)
    return np.tile(np.asarray(tick, dtype=np.float32), int(float(rng.uniform(2, 4)) / period))


def click(rng: Rng) -> FloatArray:
    """A switch or a plastic click."""
    t = clock(0.12)
    decay, hz = float(rng.uniform(0.001, 0.008)), float(rng.uniform(800, 5000))
    out = np.exp(-t / decay) * (rng.standard_normal(len(t), dtype=np.float32) + np.sin(2 * np.pi * hz * t))
    return np.asarray(out, dtype=np.float32)


def hum(rng: Rng) -> FloatArray:
    """Mains hum with harmonics, steady for two to four seconds."""
    out = tone(float(rng.uniform(2, 4)), float(rng.choice([50.0, 60.0, 100.0, 120.0])), timbre(rng, 10), 0.2)
    return out + 0.02 * noise(rng, len(out), -3.0)


def fan(rng: Rng) -> FloatArray:
    """A fan: brownish noise with a slow beat and a faint blade tone."""
    t = clock(float(rng.uniform(2, 4)))
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
    """Wind in a gap, which a siren's wail is taken for: a narrow resonance in noise, both as strong as the gust.

    An edge's tone rises with the speed of the air (Strouhal), so that its pitch follows the gusts.
    """
    n = int(float(rng.uniform(3, 6)) * SR)
    t = np.arange(n, dtype=np.float64) / SR
    turns = sum(np.sin(2 * np.pi * float(rng.uniform(0.08, 0.9)) * t + float(rng.uniform(0, 6))) for _ in range(4)) / 4
    flutter = np.convolve(rng.standard_normal(n), np.hanning(4000), mode="same") / 40
    gust = np.exp(float(rng.uniform(0.3, 1.8)) * turns + float(rng.uniform(0, 0.5)) * flutter)
    hz = float(rng.uniform(250, 1400)) * gust ** float(rng.uniform(0.1, 0.45))
    # A tone whose amplitude and phase are slow noise is a band of noise around its frequency.
    wander = np.cumsum(rng.standard_normal(n)) * float(rng.uniform(0.01, 0.09))
    slow = np.abs(np.convolve(rng.standard_normal(n), np.hanning(1600), mode="same")) / 20
    whine = np.sin(2 * np.pi * np.cumsum(hz) / SR + wander) * slow * gust
    rumble = noise(rng, n, float(rng.uniform(-7, -3))) * gust ** float(rng.uniform(0.5, 1.2))
    hiss = noise(rng, n, -1.0) * gust**2 / np.mean(gust**2) * float(rng.uniform(0, 0.5))
    return np.asarray(whine + float(rng.uniform(0.4, 4.0)) * rumble + hiss, dtype=np.float32)


def passing(rng: Rng) -> FloatArray:
    """A train, a car or an aircraft that comes and goes: noise that swells and brightens, over a low drone."""
    t = clock(float(rng.uniform(3, 6)))
    near = np.exp(-(((t - t[-1] * float(rng.uniform(0.3, 0.8))) / float(rng.uniform(0.5, 2.5))) ** 2))
    drone = sweep(float(rng.uniform(40, 320)) * (1.06 - 0.12 * t / t[-1]), timbre(rng, 8))
    low, high = noise(rng, len(t), -5.0), noise(rng, len(t), float(rng.uniform(-3, -1)))
    rattle = 1 + float(rng.uniform(0, 0.8)) * np.sin(2 * np.pi * float(rng.uniform(2, 12)) * t)
    out = low * (0.1 + near) + float(rng.uniform(0, 0.8)) * high * near**2 * rattle
    return np.asarray(out + float(rng.uniform(0, 0.6)) * drone * (0.1 + near), dtype=np.float32)


def meow(rng: Rng) -> FloatArray:
    """A cat, once or twice: a voice whose pitch arches and whose resonance opens and closes; now and then it ends in a
    hiss."""
    out: list[FloatArray] = []
    base = float(rng.uniform(380, 800))
    for _ in range(int(rng.choice([1, 1, 2]))):
        t = clock(float(rng.uniform(0.3, 1.1)))
        at = t / t[-1]
        arch = np.sin(np.pi * at ** float(rng.uniform(0.5, 1.5)))
        hz = base * (1 + float(rng.uniform(0.05, 0.6)) * arch - float(rng.uniform(0, 0.3)) * at)
        open_hz = 700 + float(rng.uniform(600, 2200)) * np.sin(np.pi * at ** float(rng.uniform(0.6, 1.4)))
        phase = 2 * np.pi * np.cumsum(hz.astype(np.float64)) / SR
        voice = np.zeros(len(t))
        for k in range(1, 13):
            formant = 0.03 + np.exp(-(((k * hz - open_hz) / 450) ** 2)) + 0.2 * np.exp(-(((k * hz - 3300) / 700) ** 2))
            voice += np.where(k * hz < 7500, formant, 0.0) * np.sin(k * phase) / k**0.6
        breath = float(rng.uniform(0.01, 0.25)) * noise(rng, len(t), 0.0)
        out += [np.asarray((voice + breath) * np.sin(np.pi * at).clip(0) ** 0.4, dtype=np.float32)]
        out += [rest(float(rng.uniform(0.15, 0.9)))]
    if rng.random() < 0.15:
        t = clock(float(rng.uniform(0.3, 1.0)))
        out += [np.asarray(noise(rng, len(t), 1.0) * np.sin(np.pi * t / t[-1]).clip(0) ** 0.5, dtype=np.float32)]
    return np.concatenate(out)


def whistle(rng: Rng) -> FloatArray:
    """A person whistling: a pure tone that glides from note to note, with some breath."""
    root, steps = float(rng.uniform(700, 1600)), rng.choice([-3, -1, 0, 2, 4, 5, 7, 9], size=int(rng.integers(2, 9)))
    hold = int(float(rng.uniform(0.15, 0.5)) * SR)
    hz = np.repeat(root * 2.0 ** (steps / 12), hold)
    glide = int(float(rng.uniform(0.02, 0.12)) * SR)
    hz = np.convolve(np.pad(hz, glide, mode="edge"), np.ones(glide) / glide, mode="same")[glide:-glide]
    t = np.arange(len(hz)) / SR
    hz = hz * (1 + float(rng.uniform(0, 0.02)) * np.sin(2 * np.pi * float(rng.uniform(4, 7)) * t))
    out = sweep(np.asarray(hz, dtype=np.float32), (1.0, float(rng.uniform(0, 0.08))))
    return out + float(rng.uniform(0.005, 0.05)) * noise(rng, len(out), 0.0)


def engine(rng: Rng) -> FloatArray:
    """A motor that idles, revs or passes: many harmonics of a low pitch that glides, and noise."""
    t = clock(float(rng.uniform(2.5, 5)))
    bend = np.sin(np.pi * np.clip(t / t[-1] * float(rng.uniform(0.7, 1.4)), 0, 1)) * float(rng.uniform(0, 1.3))
    hz = np.asarray(float(rng.uniform(25, 110)) * 2**bend, dtype=np.float32)
    buzz = sweep(hz, tuple(float(rng.uniform(0.2, 1.0)) / (1 + 0.15 * i) for i in range(24)))
    ramp = np.minimum(1, np.minimum(t, t[-1] - t) / float(rng.uniform(0.1, 1.2)))
    return np.asarray((buzz + float(rng.uniform(0.2, 1.5)) * noise(rng, len(t), -4.0)) * ramp, dtype=np.float32)


BENIGN: dict[str, tuple[Callable[[Rng], FloatArray], ...]] = {
    "beep": (beep,),
    "music": (notes,),
    "clock_tick": (clock_tick,),
    "click": (click,),
    "hum": (hum,),
    "fan": (fan,),
    "keyboard_typing": (typing,),
    "wind": (howl,),
    "train": (passing,),
    "airplane": (passing,),
    "cat_meow": (meow,),
    "whistle": (whistle,),
    "car_engine": (engine,),
}
