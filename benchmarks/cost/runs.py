"""Runs of latency, cost and capacity, from plan to report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks import charts, instances, report
from benchmarks.corpus import read_index
from benchmarks.cost import age, curves, ears, history, latency, limits, pictures, scores, subject, tables, timed
from benchmarks.cost.curves import LARGE, Size
from benchmarks.cost.device import HOST, Device
from benchmarks.cost.shapes import Shape
from benchmarks.cost.subject import Subject
from benchmarks.report import Picture
from benchmarks.runs import Options, Result, finish, heard, identity, saved_config, setup_of
from benchmarks.systems import CHUNK_MS, OURS
from soundflow.errors import ConfigError
from soundflow.tiers import nano

CURVES: Final = ("context", "sessions", "chunk", "history", "age")


def run_latency(o: Options, minutes: float = 1.0, hours: float = 0.0, replies: int = 8) -> Result:
    """Latency; one worker, one item at a time. `replies`: spoken ones, of at most 14 s each."""
    if o.score_only:
        rows = instances.read(o.out)
    else:
        setup = setup_of(replace(o, systems=(OURS,)))
        items = latency.plan(read_index(setup.audio), minutes, hours, o.seed, replies)
        one = replace(o, workers=min(o.workers, 1))
        rows = heard("latency", one, items, setup, latency.hear, minutes=minutes, hours=hours, replies=replies)
    figures = latency.score(rows)
    steps = [r["step_ms"] for r in rows if r["item"]["group"] == "realtime" and not r.get("error")]
    shown = [Picture("step_times", "Step times at real-time pace", charts.step_times(s, CHUNK_MS)) for s in steps[:1]]
    return finish("latency", o, rows, figures, shown, tables.latency(figures))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `bench cost` times.

    numbers: of int8, bf16, fp32; none: all that the device has. curves: of CURVES; none: all that the model has. model:
    a folder in place of the shipped nano. shape: random weights of this size, and no encoders. words: of a chunk, as of
    `subject.of`. device: cpu, cuda, cuda:N. held: tokens of a session's cache, the model's own where None.
    history_numbers: those that are compared with the naive way. read_mb, products: see `limits.points`.
    """

    size: Size = LARGE
    rounds: int = 5
    numbers: tuple[str, ...] = ()
    history_numbers: tuple[str, ...] = ("int8", "bf16")
    curves: tuple[str, ...] = ()
    model: Path | None = None
    shape: Shape | None = None
    words: int | None = None
    device: str = "cpu"
    held: int | None = None
    read_mb: int | None = None
    products: dict[str, tuple[int, int]] | None = None


def run_cost(o: Options, wanted: Wanted | None = None) -> Result:
    """Cost curves against the limits of this machine or of its GPU. No audio is needed; one process, one thread a step.

    Raises:
        ConfigError: an unknown curve or kind of numbers, a device that is not there, or no folder of a model.
        WeightsError: the shipped weights were not pulled, or a part of the folder is missing.
    """
    wanted = wanted or Wanted()
    if o.score_only:
        rows = instances.read(o.out)
    else:
        on = Device.of(wanted.device)
        numbers = on.numbers(wanted.numbers)
        _known(wanted.curves, CURVES)
        model = subject.of(o.adapter, wanted.model, wanted.shape, wanted.words)
        model = replace(model, held=wanted.held or model.held)
        has = [c for c in CURVES if c != "chunk" or model.tier == "nano"]
        _known(wanted.curves, has)
        wanted = replace(wanted, numbers=numbers, curves=wanted.curves or tuple(has))
        config = {"bench": "cost", "seed": o.seed, "machine": report.machine(), **asdict(wanted)}
        del config["rounds"]  # more of them may follow
        config |= {"subject": model.facts(), "device": on.facts(), "weights": model.weights}
        instances.check_config(o.out, config)
        rows = timed.run(points(model, wanted, on), wanted.rounds, o.out, o.seed, model.name, on=on)
    figures = scores.score(rows, saved_config(o.out))
    return finish("cost", o, rows, figures, pictures.of(figures), tables.cost(figures))


def _known(wanted: Sequence[str], has: Sequence[str]) -> None:
    for curve in wanted:
        if curve not in has:
            raise ConfigError(f"--curves: expected some of {', '.join(has)} of this model, got {curve!r}")


def points(model: Subject, wanted: Wanted, on: Device = HOST) -> list[timed.Point]:
    """All points, the limits of the machine first. Models stay loaded as long as they do."""
    found = limits.points(wanted.read_mb, wanted.products, on)
    made = model.decoders(wanted.numbers, on)
    size, eight_bit = wanted.size, any(d.numbers == "int8" for d in made)
    heard = None
    if {"sessions", "history", "age"}.intersection(wanted.curves):
        heard = ears.of(model, on, eight_bit, size.histories)
    for decoder in made:
        if "context" in wanted.curves:
            found += curves.contexts(decoder, size.contexts)
        if "sessions" in wanted.curves:
            found += curves.sessions(decoder, size.sessions, model.held)
        naive = len(made) == 1 or decoder.numbers in wanted.history_numbers
        if "sessions" in wanted.curves and naive:
            found += history.sessions(decoder, size.sessions, size.again, model.held)
        if "history" in wanted.curves and naive:
            found += history.points(decoder, heard, size.histories, model.held)
        if "age" in wanted.curves:
            found += age.deciding(decoder, size.ages, model.held)
    if heard is not None and made and "age" in wanted.curves:
        found += age.hearing(heard, made[0].lalm(model.held), size.ages)
    if model.tier == "nano":
        assert model.kit is not None
        parts = nano.parts(model.kit.branch)
        if "chunk" in wanted.curves:
            found += curves.chunks(made, parts, size.chunks, on)
        if "sessions" in wanted.curves:
            found += curves.rooms(parts, size.sessions, eight_bit, on)
    elif heard is not None and "sessions" in wanted.curves:
        found += ears.sessions(heard, size.sessions)
    return _once(found)


def _once(found: Sequence[timed.Point]) -> list[timed.Point]:
    """Without points that two kinds of numbers share (the sound encoder in float32 beside bf16 and fp32)."""
    return list({p.name: p for p in found}.values())


def run_capacity_small(o: Options, streams: Sequence[int] = (1, 8), seconds: float = 8.0) -> Result:
    """Live streams of one server over its own wire, a few levels of `bench serve capacity`, batched. It measures what
    ships, and takes about 15 s and 14 s a level with the default seconds; a level that was measured stays.
    """
    from benchmarks.serve import capacity
    from benchmarks.serve import charts as drawn

    case = "batched"
    if o.adapter is not None:
        raise ConfigError(f"capacity: the server takes the adapter that ships; got --adapter {o.adapter}")
    if not o.score_only:
        config = {"bench": "capacity", "machine": report.machine(), "streams": list(streams), "seconds": seconds}
        instances.check_config(o.out, config | {"adapter": identity(None)})
        if not instances.read(o.out):
            levels = capacity.climb(case, list(streams), seconds)
            read = capacity.read_bandwidth_gb_s()
            with instances.open_for_append(o.out) as file:
                for x in levels:
                    body = {"id": f"capacity/{case}/{x.streams}", "system": OURS, **asdict(x), "holds": x.holds}
                    share = x.passes_per_s * capacity.weight_bytes(case) / 1e9 / read
                    instances.write(body | {"read_gb_s": round(read, 2), "share": round(share, 4)}, file)
    rows = instances.read(o.out)
    names = capacity.Level.__dataclass_fields__
    levels = [capacity.Level(**{k: r[k] for k in names}) for r in rows]
    figures = {"most": capacity.most(levels), "levels": [{k: v for k, v in r.items() if k != "system"} for r in rows]}
    shown = []
    if levels:
        drawn.capacity({case: levels}, o.out / "capacity.png")
        words = "End of a chunk to its decision over the wire, against live streams"
        shown = [Picture("capacity", words, (o.out / "capacity.png").read_bytes())]
    return finish("capacity", o, rows, figures, shown, tables.capacity(figures))
