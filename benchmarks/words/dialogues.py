"""The translation dialogues of a corpus of `soundflow data build --split dev`, as items of `bench translate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from benchmarks import tasks
from benchmarks.compose import Item
from benchmarks.hear import Shop, Tick
from benchmarks.instances import Row
from benchmarks.words.listen import each
from soundflow.errors import ConfigError
from soundflow.types import FloatArray

ABILITY: Final = "translation"
SPLIT: Final = "dev"
SCRIPTS: Final = (("ja", "\u3040", "\u30ff"), ("zh", "\u4e00", "\u9fff"))


def plan(metas: Sequence[Mapping[str, Any]], seed: int, per_task: int = 0) -> list[Item]:
    """Dialogues of the ability translation, at most `per_task` of each sub-task (0: all), half of them such that are to
    be left alone. The reference is what the labels want said, joined; the source is what they say it of.

    ConfigError where there are none, or of another split than dev.
    """
    mine = [dict(m) for m in metas if m["ability"] == ABILITY]
    if not mine:
        raise ConfigError(f"--dialogues: expected dialogues of the ability {ABILITY}, got none")
    return [_item(i) for i in tasks.plan(mine, SPLIT, per_task, seed)]


def _item(item: Item) -> Item:
    wanted = [r for r in item.facts["responses"] if r.get("text")]
    triggers = {r["trigger"] for r in wanted}
    spoken = [s for s in item.facts["speech"] if s["id"] in triggers] or item.facts["speech"]
    first = min((s["onset"] for s in spoken), default=0)
    last = max((s["offset"] for s in spoken), default=item.facts["samples"])
    text = " ".join(r["text"] for r in wanted)
    more = {
        "text": text,
        "source_text": " ".join(s["text"] for s in spoken),
        "language": spoken[0]["language"] if spoken else "en",
        "target": _script(text),
        "wants": "reply",
        "origin": first,
        "source": last - first,
    }
    return replace(item, group=item.label, facts=dict(item.facts) | more)


def _script(text: str) -> str:
    """The language by its script: "ja", "zh", or "" for what is written in words."""
    return next((name for name, low, high in SCRIPTS if any(low <= c <= high for c in text)), "")


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """One row for each system of `names`; whatever goes wrong is a row with `error`."""

    def composed(chunk: int) -> tuple[FloatArray, dict[str, Any]]:
        facts = {"origin": item.facts["origin"], "source": item.facts["source"]}
        return tasks.audio_of(item, shop.setup.audio, chunk), facts

    return each(item, names, shop, tick, composed)
