"""The multi tier: clips of one category joined into a stream by a published seed, written as a data set, read as files.

The official multi tier was not released; this one is ours, made from the same clips. `streams.jsonl`, an object a line:

    {"id", "path": "./streams/ID.wav", "category", "seed", "samples", "sha256",
     "clips": [{"id", "decision", "meso", "onset", "offset"}, ...]}

`onset` and `offset` are samples at 16 kHz; both null for a clip that was not there when the set was made: it is not in
the stream, and counts as wrong. `sha256` is of the 16-bit samples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.compose import FADE, Bed, Item, Part, at_level, room_tone
from benchmarks.official.audio import read_clip, samples_sha, write_wav
from benchmarks.official.formats import IGNORE, RESPOND, Sample, json_lines, relative, text, write_lines
from benchmarks.official.listen import BED_DB
from benchmarks.plan import LEAD_S, TAIL_S, draw, item_seed
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples as to_samples
from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray

NAME: Final = "streams.jsonl"
CLIPS: Final = 5
GAP_S: Final = (3.2, 6.0)


def compose(samples: Sequence[Sample], folder: Path, out: Path, seed: int = 0, clips: int = CLIPS) -> dict[str, int]:
    """Write `out`/streams.jsonl and its WAV files: streams of up to `clips` clips of one macro category each.

    Clips are shuffled within their category by the seed; 4 s of room tone at -60 dBFS before the first, 3.2 to 6 s
    (drawn) between two, 3.2 s behind the last; clips whole and at their own level. Returns counts: streams, clips,
    missing.

    Raises:
        ConfigError: not one of the clips is under `folder`, or `clips` below 1.
        DataError: a clip that is there cannot be read.
    """
    if clips < 1:
        raise ConfigError(f"--clips: expected at least 1, got {clips}")
    if not any((folder / s.path).is_file() for s in samples):
        raise ConfigError(
            f"--audio {folder}: expected the clips of the manifest, got none; the first: {samples[0].path}"
        )
    rows: list[dict[str, Any]] = []
    for macro in sorted({s.macro for s in samples}):
        members = sorted((s for s in samples if s.macro == macro), key=lambda s: s.id)
        draw(seed, "official", macro).shuffle(members)
        for k in range(0, len(members), clips):
            rows.append(_stream(members[k : k + clips], f"{_slug(macro)}-{k // clips:03d}", folder, out, seed))
    write_lines(out / NAME, rows)
    gone = sum(c["onset"] is None for r in rows for c in r["clips"])
    return {"streams": len(rows), "clips": len(samples) - gone, "missing": gone}


def _stream(members: Sequence[Sample], name: str, folder: Path, out: Path, seed: int) -> dict[str, Any]:
    rng, at = draw(seed, "official", name), to_samples(LEAD_S)
    placed: list[tuple[int, FloatArray]] = []
    told = []
    for sample in members:
        gap = to_samples(round(float(rng.uniform(*GAP_S)), 3))
        body: dict[str, Any] = {"id": sample.id, "decision": sample.decision, "meso": sample.meso}
        if not (folder / sample.path).is_file():
            told.append(body | {"onset": None, "offset": None})
            continue
        piece = faded(read_clip(folder / sample.path))
        at += gap if placed else 0
        placed.append((at, piece))
        told.append(body | {"onset": at, "offset": at + len(piece)})
        at += len(piece)
    audio = at_level(room_tone(at + to_samples(TAIL_S), draw(seed, "bed", name)), BED_DB)
    for start, piece in placed:
        audio[start : start + len(piece)] += piece
    peak = float(np.abs(audio).max())
    audio = (audio * min(1.0, 0.98 / peak)).astype(np.float32)
    sha = write_wav(out / "streams" / f"{name}.wav", audio)
    facts = {"id": name, "path": f"./streams/{name}.wav", "category": members[0].macro, "seed": seed}
    return facts | {"samples": len(audio), "sha256": sha, "clips": told}


def faded(audio: FloatArray) -> FloatArray:
    """`audio` with 10 ms of fade at both ends, so that no edge clicks."""
    ramp = np.linspace(0.0, 1.0, min(FADE, len(audio) // 2), dtype=np.float32)
    piece = audio.copy()
    if len(ramp):
        piece[: len(ramp)] *= ramp
        piece[-len(ramp) :] *= ramp[::-1]
    return piece


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "category"


def read_streams(path: Path) -> list[dict[str, Any]]:
    """The rows of streams.jsonl, checked.

    Raises:
        DataError: a field that is missing or of another kind, clips out of order, over each other or over the end, an
            id twice; file and line are named.
    """
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for where, row in json_lines(path):
        names = [text(row, "id", where), *(text(c, "id", where) for c in _clips(row, where))]
        for name in ("path", "category", "sha256"):
            text(row, name, where)
        relative(row["path"], where)
        twice = [n for k, n in enumerate(names) if n in seen or n in names[:k]]
        if twice:
            raise DataError(f"expected each id once, got {twice[0]!r} again", where)
        if not all(isinstance(row.get(k), int) and not isinstance(row[k], bool) for k in ("samples", "seed")):
            raise DataError("expected samples and seed as whole numbers", where)
        _check_places(row, where)
        seen |= set(names)
        rows.append(row)
    if not rows:
        raise DataError("expected rows, got none", str(path))
    return rows


def _clips(row: dict[str, Any], where: str) -> list[dict[str, Any]]:
    clips = row.get("clips")
    if not isinstance(clips, list) or not clips or not all(isinstance(c, dict) for c in clips):
        raise DataError(f"expected clips as a list of objects, got {clips!r}", where)
    for clip in clips:
        if clip.get("decision") not in (RESPOND, IGNORE):
            raise DataError(f"expected a decision of RESPOND or IGNORE, got {clip.get('decision')!r}", where)
        text(clip, "meso", where)
    return clips


def _check_places(row: dict[str, Any], where: str) -> None:
    at = 0
    for clip in row["clips"]:
        onset, offset = clip.get("onset"), clip.get("offset")
        if onset is None and offset is None:
            continue
        if not (type(onset) is int and type(offset) is int and at <= onset < offset <= row["samples"]):
            raise DataError(
                f"expected clips in order within {row['samples']} samples, got {onset!r}..{offset!r}", where
            )
        at = offset


def plan(rows: Sequence[dict[str, Any]], seed: int) -> list[Item]:
    """An item a stream: the file as it is."""
    items = []
    for row in rows:
        length = row["samples"] / SAMPLE_RATE_HZ
        told = [c | {"macro": row["category"]} for c in row["clips"]]
        part = Part(row["path"].removeprefix("./"), 0.0, 0.0, length + 1.0, None)
        facts = {"tier": "multi", "clips": told, "sha256": row["sha256"]}
        seeded, bed = item_seed(seed, row["id"]), Bed("zero")
        some = "yes" if any(c["decision"] == RESPOND for c in told) else "no"
        items.append(
            Item(row["id"], row["category"], "", some, row["id"], seeded, (part,), bed, 0.0, length, facts=facts)
        )  # fmt: skip
    return items


def check_audio(rows: Sequence[dict[str, Any]], folder: Path) -> list[str]:
    """Ids of the streams whose file is not there; DataError for one whose samples are not those of the set."""
    gone = []
    for row in rows:
        file = folder / row["path"]
        if not file.is_file():
            gone.append(row["id"])
        elif (sha := samples_sha(read_clip(file))) != row["sha256"]:
            raise DataError(
                f"expected samples of sha256 {row['sha256'][:16]}, got {sha[:16]}: another stream", str(file)
            )
    return gone
