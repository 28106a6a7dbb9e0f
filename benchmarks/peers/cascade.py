"""The classic pipeline: voice activity, end of turn by silence, whole-utterance recognition, text chat, voice.

Each utterance is taken to be addressed and is answered; nothing but speech is. Everything is done in the step in which
it falls due, so that both clocks hold: recognition and the first tokens in the step that closes the turn, the rest of
the answer at as many tokens a chunk as ours has, the voice a sentence at a time. It has no acts.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from benchmarks.peers.chat import Answer, Chat, Message
from benchmarks.peers.listener import PeerListener, decided
from benchmarks.systems import CHUNK_MS, Ask, Listener, Setup
from soundflow.clock import chunk_samples, samples, seconds
from soundflow.errors import ConfigError
from soundflow.events import Event, ReplyCancelled, ReplyDelta, ReplyDone, ReplyStarted, Transcript
from soundflow.perceive.moonshine import Moonshine
from soundflow.perceive.vad import VadConfig, VoiceActivity
from soundflow.replies import TOKENS_A_CHUNK
from soundflow.report import speech_events
from soundflow.respond.speech_text import sentences
from soundflow.respond.voice import PiperVoice, Voice
from soundflow.tiers import checkpoint, weights
from soundflow.types import AudioChunk, FloatArray

END_OF_TURN_MS: Final = 700
BEFORE_S: Final = 0.3
"""Of audio in front of where speech was found to start."""
LONGEST_S: Final = 28.0
"""An utterance is closed there: the recogniser takes 30 s."""
MAX_TURNS: Final = 6
SYSTEM: Final = "You are a voice assistant in a home. Answer in one short sentence."


def build(name: str, setup: Setup) -> Cascade:
    folder = weights.part("voice") if name == "cascade-voice" else None
    voice = None
    if folder is not None:
        found = sorted(folder.glob("*.onnx"))
        if not found:
            raise ConfigError(f"system {name}: {folder} was expected to hold a Piper voice")
        voice = PiperVoice(found[0])
    return Cascade(name, voice)


class Cascade:
    """Holds the parts; streams hold their state."""

    def __init__(self, name: str = "cascade", voice: Voice | None = None, chunk_ms: int = CHUNK_MS) -> None:
        self.name, self.voice, self.chunk = name, voice, chunk_samples(chunk_ms)
        self.vad = VoiceActivity(weights.part("vad") / "silero_vad_16k_op15.onnx", VadConfig(stop_ms=END_OF_TURN_MS))
        self.recogniser = Moonshine(weights.part("asr"))
        self.chat = Chat(weights.part("lm"), checkpoint.host_dtype())

    def open(self, ask: Ask) -> Listener:
        return CascadeListener(self, ask)


class CascadeListener(PeerListener):
    """`voiced`: (sample at which a piece of its voice begins, its samples at 16 kHz), where it has one."""

    def __init__(self, parts: Cascade, ask: Ask) -> None:
        super().__init__(parts.name, parts.chunk)
        self.voiced: list[tuple[int, int]] = []
        self._parts, self._vad = parts, parts.vad.init_state()
        self._system = f"{SYSTEM} {ask.instruction}".strip()
        self._turns: deque[Message] = deque(maxlen=MAX_TURNS)
        self._heard = np.zeros(0, np.float32)  # the newest LONGEST_S and a little
        self._now, self._since = 0, -1  # since: where the open utterance began
        self._answer: Answer | None = None
        self._reply, self._count, self._spoken = "", 0, 0

    def hear(self, chunk: AudioChunk) -> list[Event]:
        self._now = chunk.end_sample
        keep = samples(LONGEST_S + 2 * BEFORE_S)
        self._heard = np.concatenate([self._heard, chunk.samples])[-keep:]
        vad = self._parts.vad.step(chunk, self._vad)
        t = seconds(self._now)
        events = speech_events(vad, t)
        edges = [(vad.stopped, self._stopped), (vad.started, self._started)]
        text = ""
        for at, took in sorted(((a, f) for a, f in edges if a is not None), key=lambda pair: pair[0]):
            found, more = took(at)
            text, events = text or found, events + more
        if self._since >= 0 and self._now - self._since >= samples(LONGEST_S):
            found, more = self._stopped(self._now)
            text, events = text or found, events + more
            self._since = self._now if self._vad.speaking else -1
        events.append(decided(chunk, float(bool(text)), fires=bool(text)))
        if text:
            events += self._cancelled("replaced")
            self._turns.append({"role": "user", "content": text})
            self._count += 1
            self._reply, self._spoken = f"r{self._count}", 0
            self._answer = self._parts.chat.answer(self._system, list(self._turns))
            events.append(ReplyStarted(t=t, id=self._reply))
        return events + self._go_on(TOKENS_A_CHUNK)

    def finish(self, now: int) -> list[Event]:
        events: list[Event] = []
        while self._answer is not None:
            events += self._go_on(TOKENS_A_CHUNK)
        return events

    def _started(self, at: int) -> tuple[str, list[Event]]:
        """Somebody speaks: what is being said or made is cancelled."""
        self._since = at
        return "", self._cancelled("barge_in")

    def _stopped(self, at: int) -> tuple[str, list[Event]]:
        """The turn is over: its words, and their event; nothing where none were recognised."""
        if self._since < 0:
            return "", []
        since, self._since = self._since, -1
        first = self._now - len(self._heard)
        begin = max(since - samples(BEFORE_S), first)
        audio: FloatArray = self._heard[begin - first : max(at - first, 0) or None][: samples(29.9)]
        text = self._parts.recogniser.hear(audio).text.strip() if len(audio) else ""
        if not text:
            return "", []
        said = Transcript(t=seconds(self._now), text=text, final=True, start=seconds(since), end=seconds(at))
        return text, [said]

    def _cancelled(self, reason: str) -> list[Event]:
        talks = bool(self.voiced) and sum(self.voiced[-1]) > self._now
        if self._answer is None and not talks:
            return []
        text = self._answer.text if self._answer else ""
        self._answer = None
        self.voiced = [(at, min(n, max(0, self._now - at))) for at, n in self.voiced]
        return [ReplyCancelled(t=seconds(self._now), id=self._reply, text=text, reason=reason)]

    def _go_on(self, tokens: int) -> list[Event]:
        """Some tokens of the answer, and the voice of the sentences that they end."""
        if self._answer is None:
            return []
        t, answer = seconds(self._now), self._answer
        delta = answer.step(tokens)
        events: list[Event] = [ReplyDelta(t=t, id=self._reply, text=delta)] if delta else []
        if answer.done:
            self._answer = None
            self._turns.append({"role": "assistant", "content": answer.text})
            events.append(ReplyDone(t=t, id=self._reply, text=answer.text.strip()))
        self._speak(answer.text, answer.done)
        return events

    def _speak(self, text: str, done: bool) -> None:
        voice = self._parts.voice
        if voice is None:
            return
        whole = list(sentences(text))
        ready = whole if done else whole[:-1]
        for sentence in ready[self._spoken :]:
            for piece in voice.speak(sentence):
                begin = max(self._now, sum(self.voiced[-1]) if self.voiced else 0)
                self.voiced.append((begin, len(piece) * 16_000 // voice.rate_hz))
        self._spoken = max(self._spoken, len(ready))
