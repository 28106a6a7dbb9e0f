"""Utterances: spoken, trimmed, levelled, heard by a recogniser, and kept on disk by what they were made of.

CACHE/ab/abcd....flac   samples as 16-bit mono at 16 kHz
CACHE/ab/abcd....json   {text, heard, wer, seconds, sha256}, or {text, failed} where there is nothing to keep

Everything depends on the arguments alone, so that workers may share a folder and a lost file changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from data_builder.clips import FloatArray, audible, fade
from data_builder.speech.ear import Ear, wer
from data_builder.speech.protocol import Engine, Stalled, Voice
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError
from soundflow.respond.speech_text import speakable

MAX_WER: Final = 0.10
TRIES: Final = 3
PEAK: Final = 0.7
MIN_SECONDS, MAX_SECONDS = 0.2, 30.0
MAX_CHARS: Final = 600
_VERSION: Final = 1  # of the making below: another one makes every file anew

Int16Array = NDArray[np.int16]


class Unheard(DataError):
    """No candidate spoke the text so that it was understood: the whole dialogue is to be dropped."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech [N] float32 at 16 kHz, trimmed, peak 0.7. `text` is what was asked for, `heard` what the recogniser made
    of it, `wer` None where it was not asked. `source` is "tts:" and the key in the cache.
    """

    audio: FloatArray
    text: str
    heard: str
    wer: float | None
    voice: Voice
    source: str
    licence: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _Take:
    """One voice's attempt: samples [N], or why there are none."""

    pcm: Int16Array
    heard: str = ""
    wer: float | None = None
    failed: str = ""

    @property
    def understood(self) -> bool:
        return not self.failed and (self.wer is None or self.wer <= MAX_WER)


class Synthesiser:
    """Text to checked speech.

    Args:
        engines: by name (`engines.engines`).
        cache: folder of utterances, made if need be; several processes may share it.
        ear: recogniser of English; None checks nothing (`wer` is None everywhere).
    """

    def __init__(self, engines: Mapping[str, Engine], cache: Path, ear: Ear | None) -> None:
        self._engines, self._cache, self._ear = engines, cache, ear
        self._names: dict[str, set[str]] = {}

    def say(self, text: str, candidates: Sequence[Voice], language: str = "en", emotion: str = "neutral") -> Utterance:
        """`text` by the first of the candidates (three at most) whom the recogniser understands: WER at most 0.10.

        The recogniser knows English only: another `language` is not checked, its `wer` is None and `heard` "".

        Raises:
            Unheard: nobody was understood.
            Stalled: an engine hung or was killed; nothing was kept, another attempt may succeed.
            DataError: no words, or more than 600 characters.
            ConfigError: no candidate, an engine or a voice that this machine lacks, or an emotion that nobody knows.
        """
        if not candidates:
            raise ConfigError(f"expected a voice for {language!r}, got none")
        line = spoken_line(text, language)
        tried = []
        for candidate in candidates[:TRIES]:
            voice = replace(candidate, emotion=emotion)
            engine = self._engine(voice)
            key = self._key(line, voice, language)
            take = self._read(key, line) or self._make(key, line, voice, engine, language)
            if take.understood:
                seconds = round(len(take.pcm) / SAMPLE_RATE_HZ, 3)
                audio = take.pcm.astype(np.float32) / np.float32(32768.0)
                source = f"tts:{key}"
                return Utterance(audio, text, take.heard, take.wer, voice, source, engine.licence(voice), seconds)
            tried.append(f"{voice.id}: {take.failed or f'heard {take.heard!r} (WER {take.wer:.2f})'}")
        raise Unheard(f"expected a WER of at most {MAX_WER}, got {'; '.join(tried)}", text)

    def _engine(self, voice: Voice) -> Engine:
        if voice.engine not in self._engines:
            raise ConfigError(f"{voice.id}: expected an engine of {sorted(self._engines)}, got {voice.engine!r}")
        engine = self._engines[voice.engine]
        if voice.engine not in self._names:
            self._names[voice.engine] = engine.names()
        base, plus, variant = voice.name.partition("+")
        wanted = {base, f"+{variant}"} if plus else {base}
        # most programs speak with some other voice where they lack one
        if missing := wanted - self._names[voice.engine]:
            raise ConfigError(f"{voice.id}: expected an installed voice of {voice.engine}, got {', '.join(missing)}")
        return engine

    def _listener(self, language: str) -> Ear | None:
        return self._ear if language == "en" else None

    def _key(self, line: str, voice: Voice, language: str) -> str:
        ear = self._listener(language)
        made_of = [voice.engine, voice.name, voice.rate, voice.pitch, voice.emotion, line, ear.name if ear else ""]
        return hashlib.sha256(json.dumps([_VERSION, *made_of]).encode()).hexdigest()[:24]

    def _make(self, key: str, line: str, voice: Voice, engine: Engine, language: str) -> _Take:
        try:
            pcm = cleaned(engine.say(line, voice))
        except Stalled:
            raise
        except DataError as error:
            take = _Take(np.zeros(0, dtype=np.int16), failed=str(error)[:300])
        else:
            ear = self._listener(language)
            heard = ear.hear(pcm.astype(np.float32) / np.float32(32768.0)) if ear else ""
            take = _Take(pcm, heard, wer(line, heard) if ear else None)
        self._write(key, line, take)
        return take

    def _write(self, key: str, line: str, take: _Take) -> None:
        path = self._path(key, "json")
        path.parent.mkdir(parents=True, exist_ok=True)
        row: dict[str, Any] = {"text": line}
        if take.failed:
            row["failed"] = take.failed
        else:
            seconds = round(len(take.pcm) / SAMPLE_RATE_HZ, 3)
            row |= {"heard": take.heard, "wer": take.wer, "seconds": seconds, "sha256": _digest(take.pcm)}
        if take.understood:  # speech that nobody will use is not kept, only that it failed
            with _replacing(self._path(key, "flac")) as part:
                sf.write(part, take.pcm, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
        with _replacing(path) as part:
            part.write_text(json.dumps(row, sort_keys=True))

    def _read(self, key: str, line: str) -> _Take | None:
        """What the cache has; None where it has nothing, or a damaged file."""
        nothing = np.zeros(0, dtype=np.int16)
        try:
            row = json.loads(self._path(key, "json").read_text())
            if row["text"] != line:
                return None
            if "failed" in row:
                return _Take(nothing, failed=str(row["failed"]))
            take = _Take(nothing, str(row["heard"]), None if row["wer"] is None else float(row["wer"]))
            if not take.understood:
                return take
            pcm, rate = sf.read(self._path(key, "flac"), dtype="int16")
        except (OSError, ValueError, KeyError, TypeError, sf.LibsndfileError):
            return None
        if pcm.ndim != 1 or rate != SAMPLE_RATE_HZ or _digest(pcm) != row.get("sha256"):
            return None
        return replace(take, pcm=pcm)

    def _path(self, key: str, ending: str) -> Path:
        return self._cache / key[:2] / f"{key}.{ending}"


def spoken_line(text: str, language: str = "en") -> str:
    """One line that an engine reads as words; English marks and units are spelt out.

    Raises DataError where nothing can be said, or it is too long.
    """
    if len(text) > MAX_CHARS:
        raise DataError(f"expected at most {MAX_CHARS} characters to say, got {len(text)}", text[:40])
    if language == "en":
        line = speakable(text)
    else:
        kept = "".join(c if unicodedata.category(c)[0] not in "SC" else " " for c in unicodedata.normalize("NFC", text))
        line = " ".join(re.sub(r"[*`#|\[\]{}<>~^\\_]+", " ", kept).split())
    line = line.lstrip("-")
    if not any(c.isalnum() for c in line):
        raise DataError("expected words to say, got none", text)
    return line


def cleaned(samples: FloatArray) -> Int16Array:
    """Speech [N] float32 -> [M] int16: its audible part, ends faded, peak 0.7.

    Raises DataError for silence, and for less than 0.2 or more than 30 s.
    """
    onset, offset = audible(samples, cap=False)
    seconds = (offset - onset) / SAMPLE_RATE_HZ
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise DataError(f"expected {MIN_SECONDS:g} to {MAX_SECONDS:g} s of speech, got {seconds:.2f}")
    part = fade(samples[onset:offset].astype(np.float32))
    level = np.float32(PEAK * 32767.0) / np.abs(part).max()
    return np.asarray(np.round(part * level), dtype=np.int16)


class _replacing:
    """A new file beside `path` to write into; it takes the place of `path` at the end, or goes where that fails."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        os.close(handle)
        self._part = Path(name)
        return self._part

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._part.chmod(0o644)
            os.replace(self._part, self._path)
        else:
            self._part.unlink(missing_ok=True)


def _digest(pcm: Int16Array) -> str:
    return hashlib.sha256(pcm.tobytes()).hexdigest()
