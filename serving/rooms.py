"""Rooms over any engine: sounds that are off, quiet hours, repeat alerts and defaults, whatever the protocol.

`RoomEngine` is an `Engine` around an `Engine`: each session gets the settings of its room when it opens, when its
client changes it, and when quiet hours begin or end. It also shows every output to observers (MQTT) and the audio to
recorders.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from serving.around import EngineAround, HandleAround
from serving.config import Config
from serving.handle import Engine, Handle, Output, SessionSpec
from serving.recordings import Recording, Recordings
from serving.roomsettings import QuietHours, zone
from serving.security import ROOM
from soundflow.errors import CapacityError, ConfigError, DataError, StreamClosedError
from soundflow.respond.tools import load_tools
from soundflow.types import FloatArray

log = logging.getLogger(__name__)
REFRESH_S: Final = 15.0
Observer = Callable[[str, Output], None]
"""Sees the room's name ("" for none) and the output. Must return at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one room asks of its sessions; `spec` holds the values that a session gets where it asks for nothing."""

    name: str
    spec: SessionSpec
    quiet_hours: tuple[QuietHours, ...] = ()

    def apply(self, asked: SessionSpec, now: datetime) -> SessionSpec:
        """What the session gets at `now`."""
        nothing = SessionSpec()
        quiet = next((q for q in self.quiet_hours if q.covers(now)), None)
        dial = self.spec.proactivity if asked.proactivity == nothing.proactivity else asked.proactivity
        return replace(
            asked,
            instruction=asked.instruction or self.spec.instruction,
            tools=asked.tools or self.spec.tools,
            proactivity=min(dial, quiet.proactivity) if quiet else dial,
            muted=asked.muted | self.spec.muted,
            speak=asked.speak and self.spec.speak and (quiet is None or quiet.speak),
            cooldown_s=self.spec.cooldown_s if asked.cooldown_s == nothing.cooldown_s else asked.cooldown_s,
        )


def plans(config: Config, labels: tuple[str, ...]) -> dict[str, Plan]:
    """A plan for each room, and one under "" for sessions without.

    Raises:
        ConfigError: a sound that the engine does not know, or a bad tool file; names the room.
    """
    tools = load_tools(config.tools_file) if config.tools_file else ()
    base = SessionSpec(config.instruction, tools, config.proactivity, speak=config.voice)
    found = {"": Plan("", base)}
    for room in config.rooms:
        spec = replace(
            base,
            instruction=base.instruction if room.instruction is None else room.instruction,
            tools=load_tools(room.tools_file) if room.tools_file else base.tools,
            proactivity=base.proactivity if room.proactivity is None else room.proactivity,
            muted=room.muted(labels),
            speak=base.speak and room.voice,
            cooldown_s=room.cooldown_s,
        )
        found[room.name] = Plan(room.name, spec, room.quiet_hours)
    if len(config.rooms) == 1:
        found[""] = replace(found[config.rooms[0].name])
    return found


class RoomHandle(HandleAround):
    """A `Handle` whose spec is the room's; `spec` is what was asked for."""

    def __init__(self, inner: Handle, asked: SessionSpec, plan: Plan, owner: RoomEngine) -> None:
        super().__init__(inner, asked)
        self.plan, self._owner = plan, owner
        self._recording: Recording | None = owner.record(inner.id)
        self.gone_at: float | None = None
        """Monotonic seconds since which its socket is lost."""

    def push(self, pcm: FloatArray) -> None:
        self.inner.push(pcm)
        if self._recording is not None:
            self._recording.push(pcm)

    def see(self, output: Output) -> Output:
        """Observers see it, too."""
        self._owner.show(self.plan.name, output)
        return output

    def ended(self) -> None:
        self._owner.forget(self)

    def update(self, spec: SessionSpec) -> None:
        self.inner.update(self.plan.apply(spec, self._owner.now()))
        self._asked = spec

    def refresh(self, now: datetime) -> None:
        """Quiet hours may have begun or ended."""
        wanted = self.plan.apply(self._asked, now)
        if wanted != self.inner.spec:
            self.inner.update(wanted)

    async def close(self, flush: bool = False) -> None:
        self._owner.forget(self)
        await self.inner.close(flush)

    def stop_recording(self) -> None:
        if self._recording is not None:
            self._recording.close()
            self._recording = None


class RoomEngine(EngineAround):
    """See the module.

    Args:
        inner: the engine that does the work.
        recordings: None keeps no audio.
        clock: local time; tests give their own.

    Raises:
        ConfigError: as `plans`.
    """

    def __init__(
        self,
        inner: Engine,
        config: Config,
        recordings: Recordings | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        super().__init__(inner)
        self.observers: list[Observer] = []
        self._plans = plans(config, inner.info.labels)
        self._recordings = recordings
        self._resume_s = config.as_limits().resume_s
        where = zone(config.timezone)
        self.now: Callable[[], datetime] = clock or (lambda: datetime.now(where))
        self._open: dict[str, RoomHandle] = {}

    @property
    def load(self) -> float | None:
        """How long decisions wait, in chunks; None where the engine does not say."""
        core: Any = self.inner
        while not hasattr(core, "load") and hasattr(core, "inner"):
            core = core.inner
        found: float | None = getattr(core, "load", None)
        return found

    async def open(self, spec: SessionSpec, resume: str = "") -> RoomHandle:
        plan = self._plans.get(ROOM.get(), self._plans[""])
        old = self._open.get(resume) if resume else None
        if old is not None:
            if old.spec.client != spec.client:
                raise DataError(f"a session of this client that can be resumed was expected, got {resume[:64]!r}")
            plan = old.plan
        inner = await self.inner.open(plan.apply(spec, self.now()), resume)
        if old is not None:
            self.forget(old)
            spec = old.spec
        handle = RoomHandle(inner, spec, plan, self)
        self._open[inner.id] = handle
        return handle

    def detach(self, handle: Handle) -> None:
        if isinstance(handle, RoomHandle):
            handle.stop_recording()
            handle.gone_at = time.monotonic()
        super().detach(handle)

    async def close(self) -> None:
        for handle in list(self._open.values()):
            self.forget(handle)
        await super().close()

    def spec_of(self, query: Mapping[str, str], client: str) -> SessionSpec:
        """What a new session of `?room=` begins with, so that its client is told the room's settings."""
        return replace(self._plans.get(query.get("room", ""), self._plans[""]).spec, client=client)

    def record(self, session: str) -> Recording | None:
        return self._recordings.start(session) if self._recordings else None

    def show(self, room: str, output: Output) -> None:
        """Give an output to the observers; one that fails is logged and goes on being asked."""
        for observer in self.observers:
            try:
                observer(room, output)
            except Exception:
                log.exception("an observer failed", extra={"kind": type(output).__name__})

    def forget(self, handle: RoomHandle) -> None:
        handle.stop_recording()
        if self._open.get(handle.id) is handle:
            del self._open[handle.id]

    def refresh(self) -> None:
        """Apply quiet hours to the sessions that are open; forget those that nobody resumed."""
        now, clock = self.now(), time.monotonic()
        for handle in list(self._open.values()):
            if handle.gone_at is not None:
                if clock - handle.gone_at > self._resume_s:
                    self.forget(handle)
                continue
            try:
                handle.refresh(now)
            except StreamClosedError:
                self.forget(handle)
            except (ConfigError, CapacityError):
                log.exception("the room's settings could not be applied", extra={"session": handle.id})

    async def watch(self) -> None:
        """Refresh for ever."""
        while True:
            await asyncio.sleep(REFRESH_S)
            self.refresh()
