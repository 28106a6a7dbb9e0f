"""The system's own voice in a closed loop: what it says comes back through a simulated room into its microphone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compose import Bed, Item, Part, cut, render, room_response
from benchmarks.corpus import Row
from benchmarks.hear import Shop, Tick, attempt
from benchmarks.instances import Row as Instance
from benchmarks.plan import LEAD_S, capped, item_seed
from benchmarks.systems import OURS, Ask, Nano, OurListener
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples, seconds
from soundflow.errors import ConfigError, DataError, WeightsError
from soundflow.events import Event
from soundflow.respond.echo import EchoCanceller
from soundflow.respond.voice import Voice, choose_voice
from soundflow.types import FloatArray

LEVELS_DB = (-10.0, -20.0, -30.0)
ALERTS = ("glass_break", "crying_baby", "siren", "alarm", "doorbell", "explosion", "coughing", "gunshot")
TAIL_S = 10.0
BARGE_AFTER_S = 0.8  # from the first sample of our voice to the near-end speech
AFTER_S = 2.0  # an answer within this time behind our own voice is an answer to it


def plan(rows: Sequence[Row], alerts: int, seed: int) -> list[Item]:
    """`alerts` alerting dev sounds x level x with and without the canceller, alone and talked over by AN4 speech."""
    dev = [r for r in rows if r.split == "dev" and r.kind == "event" and r.label in ALERTS]
    talk = capped([r for r in rows if r.split == "dev" and r.dataset == "an4_test"], 0, seed, "echo")
    if not dev or not talk:
        raise DataError("expected alerting dev events and an4_test speech, got none")
    labels = sorted({r.label for r in dev})
    chosen = [capped([r for r in dev if r.label == labels[k % len(labels)]], 0, seed, "echo") for k in range(alerts)]
    found = []
    for k, ranked in enumerate(chosen):
        row = ranked[(k // len(labels)) % len(ranked)]
        for level in LEVELS_DB:
            for cancel in (True, False):
                for barge in (False, True):
                    how = f"{level:g}dB/{'cancelled' if cancel else 'raw'}/{'barge-in' if barge else 'alone'}"
                    name = f"echo/{how}/{row.path}"
                    facts = {"level": level, "cancel": cancel, "near": talk[k % len(talk)].path if barge else ""}
                    where = (name, "barge-in" if barge else "alone", row.label, "", row.path, item_seed(seed, row.path))
                    part = Part(row.path, LEAD_S, 0.0, 3.0, -22.0)
                    found.append(Item(*where, (part,), Bed("room", -62.0), TAIL_S, facts=facts))
    return found


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Instance]:
    """One closed loop."""
    return [attempt(item, OURS, lambda: _row(item, shop, tick))]


def _row(item: Item, shop: Shop, tick: Tick) -> Instance:
    system = shop.systems[0]
    if not isinstance(system, Nano):
        raise ConfigError(f"echo: expected the system {OURS}, got {system.name}")
    echo = EchoCanceller() if item.facts["cancel"] else None
    listener = system.open(Ask(seed=item.seed), voice=_voice(shop), echo=echo)
    near = render(item, shop.clips, system.chunk).audio
    over = cut(Part(item.facts["near"], 0.0, 0.0, 6.0, -20.0), shop.clips) if item.facts["near"] else None
    row = {"id": item.id, "system": OURS, "item": item.to_dict(), "samples": len(near)}
    return row | loop(listener, near, over, item, system.chunk, tick)


def _voice(shop: Shop) -> Voice:
    if "voice" not in shop.kept:
        from soundflow.tiers import weights

        folder: Path | None
        try:
            folder = weights.part("voice")
        except WeightsError:
            folder = None
        shop.kept["voice"] = choose_voice(folder)
    if shop.kept["voice"] is None:
        raise ConfigError("echo: expected a Piper voice (`soundflow models pull nano`) or espeak-ng, got none")
    voice: Voice = shop.kept["voice"]
    return voice


def loop(
    listener: OurListener, near: FloatArray, over: FloatArray | None, item: Item, chunk: int, tick: Tick
) -> dict[str, Any]:
    """Push `near` [n] + room(own voice); `over` [m] is said 0.8 s after the voice begins for the first time.

    What is heard of the voice at chunk k is what `Stream.reference` says plays in it, through the room.
    """
    room = room_response(np.random.default_rng(item.seed)) * np.float32(10 ** (item.facts["level"] / 20))
    near = near.copy()
    tail = np.zeros(len(room) - 1, np.float32)
    events: list[Event] = []
    began: int | None = None
    near_from: int | None = None
    voice: list[list[int]] = []
    for start in range(0, len(near), chunk):
        played = listener.stream.reference(start, chunk)
        if np.any(played):
            at = start + int(np.flatnonzero(played)[0])
            if voice and at - voice[-1][1] < SAMPLE_RATE_HZ // 2:
                voice[-1][1] = start + int(np.flatnonzero(played)[-1])
            else:
                voice.append([at, start + int(np.flatnonzero(played)[-1])])
            if began is None and start > samples(LEAD_S):
                began = at
                if over is not None:
                    near_from = at + samples(BARGE_AFTER_S)
                    piece = over[: max(0, len(near) - near_from)]
                    near[near_from : near_from + len(piece)] += piece
        heard = np.convolve(played, room)
        heard[: len(tail)] += tail
        tail = heard[chunk:].astype(np.float32)
        mic = near[start : start + chunk] + heard[:chunk].astype(np.float32)
        events += listener.push(np.clip(mic, -1.0, 1.0).astype(np.float32))
        tick(chunk / SAMPLE_RATE_HZ)
    events += listener.close()
    return {"voice": voice, "near_from": near_from} | _events(events)


def _events(events: Sequence[Event]) -> dict[str, Any]:
    found: dict[str, Any] = {"started": [], "cancelled": [], "decided": []}
    for event in events:
        body = event.to_dict()
        if event.type == "speech.started":
            found["started"].append([body["t"], body["start"]])
        elif event.type == "reply.cancelled" and body["reason"] == "barge_in":
            found["cancelled"].append(body["t"])
        elif event.type == "decision" and body["decision"] != "silent":
            found["decided"].append(body["t"])
    return found


def counts(row: Instance) -> dict[str, Any]:
    """Of one loop: did it speak; barge-ins and answers that only its own voice can have caused; the real barge-in.

    False barge-in: a reply cancelled while (or up to 2 s after) our voice played and before any near-end speech.
    Self-reply: a decision to respond in that time. Real barge-in: cancelled at or after the near-end onset; its delay
    is from the chunk in which voice activity found the near-end speech.
    """
    spans = [(seconds(a), seconds(b) + AFTER_S) for a, b in row["voice"] if a >= samples(LEAD_S)]
    near = seconds(row["near_from"]) if row["near_from"] is not None else float("inf")
    mine = [t for t in row["cancelled"] if any(a <= t <= b for a, b in spans) and t < near]
    answers = [t for t in row["decided"] if any(a + 0.4 <= t <= b for a, b in spans) and t < near]
    real = [t for t in row["cancelled"] if t >= near]
    found = [t for t, start in row["started"] if t >= near]
    still = near < float("inf") and bool(spans) and any(a <= near <= b - AFTER_S for a, b in spans)
    onset = min(found, default=None)
    return {
        "spoke": bool(spans),
        "false_barge_ins": len(mine),
        "self_replies": len(answers),
        "talked_over": still,
        "cancelled": bool(real) and still,
        "vad_delay_s": round(real[0] - onset, 3) if real and onset is not None and still else None,
        "onset_delay_s": round(real[0] - near, 3) if real and still else None,
    }


def score(rows: Sequence[Instance]) -> dict[str, Any]:
    """Level and canceller -> counts over all loops. The level is the echo return: energy of the simulated room's
    response, in dB relative to what the loudspeaker was given."""
    found: dict[str, Any] = {}
    for row in sorted(rows, key=lambda r: (-r["item"]["facts"]["level"], not r["item"]["facts"]["cancel"])):
        facts = row["item"]["facts"]
        name = f"{facts['level']:g} dB, {'with' if facts['cancel'] else 'without'} canceller"
        entry = found.setdefault(name, _nothing())
        entry["loops"] += 1
        if row.get("error"):
            entry["failed"] += 1
            continue
        c = counts(row)
        entry["spoke"] += c["spoke"]
        if row["item"]["group"] == "alone":
            entry["false_barge_ins"] += c["false_barge_ins"]
            entry["self_replies"] += c["self_replies"]
        else:
            entry["talked_over"] += c["talked_over"]
            entry["cancelled"] += c["cancelled"]
            entry["vad_delays_s"] += [c["vad_delay_s"]] if c["vad_delay_s"] is not None else []
            entry["onset_delays_s"] += [c["onset_delay_s"]] if c["onset_delay_s"] is not None else []
    for entry in found.values():
        entry["cancelled_within_a_chunk"] = sum(d <= 0.4 for d in entry["vad_delays_s"])
    return found


def _nothing() -> dict[str, Any]:
    counted = ("loops", "failed", "spoke", "false_barge_ins", "self_replies", "talked_over", "cancelled")
    return dict.fromkeys(counted, 0) | {"vad_delays_s": [], "onset_delays_s": []}
