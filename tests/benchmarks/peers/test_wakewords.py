"""Our reading of openWakeWord's stream against its own code, and what comes out of a wake word."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmarks.hear import drive, record
from benchmarks.peers import catalog
from benchmarks.peers.wakewords import HOLD_CHUNKS, WakeWords, _Stream
from benchmarks.systems import Ask
from soundflow.errors import ConfigError
from soundflow.types import FloatArray

CHUNK = 6400


@pytest.fixture(scope="module")
def words() -> WakeWords:
    if not catalog.installed()["openwakeword"]:
        pytest.skip(f"pip install {catalog.BY_NAME['openwakeword'].install}")
    return WakeWords(catalog.folder("openwakeword", "openwakeword") / "resources" / "models")


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch, words: WakeWords) -> Any:
    """Its Model over ONNX files, without what only its training needs."""
    for name in ("sklearn", "sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing"):
        if name not in sys.modules:
            stub = ModuleType(name)
            stub.__getattr__ = lambda attribute: object  # type: ignore[method-assign]
            monkeypatch.setitem(sys.modules, name, stub)
    module = importlib.import_module("openwakeword.model")
    folder = catalog.folder("openwakeword", "openwakeword") / "resources" / "models"
    paths = [str(p) for p in sorted(folder.glob("*_v0.1.onnx"))]
    return module.Model(wakeword_models=paths, inference_framework="onnx")


def spoken(seed: int) -> FloatArray:
    """6 s of bursts of filtered noise with the rhythm of syllables."""
    rng = np.random.default_rng(seed)
    t = np.arange(6 * 16_000) / 16_000
    carrier = np.sin(2 * np.pi * 140 * t) + 0.5 * np.sin(2 * np.pi * 900 * t + 3 * np.sin(2 * np.pi * 5 * t))
    rhythm = np.clip(np.sin(2 * np.pi * 4 * t + rng.uniform(0, 6)), 0, 1)
    return (0.2 * carrier * rhythm + 0.01 * rng.standard_normal(len(t))).astype(np.float32)


def test_scores_are_those_of_its_own_code(words: WakeWords, official: Any) -> None:
    for seed in range(3):
        audio = spoken(seed)
        stream = _Stream(words)
        official.reset()
        official.preprocessor.__init__(inference_framework="onnx")
        official.preprocessor.feature_buffer = words.first.astype(np.float64)
        features = 0.0
        for k in range(len(audio) // 1280):
            piece = np.round(audio[k * 1280 : (k + 1) * 1280] * 32767.0)
            found = official.predict(piece.astype(np.int16))
            scores = stream._scores(piece.astype(np.float32))
            own = official.preprocessor.feature_buffer[-1]
            features = max(features, float(np.abs(own - stream._features[-1]).max()))
            if k >= 5:  # its first five count as 0
                for name in ("alexa", "hey_jarvis", "hey_mycroft", "hey_rhasspy", "weather"):
                    assert scores[name] == pytest.approx(found[f"{name}_v0.1"], abs=1e-6), (k, name)
                timers = [p for n, p in found.items() if n in tuple("123456")]
                assert scores["timer"] == pytest.approx(max(timers), abs=1e-6)
        assert features < 1e-3


def test_a_word_is_answered_once_and_all_models_are_there(words: WakeWords, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(words.words) == {"alexa", "hey_jarvis", "hey_mycroft", "hey_rhasspy", "timer", "weather"}
    stream = words.open(Ask())
    stream._passes = 100  # type: ignore[attr-defined]
    scores = iter([(0.1, "alexa")] * 10 + [(0.9, "hey_jarvis")] * 5 + [(0.2, "timer")] * 20 + [(0.6, "alexa")] * 200)
    monkeypatch.setattr(stream, "_scores", lambda piece: {word: p for p, word in [next(scores)]})
    body = record(drive(stream, np.zeros(12 * CHUNK, np.float32), CHUNK))
    assert body["decisions"] == "ssSsssssSsss"
    assert body["decisions"].index("S", 3) - 2 == HOLD_CHUNKS + 1
    assert [r["text"] for r in body["replies"]] == ["Yes?", "Yes?"]
    assert stream.topics[2] == "hey jarvis"
    assert body["p_speak"][:3] == [0.1, 0.1, 0.9]


def test_a_score_counts_once_all_that_it_looks_at_is_of_the_stream(
    words: WakeWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = words.open(Ask())
    monkeypatch.setattr(stream, "_scores", lambda piece: {"alexa": 0.8, "timer": 0.9})
    body = record(drive(stream, np.zeros(10 * CHUNK, np.float32), CHUNK))
    assert (words.looks["alexa"], words.looks["timer"]) == (16, 34)
    assert body["p_speak"][:4] == [0.0] * 4
    assert body["p_speak"][4:8] == [0.8] * 4  # 25 passes of 80 ms: the fifth chunk
    assert body["p_speak"][8] == 0.9  # 43: the ninth


def test_silence_and_noise_wake_nobody_and_streams_are_alike(words: WakeWords) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 8 * CHUNK).astype(np.float32)
    a, b = (record(drive(words.open(Ask()), noise, CHUNK)) for _ in range(2))
    assert a == b
    assert set(a["decisions"]) == {"s"}
    assert max(a["p_speak"]) < 0.5


def test_a_folder_without_words_is_refused(tmp_path: Any, words: WakeWords) -> None:
    with pytest.raises(ConfigError, match=r"melspectrogram.onnx was expected; pip install --no-deps"):
        WakeWords(tmp_path)
