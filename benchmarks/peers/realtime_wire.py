"""OpenAI Realtime (GA): a server's events as ours.

A server of ours is asked for its decisions (`include=decisions`, docs/serving.md) and tells one a chunk. Any other
tells none: then the first item of a response is the decision, a message to speak and a function call to act.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.peers.address import Address
from benchmarks.peers.wire import Began, Body, refusal
from benchmarks.systems import Ask
from soundflow.decide.context import SYSTEM
from soundflow.errors import SoundflowError
from soundflow.events import (
    Action,
    DecisionEvent,
    ErrorEvent,
    Event,
    ReplyCancelled,
    ReplyDelta,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from soundflow.types import Tool

DECISIONS = ("response.listen", "response.speak", "overlap.decision")
WORDS = ("response.output_text.delta", "response.output_audio_transcript.delta")
SOUND = "response.output_audio.delta"
MOST_SPEECH = 64
"""Stretches of speech that wait for their words."""


class RealtimeWire:
    """One session."""

    def __init__(self, address: Address) -> None:
        self.rate_hz, self.decides = 24_000, False
        self._address, self._asked = address, False
        self._replies: dict[str, tuple[str, str]] = {}  # item -> (response, text so far)
        self._seen: set[str] = set()  # items whose beginning was told
        self._speech: dict[str, tuple[float, float]] = {}
        self._words: dict[str, str] = {}

    @property
    def busy(self) -> bool:
        return bool(self._replies)

    def hello(self, ask: Ask) -> list[Body]:
        return []

    def greet(self, event: Body, ask: Ask) -> list[Body] | None:
        kind = event["type"]
        if kind == "error":
            raise SoundflowError(f"{self._address.name}: {refusal(event)}")
        if kind == "session.created" and not self._asked:
            ours = (event.get("session") or {}).get("soundflow") or {}
            self.decides = "decisions" in (ours.get("include") or ())
            if self.decides:
                self.rate_hz = 16_000
            elif self._address.pace != 1:
                raise SoundflowError(
                    f"{self._address.name}: this server tells no decisions, so that it can only be heard at the pace of"
                    " a microphone; expected pace=1"
                )
            self._asked = True
            return [{"type": "session.update", "session": self._session(ask)}]
        return None if kind == "session.updated" and self._asked else []

    def _session(self, ask: Ask) -> Body:
        heard: dict[str, Any] = {"format": {"type": "audio/pcm", "rate": self.rate_hz}}
        if self._address.transcribe:
            heard["transcription"] = {"model": self._address.transcribe}
        words = ask.instruction if self.decides else f"{SYSTEM} {ask.instruction}".strip()
        body: Body = {"type": "realtime", "output_modalities": ["text"], "audio": {"input": heard}}
        if words:
            body["instructions"] = words
        if ask.tools:
            body |= {"tools": [function(t) for t in ask.tools], "tool_choice": "auto"}
        return body

    def audio(self, data: str) -> Body:
        return {"type": "input_audio_buffer.append", "audio": data}

    def goodbye(self) -> list[Body]:
        """A server of ours closes the open stretch of speech; others would refuse an empty one."""
        return [{"type": "input_audio_buffer.commit"}] if self.decides else []

    def idle(self, t: float, now: float) -> Sequence[Event | Began]:
        return ()

    def take(self, event: Body, t: float, now: float) -> Sequence[Event | Began]:
        kind = event["type"]
        try:
            if kind in DECISIONS:
                p = {x["value"]: float(x["probability"]) for x in event["probabilities"]}
                at = event["audio_ms"] / 1000
                return [DecisionEvent(t=at, decision=event["decision"], p=p, chunk=int(event["chunk_index"]))]
            if kind.startswith("response."):
                return self._response(kind, event, t)
            return self._heard(kind, event, t)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SoundflowError(
                f"{self._address.name}: {kind} with its published fields was expected ({error!r})"
            ) from error

    def _response(self, kind: str, event: Body, t: float) -> Sequence[Event | Began]:
        if kind == "response.output_item.added":
            item = event["item"]
            return self._begin(item["id"], event.get("response_id", ""), item["type"], t)
        if kind in WORDS or kind == SOUND:
            item_id = event["item_id"]
            found = [*self._begin(item_id, event.get("response_id", ""), "message", t)]
            if (text := event.get("delta", "")) and kind != SOUND and item_id in self._replies:
                response, before = self._replies[item_id]
                self._replies[item_id] = (response, before + text)
                found.append(ReplyDelta(t=t, id=item_id, text=text))
            return found
        if kind == "response.output_item.done" and event["item"]["type"] == "function_call":
            item = event["item"]
            return [*self._begin(item["id"], event.get("response_id", ""), "function_call", t), action(item, t)]
        if kind == "response.done":
            return self._done(event["response"], t)
        return ()

    def _begin(self, item: str, response: str, kind: str, t: float) -> list[Event | Began]:
        if item in self._seen or kind not in ("message", "function_call"):
            return []
        self._seen.add(item)
        if kind == "function_call":
            return [Began(act=True)]
        self._replies[item] = (response, "")
        return [Began(), ReplyStarted(t=t, id=item)]

    def _done(self, response: Body, t: float) -> list[Event | Began]:
        """The response is over: what it was saying was said, or was cancelled."""
        name, status = response.get("id", ""), response.get("status")
        reason = ((response.get("status_details") or {}).get("reason")) or str(status)
        events: list[Event | Began] = []
        for item in [i for i, (r, _) in self._replies.items() if r in (name, "")]:
            _, text = self._replies.pop(item)
            if status == "completed":
                events.append(ReplyDone(t=t, id=item, text=text))
            else:
                why = "barge_in" if reason == "turn_detected" else reason
                events.append(ReplyCancelled(t=t, id=item, text=text, reason=why))
        return events

    def _heard(self, kind: str, event: Body, t: float) -> Sequence[Event | Began]:
        if kind == "conversation.item.sound_detection":
            off = event.get("offset_ms")
            label, p, onset = event["label"], float(event["probability"]), event["onset_ms"] / 1000
            return [SoundEvent(t=t, label=label, p=p, onset=onset, offset=None if off is None else off / 1000)]
        if kind == "input_audio_buffer.speech_started":
            start = event["audio_start_ms"] / 1000
            self._speech[event.get("item_id", "")] = (start, t)
            while len(self._speech) > MOST_SPEECH:
                self._speech.pop(next(iter(self._speech)))
            return [SpeechStarted(t=t, start=start)]
        if kind == "input_audio_buffer.speech_stopped":
            end, item = event["audio_end_ms"] / 1000, event.get("item_id", "")
            self._speech[item] = (self._speech.get(item, (end, end))[0], end)
            return [SpeechStopped(t=t, end=end)]
        if kind.startswith("conversation.item.input_audio_transcription."):
            return self._transcript(kind.rpartition(".")[2], event, t)
        if kind == "error":
            return [ErrorEvent(t=t, code="server", message=refusal(event))]
        return ()

    def _transcript(self, what: str, event: Body, t: float) -> list[Event]:
        item = event.get("item_id", "")
        start, end = self._speech.get(item, (t, t))
        if what == "delta":
            text = self._words[item] = self._words.get(item, "") + event["delta"]
            return [Transcript(t=t, text=text, final=False, start=start, end=t)] if text.strip() else []
        if what == "completed":
            self._words.pop(item, None)
            self._speech.pop(item, None)
            text = event["transcript"].strip()
            return [Transcript(t=t, text=text, final=True, start=start, end=end)] if text else []
        return []


def function(tool: Tool) -> Body:
    """A tool as both wires take it."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def action(item: Body, t: float) -> Event:
    """The call of a function_call item; an error event where its arguments are no JSON object."""
    try:
        arguments = json.loads(item["arguments"])
    except (ValueError, TypeError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        return ErrorEvent(t=t, code="bad_act", message=f"{item['name']}: a JSON object of arguments was expected")
    return Action(t=t, name=item["name"], arguments=arguments, confirm=bool(item.get("confirm", False)))
