"""Writing a prepared corpus: clips, `index.csv` or `dialogues.jsonl`, and what was left out with its reason."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

from data_builder.corpora.convert import Job, convert_all
from data_builder.corpora.folder import COLUMNS, KINDS, SPLITS
from data_builder.corpora.recipe import (
    SHOWN,
    Bad,
    Clip,
    Dialogue,
    Entries,
    Options,
    Prepared,
    Recipe,
    listing,
    unfinished,
)
from soundflow.errors import DataError

INDEX, DIALOGUES, QUARANTINE, SOURCE = "index.csv", "dialogues.jsonl", "quarantine.jsonl", "recipe.json"
LONGEST_TEXT: Final = 20_000


def prepare(recipe: Recipe, entries: Entries, raw: Path, out: Path, options: Options) -> Prepared:
    """Write everything that `entries` finds under `raw` to `out`; a preparation that was cut goes on where it was.

    Raises DataError before anything is converted where audio that the manifests name is missing (unless
    `options.partial`), or nothing usable is there; the message counts and names what is missing.
    """
    try:
        return _prepare(recipe, entries, raw, out, options)
    except OSError as err:
        raise DataError(f"could not read or write: {err}", recipe.name) from err


def _prepare(recipe: Recipe, entries: Entries, raw: Path, out: Path, options: Options) -> Prepared:
    totals = _survey(recipe, entries, raw, options)
    out.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    seconds, quarantined = 0.0, 0
    seen: set[int] = set()
    with ExitStack() as stack:
        part = {name: out / f"{name}.part" for name in (INDEX, DIALOGUES, QUARANTINE)}
        files: dict[str, IO[str]] = {
            name: stack.enter_context(path.open("w", encoding="utf-8", newline="")) for name, path in part.items()
        }
        index = csv.writer(files[INDEX])
        index.writerow(COLUMNS)

        def leave_out(where: str, reason: str) -> None:
            nonlocal quarantined
            quarantined += 1
            line = {"recipe": recipe.name, "where": _whole(where)[:500], "reason": _whole(reason)[:500]}
            files[QUARANTINE].write(json.dumps(line, ensure_ascii=False) + "\n")

        for entry, result in _results(recipe, _chosen(entries(raw), totals, options.limit), out, options):
            if isinstance(entry, Bad):
                leave_out(_below(entry.where, raw), entry.reason)
            elif isinstance(entry, Dialogue):
                counts[entry.split] += 1
                files[DIALOGUES].write(json.dumps(_dialogue(recipe, entry), ensure_ascii=False) + "\n")
            elif isinstance(result, str):
                leave_out(_below(str(entry.audio), raw), result)
            elif hash(entry.key) in seen:
                leave_out(_below(str(entry.audio), raw), f"expected a clip once, got {entry.key} again")
            else:
                seen.add(hash(entry.key))
                index.writerow(_row(recipe, entry, result))
                counts[entry.split] += 1
                seconds += result
    has_dialogues = part[DIALOGUES].stat().st_size > 0
    if has_dialogues:
        part[DIALOGUES].replace(out / DIALOGUES)
    else:
        part[DIALOGUES].unlink()
    part[QUARANTINE].replace(out / QUARANTINE)
    if not sum(counts.values()):
        part[INDEX].unlink()
        raise DataError(f"expected usable entries, all {quarantined} went into {QUARANTINE}", str(out))
    part[INDEX].replace(out / INDEX)
    _attribute(recipe, out)
    return Prepared(out, dict(sorted(counts.items())), seconds / 3600, quarantined)


def _survey(recipe: Recipe, entries: Entries, raw: Path, options: Options) -> Counter[str]:
    """Entries of each split. Raises DataError where files that the manifests name are missing, or nothing is there."""
    totals: Counter[str] = Counter()
    missing: list[str] = []
    absent, files = 0, 0
    for entry in entries(raw):
        if isinstance(entry, Bad):
            continue
        if isinstance(entry, Clip):
            files += 1
            if not os.path.isfile(entry.audio):  # a name may be longer than any file may have
                absent += 1
                if len(missing) < SHOWN:
                    missing.append(_below(str(entry.audio), raw))
        totals[entry.split] += 1
    gone = listing(missing) + (f" and {absent - len(missing)} more" if absent > len(missing) else "")
    if absent and (absent == files or not (options.partial or recipe.partial)):
        raise DataError(
            f"expected the {files} audio files that the manifests of {recipe.name} name, {absent} are missing: {gone}"
            f"{unfinished(raw)}",
            str(raw),
        )
    if not totals:
        raise DataError(f"expected entries of {recipe.name}, the manifests name none that can be used", str(raw))
    return totals


def _chosen(entries: Iterator[Any], totals: Counter[str], limit: int) -> Iterator[Any]:
    """All, or at most `limit` entries a split, evenly spread over the corpus."""
    at: Counter[str] = Counter()
    for entry in entries:
        if not isinstance(entry, Bad) and limit and totals[entry.split] > limit:
            i, total = at[entry.split], totals[entry.split]
            at[entry.split] += 1
            if (i + 1) * limit // total == i * limit // total:
                continue
        yield entry


def _results(recipe: Recipe, entries: Iterator[Any], out: Path, options: Options) -> Iterator[tuple[Any, float | str]]:
    """Each entry with the seconds of its clip, or the reason why there is none; in order."""
    waiting: deque[Any] = deque()

    def jobs() -> Iterator[Job | None]:
        for entry in entries:
            problem = _problem(entry) if isinstance(entry, Clip) else ""
            waiting.append(Bad(str(entry.audio), problem) if problem else entry)
            if not isinstance(entry, Clip) or problem:
                yield None
                continue
            target = out / recipe.name / f"{entry.key}.flac"
            whole = entry.kind == "speech" and bool(entry.text)
            yield Job(entry.audio, target, entry.start, entry.end, options.longest_s, whole)

    for result in convert_all(jobs(), options.workers):
        yield waiting.popleft(), result


def _problem(clip: Clip) -> str:
    """Why a row of this clip would not read back, "" where it would."""
    parts = clip.key.split("/")
    if not clip.key.isprintable() or any(part in ("", ".", "..") or len(part.encode()) > 200 for part in parts):
        return f"expected a plain name, got {clip.key[:120]!r}"
    if clip.split not in SPLITS or clip.split == "cal" or clip.kind not in KINDS:
        return f"expected a split and a kind, got {clip.split!r} and {clip.kind!r}"
    if clip.kind != "speech" and not clip.label:
        return "expected a label"
    if max(map(len, (clip.text, clip.label, clip.speaker, clip.licence, clip.source))) > LONGEST_TEXT:
        return f"expected at most {LONGEST_TEXT} characters of text"
    if not 0 <= clip.start < math.inf or not 0 <= clip.end < math.inf or (clip.end and clip.end <= clip.start):
        return f"expected a stretch of time, got {clip.start:g} to {clip.end:g} s"
    return ""


def _row(recipe: Recipe, clip: Clip, seconds: float) -> tuple[str, ...]:
    return (
        f"{recipe.name}/{clip.key}.flac",
        recipe.name,
        clip.split,
        clip.kind,
        _plain(clip.label),
        _plain(clip.text),
        _plain(clip.speaker),
        clip.language,
        f"{seconds:.3f}",
        _plain(clip.licence or recipe.licence),
        _plain(clip.source or recipe.homepage),
        "yes" if (recipe.open if clip.open is None else clip.open) else "no",
        clip.respond,
    )


def _dialogue(recipe: Recipe, dialogue: Dialogue) -> dict[str, Any]:
    body = asdict(dialogue)
    body["turns"] = [{"role": turn.role, "text": _whole(turn.text)} for turn in dialogue.turns]
    more = {"dataset": recipe.name, "license": recipe.licence, "open": "yes" if recipe.open else "no"}
    return {**body, "source": dialogue.source or recipe.homepage, **more}


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _plain(text: str) -> str:
    """Without line ends and control characters; blanks once; what is no Unicode replaced."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", _whole(text)).strip()


def _below(where: str, raw: Path) -> str:
    return where.removeprefix(f"{raw}/")


def _attribute(recipe: Recipe, out: Path) -> None:
    body = {
        "name": recipe.name,
        "title": recipe.title,
        "license": recipe.licence,
        "open": recipe.open,
        "citation": recipe.citation,
        "homepage": recipe.homepage,
        "layout": recipe.layout,
    }
    (out / SOURCE).write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
