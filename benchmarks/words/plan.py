"""Which recordings are heard alone, and which are joined to long streams of one speaker; drawn by a published seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks import instances
from benchmarks.compose import Bed, Item, Part
from benchmarks.instances import Row
from benchmarks.plan import draw, item_seed
from benchmarks.words import audio
from benchmarks.words.layouts import Utterance
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError

LONG: Final = "long-form"
WORDS: Final = "words"
WHOLE: Final = "whole"
OWN: Final = (WORDS, WHOLE)
"""Systems of this package: `channel`."""
PAUSES_S: Final = (0.4, 2.0)
ITEMS: Final = "items.jsonl"
HEARD: Final = frozenset({"said", "chunk", "samples", "origin", "source", "step_ms"})
NAMES: Final = {
    **{"ar": "Arabic", "ca": "Catalan", "cy": "Welsh", "de": "German", "en": "English", "es": "Spanish"},
    **{"et": "Estonian", "fa": "Persian", "fr": "French", "id": "Indonesian", "it": "Italian", "ja": "Japanese"},
    **{"lv": "Latvian", "mn": "Mongolian", "nl": "Dutch", "pt": "Portuguese", "ru": "Russian", "sl": "Slovenian"},
    **{"sv-SE": "Swedish", "ta": "Tamil", "tr": "Turkish", "zh-CN": "Chinese", "zh": "Chinese"},
}


def some(found: Sequence[Utterance], count: int, seed: int) -> list[Utterance]:
    """`count` utterances drawn by seed (0, or more than there are: all)."""
    ordered = sorted(found, key=lambda u: u.path)
    draw(seed, "words").shuffle(ordered)
    return ordered[: count or None]


def clips(found: Sequence[Utterance], seed: int, folder: Path) -> list[Item]:
    """One item a recording."""
    return [_item(f"clip/{u.path}", u.group, [u], [0.0], seed, folder) for u in found]


def long_form(found: Sequence[Utterance], streams: int, minutes: float, seed: int, folder: Path) -> list[Item]:
    """`streams` items, each of recordings of one speaker in the order of their paths, with pauses, up to `minutes`.

    The speakers with the most speech come first; one with more than `minutes` may give several streams; none is shorter
    than half of `minutes`.

    Raises:
        ConfigError: no speaker has as much.
    """
    speakers: dict[str, list[Utterance]] = {}
    for u in found:
        length = u.seconds or audio.length_s(folder / u.path)
        speakers.setdefault(f"{u.group}/{u.speaker or '?'}", []).append(replace(u, seconds=length))
    made: list[tuple[int, str, list[Utterance], list[float]]] = []
    for name, mine in speakers.items():
        rng = draw(seed, LONG, name)
        rest = sorted(mine, key=lambda u: u.path)
        turn = 0
        while rest:
            taken: list[Utterance] = []
            gaps: list[float] = []
            total = 0.0
            while rest and (not taken or total + rest[0].seconds <= minutes * 60):
                gaps.append(round(float(rng.uniform(*PAUSES_S)), 2) if taken else 0.0)
                total += rest[0].seconds + gaps[-1]
                taken.append(rest.pop(0))
            if total >= minutes * 30:
                made.append((turn, f"{name}/{turn}", taken, gaps))
            turn += 1
    made.sort(key=lambda m: (m[0], -sum(u.seconds for u in m[2]), m[1]))
    if streams and not made:
        raise ConfigError(f"--minutes {minutes:g}: expected a speaker with at least half as much speech, got none")
    return [_item(f"long/{name}", LONG, taken, gaps, seed, folder) for _, name, taken, gaps in made[:streams]]


def translations(found: Sequence[Utterance], seed: int, folder: Path) -> list[Item]:
    """One item a recording, with the wish to have it translated. ConfigError for a language without a name."""
    items = []
    for u in found:
        for code in (u.language, u.target):
            if code not in NAMES:
                raise ConfigError(f"expected a language of {', '.join(sorted(NAMES))}, got {code!r}")
        wish = f"Translate the {NAMES[u.language]} that you hear into {NAMES[u.target]}."
        item = _item(f"clip/{u.path}", u.group, [u], [0.0], seed, folder)
        facts = dict(item.facts) | {"text": u.translation, "source_text": u.text, "target": u.target, "wants": "reply"}
        items.append(replace(item, instruction=wish, facts=facts))
    return items


def _item(name: str, group: str, of: Sequence[Utterance], gaps: Sequence[float], seed: int, folder: Path) -> Item:
    parts = tuple(Part(u.path, gap, 0.0, audio.LONGEST_S, None) for u, gap in zip(of, gaps, strict=True))
    seconds = sum(u.seconds or audio.length_s(folder / u.path) for u in of) + sum(gaps)
    facts = {
        "text": " ".join(u.text for u in of),
        "texts": [u.text for u in of],
        "language": of[0].language,
        "wants": "transcript",
    }
    who = of[0].speaker or of[0].path
    whole = seconds + (audio.LEAD + audio.TRAIL) / SAMPLE_RATE_HZ
    numbers = (item_seed(seed, name), parts, Bed("zero"), 0.0, round(whole, 3))
    return Item(name, group, who, "", who, *numbers, facts=facts)


def write(out: Path, items: Sequence[Item]) -> Path:
    """`out`/items.jsonl, which scoring reads to know what is missing.

    DataError for an id twice, and where `out` holds rows of other items.
    """
    names = [i.id for i in items]
    if len(set(names)) != len(names):
        raise DataError(f"expected each item once, got {max(names, key=names.count)} again", str(out))
    text = "".join(json.dumps(i.to_dict(), ensure_ascii=False, sort_keys=True) + "\n" for i in items)
    path = out / ITEMS
    if (out / instances.NAME).is_file() and path.is_file() and path.read_text(encoding="utf-8") != text:
        raise DataError("expected rows of the same items, got others; use another --out, or delete it", str(out))
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def complete(out: Path, rows: Sequence[Row]) -> list[Row]:
    """`rows`, and one with `error` for each item of items.jsonl that a system of the rows has not: it counts as wrong.

    DataError, naming the line, for a list that cannot be read, or a row of an item that is not in it.
    """
    path = out / ITEMS
    if not path.is_file():
        raise DataError(f"expected {ITEMS}, the list of what was to be heard, beside the rows", str(out))
    items: dict[str, Item] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            item = Item.from_dict(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"expected an item: {error!r}", f"{path}:{number}") from error
        items[item.id] = item
    if strange := next((r["id"] for r in rows if r["id"] not in items), None):
        raise DataError(f"expected rows of the items in {ITEMS} alone, got one of {strange}", str(out))
    for row in rows:
        _check(row, out)
    have = {instances.key(r) for r in rows}
    found = list(rows)
    for system in dict.fromkeys(r["system"] for r in rows):
        for item in items.values():
            if (item.id, system) not in have:
                found.append({"id": item.id, "system": system, "item": item.to_dict(), "error": "missing"})
    return found


def _check(row: Row, out: Path) -> None:
    """DataError for a row that cannot be scored: no error, no text, and no hypotheses with all that they need."""
    if row.get("error") or isinstance(row.get("text"), str):
        return
    missing = HEARD - row.keys()
    broken = not missing and not all(
        isinstance(s, list) and len(s) == 5 and s[0] < len(row["step_ms"]) for s in row["said"]
    )
    if missing or broken:
        what = f"without {', '.join(sorted(missing))}" if missing else "with hypotheses of another form"
        raise DataError(
            f"expected {', '.join(sorted(HEARD))}, or text, or error; got a row {what}", f"{out}: {row['id']}"
        )
