"""Ours with weights: a question in a fork leaves no trace, and finds what was said before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.compose import Bed, Item, Part
from benchmarks.hear import Shop
from benchmarks.stream import probes
from benchmarks.stream.voices import voiced
from benchmarks.systems import NO_MEMORY, OURS, Setup, make


@pytest.mark.slow
@pytest.mark.weights
def test_a_question_in_a_fork_leaves_no_trace(nano_parts: Path, tmp_path: Path) -> None:
    told, asked = "My dog is called Max.", "What is the name of my dog?"
    said = voiced([told, asked], tmp_path)
    room = Bed("room", -58.0)
    speech = Item("a", "round", "", "no", "a", 1, (Part(said[told].path, 1.2, 0.0, 15.0, -24.0),), room, 3.0)
    more = Item("b", "round", "", "no", "a", 2, (Part(said[asked].path, 1.2, 0.0, 15.0, -24.0),), room, 3.0)
    ask = probes.Probe("p", "fact", 1.0, asked, said[asked].path, "content", ("Max.",))
    facts = {"stretches": [probes.stretch(speech, [ask, replace(ask, name="q")]), probes.stretch(more)]}
    whole = Item("x", "review", "", "yes", "a", 0, instruction="Answer my questions.", facts=facts)
    plain = replace(whole, facts={"stretches": [probes.stretch(speech), probes.stretch(more)]})
    shop = Shop(Setup(tmp_path, (OURS,)), make(Setup(tmp_path, (OURS, NO_MEMORY))))
    forked, unasked = (probes.hear(item, (OURS,), shop, lambda _: None)[0] for item in (whole, plain))
    assert not forked.get("error"), forked
    assert len(forked["probes"]) == 2
    for key in ("decisions", "replies", "transcripts", "sounds", "samples", "spans"):
        assert forked[key] == unasked[key], key
    first, second = forked["probes"]
    assert first["decisions"] == second["decisions"]
    assert first["typed"] == second["typed"]
    assert first["typed"], "typed words are answered"
    assert np.allclose([t["t"] for t in first["transcripts"]], [t["t"] for t in second["transcripts"]])
    blank = probes.hear(whole, (NO_MEMORY,), shop, lambda _: None)[0]
    assert not blank.get("error"), blank
    assert blank["samples"] == 0, "nothing but the questions was heard"
    assert blank["probes"][0]["typed"]
