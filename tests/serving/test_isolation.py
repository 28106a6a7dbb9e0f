"""One session's trouble is its own: at the worker, at the front, under load, and when workers go again and again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from serving.decider import Decider
from serving.engine import LaneEngine
from serving.handle import Heard, Notice, SessionSpec, VoicePiece
from serving.journal import SqliteJournal
from serving.limits import Limits
from serving.local import LocalWorker
from serving.work import Command, Frame, Open, WorkerLost
from soundflow.events import Action, DecisionEvent, ErrorEvent, ReplyCancelled, ReplyDone, ReplyStarted
from soundflow.memory import remember
from soundflow.types import Kind
from tests.serving.test_decider import LAMP, noise
from tests.serving.test_engine import Mortal, Tone, check_whole, engine, play
from tests.serving.test_engine import noise as long_noise
from tests.tiny_model import CHUNK, tiny_model

pytestmark = pytest.mark.weights
SPEAKS = SessionSpec(proactivity=1.0)


@pytest.fixture(scope="module")
def model(nano_parts):
    return tiny_model(nano_parts)


def outputs(done) -> list:
    return [o for r in done.results for o in r.outputs]


def test_many_sayings_fit_the_next_chunk(model):
    decider = Decider(model, 1)
    decider.step([Open("a", SessionSpec(proactivity=0.0))])
    for k in range(20):
        decider.step([Command("a", "say", f"This is sentence number {k}, and it is not a short one.")])
    for k in range(30):
        done = decider.step([Frame("a", k, noise(k, 1)[0])])
        assert not any(r.failed for r in done.results)


def test_texts_over_the_limit_are_refused_and_told(model):
    decider = Decider(model, 1)
    decider.step([Open("a", SPEAKS), Frame("a", 0, noise(1, 1)[0])], texts=False)
    found = []
    for k in range(12):
        found += outputs(decider.step([Command("a", "say", f"S{k}")], texts=False))
    assert [e.code for e in found if isinstance(e, ErrorEvent)] == ["capacity"] * 4


def test_too_many_tools_are_refused_at_once(model):
    many = tuple(replace(LAMP, name=f"lamp_{k}", description="word " * 30) for k in range(20))
    decider = Decider(model, 2)
    done = decider.step([Open("a", SessionSpec(tools=many)), Open("b", SPEAKS)])
    assert {r.session: r.failed[:8] for r in done.results} == {"a": "capacity", "b": ""}


def test_an_act_whose_tools_are_gone_fails_and_the_session_goes_on(model):
    one = Decider(model, 1)
    spec = SessionSpec(tools=(LAMP,), manual=True)
    one.step([Open("a", spec)])
    row = one._seats["a"].row
    step = row.ask("turn on the lamp")
    request = row.session.request_asked(step.perception, _act(step), "turn on the lamp")
    row.replies.start(request, row.now)
    memory = remember(row)
    assert memory["reply"]["kind"] == int(Kind.ACT)
    other = Decider(model, 2)
    done = other.step([Open("a", SessionSpec(), memory), Open("b", SPEAKS)])
    assert not any(r.failed for r in done.results)
    assert [o.code for o in outputs(done) if isinstance(o, ErrorEvent)] == ["not_resumed"]
    assert other.step([Frame("a", 0, noise(1, 1)[0])]).frames == 1


def test_what_is_typed_is_taken_as_it_is_and_what_is_said_as_the_nearest_name(model):
    one = Decider(model, 1)
    one.step([Open("a", SessionSpec(manual=True))])
    row = one._seats["a"].row
    row.ask("Tell me when you hear a dawg.")
    assert not row.watch.tags.any()
    assert row.watch.heard_said("Tell me when you hear a dawg.", row.now)
    assert row.watch.tags.any()


def _act(step):
    from soundflow.types import Decision

    return Decision(step.perception.chunk, Kind.ACT, (0.0, 0.0, 1.0))


def test_an_act_in_the_making_is_remembered(model):
    decider = Decider(model, 1)
    decider.step([Open("a", SessionSpec(tools=(LAMP,), manual=True))])
    seat = decider._seats["a"]
    step = seat.row.ask("turn on the lamp")
    request = seat.row.session.request_asked(step.perception, _act(step), "turn on the lamp")
    seat.row.replies.start(request, seat.row.now)
    done = decider.step([])
    assert done.results[-1].memory["reply"]["heard"] == "turn on the lamp"
    found = []
    for _ in range(300):
        found += (done := decider.step([])).results
        if any(isinstance(o, Action) for o in outputs(done)):
            break
    else:
        pytest.fail("the call never came")
    assert found[-1].memory["reply"] is None


def test_what_was_said_of_a_moved_reply_is_cancelled_with_it(model):
    one = Decider(model, 1)
    memory = one.step([Open("a", SPEAKS), Frame("a", 0, noise(1, 1)[0])], texts=False).results[-1].memory
    other = Decider(model, 1)
    other.step([Open("a", SPEAKS, memory, "So much was said", ((0, noise(1, 1)[0]),), 1)], texts=False)
    cancelled = [o for o in outputs(other.step([Command("a", "cancel", "x")])) if isinstance(o, ReplyCancelled)]
    assert cancelled[0].text.startswith("So much was said")


def test_a_voice_that_plays_is_known_to_the_next_worker(model):
    memory = remember(Decider(model, 1).step([Open("a", SPEAKS)]) and _fresh(model))
    other = Decider(model, 1)
    other.step([Open("a", SPEAKS, memory, playing=99_000)])
    assert other._seats["a"].row.session.state.playing_until == 99_000


def _fresh(model):
    decider = Decider(model, 1)
    decider.step([Open("a", SPEAKS)])
    return decider._seats["a"].row


def test_a_session_that_only_hears_refuses_to_answer(model):
    decider = Decider(model, 1)
    decider.step([Open("a", SessionSpec(decide=False)), Frame("a", 0, noise(1, 1)[0])])
    found = outputs(decider.step([Command("a", "respond", "well?")]))
    assert [o.code for o in found if isinstance(o, ErrorEvent)] == ["cannot_respond"]
    assert not any(isinstance(o, Heard) for o in found)


def test_a_session_that_kills_workers_ends_and_the_others_stay(model):
    class Poisoned(LocalWorker):
        async def step(self, work, texts):
            if any(isinstance(w, Frame) and abs(float(w.samples[0]) - 0.5) < 1e-6 for w in work):
                raise WorkerLost(self.name)
            return await super().step(work, texts)

    async def run():
        async def respawn():
            return Poisoned(model, 8, 1)

        served = engine(model, [Poisoned(model, 8, 1)], respawn=respawn)
        bad = await served.open(SessionSpec())
        good = asyncio.create_task(play(served, SessionSpec(proactivity=0.9), long_noise(3, 10)))
        bad.push(np.full(2 * CHUNK, 0.5, np.float32))
        codes = [o async for o in bad.outputs() if isinstance(o, Notice)]
        taken = await good
        await served.close()
        return codes, taken

    codes, taken = asyncio.run(run())
    assert codes[-1].code == "failed"
    assert "workers were lost" in codes[-1].message
    check_whole(taken, 10)


def test_a_front_that_cannot_take_a_result_fails_alone(model, tmp_path):
    class Broken(SqliteJournal):
        def put(self, session, record):
            if record["spec"]["client"] == "bad":
                raise OSError("no journal for you")
            super().put(session, record)

    async def run():
        served = engine(model, journal=Broken(tmp_path / "j.db"))
        bad = await served.open(SessionSpec(client="bad"))
        bad.push(np.zeros(CHUNK, np.float32))
        good = await play(served, SessionSpec(proactivity=0.9), long_noise(1, 6))
        ended = [o async for o in bad.outputs()]
        await served.close()
        return ended, good

    ended, good = asyncio.run(run())
    assert ended[-1].code == "failed"
    check_whole(good, 6)


def test_cleared_audio_leaves_a_session_that_goes_on(model):
    async def run():
        served = engine(model)
        handle = await served.open(SessionSpec(proactivity=0.0))
        handle.push(np.zeros(16 * CHUNK, np.float32))
        await asyncio.sleep(0.05)
        handle.clear()
        await asyncio.wait_for(handle.room(), 1.0)
        handle.push(long_noise(1, 3))
        await handle.close(flush=True)
        taken = [o async for o in handle.outputs()]
        await served.close()
        return taken

    taken = asyncio.run(run())
    chunks = [o.chunk for o in taken if isinstance(o, DecisionEvent)]
    assert chunks == list(range(len(chunks)))
    assert 3 <= len(chunks) < 16
    assert not any(isinstance(o, Notice) for o in taken)


def test_a_refused_update_is_not_taken_elsewhere(model):
    async def run():
        async def respawn():
            return LocalWorker(model, 8, 1)

        served = engine(model, [Mortal(model, [6])], respawn=respawn)
        handle = await served.open(SessionSpec(instruction="Be brief.", proactivity=0.0))
        handle.update(SessionSpec(instruction="word " * 400))
        for k in range(8):
            handle.push(long_noise(k, 1))
            await asyncio.sleep(0.05)
        spec = handle.spec
        await handle.close(flush=True)
        taken = [o async for o in handle.outputs()]
        await served.close()
        return spec, taken

    spec, taken = asyncio.run(run())
    assert spec.instruction == "Be brief."
    assert [o.code for o in taken if isinstance(o, ErrorEvent)] == ["capacity"]
    check_whole(taken, 8)


def test_one_session_is_resumed_once(model, tmp_path):
    async def run():
        path = tmp_path / "j.db"
        first = engine(model, journal=SqliteJournal(path))
        handle = await first.open(SessionSpec(client="a"))
        handle.push(long_noise(1, 2))
        while handle.heard_s < 0.8:
            await asyncio.sleep(0.01)
        await first.close()
        second = engine(model, journal=SqliteJournal(path))
        spec = SessionSpec(client="a")
        both = await asyncio.gather(*(second.open(spec, resume=handle.id) for _ in range(2)), return_exceptions=True)
        await second.close()
        return both

    kinds = sorted(type(x).__name__ for x in asyncio.run(run()))
    assert kinds == ["DataError", "LiveSession"]


def test_a_full_box_leaves_no_record_behind(model, tmp_path):
    async def run():
        path = tmp_path / "j.db"
        served = engine(model, limits=Limits(outbox=8), journal=SqliteJournal(path))
        handle = await served.open(SessionSpec(client="a", proactivity=0.0))
        for k in range(8):
            handle.say(f"Sentence {k}.")
        while served.sessions:
            await asyncio.sleep(0.01)
        await served.close()
        again = SqliteJournal(path)
        left = again.get(handle.id)
        again.close()
        return left

    assert asyncio.run(run()) is None


def test_audio_ahead_of_time_makes_no_negative_load_and_no_idle_passes(model):
    passes = 0

    class Counting(LocalWorker):
        async def step(self, work, texts):
            nonlocal passes
            passes += 1
            return await super().step(work, texts)

    async def run():
        served = engine(model, [Counting(model, 8, 1)])
        handle = await served.open(SessionSpec(proactivity=0.0))
        handle.push(long_noise(1, 20))
        while handle.heard_s < 8.0:
            await asyncio.sleep(0.01)
        load, before = served.load, passes
        await asyncio.sleep(0.3)
        idle = passes - before
        await handle.close()
        await served.close()
        return load, idle

    load, idle = asyncio.run(run())
    assert load >= 0.0
    assert idle <= 1


def test_a_stuck_worker_is_replaced(model, monkeypatch):
    monkeypatch.setattr("serving.lane.STUCK_S", 0.4)

    class Stuck(LocalWorker):
        async def step(self, work, texts):
            if any(isinstance(w, Frame) and w.chunk == 2 for w in work):
                await asyncio.sleep(60)
            return await super().step(work, texts)

    async def run():
        async def respawn():
            return LocalWorker(model, 8, 1)

        served = engine(model, [Stuck(model, 8, 1)], respawn=respawn)
        taken = await asyncio.wait_for(play(served, SessionSpec(proactivity=0.0), long_noise(1, 5)), 20)
        await served.close()
        return taken

    check_whole(asyncio.run(run()), 5)


def test_an_idle_worker_that_died_is_replaced(model, monkeypatch):
    monkeypatch.setattr("serving.lane.PING_S", 0.05)
    monkeypatch.setattr("serving.engine.SETTLE_S", 0.0)

    async def run():
        started = []

        async def respawn():
            started.append(1)
            return LocalWorker(model, 8, 1)

        served = engine(model, [LocalWorker(model, 8, 1), Mortal(model, [1])], respawn=respawn)
        async with asyncio.timeout(5):
            while not started or served.workers < 2:
                await asyncio.sleep(0.01)
        await served.close()

    asyncio.run(run())


def test_without_workers_sessions_end_and_closing_never_hangs(model):
    async def run():
        served: LaneEngine = engine(model, [Mortal(model, [3])])
        handle = await served.open(SessionSpec())
        handle.push(long_noise(1, 6))
        taken = [o async for o in handle.outputs()]
        await asyncio.wait_for(handle.close(flush=True), 1.0)
        assert not served.ready
        with pytest.raises(Exception, match="no worker is left"):
            await served.open(SessionSpec())
        await served.close()
        return taken

    assert asyncio.run(run())[-1].code == "failed"


def test_a_voice_that_was_begun_ends_though_replies_are_muted_meanwhile(model):
    async def run():
        served = engine(model, voice=Tone())
        handle = await served.open(SessionSpec(proactivity=0.0))
        handle.say("One two. Three four.")
        taken = []
        async for output in handle.outputs():
            taken.append(output)
            if isinstance(output, ReplyStarted):
                handle.mute = True
            if isinstance(output, VoicePiece) and output.last:
                break
        assert handle.cancel() is False or any(isinstance(o, ReplyDone) for o in taken)
        await handle.close()
        await served.close()
        return taken

    assert any(isinstance(o, VoicePiece) and len(o.audio) for o in asyncio.run(run()))


def test_a_broken_voice_still_ends(model):
    class Broken(Tone):
        def speak(self, text):
            raise RuntimeError("no sound card in the sound card")

    async def run():
        served = engine(model, voice=Broken())
        handle = await served.open(SessionSpec(proactivity=0.0))
        handle.say("One two.")
        async for output in handle.outputs():
            if isinstance(output, VoicePiece):
                await handle.close()
                await served.close()
                return output
        return None

    assert asyncio.run(run()).last
