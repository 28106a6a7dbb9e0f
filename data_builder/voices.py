"""Speech synthesis: engines behind one call, voices divided by split, and the utterance bank (16 kHz WAVs by hash)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile as sf
import soxr

from data_builder.clips import FloatArray, audible
from data_builder.texts.devices import request
from data_builder.texts.questions import HEARD_QUESTIONS, QUESTIONS
from data_builder.texts.side_talk import SIDE_TALK
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError

SCHEMA = 1
SHARES = {"question": 0.36, "heard": 0.10, "act": 0.34, "side_talk": 0.20}
SPLIT_SHARES = {"train": 0.76, "cal": 0.12, "dev": 0.12}
MAX_SECONDS = 9.0


@dataclass(frozen=True, slots=True)
class Voice:
    """`name` is the engine's own voice name, `rate` 1 = its default speed, `pitch` 0 to 99 (espeak only)."""

    engine: str
    name: str
    rate: float = 1.0
    pitch: int = 50

    @property
    def id(self) -> str:
        return f"{self.engine}:{self.name}:{self.rate:g}:{self.pitch}"


class Engine(Protocol):
    """Text to speech."""

    licence: str

    def say(self, text: str, voice: Voice) -> FloatArray:
        """[N] float32 at 16 kHz. Raises DataError where the engine fails."""
        ...


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    if done.returncode:
        raise DataError(f"{command[0]} failed with code {done.returncode}: {done.stderr.decode()[:200]}", what)


def _read(path: Path, what: str) -> FloatArray:
    samples, rate = sf.read(path, dtype="float32", always_2d=True)
    if not len(samples):
        raise DataError("expected speech, got no samples", what)
    out = soxr.resample(samples[:, 0], rate, SAMPLE_RATE_HZ)
    return np.asarray(out, dtype=np.float32)


class Espeak:
    """espeak-ng; the name is a voice with variant, as "en-us+f3"."""

    licence = "synthetic (espeak-ng)"

    def say(self, text: str, voice: Voice) -> FloatArray:
        with tempfile.TemporaryDirectory() as tmp:
            out = Path(tmp) / "a.wav"
            speed = str(round(165 * voice.rate))
            _run(["espeak-ng", "-v", voice.name, "-s", speed, "-p", str(voice.pitch), "-w", str(out), "--", text], text)
            return _read(out, text)


class Flite:
    """flite; the name is one of its built-in voices."""

    licence = "synthetic (flite)"

    def say(self, text: str, voice: Voice) -> FloatArray:
        with tempfile.TemporaryDirectory() as tmp:
            out = Path(tmp) / "a.wav"
            stretch = f"duration_stretch={1 / voice.rate:.3f}"
            _run(["flite", "-voice", voice.name, "--setf", stretch, "-t", text, "-o", str(out)], text)
            return _read(out, text)


class Piper:
    """Piper; `folder` holds NAME.onnx and NAME.onnx.json. Loaded at the first utterance."""

    licence = "synthetic (Piper en_US-joe, data CC0)"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loaded: dict[str, Any] = {}

    def say(self, text: str, voice: Voice) -> FloatArray:
        from piper import PiperVoice, SynthesisConfig

        if voice.name not in self._loaded:
            path = self.folder / f"{voice.name}.onnx"
            if not path.is_file():
                raise ConfigError(f"expected a Piper voice at {path}, got none (option --piper)")
            self._loaded[voice.name] = PiperVoice.load(path)
        config = SynthesisConfig(length_scale=1 / voice.rate)
        parts = list(self._loaded[voice.name].synthesize(text, syn_config=config))
        if not parts:
            raise DataError("expected speech, got no samples", text)
        whole = np.concatenate([p.audio_float_array for p in parts])
        return np.asarray(soxr.resample(whole, parts[0].sample_rate, SAMPLE_RATE_HZ), dtype=np.float32)


def engines(piper: Path | None) -> dict[str, Engine]:
    """The engines that this machine has. Raises ConfigError where there is none."""
    found: dict[str, Engine] = {}
    if shutil.which("espeak-ng"):
        found["espeak"] = Espeak()
    if shutil.which("flite"):
        found["flite"] = Flite()
    if piper is not None:
        found["piper"] = Piper(piper)
    if not found:
        raise ConfigError("expected espeak-ng or flite on PATH, or --piper DIR; got none")
    return found


def voices(split: str, have: set[str]) -> list[list[Voice]]:
    """Groups of voices of a split; a group is drawn uniformly, then a voice of it. No voice name is in two splits."""
    rates = (0.85, 1.0, 1.15)
    if split == "train":
        espeak = [
            Voice("espeak", f"en-us{v}", r, p)
            for v in ("", "+m3", "+f2", "+f4", "+m7")
            for r in rates
            for p in (35, 60)
        ]
        espeak += [Voice("espeak", f"en-gb{v}", r) for v in ("", "+f3", "+m1") for r in rates]
        flite = [Voice("flite", n, r) for n in ("slt", "kal", "kal16") for r in rates]
        groups = [espeak, flite, [Voice("piper", "en_US-joe-medium", r) for r in (0.85, 0.95, 1.0, 1.1, 1.2)]]
    elif split == "cal":
        groups = [
            [Voice("espeak", f"en-gb-scotland{v}", r) for v in ("", "+f1") for r in rates],
            [Voice("flite", "awb", r) for r in rates],
        ]
    else:
        groups = [
            [Voice("espeak", f"en-gb-x-rp{v}", r) for v in ("+f5", "+m4") for r in rates],
            [Voice("flite", "rms", r) for r in rates],
        ]
    return [g for g in groups if g[0].engine in have]


def _held_out(text: str) -> str:
    """Which split a text is kept for: a tenth each for dev and cal, the rest for train."""
    digit = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 10
    return {0: "dev", 1: "cal"}.get(digit, "train")


def _texts(kind: str, split: str, count: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """`count` texts of a kind with answers or calls. Train never says a held-out text; cal and dev do."""
    if kind == "act":
        seen: list[dict[str, Any]] = []
        while len(seen) < count:
            text, call = request(rng)
            if split == "train" and _held_out(text) != "train":
                continue
            seen.append({"text": text, "call": call})
        return seen
    rows: list[dict[str, Any]] = {
        "question": [{"text": q, "answer": a} for q, a in QUESTIONS],
        "heard": [{"text": q} for q in HEARD_QUESTIONS],
        "side_talk": [{"text": t} for t in SIDE_TALK],
    }[kind]
    mine = [r for r in rows if kind == "heard" or _held_out(str(r["text"])) == split]
    if split != "train":
        others = [r for r in rows if r not in mine]
        mine = mine * max(1, len(others) // max(1, len(mine))) + others
    order: list[dict[str, Any]] = []
    while len(order) < count:
        order += [mine[int(i)] for i in rng.permutation(len(mine))]
    return order[:count]


def build_bank(out: Path, count: int, seed: int = 0, piper: Path | None = None, log: Any = None) -> dict[str, int]:
    """Write about `count` utterances and `out`/index.json; a WAV that is there is kept. Returns counts a split."""
    have = engines(piper)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 77]))
    rows: list[dict[str, Any]] = []
    totals: dict[str, int] = {}
    for split, share in SPLIT_SHARES.items():
        groups = voices(split, set(have))
        for kind, part in SHARES.items():
            for entry in _texts(kind, split, max(2, round(count * share * part)), rng):
                group = groups[int(rng.integers(len(groups)))]
                voice = group[int(rng.integers(len(group)))]
                row = _utterance(out, entry, voice, have[voice.engine])
                if row is not None:
                    rows.append({"kind": kind, "split": split, **row})
                    totals[split] = totals.get(split, 0) + 1
                    if log is not None and len(rows) % 100 == 0:
                        log(f"{len(rows)} of {count} utterances")
    unique = {(r["kind"], r["path"]): r for r in rows}
    part_file = out / "index.json.part"
    part_file.write_text(json.dumps({"schema": SCHEMA, "utterances": list(unique.values())}, indent=0, sort_keys=True))
    os.replace(part_file, out / "index.json")
    return totals


def _utterance(out: Path, entry: dict[str, Any], voice: Voice, engine: Engine) -> dict[str, Any] | None:
    key = hashlib.sha256(json.dumps([asdict(voice), entry["text"]]).encode()).hexdigest()[:20]
    name = f"wav/{key[:2]}/{key}.wav"
    path = out / name
    if path.is_file():
        samples, _ = sf.read(path, dtype="float32")
    else:
        samples = engine.say(entry["text"], voice)
        onset, offset = audible(samples, cap=False)
        samples = samples[onset:offset]
        samples = samples * np.float32(0.7 / max(1e-6, float(np.abs(samples).max())))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        sf.write(part, samples, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
        os.replace(part, path)
    if not 0.3 < len(samples) / SAMPLE_RATE_HZ < MAX_SECONDS:
        return None
    seconds = round(len(samples) / SAMPLE_RATE_HZ, 3)
    return {**entry, "path": name, "voice": voice.id, "seconds": seconds, "licence": engine.licence}


def read_bank(folder: Path) -> list[dict[str, Any]]:
    """Rows of a bank. Raises DataError where the index is missing or of another schema."""
    path = folder / "index.json"
    if not path.is_file():
        raise DataError(
            f"expected an utterance bank at {folder}, got no index.json (make one: soundflow data voices --out DIR)"
        )
    body = json.loads(path.read_text())
    if body.get("schema") != SCHEMA:
        raise DataError(f"expected bank schema {SCHEMA}, got {body.get('schema')!r}", str(path))
    rows: list[dict[str, Any]] = body["utterances"]
    return rows
