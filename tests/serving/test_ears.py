"""Perception in a process of its own: the same to the bit, and gone without a loss."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from weakref import ref

import numpy as np
import pytest
import soundfile as sf

from serving import ears as ears_module
from serving.decider import Decider
from serving.ears import FarPerceiver, _Ears, _tidy
from serving.handle import SessionSpec
from serving.local import LocalWorker
from serving.work import Command, Frame, Open, WorkerLost
from soundflow.errors import SoundflowError, WeightsError
from soundflow.perceive.own import OwnSounds
from soundflow.perceive.perceiver import Parts, Perceiver
from tests.serving.test_engine import check_whole, engine, noise
from tests.tiny_model import CHUNK, tiny_model

pytestmark = pytest.mark.weights
DEMO = Path(__file__).parents[2] / "demo" / "house.flac"


def make(parts: Path) -> Perceiver:
    return Perceiver(
        Parts(parts / "asr", parts / "vad" / "silero_vad_16k_op15.onnx", parts / "sound" / "yamnet.tflite"), CHUNK
    )


def cannot(parts: Path) -> Perceiver:
    raise WeightsError(f"{parts}: nothing to hear with")


def dies(parts: Path) -> Perceiver:
    os._exit(9)


@pytest.fixture(scope="module")
def model(nano_parts):
    return tiny_model(nano_parts)


@pytest.fixture(scope="module")
def unstarted(nano_parts, model):
    return FarPerceiver(partial(make, nano_parts), model.perceiver.labels, OwnSounds(), CHUNK)


@pytest.fixture(scope="module")
def far(unstarted):
    started = unstarted.start()
    started._closed.set()  # nothing is forgotten but when a test says so
    yield started
    started.close()


def house(first: int, chunks: int) -> list[np.ndarray]:
    audio, _ = sf.read(DEMO, start=first * CHUNK, frames=chunks * CHUNK, dtype="float32")
    return [audio[k * CHUNK : (k + 1) * CHUNK] for k in range(len(audio) // CHUNK)]


def plain(results) -> list:
    return [(r.session, o.to_dict() if hasattr(o, "to_dict") else o) for r in results for o in r.outputs]


def events(model) -> list:
    """Two streams of speech, one of them begun behind a replay, with a turn that is committed."""
    decider, found = Decider(model, 4), []
    begun, sounds = house(0, 40), house(44, 44)
    old = tuple(enumerate(sounds[:14]))
    found += decider.step([Open("a", SessionSpec()), Open("b", SessionSpec(), frames=old, chunk=14)]).results
    for k in range(30):
        frames = [Frame("a", k, begun[k]), Frame("b", 14 + k, sounds[14 + k])]
        if k % 2:
            decider.hear(frames)
        found += decider.step([*([Command("a", "commit")] if k == 20 else []), *frames]).results
    found += decider.step([Command("a", "close", True), Command("b", "close", True)]).results
    return plain(found)


def test_it_hears_the_same_from_afar(model, far):
    near = events(model)
    assert sum(e["type"] == "transcript" for _, e in near if isinstance(e, dict)) > 5
    assert events(replace(model, perceiver=far)) == near


def test_a_broken_chunk_ends_its_session_alone(model, far):
    decider = Decider(replace(model, perceiver=far), 4)
    decider.step([Open("a", SessionSpec()), Open("b", SessionSpec())])
    chunks = list(noise(1, 3).reshape(3, CHUNK))
    chunks[0][5] = np.nan
    done = decider.step([Frame("a", 0, chunks[0]), Frame("b", 0, chunks[1])])
    assert ["finite" in r.failed for r in done.results if r.session == "a"] == [True]
    assert not any(r.failed for r in decider.step([Frame("b", 1, chunks[2])]).results)


def test_what_fails_over_there_is_told_here(far):
    state = far.init_state()
    far._left.append(state.number)
    far.step_rows([], [], [])
    with pytest.raises(RuntimeError, match="KeyError"):
        far.flush(state)


def test_states_go_with_those_who_held_them(far):
    first = far.init_state().number
    assert first in far._left
    second = far.init_state().number  # says so, as a server does whose clients come and go without a word
    assert list(far._left) == [second]
    far.step_rows([], [], [])
    assert not far._left
    ears = _Ears(_Fake())
    ears.open([], 7, (), 0)
    ears.open([7], 8, (), 0)
    assert list(ears._states) == [8]
    ears.step([8], [])
    assert not ears._states


def test_states_go_where_nobody_speaks_any_more(far, monkeypatch):
    state = far.init_state()
    number = state.number
    monkeypatch.setattr(ears_module, "TIDY_S", 0.01)
    stopped = threading.Event()
    tidy = threading.Thread(target=_tidy, args=(ref(far), stopped), daemon=True)
    tidy.start()
    far.flush(state)  # held: it is there
    del state
    until = time.monotonic() + 20
    while far._left and time.monotonic() < until:
        time.sleep(0.01)
    stopped.set()
    tidy.join()
    assert not far._left
    with pytest.raises(RuntimeError, match="KeyError"):
        far._now.ask("flush", number)


class _Fake:
    def init_state(self, expected, start_sample):
        return object()

    def step_rows(self, chunks, states, frames):
        return []


def test_what_it_cannot_be_made_of_is_raised(nano_parts, model):
    with pytest.raises(WeightsError, match="nothing to hear with"):
        FarPerceiver(partial(cannot, nano_parts), model.perceiver.labels, OwnSounds(), CHUNK).start()


def test_a_process_that_dies_at_once_is_an_error(nano_parts, model):
    far = FarPerceiver(partial(dies, nano_parts), model.perceiver.labels, OwnSounds(), CHUNK)
    with pytest.raises(SoundflowError, match="died as it began"):
        far.start()


def test_sessions_survive_a_killed_process(model, unstarted):
    audio, workers = noise(11, 12), []

    def worker() -> LocalWorker:
        ears = unstarted.start()
        made = LocalWorker(replace(model, perceiver=ears), 8, 1, ears=ears)
        workers.append(made)
        return made

    async def respawn() -> LocalWorker:
        return await asyncio.to_thread(worker)

    async def main() -> list:
        served = engine(model, [worker()], respawn=respawn)
        handle = await served.open(SessionSpec(proactivity=0.9))
        taken: list = []

        async def take() -> None:
            async for output in handle.outputs():
                taken.append(output)

        reader = asyncio.create_task(take())
        for k in range(12):
            handle.push(audio[k * CHUNK : (k + 1) * CHUNK])
            if k == 5:
                while handle.heard_s < 1.2:
                    await asyncio.sleep(0.01)
                os.kill(workers[0]._own_ears.pid, signal.SIGKILL)
        await handle.close(flush=True)
        await asyncio.wait_for(reader, 60)
        await served.close()
        return taken

    check_whole(asyncio.run(main()), 12)
    assert len(workers) == 2
    assert not any(w._own_ears._process.is_alive() for w in workers)


def test_it_says_that_the_process_is_gone(model, unstarted):
    far = unstarted.start()
    decider = Decider(replace(model, perceiver=far), 4)
    decider.step([Open("a", SessionSpec())])
    far.close()
    with pytest.raises(WorkerLost):
        decider.step([Frame("a", 0, noise(1, 1))])
    with pytest.raises(WorkerLost):
        decider.step([Command("a", "commit")])


def test_it_ends_with_a_server_that_was_killed(nano_parts):
    code = (
        "import time, sys; from functools import partial; from pathlib import Path\n"
        "from tests.serving.test_ears import make; from serving.ears import FarPerceiver\n"
        "from soundflow.perceive.own import OwnSounds\n"
        "if __name__ == '__main__':\n"
        f"    far = FarPerceiver(partial(make, Path({str(nano_parts)!r})), (), OwnSounds(), 6400).start()\n"
        "    print(far.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, signal.SIGTERM)  # as a service manager sends to all at once: the server drains first
    time.sleep(0.3)
    assert Path(f"/proc/{child}/stat").exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 10.0
    while time.monotonic() < end and _runs(child):
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
