"""What `describe` is answered with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    HandleModel,
    HandleProgram,
    Info,
    TtsProgram,
    TtsVoice,
    WakeModel,
    WakeProgram,
)

from serving.handle import EngineInfo
from soundflow.perceive.labels import ALERTING, display_name

LANGUAGES: Final = ["en"]
_ALERTS: Final = frozenset(label for labels in ALERTING.values() for label in labels)
_BY: Final = Attribution("SoundFlow", "")


def alerts(labels: Iterable[str]) -> tuple[str, ...]:
    """The sounds that are advertised as models: those that call for an answer. `detect` takes every label."""
    return tuple(label for label in labels if label in _ALERTS)


def describe(engine: EngineInfo, acts: bool) -> Info:
    """The services of an engine; TTS only where it has a voice. `acts`: it may control the home."""

    def common(name: str, description: str) -> dict[str, Any]:
        return {
            "name": name,
            "description": description,
            "attribution": _BY,
            "installed": True,
            "version": engine.version,
        }

    name = f"soundflow-{engine.tier}"
    program = "soundflow"
    asr = AsrProgram(
        **common(program, "SoundFlow speech to text"),
        models=[AsrModel(**common(name, "Streaming recogniser"), languages=LANGUAGES)],
        supports_transcript_streaming=True,
        requires_external_vad=False,
        prefers_auto_gain_enabled=False,
        prefers_noise_reduction_enabled=False,
    )
    sounds = [
        WakeModel(**common(label, f"Sound: {display_name(label)}"), languages=LANGUAGES, phrase=display_name(label))
        for label in alerts(engine.labels)
    ]
    handle = HandleProgram(
        **common(program, "SoundFlow"),
        models=[HandleModel(**common(name, "Answers and acts"), languages=LANGUAGES)],
        supports_handled_streaming=True,
        supports_home_control=acts,
    )
    info = Info(asr=[asr], wake=[WakeProgram(**common(program, "SoundFlow sounds"), models=sounds)], handle=[handle])
    if engine.voice:
        voice = TtsVoice(**common(engine.voice, f"Voice {engine.voice}"), languages=LANGUAGES)
        info.tts = [
            TtsProgram(**common(program, "SoundFlow voice"), voices=[voice], supports_synthesize_streaming=True)
        ]
    return info
