"""A GPU is waited for before a clock is read, and its times are wall time. Without a GPU: by what stands in for one."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from benchmarks.cost import age, curves, history, limits, parts, rounds, scores, tables, timed
from benchmarks.cost.device import HOST, Device
from benchmarks.cost.parts import Variant
from benchmarks.cost.timed import Clocks, Point, Work
from soundflow.decide.slab import Slabs
from soundflow.errors import ConfigError
from soundflow.tiers.omni.layout import Tokens
from tests.decide.tiny import CONFIG
from tests.decide.tiny import llama as tiny_llama

GPU = Device(torch.device("cuda", 0))


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of work that the GPU was given; `torch.cuda.synchronize` does it."""
    waiting: list[float] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: waiting.clear())
    return waiting


def test_work_that_goes_on_behind_a_call_is_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, given = [0.0], [0.0]

    def synchronize(device: torch.device) -> None:
        assert device == GPU.place
        now[0] += given[0]
        given[0] = 0.0

    def run() -> None:
        given[0] += 0.25

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    point = Point("context", "lm", "bf16", 1, Work(1.0, 1.0), run, repeats=2, calls=4)
    clocks = Clocks(lambda: now[0], lambda: 0.0)
    assert timed.once(point, clocks, GPU)["ms"] == [250.0, 250.0], "and what was begun before is not"
    assert timed.once(point, clocks, HOST)["ms"] == [0.0, 0.0]


def test_rows_say_which_clock(tmp_path, queue: list[float]) -> None:
    point = Point("context", "lm", "bf16", 1, Work(1.0, 1.0), lambda: queue.append(1.0), repeats=1)
    (row,) = timed.run([point], 1, tmp_path, 0, "base", on=GPU)
    assert row["clock"] == "wall"
    assert queue == [], "nothing is left on it"
    assert rounds.times({**row, "ms": [3.0], "cpu_ms": [1.0]}) == [3.0]
    assert rounds.times({**row, "clock": "cpu", "ms": [3.0], "cpu_ms": [1.0]}) == [1.0]
    assert scores.score([row])["disturbed"] == []


def test_numbers_of_a_device() -> None:
    assert HOST.numbers(()) == ("int8", "bf16", "fp32")
    assert GPU.numbers(()) == ("bf16",)
    assert GPU.numbers(("fp32",)) == ("fp32",)
    with pytest.raises(ConfigError, match="bf16, fp32 on cuda:0, got 'int8'"):
        GPU.numbers(("int8",))
    assert HOST.facts() == {"device": "cpu"}
    assert Device.of("cpu") == HOST
    with pytest.raises(ConfigError, match="a GPU was expected"):
        Device.of("cuda:99")


def test_the_report_names_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(name="NVIDIA X1", total_memory=16 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: found)
    facts = GPU.facts()
    assert (facts["name"], facts["memory_gib"]) == ("NVIDIA X1", 16.0)
    about = {"device": facts, "subject": {"name": "omni", "tier": "omni", "tokens": 13, "chunk_ms": 400}}
    row = {"id": "m#0", "system": "omni", "curve": "machine", "part": "read sum", "numbers": "", "x": 1, "round": 0,
           "ops": 0.0, "bytes": 4e9, "threads": 1, "clock": "wall", "ms": [1.0], "cpu_ms": [9.0]}  # fmt: skip
    figures = scores.score([row], about)
    assert figures["machine"]["read_gb_s"] == {"1": [4000.0, 4000.0, 4000.0]}
    (table,) = tables.cost(figures)
    assert table.title == "Limits of NVIDIA X1"
    assert table.columns == ["", "NVIDIA X1"]
    assert "wall time" in table.note
    assert "not run on a GPU" not in table.note


def test_limits_of_a_device_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same points as on a GPU, on the device that is here."""
    points = limits.gpu(torch.device("cpu"), 4, {"bf16": (8, 64), "fp32": (8, 64), "int8": (8, 64)})
    assert [p.name for p in points] == [
        "machine/read-sum/1",
        "machine/read-dot/1",
        "machine/product/bf16/1",
        "machine/product/fp32/1",
    ], "eight bits are a processor's"
    for point in points:
        assert min(timed.once(point, Clocks())["ms"]) > 0
    assert points[0].work == Work(0, 4e6)
    seen = {}
    monkeypatch.setattr(limits, "gpu", lambda on, megabytes, sizes: seen.update(on=on, mb=megabytes, sizes=sizes) or [])
    assert limits.points(on=GPU) == []
    assert seen == {"on": GPU.place, "mb": limits.GPU_READ_MB, "sizes": limits.GPU_SIZES}
    assert {p.part for p in limits.points(4, {"fp32": (8, 64)})} == {"read sum", "read dot", "product"}


def test_weights_that_a_device_draws_leave_the_embeddings_on_the_host() -> None:
    """`parts.random` takes the road of a GPU; the device is the one that is here."""
    pretended = SimpleNamespace(gpu=True, place=torch.device("cpu"))
    shape = replace(CONFIG, tied=True)
    there, here = (parts.random(shape, torch.float32, on=on) for on in (pretended, HOST))
    assert torch.equal(there.embed.weight, here.embed.weight)
    assert torch.equal(there.head.weight, here.head.weight)
    assert there.embed.weight.device.type == "cpu"
    feed = Variant("fp32", here).tokens(9)
    found = [history.again(Variant("fp32", x).lalm(32), [3, 4], feed[None]) for x in (there, here)]
    assert (found[0] == found[1]).all()


@pytest.mark.parametrize("chunk", [1, 4])
def test_points_run_over_the_caches_of_a_gpu(chunk: int) -> None:
    """Slabs, by index, as on a GPU; decisions are those of caches by themselves."""
    llama = tiny_llama()
    layout = Tokens(*range(10), audio=chunk - 3, emotions=(("normal", 10),)) if chunk > 1 else None
    decoder, answers = Variant("fp32", llama, chunk, layout), []
    for slabs in (None, Slabs()):
        llama.slabs = slabs
        found = [*curves.contexts(decoder, (8, 20)), *curves.sessions(decoder, (1, 3), 40)]
        found += [*history.points(decoder, None, (3, 12), 48), *age.deciding(decoder, (2, 9), 48)]
        for point in found:
            assert "error" not in timed.once(point, Clocks()), point.name
        feed = decoder.tokens(40 * chunk)
        session = history.Session(decoder.lalm(48), [3, 4], feed, (30,), chunk)
        answers.append([session.step(k) for k in range(31, 34)])
    assert len(answers[0]) == 3
    assert all(a == pytest.approx(b, abs=1e-4) for a, b in zip(*answers, strict=True))
