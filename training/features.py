"""Frozen-encoder features of a shard's samples, computed by the streaming perceiver itself and cached as .npz files."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile as sf

from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples
from soundflow.errors import ConfigError, DataError
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.omni.perceiver import NOTHING, OmniPerceiver, OmniState
from soundflow.perceive.perceiver import Frames, Parts, Perceiver
from soundflow.tiers.kit import Kit
from soundflow.types import AudioChunk, FloatArray, Vad
from training.heard_by import check, mark, reads_words

CHUNK_SAMPLES = 6400
CACHED: Final = ("tags", "sound", "speech", "alert", "names")
EARLY, LATE = samples(0.4), samples(0.6)  # of a closed segment's middle, about what was said
DENSEST, SPOKEN = 4.5, 2.8  # words a second: more were never said in that time; and how many are


@dataclass(slots=True)
class Features:
    """One stream: tags [T,521], sound [T,1024], speech [T,288] (float16) and the voice-activity segments in samples.

    These widths are nano's; another model has its kit's. Of omni, speech is [T, tokens of a chunk, D] of its tower.
    `alert` [T] float32, `names` [T,N] float16: log-odds of the alert branch, zeros and N = 0 where none was loaded.
    `stop_chunks` is the chunk in which a segment's stop was found, -1 where the stream ended first. `transcripts`
    maps a speech item's id to what the recogniser hears in its clip, or heard in the stream itself. `finals`: onset and
    offset of what it closed in the stream, with its text; none where it was not run.
    """

    tags: np.ndarray
    sound: np.ndarray
    speech: np.ndarray
    segments: list[tuple[int, int]]
    stop_chunks: list[int]
    transcripts: Mapping[str, str] = field(default_factory=dict)
    chunk_samples: int = CHUNK_SAMPLES
    alert: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    finals: list[tuple[int, int, str]] = field(default_factory=list)
    names: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float16))

    @property
    def chunks(self) -> int:
        return len(self.tags)


SENSES: Final = {"sound": "sound", "tags": "tags", "words": "transcripts"}


def without(features: Features, senses: Sequence[str]) -> Features:
    """The stream as heard without some of SENSES: zeros, or no words. ConfigError for another name."""
    if unknown := sorted(set(senses) - set(SENSES)):
        raise ConfigError(f"--without: expected {', '.join(SENSES)}, got {unknown[0]!r}")
    taken = [SENSES[sense] for sense in senses]
    nothing: dict[str, Any] = {k: {} if k == "transcripts" else np.zeros_like(getattr(features, k)) for k in taken}
    return replace(features, **nothing)


def frames_of(perceiver: Perceiver | OmniPerceiver, chunk: AudioChunk, state: Any) -> Frames:
    """What is heard of a chunk before words; of a tower its tokens [tokens,D] as `speech`."""
    if isinstance(perceiver, Perceiver):
        return perceiver.frames(chunk, state)
    own: OmniState = state
    tokens = perceiver.hear([chunk], [own])[0]
    return Frames(NOTHING, NOTHING, tokens, Vad((), False), 0.0, 0.0)


def extract(audio: FloatArray, perceiver: Perceiver | OmniPerceiver, words: bool = False) -> Features:
    """Stream [n] samples through the perceiver: its frame path, with `words` its recogniser, too."""
    chunker, state = Chunker(CHUNK_SAMPLES), perceiver.init_state()
    chunks = chunker.push(audio)
    last = chunker.flush()
    tags, sound, speech, alert, names = [], [], [], [], []
    segments: list[tuple[int, int]] = []
    stops: list[int] = []
    finals: list[tuple[int, int, str]] = []
    for chunk in [*chunks, *([last] if last else [])]:
        frames = frames_of(perceiver, chunk, state)
        if (
            words
            and isinstance(perceiver, Perceiver)
            and (final := perceiver.step(chunk, state, None, frames).words.final)
        ):
            finals.append((final.start, final.end, final.text))
        tags.append(frames.tags)
        sound.append(frames.sound)
        speech.append(frames.speech)
        alert.append(frames.alert)
        names.append(frames.names)
        vad = frames.vad
        for edge, at in sorted(
            ((kind, at) for kind, at in (("start", vad.started), ("stop", vad.stopped)) if at is not None),
            key=lambda pair: pair[1],
        ):
            if edge == "start":
                segments.append((at, 10**9))
                stops.append(-1)
            elif segments and stops[-1] < 0:
                segments[-1] = (segments[-1][0], at)
                stops[-1] = chunk.index
    half = [np.asarray(x, dtype=np.float16) for x in (tags, sound, speech, names)]
    if not all(np.isfinite(x).all() for x in half):
        raise DataError("an encoder's frames within the range of float16 were expected")
    log_odds = np.asarray(alert, dtype=np.float32)
    return Features(half[0], half[1], half[2], segments, stops, alert=log_odds, finals=finals, names=half[3])


def read_shard(path: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Sample JSON and FLAC bytes of a WebDataset tar, in order. DataError names the sample that is half there."""
    held: dict[str, bytes] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            stem, suffix = os.path.splitext(member.name)
            file = tar.extractfile(member)
            if file is None:
                continue
            held[stem + suffix] = file.read()
            if stem + ".json" in held and stem + ".flac" in held:
                yield json.loads(held.pop(stem + ".json")), held.pop(stem + ".flac")
    if held:
        raise DataError(f"{path}: a .flac and a .json for every sample were expected", sorted(held)[0])


def cache_shard(job: tuple[Path, Path, Parts | Kit, bool]) -> int:
    """Features of one shard into one .npz beside a .jsonl of its sample JSON; skipped where both are there."""
    shard, out, ears, words = job
    target = out / (shard.stem + ".npz")
    if target.exists():
        return 0
    perceiver = Perceiver(ears, CHUNK_SAMPLES) if isinstance(ears, Parts) else ears.hearing()
    silent = isinstance(ears, Kit) and not reads_words(ears)
    arrays: dict[str, np.ndarray] = {}
    rows: list[str] = []
    for number, (sample, flac) in enumerate(read_shard(shard)):
        audio, _ = sf.read(io.BytesIO(flac), dtype="float32")
        features = extract(audio, perceiver, words)
        if silent:
            features = replace(features, segments=[], stop_chunks=[])  # which is when words are printed in training
        arrays |= {f"{n}_{number}": getattr(features, n) for n in CACHED}
        sample["vad"] = {"segments": features.segments, "stop_chunks": features.stop_chunks}
        if words:
            sample["vad"]["finals"] = features.finals
        rows.append(json.dumps(sample))
    part = target.with_suffix(".part.npz")
    np.savez(part, **arrays)  # type: ignore[arg-type]
    target.with_suffix(".jsonl").write_text("\n".join(rows) + "\n")
    part.replace(target)
    return len(rows)


def cache_all(data: Path, out: Path, ears: Parts | Kit, workers: int, words: bool = False) -> Iterator[tuple[int, int]]:
    """Cache every shard of `data`; yields (shards done, shards in all).

    Args:
        ears: nano's parts, or the kit of a model.

    Raises:
        ConfigError: `out` holds what another model heard, or the model's chunks are not of CHUNK_SAMPLES.
    """
    model = ears.folder if isinstance(ears, Kit) else None
    if isinstance(ears, Kit) and samples(ears.chunk_ms / 1000) != CHUNK_SAMPLES:
        raise ConfigError(
            f"{model}: chunk_ms {1000 * CHUNK_SAMPLES // SAMPLE_RATE_HZ} was expected, got {ears.chunk_ms}"
        )
    if isinstance(ears, Kit) and words and not reads_words(ears):
        raise ConfigError(f"{model}: --words: a model with a words channel was expected")
    check(out, model)
    out.mkdir(parents=True, exist_ok=True)
    shards = sorted(data.glob("*.tar"))
    if not shards:
        raise DataError(f"{data}: shards (*.tar) were expected, none found")
    mark(out, model)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        jobs = [(s, out, ears, words) for s in shards]
        for done, _ in enumerate(pool.imap_unordered(cache_shard, jobs), 1):
            yield done, len(shards)


def read_transcripts(path: Path) -> dict[str, str]:
    """JSON lines {path, text} of `soundflow data transcribe` -> clip path: recogniser text."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {str(row["path"]): str(row["text"]) for row in rows}


def heard_texts(sample: Mapping[str, Any], transcripts: Mapping[str, str]) -> dict[str, str]:
    """Speech id -> what the recogniser makes of it: in the stream where it was run there, else of the clip.

    A recording that was cut short in the stream keeps as many words of its clip as its time holds.
    """
    finals, found = sample["vad"].get("finals"), {}
    for item in sample["speech"]:
        if finals is not None:
            first, last = item["onset"] - EARLY, item["offset"] + LATE
            found[str(item["id"])] = " ".join(text for a, b, text in finals if first <= (a + b) // 2 <= last)
            continue
        if not (text := transcripts.get(item["source"], item.get("heard"))):
            continue
        words, time_s = text.split(), (item["offset"] - item["onset"]) / SAMPLE_RATE_HZ
        cut = not str(item["source"]).startswith("tts") and len(words) > DENSEST * time_s
        found[str(item["id"])] = " ".join(words[: int(SPOKEN * time_s)]) if cut else text
    return found


def load_all(cache: Path, transcripts: Mapping[str, str]) -> list[tuple[dict[str, Any], Features]]:
    """Every cached sample. `transcripts`: clip path -> recogniser text (see `soundflow data transcribe`), else what the
    builder heard in it."""
    loaded: list[tuple[dict[str, Any], Features]] = []
    for path in sorted(cache.glob("*.npz")):
        rows = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
        with np.load(path, allow_pickle=False) as arrays:
            for number, sample in enumerate(rows):
                tags, sound, speech = (arrays[f"{n}_{number}"] for n in ("tags", "sound", "speech"))
                vad = sample["vad"]
                heard = heard_texts(sample, transcripts)
                segments = [(int(a), int(b)) for a, b in vad["segments"]]
                alert = arrays.get(f"alert_{number}", np.zeros(len(tags), np.float32))  # caches of old have neither
                names = arrays.get(f"names_{number}", np.zeros((len(tags), 0), np.float16))
                stops = vad["stop_chunks"]
                loaded.append((sample, Features(tags, sound, speech, segments, stops, heard, alert=alert, names=names)))
    if not loaded:
        raise DataError(f"{cache}: cached features (*.npz) were expected, none found")
    return loaded


def event_scores(cache: Path, classes: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Best score of each tag [n,L] during each event of `classes` in the cached streams, and the events' classes."""
    scores, groups = [], []
    for sample, features in load_all(cache, {}):
        for event in sample["events"]:
            first, last = int(event["onset"]) // CHUNK_SAMPLES, int(event["offset"]) // CHUNK_SAMPLES
            if event["label"] in classes and first < features.chunks:
                scores.append(features.tags[first : last + 2].astype(np.float64).max(0))
                groups.append(str(event["label"]))
    if not groups:
        raise DataError(f"{cache}: events of {classes[:3]}... were expected, none found")
    return np.stack(scores), groups
