"""The composed set: which recordings and lines go into which sample, drawn by a published seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from benchmarks.compose import Bed, Item, Part
from benchmarks.corpus import Clips, Row
from benchmarks.duplex import texts
from benchmarks.duplex.lines import Line, Lines
from benchmarks.plan import capped, draw, item_seed
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples
from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray

SCENARIOS: Final = ("pause", "listening", "turn", "interruption", "backchannel", "others", "background")
OVERLAPS: Final = ("interruption", "backchannel", "others", "background")
PAUSE_S: Final = (0.6, 2.0)
LEAD_S, TURN_TAIL_S, END_S = 1.0, 7.0, 2.0
SAY_S, NO_VOICE_S, OVER_TAIL_S = 1.0, 1.0, 7.0
AFTER_S = (1.4, 2.2)  # drawn: a fixed time would always fall into the same place of a chunk
LEVEL_DB: Final = {"user": -22.0, "others": -28.0, "background": -32.0}
GAP_S, GAP_DB = 0.08, -25.0  # a word gap: at least so long, so far under the loud frames (95th percentile)
READ_S, LISTEN_S = (2.0, 7.0), (8.0, 14.0)
OVERLAP_S: Final = 5.0  # of television
FRAME = SAMPLE_RATE_HZ // 100


def plan(rows: Sequence[Row], clips: Clips, lines: Lines, each: int, seed: int, scenarios: Sequence[str]) -> list[Item]:
    """`each` samples of every scenario; `pause` has as many read and as many asked.

    Raises:
        ConfigError: an unknown scenario. DataError: no dev speech to read from.
    """
    for name in scenarios:
        if name not in SCENARIOS:
            raise ConfigError(f"--scenarios: expected some of {', '.join(SCENARIOS)}, got {name!r}")
    found: list[Item] = []
    if "pause" in scenarios:
        found += _read_pauses(rows, clips, each, seed) + _asked_pauses(clips, lines, each, seed)
    if "listening" in scenarios:
        found += _listening(rows, clips, each, seed)
    if "turn" in scenarios:
        found += [_turn(lines, k, seed) for k in range(each)]
    for name in OVERLAPS:
        if name in scenarios:
            found += [_overlap(name, rows, clips, lines, k, seed) for k in range(each)]
    return found


def readers(rows: Sequence[Row], seconds: tuple[float, float], seed: int, what: str) -> list[Row]:
    """Dev readers of at least so many seconds, LibriSpeech and AN4 in turn. DataError without any."""
    mine = [r for r in rows if r.split == "dev" and r.kind == "speech" and r.seconds >= seconds[0]]
    kinds = [[r for r in mine if r.dataset.startswith(name)] for name in ("librispeech", "an4")]
    ranked = [capped(kind, 0, seed, f"duplex/{what}") for kind in kinds if kind]
    if not ranked:
        raise DataError(f"expected dev speech of LibriSpeech or AN4 of at least {seconds[0]:g} s, got none")
    longest = max(len(r) for r in ranked)
    return [r[k] for k in range(longest) for r in ranked if k < len(r)]


def gaps(audio: FloatArray) -> list[tuple[int, int]]:
    """Gaps between words in [n]: 10 ms frames of RMS 25 dB under the loud ones, at least 80 ms running, not at an end.

    Samples (start, end).
    """
    frames = len(audio) // FRAME
    if not frames:
        return []
    power = np.mean(np.square(audio[: frames * FRAME].reshape(frames, FRAME), dtype=np.float64), axis=1)
    level = 10 * np.log10(power + 1e-12)
    quiet = np.concatenate([[False], level < np.percentile(level, 95) + GAP_DB, [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
    least = round(GAP_S * 100)
    return [(a * FRAME, b * FRAME) for a, b in runs if b - a >= least and a > 0 and b < frames]


def split_at(audio: FloatArray, low: float, high: float) -> int:
    """Sample at which a pause is put in: middle of the longest gap between the shares `low` and `high` of [n], else
    of its quietest 50 ms there."""
    a, b = int(low * len(audio)), int(high * len(audio))
    inside = [(end - start, (start + end) // 2) for start, end in gaps(audio) if a <= (start + end) // 2 <= b]
    if inside:
        return max(inside)[1]
    size = SAMPLE_RATE_HZ // 20
    power = np.convolve(np.square(audio[a:b], dtype=np.float64), np.ones(size), "valid")
    return a + int(np.argmin(power)) + size // 2


def _whole(audio: FloatArray, most_s: float) -> int:
    """Length of a beginning of at most `most_s` that ends in a gap (or at the limit where there is none)."""
    if len(audio) <= samples(most_s):
        return len(audio)
    ends = [start for start, _ in gaps(audio) if samples(most_s) * 0.5 <= start <= samples(most_s)]
    return ends[-1] if ends else samples(most_s)


def _levels(audio: FloatArray, at: int, db: float) -> tuple[float, float]:
    """dB of the two halves of [n], so that both get the gain that puts the whole at `db`."""

    def rms(x: FloatArray) -> float:
        return 10 * float(np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-12))

    whole = rms(audio)
    return round(db + rms(audio[:at]) - whole, 2), round(db + rms(audio[at:]) - whole, 2)


def _halves(path: str, audio: FloatArray, at: int, pause_s: float) -> tuple[Part, Part]:
    first_db, second_db = _levels(audio, at, LEVEL_DB["user"])
    cut, length = at / SAMPLE_RATE_HZ, len(audio) / SAMPLE_RATE_HZ
    return Part(path, LEAD_S, 0.0, cut, first_db), Part(path, pause_s, cut, length - cut, second_db)


def _item(group: str, label: str, source: str, parts: Sequence[Part], tail: float, seed: int, **facts: Any) -> Item:
    name = f"duplex/{group}/{label}/{source}"
    where = (name, group, label, "", source, item_seed(seed, name))
    seconds = float(facts.pop("seconds", 0.0))
    return Item(*where, tuple(parts), Bed("room", -60.0), tail, seconds, facts=facts)


def _read_pauses(rows: Sequence[Row], clips: Clips, each: int, seed: int) -> list[Item]:
    found = []
    for row in readers(rows, READ_S, seed, "pause")[:each]:
        whole = clips.audible(row.path)
        audio = whole[: _whole(whole, READ_S[1])]
        pause = round(float(draw(seed, "pause", row.path).uniform(*PAUSE_S)), 2)
        halves = _halves(row.path, audio, split_at(audio, 0.3, 0.7), pause)
        found.append(_item("pause", "read", row.path, halves, END_S, seed, pause_s=pause))
    return found


def _asked_pauses(clips: Clips, lines: Lines, each: int, seed: int) -> list[Item]:
    found = []
    for k in range(each):
        q = k % len(texts.QUESTIONS)
        line = _line(lines, texts.paused_line(q), k)
        audio = clips.audible(line.path)
        pause = round(float(draw(seed, "pause", line.text, str(k)).uniform(*PAUSE_S)), 2)
        halves = _halves(line.path, audio, split_at(audio, 0.15, 0.6), pause)
        more = {"pause_s": pause, "text": line.text, "reference": texts.QUESTIONS[q][1]}
        found.append(_item("pause", "asked", f"{k}/{line.voice}", halves, TURN_TAIL_S, seed, **more))
    return found


def _listening(rows: Sequence[Row], clips: Clips, each: int, seed: int) -> list[Item]:
    found = []
    for row in [r for r in readers(rows, LISTEN_S, seed, "listening") if r.seconds >= LISTEN_S[0]][:each]:
        whole = clips.audible(row.path)
        audio = whole[: _whole(whole, LISTEN_S[1])]
        part = Part(row.path, LEAD_S, 0.0, len(audio) / SAMPLE_RATE_HZ, LEVEL_DB["user"])
        spots = [[round(LEAD_S + x / SAMPLE_RATE_HZ, 3) for x in gap] for gap in gaps(audio)]
        found.append(_item("listening", "read", row.path, [part], END_S, seed, gaps=spots))
    return found


def _turn(lines: Lines, k: int, seed: int) -> Item:
    asked, answer = texts.QUESTIONS[k % len(texts.QUESTIONS)]
    line = _line(lines, asked, k)
    part = Part(line.path, LEAD_S, 0.0, 15.0, LEVEL_DB["user"])
    return _item("turn", "asked", f"{k}/{line.voice}", [part], TURN_TAIL_S, seed, text=asked, reference=answer)


def _overlap(name: str, rows: Sequence[Row], clips: Clips, lines: Lines, k: int, seed: int) -> Item:
    """The system says a given reply, and 1.4 to 2.2 s into it somebody else is heard."""
    after = round(float(draw(seed, "after", name, str(k)).uniform(*AFTER_S)), 3)
    facts: dict[str, Any] = {"say": texts.GIVEN[k % len(texts.GIVEN)], "after_s": after}
    if name == "interruption":
        q = k % len(texts.QUESTIONS)
        line = _line(lines, texts.break_in(q), k)
        facts |= {"text": line.text, "reference": texts.QUESTIONS[q][1]}
        over, source = [Part(line.path, 0.0, 0.0, 15.0, LEVEL_DB["user"])], line.voice
    elif name == "backchannel":
        line = _line(lines, texts.BACKCHANNELS[k % len(texts.BACKCHANNELS)], k // len(texts.BACKCHANNELS))
        facts["text"] = line.text
        over, source = [Part(line.path, 0.0, 0.0, 3.0, LEVEL_DB["user"])], line.voice
    elif name == "others":
        pair = texts.ASIDES[k % len(texts.ASIDES)]
        said = [_line(lines, text, k // len(texts.ASIDES) + j) for j, text in enumerate(pair)]
        facts["text"] = " ".join(pair)
        over = [Part(x.path, 0.4 * j, 0.0, 15.0, LEVEL_DB["others"]) for j, x in enumerate(said)]
        source = "+".join(x.voice for x in said)
    else:
        row = readers(rows, READ_S, seed, "background")[k]
        over = [Part(row.path, 0.0, 0.0, OVERLAP_S, LEVEL_DB["background"], "television")]
        source = row.path
    long = sum(p.gap_s + min(p.most_s, clips.audible(p.path).size / SAMPLE_RATE_HZ) for p in over)
    seconds = round(SAY_S + NO_VOICE_S + after + long + OVER_TAIL_S, 3)
    facts |= {"over": [asdict(p) for p in over], "seconds": seconds}
    return _item(name, "over", f"{k}/{source}", [], 0.0, seed, **facts)


def _line(lines: Lines, text: str, k: int) -> Line:
    said = lines[text]
    return said[k % len(said)]
