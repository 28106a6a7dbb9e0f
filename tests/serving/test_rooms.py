"""Rooms over an engine: mutes, quiet hours, defaults, observers, resume."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from serving.config import Config
from serving.config import Recordings as RecordingSettings
from serving.handle import Handle, SessionSpec
from serving.recordings import Recordings
from serving.rooms import RoomEngine, RoomHandle
from serving.security import ROOM
from soundflow.errors import ConfigError, DataError
from soundflow.events import SoundEvent
from soundflow.types import Tool
from tests.serving.fake_engine import FakeEngine

KITCHEN = {
    "name": "kitchen",
    "sounds_off": ["a dog"],
    "cooldown_s": 120.0,
    "proactivity": 0.7,
    "instruction": "Be brief.",
    "quiet_hours": [{"start": "22:00", "end": "07:00", "proactivity": 0.2}],
}
BEDROOM = {"name": "bedroom", "sounds_only": ["Baby cry, infant cry"], "voice": False}


class House:
    """An engine with two rooms, and a clock that the test moves."""

    def __init__(self, recordings: Recordings | None = None, **config: Any) -> None:
        self.now = datetime(2026, 11, 2, 12, 0)
        self.inner = FakeEngine()
        settings = Config(**({"rooms": [KITCHEN, BEDROOM]} | config))
        self.engine = RoomEngine(self.inner, settings, recordings, lambda: self.now)

    async def open(self, room: str = "", spec: SessionSpec | None = None, resume: str = "") -> RoomHandle:
        ROOM.set(room)
        return await self.engine.open(spec or SessionSpec(), resume)


def run(test: Callable[[House], Any], **config: Any) -> None:
    async def inside() -> None:
        await test(House(**config))

    asyncio.run(inside())


def test_a_room_gives_what_the_session_did_not_ask_for() -> None:
    async def test(house: House) -> None:
        await house.open("kitchen")
        mine = SessionSpec("Speak like a pirate.", (Tool("x", "", {}),), 0.9, muted=frozenset({"Glass"}))
        await house.open("kitchen", mine)
        await house.open("bedroom")
        await house.open()
        plain, own, bedroom, none = (h.spec for h in house.inner.handles)
        assert (plain.instruction, plain.proactivity, plain.cooldown_s) == ("Be brief.", 0.7, 120.0)
        assert plain.muted == {"Dog"}
        assert plain.speak
        assert (own.instruction, own.proactivity, own.tools) == (mine.instruction, 0.9, mine.tools)
        assert own.muted == {"Dog", "Glass"}
        assert not bedroom.speak
        assert "Baby cry, infant cry" not in bedroom.muted
        assert "Dog" in bedroom.muted
        assert none == SessionSpec()

    run(test)


def test_the_only_room_is_everybody_s() -> None:
    async def test(house: House) -> None:
        await house.open()
        assert house.inner.handles[0].spec.instruction == "Be brief."

    run(test, rooms=[KITCHEN])


def test_quiet_hours_begin_and_end_in_an_open_session() -> None:
    async def test(house: House) -> None:
        handle = await house.open("kitchen", SessionSpec(proactivity=0.9))
        spec = house.inner.handles[0]
        house.now = datetime(2026, 11, 2, 22, 0)
        house.engine.refresh()
        assert (spec.spec.speak, spec.spec.proactivity) == (False, 0.2)
        handle.update(SessionSpec(proactivity=1.0, instruction="Now."))
        assert (spec.spec.speak, spec.spec.proactivity, spec.spec.instruction) == (False, 0.2, "Now.")
        assert handle.spec.proactivity == 1.0
        house.now = datetime(2026, 11, 3, 7, 0)
        house.engine.refresh()
        assert (spec.spec.speak, spec.spec.proactivity) == (True, 1.0)

    run(test)


def test_a_session_that_opens_at_night_is_quiet() -> None:
    async def test(house: House) -> None:
        house.now = datetime(2026, 11, 3, 3, 0)
        await house.open("kitchen")
        assert not house.inner.handles[0].spec.speak

    run(test)


def test_settings_that_do_not_change_do_not_touch_the_engine() -> None:
    async def test(house: House) -> None:
        await house.open("kitchen")
        calls: list[SessionSpec] = []
        house.inner.handles[0].update = calls.append  # type: ignore[method-assign]
        house.engine.refresh()
        assert calls == []

    run(test)


def test_an_unknown_sound_stops_the_start() -> None:
    with pytest.raises(ConfigError, match=r"rooms: kitchen: sounds_off.*'dgo'"):
        House(rooms=[{"name": "kitchen", "sounds_off": ["dgo"]}])


def test_a_bad_tool_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"t\.json"):
        House(rooms=[{"name": "kitchen", "tools_file": str(tmp_path / "t.json")}])


def test_observers_see_every_output_and_may_fail() -> None:
    async def test(house: House) -> None:
        seen: list[tuple[str, str]] = []

        def broken(room: str, output: Any) -> None:
            raise RuntimeError

        house.engine.observers += [broken, lambda room, output: seen.append((room, type(output).__name__))]
        handle = await house.open("kitchen")
        handle.push(np.full(6400, 0.5, np.float32))
        await handle.close(flush=True)
        got = [o async for o in handle.outputs()]
        assert len(seen) == len(got) > 3
        assert ("kitchen", "SoundEvent") in seen
        assert any(isinstance(o, SoundEvent) for o in got)

    run(test)


def test_a_lost_session_comes_back_in_its_room_to_its_client_only() -> None:
    async def test(house: House) -> None:
        handle = await house.open("kitchen", SessionSpec(client="me", instruction="Mine."))
        house.engine.detach(handle)
        assert house.inner.detached == [house.inner.handles[0]]
        with pytest.raises(DataError):
            await house.open("", SessionSpec(client="you"), resume=handle.id)
        again = await house.open("", SessionSpec(client="me"), resume=handle.id)
        assert (again.plan.name, again.spec.instruction, again.id) == ("kitchen", "Mine.", handle.id)

    run(test)


def test_nothing_is_remembered_of_sessions_that_are_over() -> None:
    async def test(house: House) -> None:
        closed, ended, lost = [await house.open("kitchen") for _ in range(3)]
        await closed.close()
        await house.inner.handles[1].close()
        assert [o async for o in ended.outputs()] == []
        house.engine.detach(lost)
        assert lost.gone_at is not None
        lost.gone_at -= 31.0
        house.engine.refresh()
        assert house.engine._open == {}

    run(test)


def test_the_handle_has_the_whole_interface() -> None:
    wanted = {name for name in vars(Handle) if not name.startswith("_")}
    assert wanted <= set(dir(RoomHandle))


def recordings(folder: Path, **more: Any) -> Recordings:
    return Recordings(RecordingSettings(enabled=True, folder=folder, **more))


def test_audio_is_kept_only_where_asked_for(tmp_path: Path) -> None:
    async def test(house: House) -> None:
        handle = await house.open("kitchen")
        handle.push(np.full(6400, 0.5, np.float32))
        await handle.close()

    run(test)
    assert list(tmp_path.iterdir()) == []
    kept = recordings(tmp_path / "audio")
    run(test, recordings=kept)
    kept.close()
    (file,) = (tmp_path / "audio").iterdir()
    samples, rate = soundfile.read(file)
    assert (len(samples), rate) == (6400, 16_000)
    assert abs(samples.mean() - 0.5) < 0.01
    assert file.stat().st_mode & 0o077 == 0


def test_recordings_are_removed_by_age_and_size(tmp_path: Path) -> None:
    kept = recordings(tmp_path, keep_h=1.0, max_mb=1)
    now = 1_000_000.0
    import os

    for name, age_s, size in (("old", 4000, 10), ("big", 200, 900_000), ("new", 100, 900_000)):
        (tmp_path / f"{name}.flac").write_bytes(b"x" * size)
        os.utime(tmp_path / f"{name}.flac", (now - age_s, now - age_s))
    assert kept.sweep(now) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["new.flac"]
    kept.close()


def test_a_disk_that_fails_ends_the_recording_not_the_session(tmp_path: Path) -> None:
    dropped: list[str] = []
    settings = RecordingSettings(enabled=True, folder=tmp_path / "a")
    kept = Recordings(settings, lambda kind, count: dropped.append(kind))
    recording = kept.start("../../etc/x")
    assert recording.path.parent == tmp_path / "a"
    recording.path = tmp_path / "gone" / "x.flac"
    for _ in range(3):
        recording.push(np.zeros(10, np.float32))
    kept.close()
    assert dropped == ["recording"]
