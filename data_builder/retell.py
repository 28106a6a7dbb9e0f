"""Other words for a device dialogue that is already mixed: the LALM hears words as text, so that the same recording
serves under several requests, each with its own call, and under mentions that ask for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from data_builder.sources import Rng
from data_builder.texts.home_requests import mention, request

TASKS: Final = ("device_act", "device_act_noisy")
EVERY: Final = 6


def retellings(rng: Rng, sample: Mapping[str, Any], every: int = EVERY) -> list[dict[str, Any]]:
    """Up to `every` {speech, text, call} of a stream in which one person spoke of the home's devices; else [].

    `speech` is the id of the utterance that is replaced. `call` is None for a mention: such a stream stays silent.
    """
    if sample["subtask"] not in TASKS or sample["tools"] != "home":
        return []
    told = [r for r in sample["responses"] if r["call"]]
    if len(told) != len(sample["responses"]) or len(told) > 1:
        return []
    users = [s["id"] for s in sample["speech"] if s["role"] == "user"]
    if len(users) != 1 or (told and told[0]["trigger"] != users[0]):
        return []
    made = []
    for _ in range(every):
        text, call = request(rng) if told else (mention(rng), None)
        made.append({"speech": users[0], "text": text, "call": call})
    return made
