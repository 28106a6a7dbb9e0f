"""Teach the shipped model one more sound: `soundflow train sound CLIPS --name ... --say ... --out ADAPTER`.

Nothing of the model is trained: a small head on its frozen sound encoder is fitted to the clips, so that all that the
model could do before it still does. About a minute on two cores for 20 clips.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from soundflow.decide.context import sound_names
from soundflow.errors import ConfigError, DataError
from soundflow.perceive.own import META, OwnSound, OwnSounds
from soundflow.perceive.sound import labels
from soundflow.scoring import Interval, wilson
from soundflow.tiers import checkpoint, nano
from training import own_bank, own_clips, own_fit
from training.own_clips import Clip, Ear
from training.own_fit import Held, Others, Windows

FEWEST: Final = 5
POOR: Final = 0.7
"""Held-out recall under which the user is warned."""
COPIED: Final = (".json", ".safetensors", ".md")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be taught. `others`: folders of what must not be taken for it. `adapter`: what `out` is a copy of."""

    clips: Path
    name: str
    say: str
    out: Path
    others: tuple[Path, ...] = ()
    adapter: Path = nano.ADAPTER
    replace: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Taught:
    """What came of it. `recall`: of the clips, each by a head that had not heard it. `missed`: clips with what the
    encoder's tags call them. `false_windows`: share of other windows that pass; `mistaken`: their labels. `left_out`:
    labels of the bank that are the sound itself."""

    sound: OwnSound
    recall: Interval
    missed: tuple[tuple[Path, tuple[str, ...]], ...]
    false_windows: float
    mistaken: tuple[str, ...]
    left_out: tuple[str, ...]


def teach(lesson: Lesson, sound_encoder: Path, tell: Tell, bank: Others | None = None) -> Taught:
    """Fit, measure and write one sound; `out` then is an adapter with it.

    Raises:
        DataError: fewer than FEWEST clips, or one that is damaged, silent or too short (it is named).
        ConfigError: a bad name or text, a name that is taken, or an `out` that is something else.
    """
    kept = adapter_at(lesson)
    names = labels(sound_encoder)
    _check_name(lesson, kept, names)
    paths = own_clips.listed(lesson.clips)
    if not FEWEST <= len(paths) <= own_clips.MAX_CLIPS:
        most = own_clips.MAX_CLIPS
        raise DataError(
            f"{FEWEST} to {most} recordings were expected (20 are good), got {len(paths)}", str(lesson.clips)
        )
    clips = [own_clips.clip(path) for path in paths]
    ear, rng = Ear(sound_encoder), np.random.default_rng(lesson.seed)
    bank, beds, given = bank or own_bank.load(), [], None
    if lesson.others:
        files = [path for folder in lesson.others for path in own_clips.listed(folder)]
        given, beds = own_clips.others_of(files, ear)
        tell(f"{len(files)} recordings of other sounds: {len(given.x)} windows")
    heard = []
    for one in own_clips.hear(clips, beds, ear, rng):
        heard.append(one)
        if len(heard) % 5 == 0 or len(heard) == len(clips):
            tell(f"heard {len(heard)} of {len(clips)} clips, {own_clips.TAKES} times each")
    whole = own_clips.joined(heard)
    left_out = [x for x in own_fit.alike(whole.own, bank) if not x.startswith(own_bank.SPEECH)]
    others = bank.without(left_out).plus(own_clips.made_up(ear, rng)).plus(Others.of(whole.beds, "noise and tones"))
    others = others.plus(given) if given else others
    tell(f"fitting against {len(others.x)} windows of other sounds")
    weight, bias = own_fit.fit(whole.own.x[whole.own.held], others.x)
    held = own_fit.hold_out(whole.own, others, np.append(weight, np.float32(bias)))
    odds = own_fit.threshold(held)
    sound = OwnSound(lesson.name, lesson.say, float(1 / (1 + np.exp(-odds))), weight, bias)
    taught = _measured(sound, held, odds, clips, others, tuple(left_out), _heard_as(whole, ear, names))
    _write(lesson, kept, taught)
    return taught


def adapter_at(lesson: Lesson) -> OwnSounds:
    """The sounds that `out` has already, or else those of `adapter`. ConfigError where `out` is no adapter."""
    if (lesson.out / "adapter.json").is_file():
        checkpoint.load(lesson.out)
        return OwnSounds.load(lesson.out)
    if lesson.out.exists() and (not lesson.out.is_dir() or any(lesson.out.iterdir())):
        raise ConfigError(f"--out {lesson.out}: a new folder or an adapter was expected, got something else")
    checkpoint.load(lesson.adapter)
    return OwnSounds.load(lesson.adapter)


def forget(folder: Path, name: str) -> OwnSounds:
    """Remove one sound from an adapter -> those that stay. ConfigError where it has none of that name."""
    known = OwnSounds.load(folder)
    stay = [s for s in known.sounds if s.name.casefold() != name.casefold()]
    if len(stay) == len(known.sounds):
        raise ConfigError(f"{folder / META}: one of {', '.join(known.names) or 'no sounds'} was expected, got {name!r}")
    OwnSounds(stay).save(folder)
    return OwnSounds(stay)


def _check_name(lesson: Lesson, kept: OwnSounds, names: tuple[str, ...]) -> None:
    """Before minutes are spent: bad words, or a name that is taken."""
    OwnSound(lesson.name, lesson.say, 0.5, np.zeros(own_bank.WIDTH, np.float32), 0.0)
    if lesson.name in names:
        raise ConfigError(f"--name: {lesson.name!r} is a built-in label; a name such as 'my {lesson.name.lower()}'")
    if lesson.name.casefold() in {n.casefold() for n in kept.names} and not lesson.replace:
        raise ConfigError(f"--name: {lesson.name!r} is known already; --replace teaches it anew")


def _measured(
    sound: OwnSound,
    held: Held,
    odds: float,
    clips: list[Clip],
    others: Others,
    left_out: tuple[str, ...],
    heard_as: list[tuple[str, ...]],
) -> Taught:
    """The figures that are printed and stored: of clips by heads that had not heard them."""
    found = [float(np.mean(held.takes[held.take_recording == k] >= odds)) for k in range(len(clips))]
    recall = wilson(sum(f >= 0.5 for f in found), len(found))
    missed = tuple((c.path, heard_as[k]) for k, c in enumerate(clips) if found[k] < 0.5)
    passed = held.others >= odds
    mistaken = tuple(dict.fromkeys(others.label[k] for k in np.flatnonzero(passed)))
    kept: dict[str, Any] = {
        "clips": len(clips),
        "held_out_recall": [round(x, 3) for x in (recall.value, recall.low, recall.high)],
        "other_windows": len(others.x),
        "false_windows": round(float(passed.mean()), 4),
        "mistaken": list(mistaken),
        "left_out": list(left_out),
    }
    made = OwnSound(sound.name, sound.say, sound.threshold, sound.weight, sound.bias, kept)
    return Taught(made, recall, missed, float(passed.mean()), mistaken, left_out)


def _heard_as(whole: own_clips.Heard, ear: Ear, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What the encoder's own tags call each clip, strongest first."""
    own: Windows = whole.own
    found = []
    for k in range(int(own.recording.max()) + 1):
        found.append(sound_names(ear.tags(whole.embeddings[own.held & (own.recording == k)]), names))
    return found


def _write(lesson: Lesson, kept: OwnSounds, taught: Taught) -> None:
    if not (lesson.out / "adapter.json").is_file():
        lesson.out.mkdir(parents=True, exist_ok=True)
        for path in sorted(lesson.adapter.iterdir()):
            if path.suffix in COPIED:
                shutil.copyfile(path, lesson.out / path.name)
    stay = [s for s in kept.sounds if s.name.casefold() != lesson.name.casefold()]
    OwnSounds([*stay, taught.sound]).save(lesson.out)
