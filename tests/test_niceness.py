"""What gives way to decisions."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.voices import LocalVoices
from soundflow import niceness


def of_this_thread() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux alone")
def test_a_thread_gives_way_alone() -> None:
    before = of_this_thread()
    with ThreadPoolExecutor(1, "words", niceness.give_way, (min(19, before + niceness.WORDS),)) as pool:
        assert pool.submit(of_this_thread).result() == min(19, before + niceness.WORDS)
    assert LocalVoices(None)._pool.submit(of_this_thread).result() == max(before, niceness.VOICES)
    assert of_this_thread() == before


def test_where_the_system_cannot_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "setpriority", lambda *_: pytest.fail("a process was meant"))
    niceness.give_way(niceness.VOICES)
