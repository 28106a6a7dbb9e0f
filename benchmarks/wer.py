"""Word error rate of the streaming words channel against whole-clip recognition, on dev speech (benchmarks/asr.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks import asr
from benchmarks.compose import Item, Part
from benchmarks.corpus import Row
from benchmarks.hear import Shop, Tick, failed
from benchmarks.instances import Row as Instance
from benchmarks.plan import capped, item_seed
from benchmarks.systems import CHUNK_MS
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples
from soundflow.errors import DataError, SoundflowError
from soundflow.types import Word

SYSTEM = "words"


def plan(rows: Sequence[Row], clips: int, seed: int, longest_s: float = 30.0) -> list[Item]:
    """`clips` dev recordings with text of at most `longest_s`, LibriSpeech and AN4 in turn while there are."""
    found = []
    for name in asr.DATASETS:
        mine = [r for r in rows if r.dataset == name and r.split == "dev" and r.text and r.seconds <= longest_s]
        for row in capped(mine, 0, seed, f"wer/{name}"):
            full = f"wer/{row.path}"
            where = (full, name, row.speaker, "", row.path, item_seed(seed, full))
            part = Part(row.path, 0.0, 0.0, longest_s, None)
            found.append(Item(*where, (part,), seconds=row.seconds, facts={"text": row.text}))
    if not found:
        raise DataError(f"expected dev rows with text of {', '.join(asr.DATASETS)}, got none")
    return _alternate(found, clips)


def _alternate(found: list[Item], clips: int) -> list[Item]:
    groups = [[i for i in found if i.group == name] for name in asr.DATASETS]
    return [g[k] for k in range(max(map(len, groups))) for g in groups if k < len(g)][:clips]


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Instance]:
    """One clip through the streaming channel and, whole, through the same recogniser."""
    try:
        recogniser, channel, vad, speech = _parts(shop)
        samples = shop.clips.read(item.parts[0].path)
        streamed = asr.hear_stream(samples, channel, vad, chunk_samples(CHUNK_MS), speech)
        whole = asr.hear_whole(samples, recogniser)
    except SoundflowError as error:
        return [failed(item, SYSTEM, f"{error.code}: {error}")]
    tick(len(samples) / SAMPLE_RATE_HZ)
    row = {"id": item.id, "system": SYSTEM, "item": item.to_dict(), "samples": len(samples)}
    return [row | {"streamed": asdict(streamed), "whole": asdict(whole)}]


def _parts(shop: Shop) -> Any:
    if "wer" not in shop.kept:
        from soundflow.perceive.moonshine import Moonshine
        from soundflow.perceive.sound import SoundEncoder, labels
        from soundflow.perceive.vad import VoiceActivity
        from soundflow.perceive.words import WordsChannel, WordsConfig
        from soundflow.tiers import nano

        parts = nano.parts()
        recogniser = Moonshine(parts.asr)
        speech = asr.SpeechScore(SoundEncoder(parts.sound, chunk_samples(CHUNK_MS)), labels(parts.sound))
        shop.kept["wer"] = recogniser, WordsChannel(recogniser, WordsConfig()), VoiceActivity(parts.vad), speech
    return shop.kept["wer"]


def score(rows: Sequence[Instance], seed: int = 0) -> dict[str, Any]:
    """Data set and "all" -> figures of `asr.streaming_wer`: WER = (S + D + I) / reference words, ratio, word delay.

    A clip that failed counts as all of its words wrong in the stream.
    """
    found: dict[str, Any] = {}
    groups = {name: [r for r in rows if r["item"]["group"] == name] for name in dict.fromkeys(_group(r) for r in rows)}
    for name, mine in {**groups, "all": list(rows)}.items():
        heard: dict[int, tuple[asr.Heard, asr.Heard]] = {}
        clips = []
        for row in mine:
            samples = np.zeros(row.get("samples", SAMPLE_RATE_HZ), np.float32)
            heard[id(samples)] = (_heard(row.get("streamed")), _heard(row.get("whole")))
            clips.append(asr.Clip(row["id"], samples, row["item"]["facts"]["text"]))
        result = asr.streaming_wer(clips, lambda x, h=heard: h[id(x)][0], lambda x, h=heard: h[id(x)][1], seed=seed)  # type: ignore[misc]
        found[name] = {k: _rounded(v) for k, v in asdict(result).items()}
        found[name]["failed"] = sum(bool(r.get("error")) for r in mine)
    return found


def _group(row: Instance) -> str:
    return str(row["item"]["group"])


def _heard(body: dict[str, Any] | None) -> asr.Heard:
    if body is None:
        return asr.Heard("", (), 0.0)
    return asr.Heard(**{**body, "words": tuple(Word(**w) for w in body["words"])})


def _rounded(value: Any) -> Any:
    return (
        round(value, 4)
        if isinstance(value, float)
        else [round(v, 4) for v in value]
        if isinstance(value, tuple)
        else value
    )
