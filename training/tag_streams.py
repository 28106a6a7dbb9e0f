"""Streams made of tag sequences alone, for sounds of which there are no openly licensed clips.

The LALM knows what a "Meow" or a "Smoke detector, smoke alarm" is by name. These streams hold tag probabilities that
rise and fall over the features of a real quiet stream, and no sound embedding; real streams lose theirs now and then,
so that an embedding of zeros is nothing special. Half of them ask to be told of a sound by its name.
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
    *("Splash, splatter", "Whimper (dog)", "Drill", "Jackhammer", "Sigh", "Hiccup", "Thump, thud"),
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


ASKS: Final = (
    *("Tell me when you hear {x}.", "Let me know if there is {x}.", "Listen for {x}.", "If you hear {x}, say so."),
    *("I am waiting for {x}.", "Report {x} when it comes.", "Say something when you notice {x}.", "Alert me to {x}."),
)
TOLD: Final = ("I hear {x} now.", "There is {x}.", "I just heard {x}.", "That was {x}, as you asked.")


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
        self.nameable = [label for label in labels if label not in SPEECH | UNREPORTED]

    def draw(self, rng: random.Random, number: int) -> tuple[dict[str, Any], Features]:
        """One stream of one to three sounds, at most one of them alerting; every second one asks for a sound."""
        if number % 2:
            return self._asking(rng, number)
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

    def _asking(self, rng: random.Random, number: int) -> tuple[dict[str, Any], Features]:
        """One stream that asks for a label, with it or with others in its place."""
        base = rng.choice(self.quiet)
        tags = base.tags.astype(np.float32)
        asked = rng.choice(self.nameable)
        kin = {asked, *self.parents[asked], *GENERIC.get(asked, ())}
        others = [x for x in self.benign if x not in kin and not kin & set(self.parents[x])]
        present = rng.random() < 0.5
        order = [asked] * present + rng.sample(others, rng.randint(0 if present else 1, 2))
        rng.shuffle(order)
        at, x = rng.randint(1, 4), spoken_name(asked, rng)
        events: list[dict[str, Any]] = []
        responses: list[dict[str, Any]] = []
        for k, label in enumerate(order):
            length = rng.randint(2, 8)
            if at + length + 4 > base.chunks:
                break
            self._put(tags, at, length, [label], rng)
            onset, event = at * base.chunk_samples + rng.randrange(base.chunk_samples), f"e{k}"
            end = onset + min(length * base.chunk_samples, 19_200)
            events.append({"id": event, "label": label, "onset": onset, "offset": end, "respond": "no"})
            if label == asked:
                due = (end + rng.randint(1_920, 3_840)) // base.chunk_samples
                responses.append(
                    {"kind": "speak", "trigger": event, "clock": "sound", "due_chunk": due, "call": None, "notes": [],
                     "text": rng.choice(TOLD).format(x=x)}
                )  # fmt: skip
            at += length + rng.randint(2, 6)
        sample = {
            "id": f"asked-{number}", "subtask": "watch", "instruction": rng.choice(ASKS).format(x=x), "tools": "",
            "speech": [], "events": events, "responses": responses,
        }  # fmt: skip
        half = np.minimum(tags, 0.996).astype(np.float16)
        return sample, replace(base, tags=half, sound=np.zeros_like(base.sound))

    def _raise(self, tags: np.ndarray, at: int, length: int, group: str, rng: random.Random) -> None:
        """Add one sound's tags to [T,521] in place: one or two labels, their parents, and weak confusions."""
        names = ALERTING[group][:4] if group else self.benign
        strong = rng.sample(list(names), min(len(names), rng.choice((1, 1, 2))))
        confused = rng.choice(self.benign) if group else rng.choice(ALERTING[rng.choice(sorted(ALERTING))])
        self._put(tags, at, length, strong, rng, confused if rng.random() < 0.5 else "")

    def _put(
        self, tags: np.ndarray, at: int, length: int, strong: Sequence[str], rng: random.Random, confused: str = ""
    ) -> None:
        """Raise the labels, the first most, with their parents; `confused` rises a little."""
        peak = rng.uniform(0.25, 0.97)
        bumps = {name: peak * rng.uniform(0.6, 1.0) for name in strong}
        bumps[strong[0]] = peak
        for name in strong:
            for parent in self.parents[name]:
                bumps[parent] = max(bumps.get(parent, 0.0), min(0.99, peak * rng.uniform(0.7, 1.3)))
        if confused:
            bumps[confused] = max(bumps.get(confused, 0.0), peak * rng.uniform(0.1, 0.5))
        shape = np.array([0.6, *([1.0] * max(0, length - 2)), 0.8, 0.35][: length + 1], dtype=np.float32)
        rows = slice(at, at + len(shape))
        for name, p in bumps.items():
            column = self.index[name]
            tags[rows, column] = np.maximum(tags[rows, column], p * shape * np.float32(rng.uniform(0.85, 1.0)))


def spoken_name(label: str, rng: random.Random) -> str:
    """A label as one would say it: "Chicken, rooster" -> "a rooster", "Police car (siren)" -> "the police car"."""
    name = rng.choice([part.strip() for part in label.split("(", maxsplit=1)[0].split(",") if part.strip()]).lower()
    article = rng.choice(("", "", "the ", "an " if name[0] in "aeiou" else "a "))
    return f"{article}{name}"
