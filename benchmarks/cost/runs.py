"""Runs of latency, cost and capacity, from plan to report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from benchmarks import charts, instances, report
from benchmarks.corpus import read_index
from benchmarks.cost import curves, history, latency, limits, parts, pictures, scores, tables, timed
from benchmarks.cost.curves import HELD, LARGE, Size
from benchmarks.report import Picture
from benchmarks.runs import Options, Result, finish, heard, identity, setup_of
from benchmarks.systems import CHUNK_MS, OURS
from soundflow.decide.backbones.config import DecoderConfig
from soundflow.errors import ConfigError

CURVES: Final = ("context", "sessions", "chunk", "history")


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

    numbers: of int8, bf16, fp32. curves: of CURVES. shape: a random decoder of this shape in place of the shipped one,
    and no encoders. history_numbers: those that are compared with the naive way. read_mb, products:
    see `limits.points`.
    """

    size: Size = LARGE
    rounds: int = 5
    numbers: tuple[str, ...] = ("int8", "bf16", "fp32")
    history_numbers: tuple[str, ...] = ("int8", "bf16")
    curves: tuple[str, ...] = CURVES
    shape: DecoderConfig | None = None
    held: int = HELD
    read_mb: int = limits.READ_MB
    products: dict[str, tuple[int, int]] | None = None


def run_cost(o: Options, wanted: Wanted | None = None) -> Result:
    """Cost curves against the limits of this machine. No audio is needed; one process, one thread a step.

    ConfigError for an unknown curve or kind of numbers; WeightsError where the shipped weights were not pulled.
    """
    wanted = wanted or Wanted()
    for curve in wanted.curves:
        if curve not in CURVES:
            raise ConfigError(f"--curves: expected some of {', '.join(CURVES)}, got {curve!r}")
    if o.score_only:
        rows = instances.read(o.out)
    else:
        config = {"bench": "cost", "seed": o.seed, "machine": report.machine(), **asdict(wanted)}
        del config["rounds"]  # more of them may follow
        config["weights"] = "random" if wanted.shape else identity(o.adapter)
        instances.check_config(o.out, config)
        rows = timed.run(points(o, wanted), wanted.rounds, o.out, o.seed, OURS)
    figures = scores.score(rows)
    return finish("cost", o, rows, figures, pictures.of(figures), tables.cost(figures))


def points(o: Options, wanted: Wanted) -> list[timed.Point]:
    """All points, the limits of the machine first. Decoders stay loaded as long as they do."""
    found = limits.points(wanted.read_mb, wanted.products)
    made = parts.decoders(wanted.numbers, o.adapter, wanted.shape)
    pulled = None if wanted.shape else _parts(o)
    size = wanted.size
    for decoder in made:
        if "context" in wanted.curves:
            found += curves.contexts(decoder, size.contexts)
        if "sessions" in wanted.curves:
            found += curves.sessions(decoder, size.sessions, wanted.held)
        if "history" in wanted.curves and decoder.numbers in wanted.history_numbers:
            found += history.points(decoder, pulled, size.histories, wanted.held)
    if pulled is not None and "chunk" in wanted.curves:
        found += curves.chunks(made, pulled, size.chunks)
    if pulled is not None and "sessions" in wanted.curves:
        found += curves.rooms(pulled, size.sessions, any(d.numbers == "int8" for d in made))
    return _once(found)


def _parts(o: Options) -> Any:
    from soundflow.tiers import nano

    return nano.parts(curves.branch_file(o.adapter))


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
