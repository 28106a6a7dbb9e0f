"""Streams made of tag sequences alone, for sounds of which there are no openly licensed clips.

The LALM knows what a "Meow" or a "Smoke detector, smoke alarm" is by name. These streams hold tag probabilities that
rise and
fall over the features of a real quiet stream, and no sound embedding; real streams lose theirs now and then, so that an
embedding of zeros is nothing special.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from soundflow.perceive.labels import ALERTING, GENERIC, SPEECH, UNREPORTED
from training.features import Features

CONTEXT: Final = (
    *(
        "Dog",
        "Bark",
        "Howl",
        "Growling",
        "Sneeze",
        "Thunder",
        "Fire",
        "Crackle",
        "Door",
        "Slam",
        "Footsteps",
        "Car alarm",
    ),
    *(
        "Walk, footsteps",
        "Run",
        "Vehicle horn, car horn, honking",
        "Air horn, truck horn",
        "Chainsaw",
        "Water",
        "Groan",
    ),
    *("Snoring", "Boiling", "Fireworks", "Firecracker", "Bang", "Burst, pop", "Helicopter", "Toot", "Alarm clock"),
    *("Splash, splatter", "Whimper (dog)", "Crackle", "Drill", "Jackhammer", "Sigh", "Hiccup", "Thump, thud"),
)
"""Labels at which a person would look at the situation: neither answered nor left alone here."""

ALERTS: Final[Mapping[str, tuple[str, ...]]] = {
    "alarm": ("I hear an alarm. Please check for smoke or fire.", "An alarm is sounding. Please check it now."),
    "siren": ("A siren is close by. Stay out of its way.", "I hear a siren outside. Please be careful."),
    "glass": ("Glass just broke. Mind your feet.", "I heard glass breaking. Please check the windows."),
    "gunshot": (
        "That sounded like a gunshot. Keep away from the windows.",
        "I heard shots. Stay low and call for help.",
    ),
    "explosion": ("I heard an explosion. Get to a safe place.", "That was a loud blast. Is everyone all right?"),
    "scream": ("Somebody is screaming. Do you need help?", "I heard a scream. Shall I call for help?"),
    "cry": ("Somebody is crying. Please have a look.", "I hear crying. The baby may need you."),
    "cough": ("I hear coughing. Would some water help?", "That is a bad cough. Are you all right?"),
    "doorbell": ("The doorbell is ringing. Someone is at the door.", "Someone rang the doorbell."),
    "knock": ("Somebody is knocking at the door.", "I hear a knock at the door."),
    "phone": ("The phone is ringing.", "Your phone rings. Somebody is calling."),
}


class TagStreams:
    """Draws tag-only streams over the background of quiet real ones."""

    def __init__(self, labels: Sequence[str], quiet: Sequence[tuple[Mapping[str, Any], Features]]) -> None:
        self.index = {label: i for i, label in enumerate(labels)}
        self.quiet = [f for s, f in quiet if not s["speech"] and not s["events"] and not s["responses"]]
        alerting = {tag for tags in ALERTING.values() for tag in tags}
        left_out = alerting | SPEECH | UNREPORTED | set(CONTEXT)
        kin = {parent for parent, children in GENERIC.items() if alerting & set(children)}
        self.benign = [label for label in labels if label not in left_out | kin]
        self.parents = {c: [p for p, cs in GENERIC.items() if c in cs] for c in labels}

    def draw(self, rng: random.Random, number: int) -> tuple[dict[str, Any], Features]:
        """One stream of one to three sounds, at most one of them alerting."""
        base = rng.choice(self.quiet)
        tags = base.tags.astype(np.float32)
        events: list[dict[str, Any]] = []
        responses: list[dict[str, Any]] = []
        at = rng.randint(1, 4)
        alert_at = rng.randrange(3) if rng.random() < 0.5 else -1
        for k in range(3):
            length = rng.randint(2, 8)
            if at + length + 4 > base.chunks:
                break
            group = rng.choice(sorted(ALERTS)) if k == alert_at else ""
            self._raise(tags, at, length, group, rng)
            onset, event = at * base.chunk_samples + rng.randrange(base.chunk_samples), f"e{k}"
            end = onset + min(length * base.chunk_samples, 19_200)
            events.append({"id": event, "label": group or "other", "onset": onset, "offset": end, "respond": "no"})
            if group:
                due = (end + rng.randint(1_920, 3_840)) // base.chunk_samples
                responses.append(
                    {"kind": "speak", "trigger": event, "clock": "sound", "due_chunk": due, "call": None, "notes": [],
                     "text": rng.choice(ALERTS[group])}
                )  # fmt: skip
            at += length + rng.randint(3, 8)
        sample = {
            "id": f"tags-{number}", "subtask": "proactive", "instruction": "", "tools": "", "speech": [],
            "events": events, "responses": responses,
        }  # fmt: skip
        half = np.minimum(tags, 0.996).astype(np.float16)
        return sample, replace(base, tags=half, sound=np.zeros_like(base.sound))

    def _raise(self, tags: np.ndarray, at: int, length: int, group: str, rng: random.Random) -> None:
        """Add one sound's tags to [T,521] in place: one or two labels, their parents, and weak confusions."""
        names = ALERTING[group][:4] if group else self.benign
        strong = rng.sample(list(names), min(len(names), rng.choice((1, 1, 2))))
        peak = rng.uniform(0.25, 0.97)
        bumps = {name: peak * rng.uniform(0.6, 1.0) for name in strong}
        bumps[strong[0]] = peak
        for name in strong:
            for parent in self.parents[name]:
                bumps[parent] = max(bumps.get(parent, 0.0), min(0.99, peak * rng.uniform(0.7, 1.3)))
        confused = rng.choice(self.benign) if group else rng.choice(ALERTING[rng.choice(sorted(ALERTING))])
        if rng.random() < 0.5:
            bumps[confused] = max(bumps.get(confused, 0.0), peak * rng.uniform(0.1, 0.5))
        shape = np.array([0.6, *([1.0] * max(0, length - 2)), 0.8, 0.35][: length + 1], dtype=np.float32)
        rows = slice(at, at + len(shape))
        for name, p in bumps.items():
            column = self.index[name]
            tags[rows, column] = np.maximum(tags[rows, column], p * shape * np.float32(rng.uniform(0.85, 1.0)))


def without_embedding(features: Features) -> Features:
    """The same stream with its sound embedding taken away."""
    return replace(features, sound=np.zeros_like(features.sound))
