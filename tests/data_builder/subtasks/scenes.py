"""A world without weights or files for tests of sub-tasks, and the timing rule that every scene has to keep."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from data_builder.clips import ClipStore, FloatArray
from data_builder.corpora.folder import Row
from data_builder.scenario.day import Moment
from data_builder.schema import CHUNK, DELAY_MS, ENDPOINT, MAX_CHUNKS, SUSTAINED
from data_builder.sources import Sources
from data_builder.speech.protocol import Stalled, Voice
from data_builder.speech.synthesise import Utterance
from data_builder.speech.voices import Speaker
from data_builder.timeline import Item, Say, Scene, due
from data_builder.world import World
from soundflow.clock import samples

SR = 16_000
EVENTS = {
    "yes": ("siren", "glass_break", "coughing", "crying_baby", "doorbell", "knock", "alarm", "scream"),
    "no": ("rooster", "laugh", "sneezing", "cow", "cat", "applause_clap", "clock_tick", "bell", "footsteps"),
    "context": ("rain", "dog", "door", "water"),
}
BEDS = ("places/cafe", "places/supermarket", "urban/road", "transport/inside-a-train", "rain", "wind")
SENTENCES = (
    "ENTER FIVE SIX EIGHT", "ONE FIVE OH SIX TWO", "B R E N T W O O D", "HE SAW A MAN AND A DOG WHEN I CAME",
    "THE WIND WAS COLD AND THE NIGHT WAS LONG", "RUBOUT G M E F THREE NINE",
)  # fmt: skip
MANDARIN = ("熊猫", "医院", "西瓜", "电脑", "今后", "一举")
ORDER = "INTENT:orderDrink coffeeDrink=latte;size=small"


def noise(key: str, seconds: float) -> FloatArray:
    """[N] noise that depends on `key` alone."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    return 0.2 * np.random.default_rng(seed).standard_normal(int(seconds * SR), dtype=np.float32)


class FakeStore(ClipStore):
    """Clips of noise; a path ends in its length in seconds."""

    def read(self, path: str) -> FloatArray:
        return noise(path, float(path.rsplit("_", 1)[1]))


class FakeSynth:
    """Speaks noise: 0.35 s a word, 0.2 s a Mandarin character. `asked`: (text, language, voices) of every call."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, tuple[str, ...]]] = []

    def say(self, text: str, candidates: Sequence[Voice], language: str = "en", emotion: str = "neutral") -> Utterance:
        assert candidates
        assert text.strip()
        self.asked.append((text, language, tuple(v.name for v in candidates)))
        seconds = 0.2 * len(text) if language == "cmn" else 0.35 * len(text.split())
        key = f"{text}|{candidates[0].id}|{emotion}"
        audio, source = noise(key, seconds), "tts:" + hashlib.sha256(key.encode()).hexdigest()[:12]
        english = language == "en"
        return Utterance(
            audio, text, text if english else "", 0.0 if english else None, candidates[0], source, "fake", seconds
        )


class StalledSynth(FakeSynth):
    """An engine that hangs, for the first `times` utterances."""

    def __init__(self, times: int = 1_000_000) -> None:
        super().__init__()
        self.times = times

    def say(self, text: str, candidates: Sequence[Voice], language: str = "en", emotion: str = "neutral") -> Utterance:
        self.times -= 1
        if self.times >= 0:
            raise Stalled("expected speech within 60 s, got none", text)
        return super().say(text, candidates, language, emotion)


def row(path: str, kind: str, label: str = "", **other: object) -> Row:
    seconds = float(path.rsplit("_", 1)[1])
    base = {"dataset": "fake", "split": "train", "text": "", "speaker": "", "language": "en", "respond": ""}
    return Row(path=path, kind=kind, label=label, seconds=seconds, licence="CC0", source="t", open=True, **base | other)


def rows(*, speech: bool = True) -> list[Row]:
    """Sounds of every policy, music, ambience and, where wanted, speech of all kinds."""
    found = [
        row(f"event/{label}-{k}_1.5", "event", label, respond=policy)
        for policy, labels in EVENTS.items()
        for label in labels
        for k in range(3)
    ]
    found += [row(f"music/{name}_6", "music", f"music_{name}") for name in ("piano", "violin", "guitar")]
    found += [row(f"bed/{label}_30", "ambience", label) for label in BEDS]
    if not speech:
        return found
    for who in ("ann", "bob", "cy", "dee"):
        for k, text in enumerate(SENTENCES):
            found.append(row(f"an4/{who}{k}_{2.0 + 0.3 * k}", "speech", text=text, speaker=who, dataset="an4_train"))
        for word in ("one", "two", "seven", "house", "left", "cat"):
            found.append(
                row(f"sc/{who}-{word}_0.6", "speech", text=word, speaker=who, dataset="speech_commands_subset")
            )
    for word in MANDARIN:
        more = {"text": word, "speaker": "cmn", "language": "zh", "dataset": "audio_cmn_hsk"}
        found.append(row(f"cmn/{word}_0.9", "speech", **more))
    found += [row(f"pico/{k}_3.0", "speech", ORDER, dataset="picovoice_s2i") for k in range(3)]
    return found


def people(prefix: str, count: int, languages: Sequence[str]) -> list[Speaker]:
    return [
        Speaker(f"espeak:{prefix}{k}", "train", "espeak", {x: Voice("espeak", f"{x}+{prefix}{k}") for x in languages})
        for k in range(count)
    ]


def moment() -> Moment:
    sounds = ("water", "coughing", "laugh", "doorbell", "rooster", "dog")
    story = "Anna is cooking soup for Ben."
    who = ("Anna", "Ben", "Clara")
    beds = ("places/cafe", "rain")
    return Moment(
        18.5, "kitchen", "cooking", story, who, sounds, beds, (0.3, 0.6), "home", "how long soup takes", ("music",)
    )


def fake_world(*, speech: bool = True, voices: bool = True, more: Sequence[Row] = ()) -> World:
    """A household of four (two speak all languages) and four others, and `more` rows. Without `speech` there are no
    recordings of it, without `voices` nobody can be made to speak."""
    sources = Sources([*rows(speech=speech), *more], FakeStore())
    tongues = ("en", "es", "de", "fr", "it", "cmn")
    household = [*people("m", 2, ("en",)), *people("f", 2, tongues)]
    cast = dict(zip(("Anna", "Ben", "Clara", "Dan"), household, strict=True)) if voices else {}
    others = [*people("x", 2, ("en",)), *people("y", 2, tongues)] if voices else []
    return World(sources, moment(), cast, others, FakeSynth() if voices else None)  # type: ignore[arg-type]


def check_timing(scene: Scene) -> list[tuple[Item, Say, int, int]]:
    """Lays the scene out and holds every response against its rule, in order of time; (item, say, onset, due chunk).

    A response in the chunk before would fail: that chunk ends before the evidence, its wait and its delay are over.
    """
    onsets, n = scene.layout()
    assert n % CHUNK == 0
    assert 10 <= n // CHUNK <= MAX_CHUNKS
    found = []
    for item, onset in zip(scene.items, onsets, strict=True):
        offset = onset + len(item.clip.audio)
        assert 0 <= onset < offset <= n
        assert not (item.avoid and item.says)
        for say in item.says:
            clock = item.clock(say)
            truth = {
                "endpoint": offset,
                "sound": min(offset, onset + SUSTAINED),
                "clause": onset + samples(say.at),
                "end": offset,
                "timer": offset + samples(say.at),
            }[clock]
            wait = ENDPOINT if clock == "endpoint" else 0
            for delay in DELAY_MS:
                evidence, chunk = due(item, say, onset, delay)
                assert evidence == truth
                assert chunk * CHUNK <= truth + wait + delay * 16 < (chunk + 1) * CHUNK
                assert (chunk + 1) * CHUNK > truth + wait
                assert chunk < n // CHUNK
            found.append((item, say, onset, chunk))
    found.sort(key=lambda f: f[3])
    earliest = [due(item, say, onset, DELAY_MS[0])[1] for item, say, onset, _ in found]
    assert all(a < b for (*_, a), b in zip(found, earliest[1:], strict=False)), "two responses may fall into one chunk"
    return found


def check_negative(scene: Scene) -> None:
    """Nothing in it is answered, and there is something that might be."""
    check_timing(scene)
    assert not any(item.says for item in scene.items)
    assert all(item.avoid for item in scene.items)
    assert scene.items or scene.bed
