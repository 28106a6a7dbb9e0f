"""Hand-made samples: a kitchen of 4 s, a minute of everything, and a quiet stream. No corpus, no synthesis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_builder.schema import CHUNK, Response, Sample, SoundEvent, Speech, due_chunk, evidence_end
from data_builder.shards import sha256, write_json, write_shard

SR = 16_000
BY = "CC BY 4.0 (Speech Commands)"


def at(seconds: float) -> int:
    return round(seconds * SR)


def sound(name: str, label: str, on: float, off: float, respond: str = "yes", source: str = "") -> SoundEvent:
    end = evidence_end(at(on), at(off))
    where = source or f"esc/{label}.ogg"
    return SoundEvent(name, label, "event", at(on), at(off), end, -3.0, where, "CC0 1.0", respond)


def say(name: str, text: str, on: float, off: float, speaker: str, role: str = "user", **more: Any) -> Speech:
    made = speaker.startswith("voice")
    source, licence = (f"tts:{name}{speaker}", "CC0 1.0") if made else (f"an4/{speaker}.ogg", BY)
    addressed = more.pop("addressed", role == "user")
    return Speech(name, at(on), at(off), text, source, addressed, speaker, 0.0, licence, role=role, **more)


def answer(kind: str, end: int, trigger: str, clock: str, text: str = "", **more: Any) -> Response:
    return Response(kind, end, due_chunk(end, 160, clock), 160, trigger, clock, text, **more)


def credit(sample: Sample) -> Sample:
    """Fill sources and licences out of the items."""
    for item in (*sample.events, *sample.speech):
        row = {"source": item.source, "licence": item.licence, "dataset": item.source.split("/")[0]}
        sample.sources.append(row | {"speaker": getattr(item, "speaker", "")})
    sample.licences = sorted({s["licence"] for s in sample.sources})
    return sample


def short() -> Sample:
    """4 s: a smoke alarm that is answered, and a cough that is not."""
    s = Sample("train-1-0000001", 1, "train", "hazard", "proactive response", False, 10 * CHUNK)
    s.events = [sound("e0", "smoke_alarm", 0.5, 3.4), sound("e1", "cough", 3.0, 3.6, "context")]
    s.responses = [answer("speak", s.events[0].evidence_end, "e0", "sound", "That is the smoke alarm: go and look.")]
    s.avoid = [{"id": "e1", "onset": at(3.0), "offset": at(3.6), "reason": "context sound"}]
    s.scenario = {"hour": 7.5, "place": "kitchen", "activity": "frying eggs", "story": "Ana fries eggs."}
    s.mix = {"bed": "room_tone", "bed_db": -52.0, "rt60_s": 0.42}
    return credit(s)


def long() -> Sample:
    """60 s: orders, side talk, television, an interruption, sounds; spoken answers and acts on every clock."""
    s = Sample("train-1-0000002", 1, "train", "multi_turn", "voice chatting", False, 150 * CHUNK)
    s.instruction, s.tools = "Tell me when you hear the doorbell, but not the dog.", "home"
    s.speech = [
        say("s0", "Turn the kitchen light on, please.", 1.2, 3.1, "an4_fvap"),
        say("s2", "And did you see the match last night?", 9.0, 11.4, "voice-12", "bystander"),
        say(
            "s3",
            "Tonight, rain in the north with gusts of up to sixty kilometres an hour.",
            12,
            17,
            "tv-1",
            "television",
        ),
        say("s5", "What was the first thing that I asked you today?", 21.0, 24.2, "an4_fvap"),
        say("s6", "Mhm.", 27.2, 27.6, "an4_fvap", "backchannel", addressed=False),
        say("s8", "Stop. Just tell me the time in ten seconds.", 33.0, 36.0, "voice-3", emotion="angry"),
        say("s9", "Ja, ich komme gleich.", 55.2, 57.0, "voice-4", "bystander", language="de"),
    ]
    s.events = [
        sound("e1", "dog", 5.5, 6.4, "context"),
        sound("e4", "doorbell", 18.2, 19.4, source="esc/b.ogg"),
        sound("e7", "glass_break", 30.0, 31.2),
        sound("e10", "running_water", 40.0, 54.0, "context"),
    ]
    call = {"name": "set_light", "arguments": {"room": "kitchen", "on": True}}
    review = "You asked me to turn the kitchen light on, and I did; after that you were talking about a match."
    s.responses = [
        answer("act", at(3.1), "s0", "endpoint", call=call),
        answer("speak", s.events[1].evidence_end, "e4", "sound", "Somebody is at the door."),
        answer("speak", at(24.2), "s5", "endpoint", review, refers_to=["s0"], cancelled_at=at(27.9)),
        answer("speak", s.events[2].evidence_end, "e7", "sound", "I heard glass break. Is everyone all right?"),
        answer("speak", at(46.0), "s8", "timer", "It is half past seven."),
    ]
    left = {"e1": "not asked for", "s2": "side talk", "s3": "television", "s6": "backchannel", "e10": "context sound"}
    left["s9"] = "side talk"
    spans = {i.id: i for i in (*s.events, *s.speech)}
    s.avoid = [{"id": k, "onset": spans[k].onset, "offset": spans[k].offset, "reason": v} for k, v in left.items()]
    s.scenario = {"hour": 19.25, "place": "living room", "activity": "watching television", "people": ["Ana", "Leo"]}
    s.scenario["story"] = "Ana and Leo half watch the forecast while they wait for a delivery."
    gaps = [
        {"kind": "zero", "onset": at(7.0), "offset": at(8.5)},
        {"kind": "babble", "onset": at(38), "offset": at(39)},
    ]
    s.mix = {
        "bed": "places/living_room.ogg",
        "bed_db": -44.0,
        "rt60_s": 0.61,
        "gaps": gaps,
        "channel": {"kind": "opus"},
    }
    credit(s).sources.append({"source": s.mix["bed"], "licence": "CC BY 3.0", "dataset": "places", "speaker": ""})
    return s


def quiet() -> Sample:
    """8 s of rain in the dev split: nothing to answer."""
    s = Sample("train-1-0000003", 1, "train", "hazard", "proactive response", True, 20 * CHUNK)
    s.events = [sound("e0", "rain", 1.0, 7.0, "no")]
    s.avoid = [{"id": "e0", "onset": at(1.0), "offset": at(7.0), "reason": "benign sound"}]
    s.mix = {"bed": "zero", "bed_db": -120.0}
    return credit(s)


def audio(sample: Sample) -> NDArray[np.float32]:
    """[N] a tone for each sound, a buzz in syllables for each utterance, over noise."""
    rng = np.random.default_rng(len(sample.events) + sample.samples)
    x = 0.002 * rng.standard_normal(sample.samples).astype(np.float32)
    for k, item in enumerate((*sample.events, *sample.speech)):
        n = item.offset - item.onset
        t = np.arange(n) / SR
        if isinstance(item, Speech):
            voice = sum(np.sin(2 * np.pi * (110 + 30 * k) * h * t) / h for h in range(1, 20))
            made = 0.05 * voice * (0.55 - 0.45 * np.cos(2 * np.pi * 3.5 * t))
        else:
            made = 0.15 * np.sign(np.sin(2 * np.pi * 4 * t)) * np.sin(2 * np.pi * (700 + 400 * k) * t)
        x[item.onset : item.offset] += made.astype(np.float32)
    return x


def pcm(sample: Sample) -> NDArray[np.int16]:
    return np.clip(np.round(audio(sample) * 32767), -32768, 32767).astype(np.int16)


def build(folder: Path, shards: list[list[Sample]] | None = None) -> Path:
    """A finished build: shards and index.json."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for k, samples in enumerate(shards or [[short(), long()], [quiet()]]):
        path = folder / f"shard-{k:06d}.tar"
        write_shard(path, [(s.to_dict(), audio(s)) for s in samples])
        size = path.stat().st_size
        listed.append({"name": path.name, "streams": len(samples), "bytes": size, "sha256": sha256(path)})
    streams = sum(s["streams"] for s in listed)
    write_json(folder / "index.json", {"schema": 2, "split": "train", "seed": 1, "streams": streams, "shards": listed})
    return folder
