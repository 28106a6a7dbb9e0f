"""Where a stream draws its sounds from: rows of its split, synthetic sounds, music, backgrounds; and its talk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from data_builder import mix, synth_alerts, synth_benign, synth_equipment, synth_music
from data_builder.cleanup import Cleanup, clean
from data_builder.clips import ClipStore, FloatArray, audible, fade
from data_builder.corpora import drums, instruments
from data_builder.corpora.folder import Row
from data_builder.synth_parts import LICENCE as SYNTH_LICENCE
from data_builder.talk import Clip, Rng, Talk, pick
from data_builder.texts.equipment import EQUIPMENT
from data_builder.texts.sounds import ALERT_LABELS, PHRASES
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

__all__ = ["Clip", "Rng", "Sources", "open_sources", "pick"]

TRIES = 8  # draws of a synthetic sound
CHILDREN = "children_playing"
NO_BED = frozenset({"alarm", "urban/fireworks", "rain/thunder"})
BACKGROUNDS = frozenset(
    {"bg_exercise_bike", "bg_pink_noise", "bg_white_noise", "dishes", "kitchen_ambience", "wind", "vacuum_fan"}
)
NEUTRAL: Final = ("bg_pink_noise", "bg_white_noise")  # nobody would name these


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
        rows: Sequence[Row],
        store: ClipStore,
        *,
        music: Sequence[str] = (),
        music_store: ClipStore | None = None,
        judge: Callable[[FloatArray, str], bool] | None = None,
        transcripts: dict[str, str] | None = None,
        cleanup: Cleanup | None = None,
    ) -> None:
        self.cleanup = cleanup
        self.judge, self.store, self.music_store, self.music = judge, store, music_store, list(music)
        self.events: dict[str, list[Row]] = {}
        self.policy: dict[str, str] = {}
        self.beds: list[Row] = []
        self.talk = Talk([r for r in rows if r.kind == "speech"], store, transcripts)
        for row in rows:
            self._sort_in(row)
        for label in (*synth_alerts.ALERTING, *EQUIPMENT):
            self.policy[label] = "yes"
        for label in (*synth_benign.BENIGN, "music"):
            self.policy.setdefault(label, "no")
        if self.talk:
            self.policy.setdefault(CHILDREN, "no")
        # An alerting class without an alert text (car_crash_skid) is left out: it could only be labelled wrongly.
        worded = {*ALERT_LABELS, *EQUIPMENT}
        known = [x for x in self.policy if x in PHRASES and (self.policy[x] != "yes" or x in worded)]
        self.alerts = sorted(label for label in known if label in ALERT_LABELS)
        self.equipment = sorted(EQUIPMENT)
        self.benign = sorted(label for label in known if self.policy[label] == "no")
        self.context = sorted(label for label in known if self.policy[label] == "context")
        self.all_labels = sorted(set(known) - set(EQUIPMENT))

    def _sort_in(self, row: Row) -> None:
        if row.kind == "speech":
            return
        if row.kind == "music":
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
        makers = self._makers(label)
        share = 1.0 if not makers and not (label == "music" and self.music) else min(0.5, len(real) / 20)
        if real and rng.random() < share:
            clip = self._of(pick(rng, real), label)
        elif label == "music" and self.music and self.music_store and rng.random() < 0.75:
            clip = self._piece(str(pick(rng, self.music)))
        elif makers:
            name, audio = self._made(rng, label, makers)
            clip = Clip(audio, label, "synthetic", f"synth:{name}", SYNTH_LICENCE, self.policy[label], dataset="synth")
            if label == "music":
                clip.extra["instrument"] = "synthesizer"
        else:
            raise DataError(f"expected clips of class {label!r} in this split, got none")
        audio = clip.audio
        if rng.random() < 0.6:
            audio = mix.speed(audio, float(rng.uniform(0.9, 1.1)))
        # An equipment fault is a pattern in time: it is not cut, but answered when it has been heard.
        whole = max(longest, len(audio) / SR) if label in EQUIPMENT else longest * float(rng.uniform(0.5, 1.0))
        clip.audio = _cut(rng, audio if rng.random() < 0.5 else -audio, whole)
        return clip

    @staticmethod
    def _makers(label: str) -> tuple[Callable[[Rng], FloatArray], ...]:
        tables = (synth_alerts.ALERTING, synth_benign.BENIGN, synth_equipment.FAULTS)
        return next((table[label] for table in tables if label in table), ())

    def _of(self, row: Row, label: str) -> Clip:
        audio = self.store.clip(row.path)
        if self.cleanup is not None:
            audio, _ = clean(audio, self.cleanup)
        policy = self.policy[label]
        clip = Clip(audio, label, row.kind, row.path, row.licence, policy, dataset=row.dataset)
        if label == "music":
            clip.extra["instrument"] = row.label.removeprefix("music_").replace("_or_", " or ").replace("_", " ")
        return clip

    def _piece(self, name: str) -> Clip:
        """A piece of the music folder; `extra["instrument"]` where its recipe tells it."""
        assert self.music_store is not None
        recipe = next((r for r in (instruments, drums) if name.startswith(r.PREFIX)), None)
        licence = recipe.LICENCE if recipe else synth_music.LICENCE
        clip = Clip(self.music_store.clip(name), "music", "music", f"music:{name}", licence, "no", dataset="music")
        if recipe is drums:
            clip.extra["instrument"] = "drums"
        elif recipe is instruments:
            words = name.removeprefix(instruments.PREFIX).rsplit("-", 1)[0].split("-")
            plain = words[0] if words[0] in ("guitar", "bass") else " ".join(words)
            clip.extra["instrument"] = plain
        else:
            clip.extra["instrument"] = synth_music.instrument(name)
        return clip

    def music_piece(self, rng: Rng, longest: float = 5.0) -> Clip:
        """Music of which the instrument is known (`extra["instrument"]`)."""
        for _ in range(TRIES):
            clip = self.event(rng, "music", longest)
            if clip.extra.get("instrument"):
                return clip
        raise DataError("expected music with a known instrument in this split, got none")

    def _children(self, rng: Rng, longest: float) -> Clip:
        """Children at play, out of grown-ups' speech: a few voices at once, played fast, near and far, cut short."""
        out = np.zeros(int(float(rng.uniform(0.4, 1.0)) * longest * SR), dtype=np.float32)
        rows = self.talk.by_dataset
        names, parts = sorted(n for n in rows if rows[n]), []
        for _ in range(int(rng.integers(2, 9))):
            row: Row = pick(rng, rows[pick(rng, names)])
            grown_up = self.talk.of(row)
            parts.append(grown_up.credit())
            voice = mix.speed(grown_up.audio, float(rng.uniform(1.25, 1.8)))
            voice = fade(voice[: int(float(rng.uniform(0.3, 3.0)) * SR)].copy(), 240)
            gain = np.float32(10 ** (-float(rng.uniform(0, 18)) / 20) / max(1e-3, float(np.abs(voice).max(initial=0))))
            at = int(rng.integers(max(1, len(out) - len(voice) // 2)))
            part = voice[: len(out) - at]
            out[at : at + len(part)] += gain * part
        made = fade(out, 240)
        clip = Clip(made, CHILDREN, "synthetic", f"synth:{CHILDREN}", SYNTH_LICENCE, "no", dataset="synth")
        clip.extra["parts"] = parts
        return clip

    def _made(self, rng: Rng, label: str, makers: tuple[Any, ...]) -> tuple[str, FloatArray]:
        """A synthetic sound and its maker's name; an alerting one is drawn until the judge hears it."""
        for _ in range(TRIES):
            maker = pick(rng, makers)
            audio: FloatArray = maker(rng)
            if self.judge is None or label not in ALERT_LABELS or self.judge(audio, label):
                return str(maker.__name__), audio
        raise DataError(f"expected a synthetic {label!r} that the sound encoder hears as alerting, got {TRIES} others")

    def ambience(self, rng: Rng, longest: float, among: Collection[str] = ()) -> Clip:
        """Wind, traffic, a machine or a crowd as loud as an event, at most `longest` seconds; `among` these labels."""
        rows = [r for r in self.beds if not among or r.label in among]
        if not rows:
            raise DataError("expected ambience in this split, got none")
        row: Row = pick(rng, rows)
        clip = Clip(self.store.read(row.path), row.label, "ambience", row.path, row.licence, "no", dataset=row.dataset)
        clip.audio = _cut(rng, clip.audio, float(rng.uniform(0.5, 1.0)) * longest)
        return clip

    def bed(self, rng: Rng, n: int, neutral: bool = False) -> Clip:
        """[n] of continuous background of unit-like level. `neutral`: nothing that one would name."""
        beds = [r for r in self.beds if r.label in NEUTRAL] if neutral else self.beds
        if beds and rng.random() < 0.5:
            row: Row = pick(rng, beds)
            audio = mix.loop(rng, self.store.read(row.path), n)
            return Clip(audio, row.label, "ambience", row.path, row.licence, "no", dataset=row.dataset)
        name = pick(rng, sorted(mix.NOISES))
        audio = mix.noise(rng, n, mix.NOISES[name] + float(rng.uniform(-1, 1)))
        return Clip(audio, name, "noise", f"noise:{name}", SYNTH_LICENCE, "no", dataset="synth")


def open_sources(
    rows: Sequence[Row],
    audio: Sequence[Path],
    music: Path | None = None,
    judge: Callable[[FloatArray, str], bool] | None = None,
    transcripts: dict[str, str] | None = None,
    cleanup: Cleanup | None = None,
) -> Sources:
    """Sources over folders of clips; `music`: folder of pieces. `cleanup`: of recorded sounds, None = as they are."""
    names = sorted(p.name for p in music.glob("*.flac")) if music is not None and music.is_dir() else []
    tunes = ClipStore(music, max_bytes=32 << 20) if music is not None and names else None
    given = {"music": names, "music_store": tunes, "judge": judge, "transcripts": transcripts, "cleanup": cleanup}
    return Sources(rows, ClipStore(*audio), **given)  # type: ignore[arg-type]
