"""Random melodies over General MIDI programs, rendered once with fluidsynth into a cache folder.

Where fluidsynth or its sound font is missing the folder stays empty and `synth_benign.notes` serves alone; the index of
a build counts the pieces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError

SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
SLOT_S = 6.0
PER_FILE = 24
TICKS = 480  # a quarter note; at 120 beats a minute two quarters are one second
LICENCE = "synthetic (FluidR3_GM sound font, MIT)"
FAMILIES = (
    "piano", "bells", "organ", "guitar", "bass", "strings", "choir", "brass", "reed instrument", "flute",
    "synthesizer", "synthesizer", "", "",
)  # fmt: skip
"""Of each eight General MIDI programs from 0 on."""
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9))


def _varlen(n: int) -> bytes:
    out = [n & 0x7F]
    while n := n >> 7:
        out.append(0x80 | n & 0x7F)
    return bytes(reversed(out))


def _melody(rng: np.random.Generator, start_s: float, program: int) -> list[tuple[int, bytes]]:
    """MIDI events (tick, bytes) of one slot: a melody, an arpeggio or chords; program 128 = drums."""
    channel = 9 if program == 128 else 0
    events = [] if channel else [(round(start_s * 2 * TICKS), bytes([0xC0, program]))]
    scale, root = SCALES[int(rng.integers(len(SCALES)))], int(rng.integers(40, 72))
    step, style = float(rng.choice([0.15, 0.2, 0.25, 0.33, 0.5, 0.75])), int(rng.integers(3))
    at, end, degree = 0.05, float(rng.uniform(2.5, 4.8)), int(rng.integers(7))
    while at < end:
        degree = degree + 2 if style == 1 else degree + int(rng.integers(-3, 4))
        keys = [
            root + 12 * ((degree + 2 * k) // len(scale) % 2) + scale[(degree + 2 * k) % len(scale)]
            for k in range(3 if style == 2 else 1)
        ]
        if channel:
            keys = [int(rng.choice([35, 38, 42, 46, 49, 45, 39, 54]))]
        length = step * float(rng.uniform(0.6, 1.0))
        for key in keys:
            on, off = round((start_s + at) * 2 * TICKS), round((start_s + at + length) * 2 * TICKS)
            events.append((on, bytes([0x90 | channel, key, int(rng.integers(60, 120))])))
            events.append((off, bytes([0x80 | channel, key, 0])))
        at += step * float(rng.choice([1, 1, 1, 2]))
    return events


def _midi(events: list[tuple[int, bytes]]) -> bytes:
    track, now = b"", 0
    for tick, body in sorted(events, key=lambda e: e[0]):
        track += _varlen(tick - now) + body
        now = tick
    track += b"\x00\xff\x2f\x00"
    head = b"MThd" + (6).to_bytes(4, "big") + (0).to_bytes(2, "big") + (1).to_bytes(2, "big") + TICKS.to_bytes(2, "big")
    return head + b"MTrk" + len(track).to_bytes(4, "big") + track


def available() -> bool:
    return shutil.which("fluidsynth") is not None and SOUND_FONT.is_file()


def _programs(rng: np.random.Generator) -> list[int]:
    return [p for p in (int(rng.integers(0, 129)) for _ in range(200)) if p < 112 or p == 128][:PER_FILE]


def instrument(name: str) -> str:
    """What plays in the piece gm-SEED-NUMBER.flac, by its General MIDI family; "" for sound effects."""
    seed, number = map(int, name.removesuffix(".flac").split("-")[1:])
    rng = np.random.default_rng(np.random.SeedSequence([seed, 88, number // PER_FILE]))
    program = _programs(rng)[number % PER_FILE]
    return "drums" if program == 128 else FAMILIES[program // 8]


def render(out: Path, count: int, seed: int) -> list[str]:
    """At least `count` melodies as `out`/NAME.flac at 16 kHz; those already there are kept. Returns sorted names."""
    out.mkdir(parents=True, exist_ok=True)
    for batch in range((count + PER_FILE - 1) // PER_FILE):
        names = [f"gm-{seed}-{batch * PER_FILE + i:04d}.flac" for i in range(PER_FILE)]
        if all((out / n).is_file() for n in names):
            continue
        rng = np.random.default_rng(np.random.SeedSequence([seed, 88, batch]))
        programs = _programs(rng)
        events = [e for i, p in enumerate(programs) for e in _melody(rng, i * SLOT_S, p)]
        with tempfile.TemporaryDirectory() as tmp:
            (Path(tmp) / "a.mid").write_bytes(_midi(events))
            command = ["fluidsynth", "-ni", "-g", "0.6", "-r", "32000", "-F", "a.wav", str(SOUND_FONT), "a.mid"]
            done = subprocess.run(command, cwd=tmp, capture_output=True, check=False, timeout=300)
            if done.returncode or not (Path(tmp) / "a.wav").is_file():
                raise DataError(f"fluidsynth failed with code {done.returncode}: {done.stderr.decode()[:200]}")
            audio, rate = sf.read(Path(tmp) / "a.wav", dtype="float32", always_2d=True)
        mono = np.asarray(soxr.resample(audio.mean(axis=1), rate, SAMPLE_RATE_HZ), dtype=np.float32)
        size = int(SLOT_S * SAMPLE_RATE_HZ)
        for i, name in enumerate(names):
            piece = mono[i * size : (i + 1) * size]
            peak = float(np.abs(piece).max()) if len(piece) else 0.0
            if peak < 1e-3:
                piece = np.sin(np.arange(size) * 0.1).astype(np.float32)  # a silent program: one plain note instead
                peak = 1.0
            part = out / (name + ".part")
            sf.write(part, piece * np.float32(0.8 / peak), SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
            os.replace(part, out / name)
    return sorted(p.name for p in out.glob(f"gm-{seed}-*.flac"))
