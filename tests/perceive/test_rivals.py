"""What the encoder is sure of speaks against an alert, unless it is one, or like one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundflow.perceive.perceiver import Parts, Perceiver
from soundflow.perceive.rivals import MOST, WEIGHT, Rivals
from soundflow.types import AudioChunk, Words

LABELS = (
    "Speech",
    "Siren",
    "Baby cry, infant cry",
    "Snoring",
    "Meow",
    "Animal",
    "Beep, bleep",
    "Wind noise (microphone)",
)
RIVALS = Rivals(LABELS)


def less(**p: float) -> float:
    tags = np.full((1, len(LABELS)), 0.01, np.float32)
    for name, value in p.items():
        tags[0, [x.startswith(name) for x in LABELS].index(True)] = value
    return float(RIVALS.less(tags)[0])


def test_a_sure_tag_that_is_no_alert_takes_from_the_branch() -> None:
    assert less(Snoring=0.9) == pytest.approx(WEIGHT * np.log(9), rel=1e-3)
    assert less(Snoring=0.9, Meow=0.8) == pytest.approx(less(Snoring=0.9))
    assert less(Snoring=0.999) == pytest.approx(WEIGHT * MOST)


def test_what_is_not_likely_or_led_by_an_alert_takes_nothing() -> None:
    assert less() == less(Snoring=0.5) == less(Meow=0.8, Baby=0.9) == 0.0
    assert less(Meow=0.9, Baby=0.8) == pytest.approx(WEIGHT * (np.log(9) - np.log(4)), rel=1e-3)


@pytest.mark.parametrize("name", ["Speech", "Animal", "Beep", "Wind", "Siren"])
def test_speech_scenes_parents_and_what_is_like_an_alert_are_no_rivals(name: str) -> None:
    assert less(**{name: 0.95}) == 0.0


def test_chunks_are_judged_each_for_itself() -> None:
    tags = np.full((3, len(LABELS)), 0.01, np.float32)
    tags[1, LABELS.index("Snoring")] = 0.9
    assert RIVALS.less(tags) == pytest.approx([0.0, WEIGHT * np.log(9), 0.0], rel=1e-3)
    assert Rivals(()).less(np.zeros((2, 0), np.float32)) == pytest.approx([0.0, 0.0])


@pytest.mark.weights
def test_the_perceiver_takes_it_from_what_the_branch_says(nano_parts):
    perceiver = Perceiver(
        Parts(
            nano_parts / "asr", nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound" / "yamnet.tflite"
        ),
        6400,
    )
    chunk, state = AudioChunk(0, 0, np.zeros(6400, np.float32)), perceiver.init_state()
    frames = perceiver.frames(chunk, state)
    tags = np.full_like(frames.tags, 0.01)
    tags[perceiver.labels.index("Snoring")] = 0.9
    heard = perceiver.step(chunk, state, Words(), replace(frames, tags=tags, alert=3.0))
    assert heard.alert == pytest.approx(3.0 - WEIGHT * np.log(9), rel=1e-3)
