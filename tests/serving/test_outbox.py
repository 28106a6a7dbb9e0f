"""What waits for a client: bounded, in order, the dispensable first to go."""

from __future__ import annotations

import asyncio
import time

import pytest

from serving.handle import Heard, Notice
from serving.journal import MOST_BYTES, SqliteJournal
from serving.outbox import Outbox
from serving.results import spoken_result
from serving.spoken import Spoken
from soundflow.errors import ConfigError, DataError, SoundflowError
from soundflow.events import DecisionEvent, ReplyDone, Transcript


def silent(k: int) -> DecisionEvent:
    return DecisionEvent(t=0.4 * k, decision="silent", p={"silent": 1.0}, chunk=k)


def done(k: int) -> ReplyDone:
    return ReplyDone(t=0.0, id=f"r{k}", text="")


async def drained(box: Outbox) -> list:
    box.end()
    return [o async for o in box.outputs()]


def test_light_outputs_leave_before_heavy_ones():
    async def run():
        box = Outbox(8)
        for k in range(20):
            assert box.put(silent(k))
        for k in range(6):
            assert box.put(done(k))
        return box.dropped, await drained(box)

    dropped, left = asyncio.run(run())
    assert [o.id for o in left if isinstance(o, ReplyDone)] == [f"r{k}" for k in range(6)]
    kept = [o.chunk for o in left if isinstance(o, DecisionEvent)]
    assert kept == sorted(kept)
    assert kept[-1] >= 16  # the newest stay
    assert dropped == 20 - len(kept)
    assert len(left) <= 8


def test_a_full_box_of_heavy_outputs_says_so():
    async def run():
        box = Outbox(4)
        assert all(box.put(done(k)) for k in range(4))
        assert not box.put(done(4))
        assert box.put(silent(0))  # silently lost, as it may be
        speaks = DecisionEvent(t=0.0, decision="speak", p={}, chunk=1)
        assert not box.put(speaks)
        final = Transcript(t=0.0, text="a", final=True, start=0.0, end=0.0)
        assert not box.put(final)
        box.end(Notice("failed", "slow"))
        return [o async for o in box.outputs()]

    taken = asyncio.run(run())
    assert len(taken) == 5
    assert isinstance(taken[-1], Notice)


def test_a_second_consumer_goes_on_where_the_first_stopped():
    async def run():
        box = Outbox(8)
        for k in range(3):
            box.put(done(k))
        first = box.outputs()
        got = [await anext(first)]
        await first.aclose()
        return got + await drained(box)

    assert [o.id for o in asyncio.run(run())] == ["r0", "r1", "r2"]


def test_an_output_wakes_the_consumer():
    async def run():
        box = Outbox(8)
        outputs = box.outputs()
        waiting = asyncio.ensure_future(anext(outputs))
        await asyncio.sleep(0)
        assert not waiting.done()
        box.put(Heard(0.4, 0, -30.0))
        return await waiting

    assert asyncio.run(run()).chunk == 0


class Counting:
    """A voice whose sentences are noted."""

    name, rate_hz = "count", 16_000

    def __init__(self, fails=False):
        self.said, self.fails = [], fails

    async def speak(self, text):
        import numpy as np

        if self.fails:
            raise SoundflowError("no voice today")
        self.said.append(text)
        await asyncio.sleep(0)
        if text:
            yield np.zeros(160, np.float32)

    async def close(self):
        """Nothing is open."""


@pytest.mark.parametrize("fails", [False, True])
def test_sentences_are_spoken_as_they_are_written(fails):
    async def run():
        given, until = [], []
        voice = Counting(fails)
        spoken = Spoken(voice, given.append, until.append, lambda: 1000)
        for delta in ("One.", " Two", " more.", " Thr"):
            spoken.wrote("r1", delta)
        await spoken.settled()
        early = list(voice.said)
        spoken.wrote("r1", "ee.")
        spoken.done("r1", "One. Two more. Three.")
        await spoken.settled()
        return early, voice.said, given, until

    early, said, given, until = asyncio.run(run())
    assert given[-1].last
    if fails:
        return
    assert early == ["One.", "Two more."]
    assert said == ["One.", "Two more.", "Three."]
    assert [p.text for p in given] == ["One.", "Two more.", "Three.", ""]
    assert until == [1160, 1320, 1480]


def test_a_cancelled_voice_says_no_more():
    async def run():
        given = []
        spoken = Spoken(Counting(), given.append, lambda s: None, lambda: 0)
        spoken.done("r1", "One. Two. Three.")
        spoken.cancel()
        await spoken.settled()
        await asyncio.sleep(0.01)
        return given

    assert asyncio.run(run()) == []


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("", "Done."), ("{}", "Done."), ('{"ok":true}', "Done."), ("true", "Done."), ("[1,2]", "Done."),
        ('{"state":"on"}', "on."), ('{"speech":"It is on."}', "It is on."), ("21.5", "21.5."),
        ("It rains", "It rains."), ('{"ok":false}', "The set lamp did not work."),
        ('{"error":"no such room"}', "That did not work: no such room."),
        ("false", "That did not work."), ("[" * 20_000, "Done."),
    ],
)  # fmt: skip
def test_results_in_words(output, said):
    assert spoken_result("set_lamp", output) == said


def test_a_long_result_is_cut():
    assert len(spoken_result("x", "word " * 1000)) < 330


def test_journal_keeps_the_last_and_refuses_the_rest(tmp_path):
    path = tmp_path / "j.db"
    journal = SqliteJournal(path)
    for k in range(50):
        journal.put("a", {"k": k})
    journal.put("b", {"k": 1})
    journal.delete("b")
    journal.close()
    again = SqliteJournal(path)
    assert again.get("a") == {"k": 49}
    assert again.get("b") is None
    again._db.execute("UPDATE session SET record = 'x'")
    with pytest.raises(DataError):
        again.get("a")
    again.close()
    old = SqliteJournal(path, keep_s=-1.0)
    assert old.get("a") is None
    old.close()
    with pytest.raises(ConfigError):
        SqliteJournal(tmp_path / "no" / "j.db")
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 100)
    with pytest.raises(ConfigError):
        SqliteJournal(broken)


def test_a_record_is_bounded():
    from serving.journal import encoded

    with pytest.raises(DataError):
        encoded({"x": "y" * MOST_BYTES}, "s")


def test_the_journal_says_when_it_cannot_write_and_goes_on(tmp_path):
    journal = SqliteJournal(tmp_path / "j.db")
    journal._db.execute("PRAGMA query_only=ON")
    journal.put("a", {"k": 1})
    end = time.monotonic() + 5.0
    while not journal.failures and time.monotonic() < end:
        time.sleep(0.01)
    assert journal.failures == 1
    journal._db.execute("PRAGMA query_only=OFF")
    journal.put("a", {"k": 2})
    journal.close()
    again = SqliteJournal(tmp_path / "j.db")
    assert again.get("a") == {"k": 2}
    again.close()
