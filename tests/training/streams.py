"""Made-up samples and features for training tests."""

from __future__ import annotations

import numpy as np

from training.features import Features

CHUNK = 6400


def features(chunks=20, segments=(), stops=(), seed=0):
    rng = np.random.default_rng(seed)
    tags = rng.random((chunks, 521)).astype(np.float16) * 0.02
    sound = rng.random((chunks, 1024)).astype(np.float16)
    speech = rng.random((chunks, 288)).astype(np.float16)
    return Features(tags, sound, speech, list(segments), list(stops))


def alert(chunks=20, onset=5, due=9, tag=390, seed=0):
    """A sound from chunk `onset` whose tag is plain, answered in chunk `due`."""
    f = features(chunks, seed=seed)
    f.tags[onset : onset + 5, tag] = 0.9
    sample = {
        "id": f"s{seed}", "subtask": "proactive", "instruction": "", "tools": "", "speech": [],
        "events": [{"id": "e0", "label": "siren", "onset": onset * CHUNK, "offset": (onset + 5) * CHUNK,
                    "respond": "yes"}],
        "responses": [{"kind": "speak", "trigger": "e0", "clock": "sound", "due_chunk": due, "text": "I hear a siren.",
                       "call": None, "notes": []}],
    }  # fmt: skip
    return sample, f


def request(chunks=20, tools="home"):
    """An utterance from 2 s to 4 s (chunks 5 to 9), closed by the voice activity in chunk 11, answered with a call."""
    f = features(chunks, [(5 * CHUNK, 10 * CHUNK)], [11])
    call = {"name": "set_light", "arguments": {"room": "kitchen", "state": "off"}}
    sample = {
        "id": "a0", "subtask": "act", "instruction": "", "tools": tools, "events": [],
        "speech": [{"id": "u0", "onset": 5 * CHUNK, "offset": 10 * CHUNK, "text": "Turn off the kitchen light.",
                    "source": "bank:x", "addressed": True}],
        "responses": [{"kind": "act", "trigger": "u0", "clock": "endpoint", "due_chunk": 12, "text": "", "call": call,
                       "notes": []}],
    }  # fmt: skip
    return sample, f


def silence(chunks=20, seed=1):
    empty = {"speech": [], "events": [], "responses": []}
    sample = {"id": f"q{seed}", "subtask": "silence", "instruction": "", "tools": "", **empty}
    return sample, features(chunks, seed=seed)
