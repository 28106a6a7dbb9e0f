"""A Live session's configuration: `session.start`, sparse updates, and what they mean for the engine."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any, Final

from openai.types.live import SessionConfig, SessionUpdateConfig

from serving.codec import AudioFormat, parse_format
from serving.handle import SessionSpec
from serving.realtime.errors import Invalid, check
from serving.realtime.settings import MAX_BODY, MAX_INSTRUCTIONS, check_ours, merge, parse_tools
from soundflow.errors import AudioFormatError

LIFETIME_S: Final = 30 * 86_400
"""A session lives so long at most; `expires_at` says when it ends."""
MAX_ADDED: Final = 16
"""Appended instructions and notes that are kept; the oldest fall out."""
MAX_APPEND: Final = 4_000
"""Characters of one append."""
_KEYS: Final = {"model", "audio", "delegation", "instructions", "soundflow"}


@dataclass(slots=True)
class LiveConfig:
    """`body` is the session as clients see it, without id and status."""

    body: dict[str, Any]
    voiced: bool
    added: list[str] = field(default_factory=list)
    expires_at: int = field(default_factory=lambda: int(time.time()) + LIFETIME_S)

    @classmethod
    def start(cls, session: Any, model: str, voiced: bool) -> LiveConfig:
        """Of `session.start`. Raises Invalid."""
        if not isinstance(session, dict):
            raise Invalid("session: an object was expected", "invalid_type", "session")
        body = {k: v for k, v in copy.deepcopy(session).items() if k in _KEYS and v is not None}
        body.setdefault("model", model)
        form = _format_of(body)
        view = copy.deepcopy(body)
        view.pop("soundflow", None)
        if isinstance(view.get("audio"), dict):
            view["audio"].pop("format", None)
        _without_tools(view)
        check(SessionConfig, view, "session")
        check_ours(body.get("soundflow", {}))
        if len(body.get("instructions") or "") > MAX_INSTRUCTIONS or len(json.dumps(body)) > MAX_BODY:
            raise Invalid(
                f"session.instructions: at most {MAX_INSTRUCTIONS} characters were expected", "string_too_long"
            )
        body["audio"] = {"output": {}, **(body.get("audio") or {}), "format": form.to_dict()}
        body.setdefault("delegation", {"type": "client"})
        body.setdefault("soundflow", {})
        config = cls(body, voiced)
        developer = [t for i in session.get("input") or () if (t := _developer_text(i))]
        config.added = developer[-MAX_ADDED:]
        config.spec(SessionSpec())
        return config

    @property
    def form(self) -> AudioFormat:
        return _format_of(self.body)

    @property
    def target(self) -> str:
        """Where calls go: `client` or `responses`."""
        return str(self.body["delegation"].get("type", "client"))

    def updated(self, patch: Any) -> LiveConfig:
        """With a `session.update`; only delegation, triggers and ours can change. Raises Invalid."""
        if not isinstance(patch, dict):
            raise Invalid("session: an object was expected", "invalid_type", "session")
        fixed = sorted(set(patch) - {"delegation", "triggers", "soundflow"})
        if fixed:
            raise Invalid(f"session.{fixed[0]}: cannot change once started", "unknown_parameter", f"session.{fixed[0]}")
        view = copy.deepcopy({k: v for k, v in patch.items() if k != "soundflow"})
        _without_tools(view)
        check(SessionUpdateConfig, view, "session")
        if patch.get("soundflow") is not None:
            check_ours(patch["soundflow"])
        given = patch.get("delegation") or {}
        if given.get("type", self.target) != self.target:
            raise Invalid("session.delegation.type: cannot change once started", param="session.delegation.type")
        changes = {k: v for k, v in patch.items() if k in ("delegation", "soundflow") and v is not None}
        config = replace(self, body=merge(self.body, copy.deepcopy(changes)))
        if len(json.dumps(config.body)) > MAX_BODY:
            raise Invalid(f"session: a configuration of at most {MAX_BODY} bytes was expected", "too_large", "session")
        config.spec(SessionSpec())
        return config

    def append(self, text: str) -> None:
        """One more instruction or note."""
        self.added = [*self.added, text][-MAX_ADDED:]

    def spec(self, base: SessionSpec) -> SessionSpec:
        """What the engine is asked for. Raises Invalid: a tool is wrong."""
        ours = self.body["soundflow"]
        listed = ours.get("tools")
        if listed is None:
            listed = (self.body["delegation"].get("responses") or {}).get("tools")
        tools = base.tools if listed is None else parse_tools(_functions(listed), "session.tools", ours.get("confirm"))
        dial = ours.get("proactivity")
        parts = [self.body.get("instructions") or base.instruction, *self.added]
        return replace(
            base,
            instruction="\n".join(p for p in parts if p)[-MAX_INSTRUCTIONS:],
            tools=tools,
            proactivity=base.proactivity if dial is None else float(dial),
            speak=base.speak and self.voiced,
            muted=base.muted | frozenset(ours.get("muted") or ()),
        )

    def resource(self, session_id: str) -> dict[str, Any]:
        """The session as `session.started` has it."""
        return {"id": session_id, "expires_at": self.expires_at, "status": "active", **self.body}


def _format_of(body: dict[str, Any]) -> AudioFormat:
    audio = body.get("audio") or {}
    if not isinstance(audio, dict):
        raise Invalid("session.audio: an object was expected", "invalid_type", "session.audio")
    try:
        return parse_format(audio.get("format") or {}, "session.audio.format")
    except AudioFormatError as error:
        raise Invalid(str(error), "invalid_value", "session.audio.format") from error


def _without_tools(view: dict[str, Any]) -> None:
    """Tools are checked by `parse_tools`; in place."""
    delegation = view.get("delegation")
    responses = delegation.get("responses") if isinstance(delegation, dict) else None
    if isinstance(responses, dict):
        responses.pop("tools", None)
        responses.pop("tool_choice", None)
        responses.setdefault("model", "soundflow")


def _functions(listed: Any) -> Any:
    """The functions out of a Responses tool list; its hosted tools (search, shell) are not ours."""
    if not isinstance(listed, list):
        return listed
    return [t for t in listed if not isinstance(t, dict) or t.get("type", "function") == "function"]


def _developer_text(item: Any) -> str:
    if not isinstance(item, dict) or item.get("role") not in ("developer", "system"):
        return ""
    parts = item.get("content")
    texts = [p.get("text") for p in parts if isinstance(p, dict)] if isinstance(parts, list) else []
    return "\n".join(t for t in texts if isinstance(t, str))[:MAX_APPEND]
