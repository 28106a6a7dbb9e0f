"""A Realtime session's configuration: deep merge of updates, and what it means for the engine (`SessionSpec`).

What this server does not do is shown as off in `session.updated`: noise reduction, speed, tracing.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from openai.types.realtime import RealtimeSessionCreateRequest, RealtimeTranscriptionSessionCreateRequest

from serving.codec import AudioFormat, parse_format
from serving.handle import SessionSpec
from serving.realtime.errors import Invalid, check
from soundflow.errors import AudioFormatError, ConfigError
from soundflow.respond.tools import make_tools
from soundflow.types import Tool

EAGERNESS: Final = {"low": 0.3, "medium": 0.5, "auto": 0.5, "high": 0.7}
INCLUDES: Final = ("decisions", "sounds", "levels", "notices")
MAX_INSTRUCTIONS: Final = 16_384
MAX_MUTED: Final = 600
MAX_BODY: Final = 512 * 1024
TOOL_KEYS: Final = ("type", "name", "description", "parameters", "strict", "confirm")
_SESSION_KEYS: Final = {
    "realtime": {
        *("type", "model", "output_modalities", "instructions", "tools", "tool_choice", "max_output_tokens", "include"),
        *("audio", "prompt", "truncation", "reasoning", "parallel_tool_calls", "tracing", "soundflow"),
    },
    "transcription": {"type", "audio", "include", "soundflow"},
}


@dataclass(frozen=True, slots=True)
class Settings:
    """One session's configuration. `body` is the session object as clients see it, without id; never changed."""

    body: Mapping[str, Any]
    voiced: bool

    @classmethod
    def initial(cls, kind: str, model: str, base: SessionSpec, voiced: bool, include: tuple[str, ...] = ()) -> Settings:
        """Of a new session: `kind` realtime or transcription, `base` what the server's configuration says."""
        pcm = AudioFormat().to_dict()
        turns = {"type": "server_vad", "create_response": True, "interrupt_response": base.barge_in}
        heard = {"format": pcm, "noise_reduction": None, "transcription": {"model": model}, "turn_detection": turns}
        body: dict[str, Any] = {"type": kind, "audio": {"input": heard}, "include": None}
        if kind == "realtime":
            body["audio"]["output"] = {"format": pcm, "voice": "soundflow", "speed": 1.0}
            body |= {
                "model": model,
                "output_modalities": ["audio" if voiced and base.speak else "text"],
                "instructions": base.instruction,
                "tools": [_shown(t) for t in base.tools],
                "tool_choice": "auto",
                "max_output_tokens": "inf",
                "truncation": "auto",
                "tracing": None,
                "prompt": None,
            }
            if base.manual:
                heard["turn_detection"] = None
        body["soundflow"] = {"include": list(include), "proactivity": None, "muted": [], "confirm": None}
        return cls(body, voiced)

    @property
    def kind(self) -> str:
        return str(self.body["type"])

    @property
    def input_format(self) -> AudioFormat:
        return parse_format(self.body["audio"]["input"]["format"], "session.audio.input.format")

    @property
    def output_format(self) -> AudioFormat:
        output = self.body["audio"].get("output") or {}
        return parse_format(output.get("format") or {}, "session.audio.output.format")

    @property
    def spoken(self) -> bool:
        return bool(self.body.get("output_modalities") == ["audio"])

    @property
    def transcribes(self) -> bool:
        return self.kind == "transcription" or self.body["audio"]["input"].get("transcription") is not None

    @property
    def turns(self) -> Mapping[str, Any] | None:
        """turn_detection; None: the client commits and asks for answers."""
        found = self.body["audio"]["input"].get("turn_detection")
        return found if isinstance(found, dict) else None

    @property
    def includes(self) -> frozenset[str]:
        return frozenset(self.body["soundflow"].get("include") or ())

    def merged(self, patch: Any) -> Settings:
        """With an update: objects are merged key by key, everything else is replaced; null means null.

        Raises:
            Invalid: a field is wrong; nothing has changed.
        """
        if not isinstance(patch, dict):
            raise Invalid("session: an object was expected", "invalid_type", "session")
        patch = copy.deepcopy(patch)
        kind = patch.setdefault("type", self.kind)
        if not isinstance(kind, str) or kind not in _SESSION_KEYS:
            raise Invalid(
                f"session.type: realtime or transcription was expected, got {kind!r:.60}", param="session.type"
            )
        _loosen(patch)
        _check_sdk(patch, kind)
        patch = {k: v for k, v in patch.items() if k in _SESSION_KEYS[kind]}
        body = merge(self.body, patch)
        body = {k: v for k, v in body.items() if k in _SESSION_KEYS[kind]}
        if kind == "transcription":
            body["audio"].pop("output", None)
        elif kind != self.kind:
            fresh = Settings.initial(kind, "soundflow", SessionSpec(), self.voiced)
            body = merge(fresh.body, body)
        body = _effective(body, self.voiced)
        if len(json.dumps(body)) > MAX_BODY:
            raise Invalid(f"session: a configuration of at most {MAX_BODY} bytes was expected", "too_large", "session")
        return Settings(body, self.voiced)._checked()

    def _checked(self) -> Settings:
        try:
            parse_format(self.body["audio"]["input"].get("format"), "session.audio.input.format")
            if self.kind == "realtime":
                parse_format(self.body["audio"]["output"].get("format"), "session.audio.output.format")
        except AudioFormatError as error:
            raise Invalid(str(error), "invalid_value", str(error).partition(":")[0]) from error
        self.spec(SessionSpec())
        return self

    def spec(self, base: SessionSpec, developer: str = "") -> SessionSpec:
        """What the engine is asked for. `base`: what stays whatever the client says; `developer`: system messages.

        Raises:
            Invalid: a tool or a setting is wrong.
        """
        ours, turns = self.body["soundflow"], self.turns
        dial = ours.get("proactivity")
        if dial is None:
            dial = EAGERNESS.get((turns or {}).get("eagerness") or "", base.proactivity)
        muted = base.muted | frozenset(ours.get("muted") or ())
        if self.kind == "transcription":
            return replace(base, decide=False, speak=False, muted=muted)
        parts = (self.body.get("instructions") or "", developer)
        return replace(
            base,
            instruction="\n".join(p for p in parts if p)[:MAX_INSTRUCTIONS],
            tools=self.tools(),
            proactivity=float(dial),
            decide=True,
            manual=turns is None or turns.get("create_response") is False,
            speak=self.spoken,
            barge_in=turns is not None and turns.get("interrupt_response") is not False,
            muted=muted,
        )

    def tools(self, tools: Any = None, choice: Any = None) -> tuple[Tool, ...]:
        """The tools that the model may call. Arguments: those of one response, where it has its own.

        Raises:
            Invalid: a tool is wrong, or not a function.
        """
        listed = self.body.get("tools") if tools is None else tools
        choice = self.body.get("tool_choice") if choice is None else choice
        found = parse_tools(listed or [], "session.tools", self.body["soundflow"].get("confirm"))
        if choice == "none":
            return ()
        if isinstance(choice, dict) and isinstance(name := choice.get("name"), str):
            return tuple(t for t in found if t.name == name)
        return found


def parse_tools(listed: Any, where: str, confirm: Any = None) -> tuple[Tool, ...]:
    """Function schemas as the wire has them; `confirm`: true or false for all, or the names of those that need it.

    Raises:
        Invalid: a tool is wrong, or not a function.
    """
    if not isinstance(listed, list):
        raise Invalid(f"{where}: a list was expected", "invalid_type", where)
    flat = [
        {k: v for k, v in t.items() if k in TOOL_KEYS and v is not None} if isinstance(t, dict) else t for t in listed
    ]
    try:
        tools = make_tools(flat, where)
    except ConfigError as error:
        raise Invalid(str(error), "invalid_value", str(error).partition(":")[0]) from error
    if isinstance(confirm, bool):
        return tuple(replace(t, confirm=confirm) for t in tools)
    if isinstance(confirm, list):
        return tuple(replace(t, confirm=t.confirm or t.name in confirm) for t in tools)
    return tools


def _shown(tool: Tool) -> dict[str, Any]:
    shown = {"type": "function", "name": tool.name, "description": tool.description}
    return {**shown, "parameters": dict(tool.parameters), "confirm": tool.confirm}


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Objects whose `type` changes are replaced whole: what belonged to the old type means nothing in the new one."""
    out = dict(old)
    for key, value in new.items():
        before = out.get(key)
        if isinstance(value, dict) and isinstance(before, dict) and key not in ("tools", "tool_choice"):
            same = value.get("type", before.get("type")) == before.get("type")
            out[key] = merge(before, value) if same else value
        else:
            out[key] = value
    return out


def _loosen(patch: dict[str, Any]) -> None:
    """Accept what clients send beside the published values; in place."""
    audio = patch.get("audio")
    for side in ("input", "output"):
        part = audio.get(side) if isinstance(audio, dict) else None
        if isinstance(part, dict) and part.get("turn_detection") is False:
            part["turn_detection"] = None
    for key in ("audio", "soundflow"):
        if key in patch and patch[key] is None:
            del patch[key]
    if isinstance(audio, dict):
        patch["audio"] = {k: v for k, v in audio.items() if v is not None}
        for part in patch["audio"].values():
            if isinstance(part, dict) and "format" in part and part["format"] is None:
                del part["format"]


def _check_sdk(patch: dict[str, Any], kind: str) -> None:
    """Hold the update against the SDK's type, but for the 16 kHz rate, which is ours, and for tools, checked later."""
    view = {k: v for k, v in patch.items() if k not in ("tools", "soundflow", "include")}
    view = copy.deepcopy(view)
    for part in (view.get("audio") or {}).values() if isinstance(view.get("audio"), dict) else ():
        if isinstance(part, dict) and isinstance(part.get("format"), dict):
            part["format"].pop("rate", None)
    check(
        RealtimeSessionCreateRequest if kind == "realtime" else RealtimeTranscriptionSessionCreateRequest,
        view,
        "session",
    )
    if len(patch.get("instructions") or "") > MAX_INSTRUCTIONS:
        raise Invalid(
            f"session.instructions: at most {MAX_INSTRUCTIONS} characters were expected",
            "string_too_long",
            "session.instructions",
        )
    check_ours(patch.get("soundflow", {}))


def check_ours(ours: Any) -> None:
    where = "session.soundflow"
    if not isinstance(ours, dict):
        raise Invalid(f"{where}: an object was expected", "invalid_type", where)
    include, dial, muted, confirm = (ours.get(k) for k in ("include", "proactivity", "muted", "confirm"))
    if include is not None and not (isinstance(include, list) and all(i in INCLUDES for i in include)):
        raise Invalid(f"{where}.include: a list of {', '.join(INCLUDES)} was expected", param=f"{where}.include")
    if dial is not None and (isinstance(dial, bool) or not isinstance(dial, int | float) or not 0 <= dial <= 1):
        raise Invalid(f"{where}.proactivity: a number in [0, 1] was expected", param=f"{where}.proactivity")
    if muted is not None and not (_texts(muted) and len(muted) <= MAX_MUTED):
        raise Invalid(f"{where}.muted: a list of at most {MAX_MUTED} sounds was expected", param=f"{where}.muted")
    if not (confirm is None or isinstance(confirm, bool) or _texts(confirm)):
        raise Invalid(f"{where}.confirm: true, false or a list of tool names was expected", param=f"{where}.confirm")


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _effective(body: dict[str, Any], voiced: bool) -> dict[str, Any]:
    """What really holds: no noise reduction, no speed, no tracing, and text where the server has no voice."""
    heard = {**body["audio"]["input"], "noise_reduction": None}
    body = {**body, "audio": {**body["audio"], "input": heard}}
    if body["type"] == "realtime":
        spoken = voiced and "text" not in (body.get("output_modalities") or ["audio"])
        body["output_modalities"] = ["audio"] if spoken else ["text"]
        body["audio"]["output"] = {**(body["audio"].get("output") or {"format": AudioFormat().to_dict()}), "speed": 1.0}
        body["tracing"] = None
        body["tools"] = body.get("tools") or []
    return body
