"""Where a stream draws its sounds from: corpus rows of its split, synthetic sounds, music, the utterance bank, beds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data_builder import synth_alerts, synth_benign
from data_builder.clips import ClipStore, FloatArray, audible, fade
from data_builder.corpora import drums, instruments
from data_builder.corpora.folder import Row
from data_builder.mix import NOISES, noise, speed
from data_builder.synth_music import LICENCE as MUSIC_LICENCE
from data_builder.synth_parts import LICENCE as SYNTH_LICENCE
from data_builder.texts.sounds import ALERT_LABELS, PHRASES
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

Rng = np.random.Generator
SIDE_TALK_WEIGHTS = {
    "bank": 0.35,
    "librispeech_train-clean-100_3spk": 0.13,
    "librispeech_train-clean-100_resemblyzer": 0.12,
    "an4_train": 0.10,
    "an4_test": 0.10,
    "speech_commands_subset": 0.08,
    "fsdd": 0.04,
    "audio_cmn_hsk": 0.08,
    "mfa_tests": 0.04,
    "picovoice_wakeword": 0.06,
}
INTENT_PREFIX = "INTENT:orderDrink "
TRIES = 8  # draws of a synthetic sound
CHILDREN = "children_playing"
NO_BED = frozenset({"alarm", "urban/fireworks", "rain/thunder"})
BACKGROUNDS = frozenset(
    {"bg_exercise_bike", "bg_pink_noise", "bg_white_noise", "dishes", "kitchen_ambience", "wind", "vacuum_fan"}
)
NEUTRAL = (
    "places/cafe", "places/restaurant", "places/supermarket", "places/laundry-room", "places/church",
    "transport/inside-a-train", "urban/road", "bg_pink_noise", "bg_white_noise", "bg_exercise_bike",
)  # fmt: skip


@dataclass(slots=True)
class Clip:
    """Audio [N] whose whole length is audible, with what is known about it."""

    audio: FloatArray
    label: str
    kind: str
    source: str
    licence: str
    respond: str = ""
    text: str = ""
    speaker: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def pick(rng: Rng, values: list[Any] | tuple[Any, ...]) -> Any:
    """One of `values`, uniformly."""
    return values[int(rng.integers(len(values)))]


def _cut(rng: Rng, audio: FloatArray, longest: float) -> FloatArray:
    """At most `longest` seconds: from the start, or from anywhere in a clip of more than 10 s."""
    n = int(longest * SR)
    if len(audio) > n:
        start = int(rng.integers(len(audio) - n)) if len(audio) > 10 * SR else 0
        audio = audio[start : start + n]
    onset, offset = audible(audio)
    return fade(audio[onset:offset].copy(), 240)


class Sources:
    """All that streams of one split may use. `rows` are already filtered by split and licence."""

    def __init__(
        self,
        rows: list[Row],
        store: ClipStore,
        *,
        bank: list[dict[str, Any]] | None = None,
        bank_store: ClipStore | None = None,
        music: list[str] | None = None,
        music_store: ClipStore | None = None,
        judge: Callable[[FloatArray, str], bool] | None = None,
    ) -> None:
        self.judge = judge
        self.store, self.bank_store, self.music_store = store, bank_store, music_store
        self.music = music or []
        self.bank: dict[str, list[dict[str, Any]]] = {}
        for entry in bank or []:
            self.bank.setdefault(entry["kind"], []).append(entry)
        self.events: dict[str, list[Row]] = {}
        self.policy: dict[str, str] = {}
        self.talk: dict[str, list[Row]] = {}
        self.orders: list[Row] = []
        self.beds: list[Row] = []
        for row in rows:
            self._sort_in(row)
        for label in synth_alerts.ALERTING:
            self.policy[label] = "yes"
        for label in (*synth_benign.BENIGN, "music"):
            self.policy.setdefault(label, "no")
        if self.talk:
            self.policy.setdefault(CHILDREN, "no")
        # An alerting class without an alert text (car_crash_skid) is left out: it could only be labelled wrongly.
        known = [x for x in self.policy if x in PHRASES and (self.policy[x] != "yes" or x in ALERT_LABELS)]
        self.alerts = sorted(label for label in known if label in ALERT_LABELS)
        self.benign = sorted(label for label in known if self.policy[label] == "no")
        self.context = sorted(label for label in known if self.policy[label] == "context")
        self.all_labels = sorted(known)
        if bank:
            self.talk.setdefault("bank", [])

    def _sort_in(self, row: Row) -> None:
        if row.kind == "speech":
            if row.label.startswith(INTENT_PREFIX):
                self.orders.append(row)
            else:
                self.talk.setdefault(row.dataset, []).append(row)
        elif row.kind == "music":
            self.events.setdefault("music", []).append(row)
        elif row.kind == "ambience" or (row.label in BACKGROUNDS and row.seconds >= 20):
            if row.label not in NO_BED:
                self.beds.append(row)
        elif row.seconds <= 30:
            self.events.setdefault(row.label, []).append(row)
            self.policy.setdefault(row.label, row.respond or "no")

    def event(self, rng: Rng, label: str, longest: float = 4.0) -> Clip:
        """A sound of class `label`, at most `longest` seconds: half synthetic and half real where there are both.

        With fewer than 10 recordings of a class the share of recordings is a twentieth for each, so that one clip is
        not heard over and over.
        """
        real = self.events.get(label, [])
        if label == CHILDREN and (not real or rng.random() < 0.5):
            return self._children(rng, longest)
        makers = synth_alerts.ALERTING.get(label) or synth_benign.BENIGN.get(label) or ()
        share = 1.0 if not makers and not (label == "music" and self.music) else min(0.5, len(real) / 20)
        if real and rng.random() < share:
            row: Row = pick(rng, real)
            clip = Clip(self.store.clip(row.path), label, row.kind, row.path, row.licence, self.policy[label])
        elif label == "music" and self.music and self.music_store and rng.random() < 0.75:
            name = pick(rng, self.music)
            audio = self.music_store.clip(name)
            recipe = next((r for r in (instruments, drums) if name.startswith(r.PREFIX)), None)
            licence = recipe.LICENCE if recipe else MUSIC_LICENCE
            clip = Clip(audio, label, "music", f"music:{name}", licence, "no")
        elif makers:
            name, audio = self._made(rng, label, makers)
            clip = Clip(audio, label, "synthetic", f"synth:{name}", SYNTH_LICENCE, self.policy[label])
        else:
            raise DataError(f"expected clips of class {label!r} in this split, got none")
        audio = clip.audio
        if rng.random() < 0.6:
            audio = speed(audio, float(rng.uniform(0.9, 1.1)))
        clip.audio = _cut(rng, audio if rng.random() < 0.5 else -audio, float(rng.uniform(0.5, 1.0)) * longest)
        return clip

    def _children(self, rng: Rng, longest: float) -> Clip:
        """Children at play, out of grown-ups' speech: a few voices at once, played fast, near and far, cut short."""
        out = np.zeros(int(float(rng.uniform(0.4, 1.0)) * longest * SR), dtype=np.float32)
        names = sorted(n for n in self.talk if self.talk[n])
        for _ in range(int(rng.integers(2, 9))):
            row: Row = pick(rng, self.talk[pick(rng, names)])
            voice = speed(self.store.clip(row.path, cap=False), float(rng.uniform(1.25, 1.8)))
            voice = fade(voice[: int(float(rng.uniform(0.3, 3.0)) * SR)].copy(), 240)
            gain = np.float32(10 ** (-float(rng.uniform(0, 18)) / 20) / max(1e-3, float(np.abs(voice).max(initial=0))))
            at = int(rng.integers(max(1, len(out) - len(voice) // 2)))
            part = voice[: len(out) - at]
            out[at : at + len(part)] += gain * part
        return Clip(fade(out, 240), CHILDREN, "synthetic", f"synth:{CHILDREN}", SYNTH_LICENCE, "no")

    def _made(self, rng: Rng, label: str, makers: tuple[Any, ...]) -> tuple[str, FloatArray]:
        """A synthetic sound and its maker's name; an alerting one is drawn until the judge hears it."""
        for _ in range(TRIES):
            maker = pick(rng, makers)
            audio: FloatArray = maker(rng)
            if self.judge is None or self.policy[label] != "yes" or self.judge(audio, label):
                return str(maker.__name__), audio
        raise DataError(f"expected a synthetic {label!r} that the sound encoder hears as alerting, got {TRIES} others")

    def side_talk(self, rng: Rng, longest: float = 6.0) -> Clip:
        """Speech that is not meant for the system, at most `longest` seconds. Raises DataError where there is none."""
        names = sorted(n for n in self.talk if n != "bank" or self.bank.get("side_talk"))
        if not names:
            raise DataError("expected speech rows or an utterance bank for side talk, got none")
        weights = np.array([SIDE_TALK_WEIGHTS.get(n, 0.05) for n in names])
        name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        if name == "bank":
            return self.utterance(rng, "side_talk")
        row: Row = pick(rng, self.talk[name])
        audio, text = self.store.clip(row.path, cap=False), row.text
        while len(audio) < 1.2 * SR and rng.random() < 0.6:
            more: Row = pick(rng, self.talk[name])
            rest = np.zeros(int(rng.uniform(0.08, 0.4) * SR), dtype=np.float32)
            audio = np.concatenate([audio, rest, self.store.clip(more.path, cap=False)])
            text = f"{text} {more.text}"
        n = int(longest * rng.uniform(0.5, 1.0) * SR)
        if len(audio) > n:
            audio, text = fade(audio[:n].copy(), 480), ""
            audio = audio[: audible(audio, cap=False)[1]]
        return Clip(audio, "speech", "speech", row.path, row.licence, "", text, row.speaker)

    def utterance(self, rng: Rng, kind: str) -> Clip:
        """A synthesised utterance of `kind`; `extra` is its bank row. Raises DataError where the bank has none."""
        if not self.bank.get(kind) or self.bank_store is None:
            raise DataError(
                f"expected {kind!r} utterances of this split, got none (soundflow data voices, option --bank)"
            )
        entry = pick(rng, self.bank[kind])
        audio = self.bank_store.clip(entry["path"], cap=False)
        return Clip(
            audio,
            "speech",
            "speech",
            f"bank:{entry['path']}",
            entry["licence"],
            "",
            entry["text"],
            entry["voice"],
            entry,
        )

    def order(self, rng: Rng) -> Clip:
        """A real coffee order; `extra["label"]` holds intent and slots."""
        if not self.orders:
            raise DataError("expected coffee orders in this split, got none")
        row: Row = pick(rng, self.orders)
        audio = self.store.clip(row.path, cap=False)
        return Clip(audio, "speech", "speech", row.path, row.licence, "", row.text, row.speaker, {"label": row.label})

    def ambience(self, rng: Rng, longest: float) -> Clip:
        """Wind, traffic, a machine or a crowd as loud as an event, at most `longest` seconds. DataError without any."""
        if not self.beds:
            raise DataError("expected ambience in this split, got none")
        row: Row = pick(rng, self.beds)
        clip = Clip(self.store.read(row.path), "ambience", "ambience", row.path, row.licence, "no")
        clip.audio = _cut(rng, clip.audio, float(rng.uniform(0.5, 1.0)) * longest)
        return clip

    def bed(self, rng: Rng, n: int, neutral: bool = False) -> tuple[FloatArray, str, str]:
        """[n] of continuous background of unit-like level, its name and licence. `neutral`: nothing one would name."""
        beds = [r for r in self.beds if r.label in NEUTRAL] if neutral else self.beds
        if beds and rng.random() < 0.5:
            row: Row = pick(rng, beds)
            audio = self.store.read(row.path)
            start = int(rng.integers(len(audio)))
            if len(audio) > n:
                start = int(rng.integers(len(audio) - n + 1))
                return audio[start : start + n].copy(), row.path, row.licence
            ramp = min(800, len(audio) // 4)
            loop = fade(audio.copy(), ramp)
            loop = loop[:-ramp] + np.concatenate([loop[-ramp:], np.zeros(len(loop) - 2 * ramp, np.float32)])
            return np.resize(np.roll(loop, -start), n), row.path, row.licence
        name = pick(rng, sorted(NOISES))
        return noise(rng, n, NOISES[name] + float(rng.uniform(-1, 1))), f"noise:{name}", SYNTH_LICENCE


def open_sources(
    rows: list[Row],
    audio: tuple[Path, ...],
    bank: Path | None,
    bank_rows: list[dict[str, Any]],
    music: Path,
    judge: Callable[[FloatArray, str], bool] | None = None,
) -> Sources:
    """Sources over folders; `music` may be empty."""
    names = sorted(p.name for p in music.glob("*.flac")) if music.is_dir() else []
    store = ClipStore(bank, max_bytes=48 << 20) if bank else None
    tunes = ClipStore(music, max_bytes=32 << 20)
    return Sources(
        rows, ClipStore(*audio), bank=bank_rows, bank_store=store, music=names, music_store=tunes, judge=judge
    )
