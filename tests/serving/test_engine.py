"""The engine's promises: nothing lost or said twice when a worker goes, bounds that are told, lost sessions resumed."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import numpy as np
import pytest

from serving.engine import LaneEngine
from serving.handle import Heard, Notice, SessionSpec, VoicePiece
from serving.journal import SqliteJournal
from serving.limits import Limits
from serving.local import LocalWorker
from serving.tier import info_of
from serving.voices import LocalVoices
from serving.work import WorkerLost
from soundflow.errors import CapacityError, ConfigError, DataError, StreamClosedError
from soundflow.events import DecisionEvent, ReplyCancelled, ReplyDelta, ReplyDone, ReplyStarted
from tests.serving.played import play
from tests.tiny_model import CHUNK, tiny_model

pytestmark = pytest.mark.weights


class Tone:
    """A tenth of a second for every word."""

    name, rate_hz = "tone", 16_000

    def speak(self, text):
        for _ in text.split():
            yield np.full(1600, 0.1, np.float32)


class Mortal:
    """A worker that is lost at some passes, before or after they were done."""

    hear = None

    def __init__(self, model, dies_at=(), after=False):
        self.name, self._inner, self._passes = "mortal", LocalWorker(model, 8, 1), 0
        self._dies_at, self._after = set(dies_at), after

    async def step(self, work, texts):
        self._passes += 1
        if self._passes in self._dies_at:
            if self._after:
                await self._inner.step(work, texts)
            raise WorkerLost(self.name)
        return await self._inner.step(work, texts)

    async def close(self):
        await self._inner.close()


@pytest.fixture(scope="module")
def model(nano_parts):
    return tiny_model(nano_parts)


def noise(seed: int, chunks: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(0, 0.05, chunks * CHUNK).astype(np.float32)
    made[CHUNK : 2 * CHUNK] = 0.0
    return made


def engine(model, workers=None, limits=None, voice=None, journal=None, respawn=None) -> LaneEngine:
    voices = LocalVoices(voice)
    info = info_of(model, voices.name, voices.rate_hz)
    return LaneEngine(info, workers or [LocalWorker(model, 8, 1)], voices, limits or Limits(), None, journal, respawn)


def check_whole(taken: list, chunks: int) -> None:
    """Every chunk decided once and in order; every reply begun once, ended once, and its text is what was streamed."""
    assert [o.chunk for o in taken if isinstance(o, DecisionEvent)][:chunks] == list(range(chunks))
    begun = [o.id for o in taken if isinstance(o, ReplyStarted)]
    ended = [o for o in taken if isinstance(o, ReplyDone | ReplyCancelled)]
    assert len(begun) == len(set(begun))
    assert [o.id for o in ended] == begun
    for end in ended:
        text = "".join(o.text for o in taken if isinstance(o, ReplyDelta) and o.id == end.id)
        assert end.text == text


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_lost_or_said_twice_when_workers_die(model, seed):
    rng = random.Random(seed)

    async def run():
        after = bool(seed % 2)
        workers = [Mortal(model, [rng.randint(2, 30)], after), Mortal(model, [rng.randint(2, 30)], after)]

        async def respawn():
            return LocalWorker(model, 8, 1)

        served = engine(model, workers, respawn=respawn)
        spec = SessionSpec(proactivity=0.9)
        all_taken = await asyncio.gather(*(play(served, spec, noise(10 * seed + k, 12)) for k in range(3)))
        await served.close()
        return all_taken

    all_taken = asyncio.run(run())
    assert any(isinstance(o, ReplyDone) for taken in all_taken for o in taken)
    for taken in all_taken:
        check_whole(taken, 12)


def test_a_reply_is_spoken_and_its_voice_ends(model):
    async def run():
        served = engine(model, voice=Tone())
        taken = await play(served, SessionSpec(proactivity=1.0, barge_in=False), noise(1, 6))
        await served.close()
        return taken

    taken = asyncio.run(run())
    done = [o for o in taken if isinstance(o, ReplyDone)]
    assert done
    assert {o.reply for o in taken if isinstance(o, VoicePiece) and o.last} == {o.id for o in done}


def test_what_does_not_speak_makes_no_voice(model):
    async def run():
        served = engine(model, voice=Tone())
        taken = await play(served, SessionSpec(proactivity=1.0, speak=False), noise(1, 6))
        await served.close()
        return taken

    assert not any(isinstance(o, VoicePiece) for o in asyncio.run(run()))


def test_say_result_and_cancel(model):
    async def run():
        served = engine(model, voice=Tone())
        handle = await served.open(SessionSpec(proactivity=0.0))
        handle.say("One two three. Four five six.")
        taken = []
        async for output in handle.outputs():
            taken.append(output)
            if (
                isinstance(output, VoicePiece)
                and not output.last
                and not any(isinstance(o, ReplyCancelled) for o in taken)
            ):
                handle.push(np.zeros(CHUNK, np.float32))
                handle.cancel()
            if isinstance(output, ReplyCancelled):
                await handle.close()
        with pytest.raises(DataError):
            handle.tool_result("call_9", "{}")
        with pytest.raises(StreamClosedError):
            handle.push(np.zeros(8, np.float32))
        await handle.close()
        await served.close()
        return taken

    taken = asyncio.run(run())
    assert next(o for o in taken if isinstance(o, ReplyCancelled)).reason == "cancelled"


def test_too_much_audio_is_dropped_counted_and_told(model):
    async def run():
        served = engine(model, limits=Limits(backlog_s=2.0))
        handle = await served.open(SessionSpec())
        handle.push(np.zeros(16_000 * 60, np.float32))
        taken = []

        async def take():
            async for output in handle.outputs():
                taken.append(output)

        reader = asyncio.create_task(take())
        await handle.close(flush=True)
        await reader
        await served.close()
        return taken

    taken = asyncio.run(run())
    told = [o for o in taken if isinstance(o, Notice) and o.code == "overload"]
    assert told[0].detail["seconds"] == pytest.approx(58.0)
    assert sum(isinstance(o, DecisionEvent) for o in taken) == 5


def test_admission_drain_and_bad_updates(model):
    async def run():
        served = engine(model, limits=Limits(max_sessions=3, max_client_sessions=2))
        one = await served.open(SessionSpec(client="a"))
        await served.open(SessionSpec(client="a"))
        with pytest.raises(CapacityError, match="one client"):
            await served.open(SessionSpec(client="a"))
        await served.open(SessionSpec(client="b"))
        with pytest.raises(CapacityError, match="at most 3"):
            await served.open(SessionSpec(client="c"))
        with pytest.raises(ConfigError):
            one.update(replace(one.spec, proactivity=2.0))
        await one.close()
        await one.close()
        assert served.sessions == 2
        served.drain()
        assert not served.ready
        with pytest.raises(CapacityError, match="shutting down"):
            await served.open(SessionSpec())
        await served.close()
        assert served.sessions == 0

    asyncio.run(run())


def test_a_lost_socket_resumes_and_an_abandoned_session_ends(model):
    async def run():
        served = engine(model, limits=Limits(resume_s=0.3))
        handle = await served.open(SessionSpec(client="a", proactivity=0.0))
        handle.push(noise(1, 3))
        served.detach(handle)
        with pytest.raises(DataError):
            await served.open(SessionSpec(client="b"), resume=handle.id)
        again = await served.open(SessionSpec(client="a"), resume=handle.id)
        assert again is handle
        again.push(noise(2, 2))
        await again.close(flush=True)
        taken = [o async for o in again.outputs()]
        assert [o.chunk for o in taken if isinstance(o, DecisionEvent)] == [0, 1, 2, 3, 4]
        assert any(isinstance(o, Notice) and o.code == "resumed" for o in taken)
        left = await served.open(SessionSpec(client="a"))
        served.detach(left)
        codes = [o.code async for o in left.outputs() if isinstance(o, Notice)]
        assert codes == ["expired"]
        with pytest.raises(DataError):
            await served.open(SessionSpec(client="a"), resume=left.id)
        await served.close()

    asyncio.run(run())


def test_another_process_goes_on_from_the_journal(model, tmp_path):
    async def run():
        path = tmp_path / "journal.db"
        first = engine(model, journal=SqliteJournal(path))
        handle = await first.open(SessionSpec(client="a", proactivity=0.0, instruction="Be brief."))
        handle.push(noise(1, 4))
        while handle.heard_s < 1.6:
            await asyncio.sleep(0.01)
        handle.say("The door is open.")
        async for output in handle.outputs():
            if isinstance(output, ReplyDone):
                break
        await first.close()
        second = engine(model, journal=SqliteJournal(path))
        with pytest.raises(DataError):
            await second.open(SessionSpec(client="b"), resume=handle.id)
        again = await second.open(SessionSpec(client="a"), resume=handle.id)
        assert again.spec.instruction == "Be brief."
        again.push(noise(2, 2))
        await again.close(flush=True)
        taken = [o async for o in again.outputs()]
        assert [o.chunk for o in taken if isinstance(o, DecisionEvent)] == [4, 5]
        await second.close()
        third = engine(model, journal=SqliteJournal(path))
        with pytest.raises(DataError):  # it ended as its client wanted
            await third.open(SessionSpec(client="a"), resume=handle.id)
        await third.close()
        assert path.stat().st_mode & 0o077 == 0

    asyncio.run(run())


def test_a_client_that_takes_nothing_ends_alone(model):
    async def run():
        served = engine(model, limits=Limits(outbox=16))
        slow = await served.open(SessionSpec(proactivity=0.0))
        for k in range(24):
            slow.say(f"Sentence {k}.")
            await asyncio.sleep(0.02)
        good = await play(served, SessionSpec(proactivity=0.0), noise(1, 5))
        taken = [o async for o in slow.outputs()]
        await served.close()
        return taken, good

    taken, good = asyncio.run(run())
    assert isinstance(taken[-1], Notice)
    assert taken[-1].code == "failed"
    assert len(taken) <= 17
    check_whole(good, 5)
    assert sum(isinstance(o, Heard) for o in good) == 5


def test_audio_that_is_no_audio_ends_nothing(model):
    async def run():
        served = engine(model)
        handle = await served.open(SessionSpec())
        for bad in (np.array([np.nan], np.float32), np.zeros((2, 2), np.float32)):
            with pytest.raises(Exception, match=r"finite|float samples"):
                handle.push(bad)
        handle.push(noise(1, 1))
        await handle.close(flush=True)
        taken = [o async for o in handle.outputs()]
        await served.close()
        return taken

    assert sum(isinstance(o, DecisionEvent) for o in asyncio.run(run())) == 1
