"""Word error rate of the streaming words channel against whole-clip recognition by the same weights.

    python -m benchmarks.asr --audio DIR --index index.csv --clips 60 --seed 0

Each clip is heard as a stream of its own: `LEAD` of near-silence, the clip, `TRAIL` of near-silence. Text is compared
after Whisper's English normaliser (Radford et al. 2022), so that case, punctuation and digits do not count.
WER = (substitutions + deletions + insertions) / reference words, over all clips; intervals: percentile bootstrap over
clips. The delay of a word is its `printed` sample less its own estimated end, in audio time: the recogniser's own
estimate, not a hand-made one.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import jiwer
import numpy as np
import soundfile
from whisper_normalizer.english import EnglishTextNormalizer

from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples
from soundflow.perceive.labels import SPEECH
from soundflow.perceive.moonshine import Moonshine
from soundflow.perceive.normalise import LevelTracker
from soundflow.perceive.sound import SoundEncoder, labels
from soundflow.perceive.vad import VoiceActivity
from soundflow.perceive.words import WordsChannel, WordsConfig
from soundflow.types import AudioChunk, FloatArray, Word

DATASETS = ("librispeech_train-clean-100_3spk", "an4_test")
LEAD, TRAIL = SAMPLE_RATE_HZ // 2, 3 * SAMPLE_RATE_HZ // 2


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip [n] of 16 kHz samples and the words said in it."""

    name: str
    samples: FloatArray
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What one pass over a clip gave: text, words with times (streaming only) and CPU seconds."""

    text: str
    words: tuple[Word, ...]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class AsrResult:
    """`ratio` = streaming / whole; intervals are 95 %; delays in ms of audio; CPU in seconds per second of clip."""

    clips: int
    seconds: float
    wer_streaming: float
    wer_whole: float
    ratio: float
    ratio_interval: tuple[float, float]
    delay_median_ms: float
    delay_p90_ms: float
    printed_before_final: float
    cpu_streaming: float
    cpu_whole: float


class SpeechScore:
    """The Speech-group probability of each chunk of one stream, as the perceiver gives it to the words channel."""

    def __init__(self, encoder: SoundEncoder, names: Sequence[str]) -> None:
        self._encoder, self._level = encoder, LevelTracker(encoder.chunk_samples)
        self._columns = [names.index(name) for name in SPEECH]
        self.reset()

    def reset(self) -> None:
        self._sound, self._gain = self._encoder.init_state(), self._level.init_state()

    def __call__(self, samples: FloatArray) -> float:
        scores = self._encoder.step(self._level.step(samples, self._gain).samples, self._sound).scores
        return float(scores[:, self._columns].max())


def hear_stream(
    samples: FloatArray, channel: WordsChannel, vad: VoiceActivity, size: int, speech: SpeechScore | None = None
) -> Heard:
    """Run one clip through VAD, speech gate and words channel in chunks of `size` samples.

    CPU time is that of the words channel. Without `speech` the gate is open.
    """
    if speech is not None:
        speech.reset()
    hiss = np.random.default_rng(0).normal(0, 1e-4, LEAD + len(samples) + TRAIL).astype(np.float32)
    hiss[LEAD : LEAD + len(samples)] += samples
    audio = np.pad(hiss, (0, -len(hiss) % size))
    state, vad_state = channel.init_state(), vad.init_state()
    said: list[Word] = []
    text: list[str] = []
    cpu = 0.0
    for index in range(len(audio) // size + 1):
        if index < len(audio) // size:
            chunk = AudioChunk(index, index * size, audio[index * size : (index + 1) * size])
            activity = vad.step(chunk, vad_state)
            score = 1.0 if speech is None else speech(chunk.samples)
            began = time.process_time()
            words = channel.step(chunk, activity, state, score)
        else:
            began = time.process_time()
            words = channel.flush(state)
        cpu += time.process_time() - began
        said += words.new
        if words.final is not None:
            text.append(words.final.text)
    return Heard(" ".join(text), tuple(said), cpu)


def hear_whole(samples: FloatArray, recogniser: Moonshine) -> Heard:
    """Recognise a clip in one window, as the reference."""
    began = time.process_time()
    return Heard(recogniser.hear(samples).text, (), time.process_time() - began)


def streaming_wer(
    clips: Sequence[Clip],
    stream: Callable[[FloatArray], Heard],
    whole: Callable[[FloatArray], Heard],
    resamples: int = 2_000,
    seed: int = 0,
) -> AsrResult:
    """Score `stream` against `whole` on the same clips.

    Raises:
        ValueError: no clips, or none with words.
    """
    streamed = [stream(clip.samples) for clip in clips]
    reference = [whole(clip.samples) for clip in clips]
    heard = zip(clips, streamed, reference, strict=True)
    errors = np.array([[*word_errors(c.text, s.text), word_errors(c.text, w.text)[0]] for c, s, w in heard])
    if not len(errors) or not errors[:, 1].sum():
        raise ValueError("streaming_wer: expected clips with words, got none")
    sums = errors.sum(axis=0)
    draws = np.random.default_rng(seed).integers(0, len(clips), (resamples, len(clips)))
    resampled = errors[draws].sum(axis=1)
    low, high = np.percentile(resampled[:, 0] / np.maximum(resampled[:, 2], 1), [2.5, 97.5])
    delays = [(w.printed - w.end) * 1000 / SAMPLE_RATE_HZ for h in streamed for w in h.words] or [0.0]
    early = [w.printed < max(v.printed for v in h.words) for h in streamed for w in h.words]
    seconds = sum(len(clip.samples) for clip in clips) / SAMPLE_RATE_HZ
    return AsrResult(
        clips=len(clips),
        seconds=round(seconds, 1),
        wer_streaming=sums[0] / sums[1],
        wer_whole=sums[2] / sums[1],
        ratio=sums[0] / max(sums[2], 1),
        ratio_interval=(float(low), float(high)),
        delay_median_ms=float(np.median(delays)),
        delay_p90_ms=float(np.percentile(delays, 90)),
        printed_before_final=float(np.mean(early or [0.0])),
        cpu_streaming=sum(heard.cpu_s for heard in streamed) / seconds,
        cpu_whole=sum(heard.cpu_s for heard in reference) / seconds,
    )


_normalise = EnglishTextNormalizer()


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Word errors of `hypothesis`, and the words of `reference`, after normalisation."""
    wanted, got = _normalise(reference), _normalise(hypothesis)
    if not wanted:
        return len(got.split()), 0
    out = jiwer.process_words(wanted, got)
    return out.substitutions + out.deletions + out.insertions, len(wanted.split())


def read_clips(audio: Path, index: Path, datasets: Sequence[str], split: str, *, count: int, seed: int) -> list[Clip]:
    """`count` clips with text, as many of each dataset as there are, drawn by `seed`."""
    with index.open(newline="") as lines:
        rows = [r for r in csv.DictReader(lines) if r["dataset"] in datasets and r["split"] == split and r["text"]]
    picked: list[Clip] = []
    for i, name in enumerate(datasets):
        of = sorted((r for r in rows if r["dataset"] == name), key=lambda r: r["path"])
        random.Random(seed).shuffle(of)
        share = count // len(datasets) + (i < count % len(datasets))
        for row in of[:share]:
            samples, _ = soundfile.read(audio / row["path"], dtype="float32")
            picked.append(Clip(row["path"], samples, row["text"]))
    return picked


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line; prints one JSON object for each dataset and one for all."""
    parser = argparse.ArgumentParser(prog="benchmarks.asr", description="Streaming WER against whole-clip WER.")
    parser.add_argument("--audio", type=Path, required=True, help="folder of the clips")
    parser.add_argument("--index", type=Path, required=True, help="CSV with path, dataset, split, text")
    parser.add_argument(
        "--models", type=Path, help="folder of the nano weights; default: where `models pull` puts them"
    )
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chunk-ms", type=int, default=400)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=NUMBER", help="fields of WordsConfig")
    parser.add_argument("--show", action="store_true", help="print each clip's texts")
    options = parser.parse_args(arguments)
    models = options.models or Path.home() / ".cache/soundflow/models/nano"
    index = options.index if options.index.exists() else options.audio / options.index
    config = replace(WordsConfig(), **{k: json.loads(v) for k, v in (pair.split("=") for pair in options.set)})
    recogniser = Moonshine(models / "asr")
    vad = VoiceActivity(models / "vad" / "silero_vad_16k_op15.onnx")
    channel, size = WordsChannel(recogniser, config), chunk_samples(options.chunk_ms)
    sound = models / "sound" / "yamnet.tflite"
    speech = SpeechScore(SoundEncoder(sound, size), labels(sound))
    cache: dict[int, tuple[Heard, Heard]] = {}

    def pair(samples: FloatArray) -> tuple[Heard, Heard]:
        if id(samples) not in cache:
            cache[id(samples)] = (hear_stream(samples, channel, vad, size, speech), hear_whole(samples, recogniser))
        return cache[id(samples)]

    clips = read_clips(options.audio, index, options.datasets, options.split, count=options.clips, seed=options.seed)
    groups = {name: [c for c in clips if c.name.startswith(f"{name}/")] for name in options.datasets} | {"all": clips}
    for name, group in groups.items():
        result = streaming_wer(group, lambda x: pair(x)[0], lambda x: pair(x)[1], seed=options.seed)
        print(json.dumps({"set": name} | asdict(result)))
    if options.show:
        for clip in clips:
            streamed, whole = pair(clip.samples)
            print(f"{clip.name}\n  said     {clip.text}\n  stream   {streamed.text}\n  whole    {whole.text}")


if __name__ == "__main__":
    main()
