"""Moonshine tiny-en under ONNX Runtime: audio to frames, frames to tokens, tokens to words. Holds weights, no state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError, WeightsError
from soundflow.onnx import Network
from soundflow.perceive.biasing import Bias, pair_merged
from soundflow.perceive.expected import REQUEST_GOES_ON, REQUEST_OPENS, Expected, requests
from soundflow.types import FloatArray

HOP_SAMPLES = 384
FIELD_SAMPLES = 895  # samples that one frame sees through the three convolutions
FRAME_WIDTH = 288
BOS, EOS = 1, 2
VOCABULARY = 32_768
TOKENS_PER_SECOND = 6.5
_FEWEST_TOKENS = 6
_LAYERS, _HEADS, _HEAD_WIDTH = 6, 8, 36
_SPACE = "▁".encode()
_LONGEST_SAMPLES = 30 * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class HypWord:
    """One word of a hypothesis: its text, punctuation included, and the tokens that spell it."""

    text: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What was heard. `logprobs` of all tokens, forced ones too, and of the end; `looped`: in a loop, or too long."""

    words: tuple[HypWord, ...] = ()
    logprobs: tuple[float, ...] = ()
    looped: bool = False

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class _Decoded:
    ids: list[int]
    logprobs: list[float]
    looped: bool


class Moonshine:
    """The recogniser of one folder (`encoder_model.ort`, `decoder_model_merged.ort`, `tokenizer.bin`).

    Thread-safe: ONNX Runtime sessions may run from several threads, and nothing else changes.
    The weights are int8 with scales taken over a whole tensor: one pass over many tokens and the same tokens one by one
    agree closely, not bit for bit. Equal calls give equal results.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._encoder = Network(folder / "encoder_model.ort", "a recogniser's encoder", threads, "none")
        self._decoder = Network(folder / "decoder_model_merged.ort", "a recogniser's decoder", threads, "none")
        self._vocabulary = read_vocabulary(folder / "tokenizer.bin")
        starts = [token.startswith(_SPACE) for token in self._vocabulary]
        self._opens_word: NDArray[np.bool_] = np.array(starts, dtype=np.bool_)
        self._opens_word[EOS] = True
        self._ids = {token: i for i, token in enumerate(self._vocabulary)}

    def encode(self, samples: FloatArray) -> FloatArray:
        """Frames [F, 288] of one window [n] with full attention over it; F = (n - 895) // 384 + 1, at least 1.

        A window shorter than one frame's field is zero-padded to it.

        Raises:
            AudioFormatError: not one-dimensional, empty, over 30 s, or not finite.
        """
        if samples.ndim != 1 or not 0 < len(samples) <= _LONGEST_SAMPLES:
            raise AudioFormatError(f"moonshine: expected [n] samples, 0 < n <= {_LONGEST_SAMPLES}, got {samples.shape}")
        if not np.isfinite(samples).all():
            raise AudioFormatError("moonshine: expected finite samples, got NaN or infinity")
        window = np.pad(samples, (0, max(0, FIELD_SAMPLES - len(samples)))).astype(np.float32)[None]
        feed = {"input_values": window, "attention_mask": np.ones(window.shape, np.int64)}
        frames: FloatArray = self._encoder.run(None, feed)[0][0]
        return frames

    def bias(self, expected: Expected) -> Bias | None:
        """What is likely to be said, for `hear`; None where nothing is."""
        beside = self._requests if expected.requests else None
        said = (*expected.words, *expected.phrases)
        return Bias(self._spelt(said), words=expected.words, beside=beside) if said else beside

    @cached_property
    def _requests(self) -> Bias:
        spelt = list(self._spelt(requests()))
        return Bias(spelt, REQUEST_OPENS, REQUEST_GOES_ON, most=len(spelt))

    def _spelt(self, phrases: Iterable[str]) -> Iterator[list[int]]:
        """Their tokens, in lower case and at the beginning of a sentence."""
        spelt: dict[str, list[int]] = {}
        for phrase in phrases:
            for said in (phrase.lower(), phrase[:1].upper() + phrase[1:].lower()):
                words = said.split()
                spelt |= {w: pair_merged(w, self._ids) for w in words if w not in spelt}
                if all(spelt[w] for w in words):
                    yield [i for w in words for i in spelt[w]]

    def decode(self, frames: FloatArray, prefix: Sequence[int] = (), max_tokens: int | None = None) -> list[int]:
        """Greedy tokens of `frames` [F, 288], beginning with the forced `prefix`; without BOS and EOS."""
        return self._decode(frames, prefix, (), max_tokens, None).ids

    def hear(
        self, samples: FloatArray, prefix: Sequence[int] = (), draft: Sequence[int] = (), bias: Bias | None = None
    ) -> Hypothesis:
        """Recognise one window [n].

        Args:
            prefix: tokens that the result must begin with; their last word cannot be continued.
            draft: a guess of the tokens behind the prefix, checked in the pass that reads the prefix; it saves time
                where it is right and has no say where it is wrong.
            bias: phrases that are likely to be said. Log probabilities are without it, so that what only the bias
                would have is doubted.
        """
        decoded = self._decode(self.encode(samples), prefix, draft, None, bias)
        return Hypothesis(self.ids_to_words(decoded.ids), tuple(decoded.logprobs), decoded.looped)

    def text(self, ids: Sequence[int]) -> str:
        """The tokens as a string."""
        data = b"".join(self._vocabulary[i] for i in ids if not self._is_special(i))
        return data.decode("utf-8", errors="ignore").replace("▁", " ").strip()

    def ids_to_words(self, ids: Sequence[int]) -> tuple[HypWord, ...]:
        """Group tokens at spaces. Tokens that spell no letter or digit join the word before them, without text."""
        groups: list[list[int]] = []
        for i in ids:
            if not groups or self._opens_word[i]:
                groups.append([])
            groups[-1].append(i)
        words: list[HypWord] = []
        carried: list[int] = []
        for group in groups:
            text = self.text(group)
            if any(c.isalnum() for c in text):
                words.append(HypWord(text, (*carried, *group)))
                carried = []
            elif words:
                words[-1] = HypWord(words[-1].text, (*words[-1].ids, *group))
            else:
                carried += group
        return tuple(words)

    def _is_special(self, token: int) -> bool:
        return token in (0, BOS, EOS) or self._vocabulary[token].startswith(b"<<ST_")

    def _decode(
        self,
        frames: FloatArray,
        prefix: Sequence[int],
        draft: Sequence[int],
        max_tokens: int | None,
        bias: Bias | None,
    ) -> _Decoded:
        if max_tokens is None:
            max_tokens = token_limit(len(frames) * HOP_SAMPLES)
        limit = max(max_tokens, len(prefix) + 1)
        ids, looped = list(prefix), False
        fed = [BOS, *prefix, *draft]
        step = self._run(fed, frames, None)
        rows = step["logits"][0]
        logprobs = [_logprob(rows[i], token) for i, token in enumerate(prefix)]
        for position in range(len(prefix), len(fed)):
            token = self._best(rows[position], position == len(prefix), ids, bias)
            logprobs.append(_logprob(rows[position], token))
            if position + 1 == len(fed) or token != fed[position + 1] or len(ids) + 1 >= limit:
                break
            ids.append(token)
        cache = _cut(step, position + 1)
        while token != EOS:
            if len(ids) >= limit:
                looped = True
                break
            ids.append(token)
            if copy := loop_tokens(ids):
                ids, looped = ids[:-copy], True
                break
            step = self._run([token], frames, cache)
            cache = step | {name: value for name, value in cache.items() if "encoder" in name}
            token = self._best(step["logits"][0, -1], False, ids, bias)
            logprobs.append(_logprob(step["logits"][0, -1], token))
        return _Decoded(ids, logprobs, looped)

    def _run(self, ids: list[int], frames: FloatArray, cache: dict[str, Any] | None) -> dict[str, Any]:
        """One decoder pass; `cache` None starts afresh. Its `present` outputs come back beside the logits [1, n, V]."""
        feed = {
            "input_ids": np.array([ids], np.int64),
            "encoder_hidden_states": frames[None],
            # the graph thins an audio mask by the hop
            "encoder_attention_mask": np.ones((1, len(frames) * HOP_SAMPLES), np.int64),
            "use_cache_branch": np.array([cache is not None]),
        }
        for layer in range(_LAYERS):
            for side in ("decoder.key", "decoder.value", "encoder.key", "encoder.value"):
                name = f"{layer}.{side}"
                empty = np.zeros((1, _HEADS, 0, _HEAD_WIDTH), np.float32)
                feed[f"past_key_values.{name}"] = empty if cache is None else cache[f"present.{name}"]
        return dict(zip(self._decoder.outputs, self._decoder.run(None, feed), strict=True))

    def _best(self, logits: FloatArray, opens_word: bool, ids: Sequence[int], bias: Bias | None) -> int:
        """The best token of logits [V] behind `ids`; where it `opens_word` it may not spell on an earlier one."""
        if bias is not None:
            logits = bias.raised(ids, logits)
        return int((np.where(self._opens_word, logits, -np.inf) if opens_word else logits).argmax())


def token_limit(samples: int) -> int:
    """Most tokens that `samples` of speech may give."""
    return _FEWEST_TOKENS + int(TOKENS_PER_SECOND * samples / SAMPLE_RATE_HZ)


def loop_tokens(ids: Sequence[int]) -> int:
    """How many tokens at the end of `ids` repeat the ones before them in a loop; 0 where there is none.

    A loop is one to eight tokens said at least four times over at least twelve tokens.
    """
    for period in range(1, 9):
        length = max(12, 4 * period)
        tail = ids[-length:]
        if len(tail) == length and all(tail[i] == tail[i - period] for i in range(period, length)):
            return length - period
    return 0


def read_vocabulary(path: Path) -> list[bytes]:
    """Tokens of a `tokenizer.bin`: each a length (one byte, or two low byte first where it is over 127) and its bytes.

    Raises:
        WeightsError: missing, cut short, or not of 32768 tokens.
    """
    if not path.is_file():
        raise WeightsError(
            f"{path}: expected the recogniser's tokenizer, found no file; run `soundflow models pull nano`"
        )
    data, tokens, at = path.read_bytes(), [], 0
    while at < len(data):
        size = data[at]
        at += 1
        if size > 127 and at < len(data):
            size += (data[at] - 1) * 128
            at += 1
        tokens.append(data[at : at + size])
        at += size
    if at != len(data) or len(tokens) != VOCABULARY:
        raise WeightsError(f"{path}: expected {VOCABULARY} whole tokens, got {len(tokens)} in {len(data)} bytes")
    return tokens


def _cut(step: dict[str, Any], length: int) -> dict[str, Any]:
    """The cache of `step` with only its first `length` positions of self-attention."""
    return {
        name: np.ascontiguousarray(value[:, :, :length]) if ".decoder." in name else value
        for name, value in step.items()
        if name != "logits"
    }


def _logprob(logits: FloatArray, token: int) -> float:
    """Log probability of a token under logits [V]."""
    return float(logits[token] - logits.max() - np.log(np.exp(logits - logits.max()).sum()))
