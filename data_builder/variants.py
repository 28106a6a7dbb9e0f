"""Other instructions for a stream that is already mixed: "tell me when you hear X" for an X that is in it, and for one
that is not. Comparing the two on the same audio teaches what the instruction is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from data_builder.mix import NOISES
from data_builder.schema import CHUNK, COOL_DOWN, DELAY_MS, due_chunk
from data_builder.sources import Rng, pick
from data_builder.subtasks.proactive import alert
from data_builder.subtasks.spoken_of import MIXED, name_of, targets
from data_builder.subtasks.understanding import phrase
from data_builder.texts.alerts import ALERTS
from data_builder.texts.equipment import EQUIPMENT
from data_builder.texts.sounds import PHRASES, WATCH_FORMS, WATCH_INSTRUCTIONS, alike

BASES: Final = ("narrate_events", "count_events", "watch_sound", "proactive_")
"""Beginnings of the names of sub-tasks whose streams are fair under another instruction."""
PRESENT: Final = 1 / 3
"""Share of the draws that ask for a class of the stream: most others are not fair, about half of what is left are."""
PLAIN_BEDS: Final = frozenset({"zero", "room_tone", *(f"noise:{name}" for name in NOISES)})
"""Backgrounds in which nothing can be named."""
IN_BEDS: Final = frozenset(
    {"rain", "wind", "water", "sea_waves", "fan", "hum", "air_conditioner", "vacuum_fan", "train", "car_engine"}
    | {"engine_idling", "airplane", "bird", "chirping_birds", "insect", "crackling_fire", "thunder", "thunderstorm"}
)
"""Classes that a background may hold, or be taken for, without a label."""


def watch_variants(rng: Rng, sample: Mapping[str, Any], every: int = 3) -> list[dict[str, Any]]:
    """Up to `every` {instruction, responses} for a stream of sounds without speech; [] where none is fair.

    Over a corpus about half ask for a class of their stream. Alerting sounds are told without being asked for, in words
    of their own; a class is announced once in COOL_DOWN. Nothing is asked for as absent where the background may hold
    it unnamed.
    """
    heard = [e for e in sample["events"] if e["label"] in PHRASES]
    if not heard or not _fair(sample, heard):
        return []
    labels = [str(e["label"]) for e in heard]
    mix = sample["mix"]
    plain, behind = mix["bed"] in PLAIN_BEDS, str(mix.get("backdrop", {}).get("label", ""))
    babble = any(gap["kind"] == "babble" for gap in mix.get("gaps", ()))
    absent = [x for x in targets(PHRASES) if x not in IN_BEDS and not any(alike(x, y) for y in labels)]
    made = []
    for _ in range(every):
        present = rng.random() < PRESENT
        asked = str(pick(rng, labels if present else absent))
        if asked in MIXED:
            continue  # it could be either of two things
        if present:
            hidden = alike(asked, behind) or (not plain and asked in IN_BEDS)
            if hidden or any(x != asked and alike(x, asked) for x in labels):
                continue
        elif behind or babble or not plain:
            continue
        told = _first([e for e in heard if e["label"] == asked or e["respond"] == "yes"])
        responses = sorted((_told(rng, e, asked) for e in told), key=lambda r: int(r["due_chunk"]))
        dues = [int(r["due_chunk"]) for r in responses]
        if len(set(dues)) < len(dues) or any(due >= sample["samples"] // CHUNK for due in dues):
            continue
        instruction = str(pick(rng, WATCH_INSTRUCTIONS)).format(x=name_of(rng, asked))
        made.append({"instruction": instruction, "responses": responses})
    return made


def _fair(sample: Mapping[str, Any], heard: Sequence[Mapping[str, Any]]) -> bool:
    """Every sound has a name and an end of its own, nobody speaks, and what alerts is answered once by the stream too.

    A sound of two events without a pause goes on: what is said of the second stands there alone ("still").
    """
    if not str(sample["subtask"]).startswith(BASES) or sample["speech"] or len(heard) < len(sample["events"]):
        return False
    ends = {(e["label"], e["offset"]) for e in heard}
    if any((e["label"], e["onset"]) in ends for e in heard):
        return False
    triggers = [r["trigger"] for r in sample["responses"]]
    alerting = [e for e in heard if e["respond"] == "yes"]
    worded = all(e["label"] in ALERTS or e["label"] in EQUIPMENT for e in alerting)
    return worded and len(set(triggers)) == len(triggers) and {e["id"] for e in alerting} <= set(triggers)


def _first(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events that are announced: of a class, those for which COOL_DOWN has passed since the one before."""
    told: list[Mapping[str, Any]] = []
    last: dict[str, int] = {}
    for event in sorted(events, key=_evidence):
        label, at = str(event["label"]), _evidence(event)
        if label not in last or at - last[label] >= COOL_DOWN:
            last[label] = at
            told.append(event)
    return told


def _clock(event: Mapping[str, Any]) -> str:
    return "end" if event["label"] in EQUIPMENT else "sound"  # a fault is a pattern in time: it is heard out


def _evidence(event: Mapping[str, Any]) -> int:
    return int(event["offset" if _clock(event) == "end" else "evidence_end"])


def _told(rng: Rng, event: Mapping[str, Any], asked: str) -> dict[str, Any]:
    """The response to an event that was asked for, or that alerts."""
    label, clock, evidence = str(event["label"]), _clock(event), _evidence(event)
    delay = int(rng.integers(DELAY_MS[0], DELAY_MS[1] + 1))
    if label == asked:
        text = phrase(rng, WATCH_FORMS, label)
    else:
        text = str(pick(rng, EQUIPMENT[label])) if label in EQUIPMENT else alert(rng, label)
    return {
        "kind": "speak", "evidence_end": evidence, "due_chunk": due_chunk(evidence, delay, clock), "delay_ms": delay,
        "trigger": event["id"], "clock": clock, "text": text, "call": None, "notes": [], "refers_to": [],
        "cancelled_at": None,
    }  # fmt: skip
