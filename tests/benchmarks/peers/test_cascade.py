"""The cascade: when a turn ends, what is answered, what is cancelled, and its prompt against the stock template."""

from __future__ import annotations

from itertools import chain, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.hear import drive, record
from benchmarks.peers.cascade import SYSTEM, Cascade, CascadeListener
from benchmarks.systems import Ask
from soundflow.events import ReplyCancelled, ReplyDelta, ReplyDone, ReplyStarted, SpeechStopped, Transcript
from soundflow.types import AudioChunk, FloatArray, Vad
from tests.benchmarks.peers.test_recognisers import sentence  # noqa: F401

CHUNK = 6400


class FakeAnswer:
    def __init__(self, words: int) -> None:
        self.text, self.done, self._left = "", False, words

    def step(self, tokens: int) -> str:
        before = len(self.text)
        for _ in range(tokens):
            self.done = self._left == 0
            if self.done:
                break
            self.text, self._left = self.text + "word. ", self._left - 1
        return self.text[before:]


class FakeVoice:
    name, rate_hz = "fake", 8000

    def __init__(self) -> None:
        self.said: list[str] = []

    def speak(self, text: str) -> Any:
        self.said.append(text)
        yield np.zeros(8000, np.float32)


def parts(edges: dict[int, tuple[int | None, int | None]], answer: int = 30, voice: Any = None) -> Any:
    """A cascade whose VAD finds (started, stopped) of these chunks, and recognises how many samples it was given."""
    asked: list[Any] = []

    def step(chunk: AudioChunk, state: Any) -> Vad:
        started, stopped = edges.get(chunk.index, (None, None))
        state.speaking = started is not None or (state.speaking and stopped is None)
        return Vad((), state.speaking, started, stopped)

    def begin(system: str, turns: list[Any]) -> FakeAnswer:
        asked.append((system, turns))
        return FakeAnswer(answer)

    return SimpleNamespace(
        name="cascade",
        chunk=CHUNK,
        voice=voice,
        vad=SimpleNamespace(init_state=lambda: SimpleNamespace(speaking=False), step=step),
        recogniser=SimpleNamespace(hear=lambda audio: SimpleNamespace(text=f"{len(audio)} samples")),
        chat=SimpleNamespace(answer=begin),
        asked=asked,
    )


def played(made: Any, chunks: int) -> tuple[list[Any], CascadeListener]:
    listener = CascadeListener(made, Ask("Be kind."))
    return drive(listener, np.zeros(chunks * CHUNK, np.float32), CHUNK), listener


def test_a_turn_is_answered_when_it_is_found_to_have_ended() -> None:
    made = parts({2: (10_000, None), 8: (None, 40_000)})
    events, _ = played(made, 12)
    assert record(events)["decisions"] == "ssssssssSsss"
    (heard,) = (e for e in events if isinstance(e, Transcript))
    assert (heard.text, heard.start, heard.end, heard.t) == (f"{30_000 + 4800} samples", 0.625, 2.5, 3.6)
    (begun,) = (e for e in events if isinstance(e, ReplyStarted))
    assert begun.t == 3.6
    assert [round(e.t, 1) for e in events if isinstance(e, ReplyDelta)] == [3.6, 4.0, 4.4]
    (done,) = (e for e in events if isinstance(e, ReplyDone))
    assert (done.t, done.text.count("word")) == (4.4, 30)
    assert made.asked[0] == (f"{SYSTEM} Be kind.", [{"role": "user", "content": heard.text}])


def test_speech_cancels_what_is_made_and_the_next_turn_knows_the_one_before() -> None:
    made = parts({1: (3200, None), 3: (None, 12_800), 4: (28_000, None), 7: (None, 40_000)})
    events, _ = played(made, 12)
    (cut,) = (e for e in events if isinstance(e, ReplyCancelled))
    assert (cut.t, cut.reason, cut.text.count("word")) == (2.0, "barge_in", 12)
    assert [e.id for e in events if isinstance(e, ReplyDone)] == ["r2"]
    assert [t["role"] for t in made.asked[1][1]] == ["user", "user"]


def test_an_utterance_is_cut_before_the_recogniser_refuses_it() -> None:
    events, _ = played(parts({0: (0, None)}), 90)
    heard = [e for e in events if isinstance(e, Transcript)]
    assert len(heard) == 1
    assert int(heard[0].text.split()[0]) <= 29.9 * 16_000
    assert heard[0].t == 28.0


def test_the_voice_says_whole_sentences_one_behind_the_other() -> None:
    voice = FakeVoice()
    events, listener = played(parts({0: (0, None), 2: (None, 16_000)}, answer=4, voice=voice), 4)
    assert voice.said == ["word."] * 4
    assert listener.voiced == [(3 * CHUNK + k * 16_000, 16_000) for k in range(4)]
    cut, listener = played(parts({0: (0, None), 2: (None, 16_000), 4: (28_000, None)}, 4, FakeVoice()), 6)
    assert any(isinstance(e, ReplyCancelled) for e in cut)
    assert sum(n for _, n in listener.voiced) == 2 * CHUNK
    assert len(events) > 0


@pytest.mark.weights
def test_the_real_one_answers_a_question_and_no_noise(sentence: FloatArray) -> None:  # noqa: F811
    system = Cascade()
    events = drive(system.open(Ask()), sentence, CHUNK)
    body = record(events)
    assert body["decisions"].count("S") == 1
    (heard,) = (e for e in events if isinstance(e, Transcript))
    assert "light" in heard.text.lower()
    (stopped,) = (e for e in events if isinstance(e, SpeechStopped))
    assert 0.7 <= heard.t - stopped.end <= 1.2
    assert body["replies"][0]["text"]
    assert body == record(drive(system.open(Ask()), sentence, CHUNK))
    noise = np.fromiter(chain.from_iterable(repeat((0.02, -0.02), 4 * CHUNK)), np.float32)
    assert set(record(drive(system.open(Ask()), noise, CHUNK))["decisions"]) == {"s"}


@pytest.mark.weights
def test_the_prompt_is_that_of_the_stock_template(nano_parts: Path) -> None:
    from transformers import AutoTokenizer

    from benchmarks.peers.chat import MAX_PROMPT_TOKENS, Chat
    from soundflow.tiers.checkpoint import host_dtype

    chat = Chat(nano_parts / "lm", host_dtype())
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "a?"},
    ]
    messages = [{"role": "system", "content": "Be brief."}, *turns]
    stock = AutoTokenizer.from_pretrained(nano_parts / "lm")
    text = stock.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert chat.prompt(messages) == text
    assert chat.context.encode(text) == stock(text, add_special_tokens=False)["input_ids"]
    assert (
        "<|im_end|>" not in chat.prompt([{"role": "user", "content": "x <|im_end|> y"}]).split("x ")[1].split(" y")[0]
    )
    long = [{"role": "user", "content": "many words " * 200} for _ in range(4)]
    answer = chat.answer("Be brief.", long)
    assert len(answer._due) <= MAX_PROMPT_TOKENS
    answer = chat.answer("Answer in one word.", [{"role": "user", "content": "What is the capital of France?"}])
    while not answer.done:
        answer.step(4)
    assert "Paris" in answer.text
