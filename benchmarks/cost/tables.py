"""Figures of cost, latency and capacity -> tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.cost.limits import NUMBERS
from benchmarks.tables import Table, num

Figures = dict[str, Any]


def spread(values: Sequence[float] | None, digits: int = 1, scale: float = 1.0) -> str:
    """ "14.2 (13.9 to 15.0)": median and quartiles."""
    if not values:
        return "-"
    mid, low, high = (num(scale * v, digits) for v in values)
    return f"{mid} ({low} to {high})"


def cost(f: Figures) -> list[Table]:
    """All tables of `bench cost`."""
    made = [_machine(f)]
    for curve, what in (("context", "tokens in the cache"), ("sessions", "sessions a pass")):
        if f[curve]:
            made.append(_curve(f, curve, what))
    if f["capacity"]:
        made.append(_capacity(f["capacity"]))
    if f["chunk"]:
        made.append(_chunk(f["chunk"]))
    if f["naive"]:
        made.append(_naive(f))
    if f["failed"]:
        rows = [[e["id"], e["error"][:120]] for e in f["failed"]]
        made.append(Table("Not measured", ["point", "error"], rows))
    return made


def _machine(f: Figures) -> Table:
    m = f["machine"]
    names = list(m["read_gb_s"])
    rows = [["read from memory, GB/s", *(spread(m["read_gb_s"][n]) for n in names)]]
    rows += [
        [f"products in {kind}, GOP/s", *(spread(rates.get(n), 0) for n in names)] for kind, rates in m["gop_s"].items()
    ]
    note = (
        f"Best of each round; median and quartiles over {f['rounds']} rounds, in the same run as all that follows. "
        f"Steps below are in processor time of one thread; wall over that here: {spread(f['disturbed'], 2)}, 1 where "
        "nobody else wants the core."
    )
    return Table("Limits of this machine", ["", *(f"{n} thread" + "s" * (n != "1") for n in names)], rows, note)


def _curve(f: Figures, curve: str, what: str) -> Table:
    rows = []
    for numbers in NUMBERS:
        for p in sorted((p for p in f[curve] if p["part"] == "lm" and p["numbers"] == numbers), key=lambda p: p["x"]):
            limit = f"{num(p['limit_ms'][0], 1)} ({p['bound']})" if "limit_ms" in p else "-"
            row = [numbers, str(p["x"]), spread(p["ms"]), limit, spread(p.get("share"), 0, 100)]
            if curve == "sessions":
                gain = next((b["gain"] for b in f["batching"] if (b["numbers"], b["x"]) == (numbers, p["x"])), None)
                row += [num(p["ms"][0] / p["x"], 1), spread(gain)]
            rows.append(row)
    columns = ["numbers", what, "ms", "limit ms (of)", "share of the limit %"]
    columns += ["ms a session", "x passes of one / one of x"] if curve == "sessions" else []
    note = {
        "context": "One decision on one new token of one session, one thread.",
        "sessions": "One new token of each session behind 256 in its cache, one thread. Decoder alone.",
    }[curve]
    return Table(f"Decision against {what}", columns, rows, f"{note} Limit: roofline (Williams et al. 2009).")


def _capacity(found: Sequence[Figures]) -> Table:
    counts = [s["x"] for s in found[0]["steps"]]
    rows = [
        [c["numbers"], *(num(s["ms"], 0) for s in c["steps"]), num(c["sessions"], 0) if c["sessions"] is not None
         else f"over {counts[-1]}"] for c in found
    ]  # fmt: skip
    note = (
        "Voice activity, sound encoder and decision of x silent rooms, ms a step, one thread; the last column is where "
        "that is one chunk. No words, no replies, no server: `bench serve capacity` says what a server holds."
    )
    return Table("A batched step", ["numbers", *(f"x = {x}" for x in counts), "fit into 400 ms"], rows, note)


def _chunk(points: Sequence[Figures]) -> Table:
    by = {(p["part"], p["numbers"], p["x"]): p for p in points}
    lengths = sorted({p["x"] for p in points})
    rows = []
    for part, numbers in dict.fromkeys((p["part"], p["numbers"]) for p in points):
        found = [by.get((part, numbers, x)) for x in lengths]
        rows.append([f"{part}, {numbers}", *(f"{num(p['ms'][0], 1)}" if p else "-" for p in found)])
    for numbers in NUMBERS:
        parts = [("lm", numbers), ("sound", "int8" if numbers == "int8" else "fp32")]
        parts += [("voice activity", "as shipped"), ("speech", "as shipped")]
        if all((*p, x) in by for p in parts for x in lengths):
            sums = [sum(by[*p, x]["ms"][0] for p in parts) for x in lengths]
            cells = [num(s / x * 1000, 1) for s, x in zip(sums, lengths, strict=True)]
            rows.append([f"all, {numbers}, a second of audio", *cells])
            if all("limit_ms" in by[*p, x] for p in parts for x in lengths):
                sums = [sum(by[*p, x]["limit_ms"][0] for p in parts) for x in lengths]
                cells = [num(s / x * 1000, 1) for s, x in zip(sums, lengths, strict=True)]
                rows.append([f"limit of all, {numbers}", *cells])
    note = (
        "ms a chunk (last rows: a second of audio), one stream in which somebody speaks, words left out. The parts run "
        "at any length; the adapter was trained for 400 ms, so nothing is said of decisions at the others. "
        "Limit: the sum of the parts' rooflines; of speech and voice activity only what they read is known."
    )
    return Table("Cost against the length of a chunk", ["part", *(f"{x} ms" for x in lengths)], rows, note)


def _naive(f: Figures) -> Table:
    growth = {g["numbers"]: g for g in f["growth"]}
    rows = []
    for p in sorted(f["naive"], key=lambda p: (NUMBERS.index(p["numbers"]), p["x"])):
        cells = [spread(p["ours"]), spread(p["naive"], 0), spread(p["ratio"]), spread(p["decoder_ratio"])]
        rows.append([p["numbers"], num(p["seconds"], 0), *cells])
    slopes = "; ".join(f"{n}: ours n^{g['ours']:.2f}, naive n^{g['naive']:.2f}" for n, g in growth.items())
    what = "Decoder and sound encoder" if any(p["part"] == "ours sound" for p in f["history"]) else "Decoder alone"
    note = f"{what} of one decision. Growth with what was heard: {slopes}."
    columns = ["numbers", "heard s", "ours ms", "naive ms", "naive / ours", "of the decoders alone"]
    return Table("Against encoding the whole history again", columns, rows, note)


def latency(figures: Figures) -> list[Table]:
    """Step times and memory; spoken replies where there were some."""
    rows = []
    for group, f in figures.items():
        if group == "spoken":
            continue
        if "error" in f:
            rows.append([group, f["error"][:60], *["-"] * 9])
            continue
        step = [num(f["step_ms"][k], 0) for k in ("p50", "p95", "p99", "max")]
        misses = f"{f['deadline_misses']} of {f['chunks']}" if "chunks" in f else "-"
        joules = num(f["joules_a_second"], 1) if "joules_a_second" in f else "not told"
        drift = f.get("drift") or {}
        words = ", ".join(f"{k} {v:+.1%}" for k, v in drift.get("change", {}).items())
        words += f", RSS {drift['rss_mb_an_hour']:+.1f} MiB/h" if drift else ""
        memory = num(f["peak_rss_mb"], 0)
        rows.append([group, num(f["audio_s"], 0), *step, misses, num(f.get("rtf")), memory, joules, words or "-"])
    columns = ["run", "audio s", "step p50 ms", "p95", "p99", "max", "deadlines missed", "RTF", "peak RSS MiB"]
    columns += ["J a second of audio", "drift"]
    untold = sorted({f["energy"] for f in figures.values() if "energy" in f})
    note = "One stream, one process. Drift: last 10 minutes against minutes 10 to 20. Energy: "
    note += "; ".join(untold) if untold else "RAPL of the whole package, with all that runs beside."
    made = [Table("Latency", columns, rows, note)]
    return [*made, *([_replies(figures["spoken"])] if "spoken" in figures else [])]


def _replies(f: Figures) -> Table:
    names = {
        "decision_ms": "end of the chunk to the decision",
        "token_ms": "decision to the first token",
        "audio_ms": "decision to the first audio",
        "heard_ms": "end of the chunk to the first audio",
    }
    rows = [[words, *(num(f[k][p], 0) if f[k] else "-" for p in ("p50", "p95", "max"))] for k, words in names.items()]
    note = (
        f"{f['heard']} of {f['items']} alarming sounds were answered aloud ({f['failed']} failed); replies are made "
        "whole before they are spoken, as `soundflow listen` does."
    )
    return Table("A spoken reply", ["ms", "p50", "p95", "max"], rows, note)


def capacity(figures: Figures) -> list[Table]:
    """Levels of a server."""
    rows = [
        [str(x["streams"]), num(x["p50_ms"], 0), num(x["p99_ms"], 0), num(x["decided"]), num(x["cores"], 2),
         num(x["rss_mb"], 0), f"{x['share']:.0%}", "yes" if x["holds"] else "no"] for x in figures["levels"]
    ]  # fmt: skip
    columns = ["live streams", "p50 ms", "p99 ms", "decided", "cores", "RSS MB", "of read bandwidth", "holds"]
    note = "End of a chunk leaving the client to its decision; clients on the same cores. Holds: p99 under a chunk."
    return [Table("Capacity of one server", columns, rows, note)]
