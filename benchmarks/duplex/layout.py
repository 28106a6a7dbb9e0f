"""The published folders of Full-Duplex-Bench v1 and v1.5: a strict reader, and what the official scorers read.

ROOT/TASK/ID/, also below ROOT/v1.0 and ROOT/v1.5. v1: candor_pause_handling and synthetic_pause_handling (pause.json),
candor_turn_taking (turn_taking.json), icc_backchannel, synthetic_user_interruption (interrupt.json: context,
interrupt); an annotation is a list whose first entry has "timestamp" [start, end] in seconds. v1.5: user_interruption,
user_backchannel, talking_to_other, background_speech; metadata.json with "timestamps" [start, end] of the overlap, and
clean_input.wav without it. input.wav is of 16, 24 or 48 kHz. (dataset/README.md and evaluation/ of
github.com/DanielLin94144/Full-Duplex-Bench, 2025; CC BY-NC 4.0, so it is a test set and never trained on.)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr

from benchmarks.compose import Bed, Item
from benchmarks.duplex.fdb import Chunk
from benchmarks.duplex.scene import Played, Script
from benchmarks.duplex.stage import vad_file
from benchmarks.plan import item_seed
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples, seconds
from soundflow.errors import ConfigError, DataError
from soundflow.perceive.vad import VadConfig, VoiceActivity
from soundflow.types import AudioChunk, FloatArray

TASKS: Final[dict[str, tuple[str, str]]] = {
    "candor_pause_handling": ("pause", "pause.json"),
    "synthetic_pause_handling": ("pause", "pause.json"),
    "candor_turn_taking": ("turn", "turn_taking.json"),
    "icc_backchannel": ("listening", ""),
    "synthetic_user_interruption": ("interruption", "interrupt.json"),
    "user_interruption": ("interruption", "metadata.json"),
    "user_backchannel": ("backchannel", "metadata.json"),
    "talking_to_other": ("others", "metadata.json"),
    "background_speech": ("background", "metadata.json"),
}
"""Folder -> (scenario, annotation)."""
CLEAN: Final = "clean"  # group of the inputs without overlap: heard for the official judge, not scored
LONGEST_S: Final = 300.0
SILENCE_MS, SPEECH_S = 100, 0.25  # Silero's own defaults


def read(root: Path, seed: int = 0, clean: bool = False) -> list[Item]:
    """The samples of `root`, by task and id.

    Args:
        clean: v1.5's clean_input.wav as well, as samples of the group "clean".

    Raises:
        ConfigError: no task folder there. DataError: a sample without input.wav or with a broken annotation; named.
    """
    places = [p for base in (root, root / "v1.0", root / "v1.5") for t in TASKS if (p := base / t).is_dir()]
    if not places:
        raise ConfigError(f"{root}: expected folders of Full-Duplex-Bench ({', '.join(TASKS)}), got none")
    found: list[Item] = []
    seen: set[str] = set()
    for place in places:
        for folder in sorted(p for p in place.iterdir() if p.is_dir() and not p.name.startswith(".")):
            item = _sample(place.name, folder, seed)
            if item.id in seen:
                raise DataError(f"expected each sample once, got {item.id} again", str(folder))
            seen.add(item.id)
            found.append(item)
            if clean and (folder / "clean_input.wav").is_file():
                facts = dict(item.facts) | {"file": str((folder / "clean_input.wav").resolve()), "over": None}
                where = (f"{item.id}/clean", CLEAN, item.label, "", item.source, item.seed)
                found.append(Item(*where, (), Bed("zero"), 0.0, item.seconds, facts=facts))
    return found


def _sample(task: str, folder: Path, seed: int) -> Item:
    scenario, annotation = TASKS[task]
    audio = folder / "input.wav"
    length = _length(audio)
    facts: dict[str, Any] = {"file": str(audio.resolve()), "sample": folder.name, "task": task}
    if annotation:
        body = _json(folder / annotation)
        where = str(folder / annotation)
        first = body if annotation == "metadata.json" else body[0] if isinstance(body, list) and body else {}
        if not isinstance(first, dict):
            raise DataError(f"expected an object, got {first!r:.80}", where)
        key = "timestamps" if annotation == "metadata.json" else "timestamp"
        facts["stamp"] = _stamp(first.get(key), length, where, key)
        text = first.get("interrupt") or first.get("current_turn_text")
        facts |= {"text": str(text)} if text else {}
    facts["over"] = facts["stamp"] if scenario in ("interruption", "backchannel", "others", "background") else None
    name = f"{task}/{folder.name}"
    where_ = (name, scenario, task, "", name, item_seed(seed, name))
    return Item(*where_, (), Bed("zero"), 0.0, round(length, 3), facts=facts)


def _length(path: Path) -> float:
    try:
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"expected the user's audio, got an unreadable file: {error}", str(path)) from error
    if not 0 < info.duration <= LONGEST_S:
        raise DataError(f"expected at most {LONGEST_S:g} s of audio, got {info.duration:.1f} s", str(path))
    return float(info.duration)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"expected JSON: {error}", str(path)) from error


def _stamp(stamp: Any, length: float, where: str, key: str) -> list[float]:
    fits = (
        isinstance(stamp, list)
        and len(stamp) == 2
        and all(isinstance(x, int | float) and not isinstance(x, bool) for x in stamp)
        and 0 <= stamp[0] <= stamp[1] <= length + 1.0
    )
    if not fits:
        raise DataError(f'expected "{key}": [start, end] in seconds within {length:.1f} s, got {stamp!r:.80}', where)
    return [float(x) for x in stamp]


def audio_of(path: Path) -> FloatArray:
    """[n] at 16 kHz, channels mixed, quiet ends kept. DataError for what is no audio."""
    try:
        data, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"expected audio, got an unreadable file: {error}", str(path)) from error
    mono = data.mean(axis=1)
    if not len(mono) or not np.isfinite(mono).all():
        raise DataError("expected finite samples, got none or NaN", str(path))
    heard: FloatArray = (mono if rate == SAMPLE_RATE_HZ else soxr.resample(mono, rate, SAMPLE_RATE_HZ)).astype("f4")
    return heard


def script(item: Item, chunk: int) -> Script:
    """A published sample: its audio with zeros to a whole chunk; where the user speaks, by the annotation (v1: the turn
    ends there; the whole input in the pause and backchannel tasks) or, in overlaps, by voice activity."""
    audio = audio_of(Path(item.facts["file"]))
    whole = np.zeros(-(-len(audio) // chunk) * chunk, np.float32)
    whole[: len(audio)] = audio
    if item.group == "turn":
        user = [(0, samples(item.facts["stamp"][0]))]
    elif item.group in ("pause", "listening"):
        user = [(0, len(audio))]
    else:
        user = speech(audio)
    return Script(whole, user)


def speech(audio: FloatArray) -> list[tuple[int, int]]:
    """Stretches of speech in [n], samples: Silero at its own defaults (100 ms of silence, 250 ms of speech)."""
    vad = VoiceActivity(vad_file(), VadConfig(stop_ms=SILENCE_MS))
    state, size = vad.init_state(), 512
    found: list[tuple[int, int]] = []
    began: int | None = None
    for k, start in enumerate(range(0, len(audio) - size + 1, size)):
        heard = vad.step(AudioChunk(k, start, audio[start : start + size]), state)
        if heard.stopped is not None and began is not None:
            found.append((began, heard.stopped))
            began = None
        if heard.started is not None:
            began = heard.started
    if began is not None:
        found.append((began, len(audio)))
    return [(a, b) for a, b in found if b - a >= samples(SPEECH_S)]


def write(folder: Path, item: Item, played: Played, words: Sequence[Chunk]) -> None:
    """What the official scorers read of one sample into `folder`: output.wav and output.json ({text, chunks: [{text,
    timestamp}]}), clean_output.* of a clean input; of the composed set also input.wav and its annotation.

    Of an interruption of v1 output.json holds the words behind its end, as the published `asr.py` cuts it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = "clean_output" if item.group == CLEAN else "output"
    soundfile.write(folder / f"{name}.wav", played.ledger.played(len(played.mic)), SAMPLE_RATE_HZ)
    first = item.facts.get("task", "synthetic_user_interruption") == "synthetic_user_interruption"
    if item.group == "interruption" and first and played.over:
        words = [c for c in words if c.start >= seconds(played.over[1])]
    body = [{"text": c.text, "timestamp": [round(c.start, 3), round(c.end or c.start, 3)]} for c in words]
    _dump(folder / f"{name}.json", {"text": " ".join(c.text for c in words), "chunks": body})
    if "file" in item.facts:
        return
    soundfile.write(folder / "input.wav", played.mic, SAMPLE_RATE_HZ)
    end = seconds(max((b for _, b in played.user), default=0))
    stamp = [seconds(x) for x in played.over] if played.over else [end, end]
    said = {"interrupt": item.facts.get("text", ""), "context": item.facts.get("say", "")}
    if item.group == "turn":
        _dump(folder / "turn_taking.json", [{"text": "[TURN-TAKING]", "timestamp": stamp}])
    elif item.group == "pause":
        _dump(folder / "pause.json", [{"text": "[PAUSE]", "timestamp": [seconds(x) for x in _pause(played)]}])
    elif played.over:
        _dump(folder / "interrupt.json", [{**said, "timestamp": stamp}])
        more = {"context_text": said["context"], "current_turn_text": said["interrupt"]}
        _dump(folder / "metadata.json", {**more, "timestamps": stamp})


def _pause(played: Played) -> tuple[int, int]:
    (_, start), (end, _) = played.user[:2]
    return start, end


def _dump(path: Path, body: Any) -> None:
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1), encoding="utf-8")


def references(path: Path) -> dict[str, list[float]]:
    """Human backchannel timing by sample id (the published icc_gt_distribution.json). DataError for another form."""
    body = _json(path)
    if not isinstance(body, dict) or not body:
        raise DataError("expected an object of sample id: [mass of each bin]", str(path))
    for name, bins in body.items():
        fits = isinstance(bins, list) and all(isinstance(x, int | float) and x >= 0 for x in bins)
        if not fits or not bins or not sum(bins) > 0:
            raise DataError(f"{name}: expected masses that are not all zero, got {bins!r:.60}", str(path))
    return {str(k): [float(x) for x in v] for k, v in body.items()}
