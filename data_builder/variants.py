"""Other instructions for a stream that is already mixed: "tell me when you hear X" for an X that is in it, and for one
that is not. Comparing the two on the same audio teaches what the instruction is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from data_builder.schema import DELAY_MS, due_chunk
from data_builder.sources import Rng, pick
from data_builder.subtasks.spoken_of import name_of
from data_builder.subtasks.understanding import phrase
from data_builder.texts.sounds import PHRASES, WATCH_FORMS, WATCH_INSTRUCTIONS, alike

IN_BEDS: Final = frozenset(
    {"rain", "wind", "water", "sea_waves", "fan", "hum", "air_conditioner", "vacuum_fan", "train", "car_engine"}
    | {"engine_idling", "airplane", "bird", "chirping_birds", "insect", "crackling_fire", "thunder", "thunderstorm"}
)
"""Classes that a background may hold without a label: never asked for as absent."""


def watch_variants(rng: Rng, sample: Mapping[str, Any], every: int = 3) -> list[dict[str, Any]]:
    """Up to `every` {instruction, responses} for a stream of sounds without speech; [] where none is fair.

    About half ask for a class of the stream. Responses to alerting sounds stay: they are given without being asked.
    """
    heard = [e for e in sample["events"] if e["label"] in PHRASES]
    if not heard or sample["speech"] or len(heard) < len(sample["events"]):
        return []
    labels = [str(e["label"]) for e in heard]
    behind = "music" if "backdrop" in sample["mix"] else ""
    absent = [x for x in PHRASES if x not in IN_BEDS and not any(alike(x, y) for y in (*labels, behind))]
    made = []
    for _ in range(every):
        present = rng.random() < 0.5
        asked = str(pick(rng, labels if present else absent))
        if present and any(x != asked and alike(x, asked) for x in labels):
            continue
        mine = [e for e in heard if e["label"] == asked]
        kept = [r for r in sample["responses"] if r["trigger"] not in {e["id"] for e in mine} and r["kind"] == "speak"]
        kept = [r for r in kept if next(e for e in heard if e["id"] == r["trigger"])["respond"] == "yes"]
        responses = sorted([*kept, *(_found(rng, e) for e in mine)], key=lambda r: int(r["due_chunk"]))
        made.append(
            {"instruction": str(pick(rng, WATCH_INSTRUCTIONS)).format(x=name_of(rng, asked)), "responses": responses}
        )
    return made


def _found(rng: Rng, event: Mapping[str, Any]) -> dict[str, Any]:
    """The response to an event that was asked for."""
    evidence, delay = int(event["evidence_end"]), int(rng.integers(DELAY_MS[0], DELAY_MS[1] + 1))
    return {
        "kind": "speak", "evidence_end": evidence, "due_chunk": due_chunk(evidence, delay, "sound"), "delay_ms": delay,
        "trigger": event["id"], "clock": "sound", "text": phrase(rng, WATCH_FORMS, str(event["label"])), "call": None,
        "notes": [], "refers_to": [], "cancelled_at": None,
    }  # fmt: skip
