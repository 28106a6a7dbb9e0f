"""Which streams an epoch holds: shares by sub-task, ability or folder, drawn with a seed and bounded in number.

A key of a mixture names a folder of features, an ability, a sub-task, or one of `silence` (streams that want no
response), `history` (questions about what was said earlier), `recorded` (streams in which a recorded voice speaks), the
data set of such a voice (an4_train) and `rest` (what no other key names).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from soundflow.errors import ConfigError
from training.dataset import Item

REST = "rest"
HISTORY = "chat_history"
SYNTHETIC = ("tts:", "bank:")


def names(folder: str, item: Item) -> set[str]:
    """Every mixture key that a stream answers to."""
    sample = item[0]
    found = {Path(folder).name, str(sample.get("ability") or ""), str(sample["subtask"])}
    if not sample["responses"]:
        found.add("silence")
    if sample["subtask"] == HISTORY:
        found.add("history")
    sources = [str(s.get("source", "")) for s in sample["speech"]]
    if recorded := {source.partition("/")[0] for source in sources if not source.startswith(SYNTHETIC)}:
        found |= recorded | {"recorded"}
    return found - {""}


def pools(
    data: Mapping[str, Sequence[Item]], mixture: Mapping[str, float], leave_out: Sequence[str] = ()
) -> dict[str, list[Item]]:
    """Key -> its streams (one may lie in several); all in one pool without a mixture. ConfigError for an empty one.

    `leave_out`: keys whose streams are in none.
    """
    if leave_out:
        without = set(leave_out)
        data = {folder: [i for i in items if not names(folder, i) & without] for folder, items in data.items()}
    if not mixture:
        return {REST: [item for items in data.values() for item in items]}
    found: dict[str, list[Item]] = {key: [] for key in mixture}
    known: set[str] = set()
    for folder, items in data.items():
        for item in items:
            own = names(folder, item)
            known |= own
            for key in (own & set(mixture)) or ({REST} & set(mixture)):
                found[key].append(item)
    for key, items in found.items():
        if not items:
            raise ConfigError(f"mixture: {key!r} names no stream; known here: {', '.join(sorted(known | {REST}))}")
    return found


def quotas(mixture: Mapping[str, float], count: int) -> dict[str, int]:
    """Whole streams of each key that sum to `count` (largest remainders)."""
    total = sum(mixture.values())
    exact = {key: count * weight / total for key, weight in mixture.items()}
    found = {key: int(share) for key, share in exact.items()}
    for key in sorted(exact, key=lambda k: found[k] - exact[k])[: count - sum(found.values())]:
        found[key] += 1
    return found


def taken(pool: Sequence[Item], seed: str, start: int, count: int) -> list[Item]:
    """Items [start, start + count) of an endless row of shuffled passes: each is heard before any is heard again."""
    found: list[Item] = []
    while len(found) < count:
        turn, at = divmod(start + len(found), len(pool))
        order = random.Random(f"{seed}/{turn}").sample(range(len(pool)), len(pool))
        found += [pool[i] for i in order[at : at + count - len(found)]]
    return found


def drawn(
    held: Mapping[str, Sequence[Item]], mixture: Mapping[str, float], streams: int, seed: str, epoch: int
) -> list[Item]:
    """The streams of one epoch out of `pools`; `streams` 0: as many as the pools hold."""
    count = streams or sum(len(pool) for pool in held.values())
    shares = quotas(mixture or {REST: 1.0}, count)
    return [item for key, n in shares.items() if n for item in taken(held[key], f"{seed}/{key}", epoch * n, n)]
