"""Spoken device requests with their exact calls for demo/tools.json: forty sentences."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError

Call = dict[str, Any]


def _light(room: str, state: str, brightness: int | None = None) -> Call:
    more = {} if brightness is None else {"brightness": brightness}
    return {"name": "set_light", "arguments": {"room": room, "state": state} | more}


def _timer(minutes: int) -> Call:
    return {"name": "set_timer", "arguments": {"seconds": 60 * minutes}}


def _door(door: str, state: str) -> Call:
    return {"name": "set_lock", "arguments": {"door": f"{door} door", "state": f"{state}ed"}}


def _heat(celsius: int) -> Call:
    return {"name": "set_thermostat", "arguments": {"degrees": celsius}}


SENTENCES: tuple[tuple[str, Call], ...] = (
    ("Turn on the light in the kitchen.", _light("kitchen", "on")),
    ("Switch off the bedroom light, please.", _light("bedroom", "off")),
    ("Can you turn the lights on in the bathroom?", _light("bathroom", "on")),
    ("Put the living room light on.", _light("living room", "on")),
    ("Please turn off the hallway light.", _light("hallway", "off")),
    ("I need light in the office.", _light("office", "on")),
    ("Switch the garage light off.", _light("garage", "off")),
    ("Turn the kitchen lights off now.", _light("kitchen", "off")),
    ("It is dark in the hallway, turn the light on.", _light("hallway", "on")),
    ("Would you switch on the bedroom light?", _light("bedroom", "on")),
    ("Turn off the light in the bathroom.", _light("bathroom", "off")),
    ("Lights out in the living room, please.", _light("living room", "off")),
    ("Turn on the kitchen light at fifty percent.", _light("kitchen", "on", 50)),
    ("Switch on the bedroom light at twenty percent.", _light("bedroom", "on", 20)),
    ("Turn on the office light at eighty percent.", _light("office", "on", 80)),
    ("Turn on the living room light at thirty percent.", _light("living room", "on", 30)),
    ("Set a timer for five minutes.", _timer(5)),
    ("Start a ten minute timer.", _timer(10)),
    ("Please set the timer to twenty minutes.", _timer(20)),
    ("Can you time three minutes for me?", _timer(3)),
    ("Put a timer on for fifteen minutes.", _timer(15)),
    ("I need a timer of forty five minutes.", _timer(45)),
    ("Set a timer for one hour.", _timer(60)),
    ("Timer for thirty minutes, please.", _timer(30)),
    ("Start a timer for two minutes.", _timer(2)),
    ("Remind me in twelve minutes with a timer.", _timer(12)),
    ("Lock the front door.", _door("front", "lock")),
    ("Please lock the back door.", _door("back", "lock")),
    ("Unlock the garage door.", _door("garage", "unlock")),
    ("Can you unlock the front door for me?", _door("front", "unlock")),
    ("Make sure that the garage door is locked.", _door("garage", "lock")),
    ("Unlock the back door now.", _door("back", "unlock")),
    ("Would you lock the front door tonight?", _door("front", "lock")),
    ("Open the lock of the back door.", _door("back", "unlock")),
    ("Set the thermostat to twenty one degrees.", _heat(21)),
    ("Make it nineteen degrees in here.", _heat(19)),
    ("Turn the heating to twenty three degrees.", _heat(23)),
    ("Please set the temperature to eighteen degrees.", _heat(18)),
    ("I would like it to be twenty two degrees.", _heat(22)),
    ("Heat the house to twenty degrees.", _heat(20)),
)
# Voices of the dev split of data_builder/voices.py: no utterance of training has them.
VOICES = (
    ("espeak-ng", "en-gb-x-rp+f5"),
    ("espeak-ng", "en-gb-x-rp+m4"),
    ("flite", "rms"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """A spoken request: `path` of its audio, inside the folder it came from, its words, call, and voice."""

    path: str
    text: str
    call: Call
    voice: str


def speak(out: Path) -> list[Request]:
    """Say SENTENCES, each with one of VOICES in turn, into `out` (WAV, 16 kHz, kept). ConfigError without an engine."""
    have = [v for v in VOICES if shutil.which(v[0])]
    if not have:
        raise ConfigError("expected espeak-ng or flite on the PATH; got none (apt install espeak-ng)")
    found = []
    for k, (text, call) in enumerate(SENTENCES):
        engine, voice = have[k % len(have)]
        found.append(Request(said(engine, voice, text, out).name, text, call, f"{engine}:{voice}"))
    return found


def spoken(folder: Path) -> list[Request]:
    """Requests that others said: `folder` is of `soundflow data say` (index.csv: path, text, voice).

    Raises:
        ConfigError: no index, or a text that is none of SENTENCES, so that nobody knows its call.
    """
    calls = dict(SENTENCES)
    try:
        with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        found = [Request(r["path"], r["text"], calls[r["text"]], r["voice"]) for r in rows]
    except (OSError, KeyError) as error:
        raise ConfigError(
            f"{folder}/index.csv: expected path, text and voice of sentences of `soundflow bench sentences`, got"
            f" {error!r}"
        ) from error
    return found


def said(engine: str, voice: str, text: str, folder: Path) -> Path:
    """The file in `folder` in which `voice` says `text`, made where there is none."""
    path = folder / f"{hashlib.sha256(f'{engine}/{voice}/{text}'.encode()).hexdigest()[:16]}.wav"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        say(engine, voice, text, path)
    return path


def say(engine: str, voice: str, text: str, path: Path) -> None:
    raw = path.with_suffix(".raw.wav")
    if engine == "espeak-ng":
        command = ["espeak-ng", "-v", voice, "-w", str(raw), "--", text]
    else:
        command = ["flite", "-voice", voice, "-t", text, "-o", str(raw)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    if done.returncode or not raw.is_file():
        raise DataError(f"{engine} failed with code {done.returncode}: {done.stderr.decode()[:200]}", text)
    samples, rate = soundfile.read(raw, dtype="float32", always_2d=True)
    raw.unlink()
    heard = np.asarray(soxr.resample(samples[:, 0], rate, SAMPLE_RATE_HZ), np.float32)
    part = path.with_suffix(".part")
    soundfile.write(part, heard * (0.7 / max(1e-6, float(np.abs(heard).max()))), SAMPLE_RATE_HZ, format="WAV")
    os.replace(part, path)


def coffee_call(label: str, where: str) -> Call:
    """The call of an order out of its label "INTENT:orderDrink slot=value;slot=value". DataError for another form."""
    head, _, rest = label.partition(" ")
    if head != "INTENT:orderDrink" or not all("=" in pair for pair in rest.split(";")):
        raise DataError(f"expected a label 'INTENT:orderDrink slot=value;...', got {label!r:.80}", where)
    return {"name": "order_coffee", "arguments": dict(pair.split("=", 1) for pair in rest.split(";"))}
