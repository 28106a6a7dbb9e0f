"""Figures of cost, latency and capacity -> tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.cost.curves import AGAIN
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
    if f["again"]:
        made.append(_again(f))
    if f["capacity"]:
        made.append(_capacity(f["capacity"], chunk_ms(f), subject(f)["tier"] == "nano"))
    if f["chunk"]:
        made.append(_chunk(f["chunk"]))
    if f["naive"]:
        made.append(_naive(f))
    if f["ages"]:
        made.append(_age(f))
    if f["failed"]:
        rows = [[e["id"], e["error"][:120]] for e in f["failed"]]
        made.append(Table("Not measured", ["point", "error"], rows))
    return made


def subject(f: Figures) -> Figures:
    """What was measured; nano as it ships, of runs that do not tell."""
    told: Figures = f["about"]["subject"]
    return {"name": "nano", "tier": "nano", "tokens": 1, "held": 256, "words": 0, "chunk_ms": 400} | told


def chunk_ms(f: Figures) -> int:
    return int(subject(f)["chunk_ms"])


def again_s(f: Figures) -> float:
    """Seconds that each session has heard, where they are encoded again."""
    return int(f["about"]["size"].get("again", AGAIN)) * chunk_ms(f) / 1000


def device(f: Figures) -> str:
    """The GPU's name; "" of a processor."""
    told = f["about"]["device"]
    return str(told.get("name", told["device"])) if told.get("device", "cpu") != "cpu" else ""


def _machine(f: Figures) -> Table:
    m, gpu, s = f["machine"], device(f), subject(f)
    names = list(m["read_gb_s"])
    rows = [["read from memory, GB/s", *(spread(m["read_gb_s"][n]) for n in names)]]
    rows += [
        [f"products in {kind}, GOP/s", *(spread(rates.get(n), 0) for n in names)] for kind, rates in m["gop_s"].items()
    ]
    note = f"Best of each round; median and quartiles over {f['rounds']} rounds, in the same run as all that follows. "
    if gpu:
        note += "Of the GPU itself. Steps below are wall time; the GPU is waited for before a clock is read. "
    else:
        note += (
            f"Steps below are in processor time of one thread; wall over that here: {spread(f['disturbed'], 2)}, 1 "
            "where nobody else wants the core. "
        )
    note += f"Measured: {s['name']}, {s['tokens']} token{'s' * (s['tokens'] != 1)} a chunk of {s['chunk_ms']} ms"
    note += f", in which {s['words']} word{'s' * (s['words'] != 1)} may be said" if s["words"] else ""
    note += ", random weights" if s.get("weights") == "random" else ""
    note += "." if gpu or s["tier"] == "nano" else "; not run on a GPU."
    columns = [gpu or "one GPU"] if gpu else [f"{n} thread" + "s" * (n != "1") for n in names]
    return Table(f"Limits of {gpu or 'this machine'}", ["", *columns], rows, note)


def _curve(f: Figures, curve: str, what: str) -> Table:
    s, rows = subject(f), []
    apart = {(p["numbers"], p["x"]): p for p in f[curve] if p["part"] == "lm one by one"}
    for numbers in NUMBERS:
        for p in sorted((p for p in f[curve] if p["part"] == "lm" and p["numbers"] == numbers), key=lambda p: p["x"]):
            limit = f"{num(p['limit_ms'][0], 1)} ({p['bound']})" if "limit_ms" in p else "-"
            row = [numbers, str(p["x"]), spread(p["ms"]), limit, spread(p.get("share"), 0, 100)]
            if curve == "sessions":
                gain = next((b["gain"] for b in f["batching"] if (b["numbers"], b["x"]) == (numbers, p["x"])), None)
                alone = apart.get((numbers, p["x"]))
                row += [num(p["ms"][0] / p["x"], 1), spread(alone["ms"]) if alone else "-", spread(gain)]
            rows.append(row)
    columns = ["numbers", what, "ms", "limit ms (of)", "share of the limit %"]
    columns += ["ms a session", "ms one by one", "one by one / in one pass"] if curve == "sessions" else []
    tokens = "one new token" if s["tokens"] == 1 else f"the {s['tokens']} tokens of a new chunk"
    thread = "" if device(f) else ", one thread"
    note = {
        "context": f"One decision on {tokens} of one session{thread}.",
        "sessions": f"{tokens.capitalize()} of each session behind {s['held']} in its cache{thread}. Decoder alone.",
    }[curve]
    return Table(f"Decision against {what}", columns, rows, f"{note} Limit: roofline (Williams et al. 2009).")


def _again(f: Figures) -> Table:
    rows = []
    for p in sorted(f["again"], key=lambda p: (NUMBERS.index(p["numbers"]), p["x"])):
        limit = num(p["limit_ms"][0], 1) if "limit_ms" in p else "-"
        cells = [spread(p["ours"]), spread(p["naive"], 0), limit, num(p["naive"][0] / p["x"], 0), spread(p["ratio"])]
        rows.append([p["numbers"], str(p["x"]), *cells])
    note = (
        f"One decision for each session: ours in one pass behind {subject(f)['held']} tokens in each cache, and the "
        f"last {again_s(f):g} s of each encoded again, as many sessions in a pass as go well together. Decoder alone: "
        "the naive way would encode all the audio again, too."
    )
    columns = ["numbers", "sessions", "ours ms", "again ms", "limit of again ms", "again ms a session", "again / ours"]
    return Table("Against encoding the history of each session again", columns, rows, note)


def _capacity(found: Sequence[Figures], chunk: int, nano: bool) -> Table:
    counts = [s["x"] for s in found[0]["steps"]]
    rows = [
        [c["numbers"], *(num(s["ms"], 0) for s in c["steps"]), num(c["sessions"], 0) if c["sessions"] is not None
         else f"over {counts[-1]}"] for c in found
    ]  # fmt: skip
    note = (
        f"{'Voice activity, sound encoder' if nano else 'Encoders'} and decision of x silent rooms, ms a step; the "
        "last column is where that is one chunk. No words, no replies, no server: `bench serve capacity` says what a "
        "server holds."
    )
    return Table("A batched step", ["numbers", *(f"x = {x}" for x in counts), f"fit into {chunk} ms"], rows, note)


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
    heard = sorted({p["part"].removeprefix("ours ") for p in f["history"] if p["part"].startswith("ours ")} - {"lm"})
    what = f"Decoder and {' and '.join(heard)} encoder" if heard else "Decoder alone"
    note = f"{what} of one decision. Growth with what was heard: {slopes}."
    columns = ["numbers", "heard s", "ours ms", "naive ms", "naive / ours", "of the decoders alone"]
    return Table("Against encoding the whole history again", columns, rows, note)


def _age(f: Figures) -> Table:
    ages = sorted({p["x"] for p in f["age"]})
    by = {(p["part"], p["numbers"], p["x"]): p for p in f["age"]}
    hears, rows = any(p["part"] == "hearing" for p in f["age"]), []
    if hears:
        whole = {(p["numbers"], p["x"]): p for p in f["ages"]}
        for numbers in dict.fromkeys(n for n, _ in whole):
            cells = [whole.get((numbers, x)) for x in ages]
            grown = spread(cells[-1]["to_first"], 2) if cells[-1] else "-"
            rows.append([f"whole step, {numbers}", *(spread(p and p["ms"]) for p in cells), grown])
    for part, numbers in dict.fromkeys((p["part"], p["numbers"]) for p in f["age"]):
        cells = [by.get((part, numbers, x)) for x in ages]
        grown = spread(cells[-1].get("to_first"), 2) if cells[-1] else "-"
        rows.append([f"{part}, {numbers}", *(spread(p and p["ms"]) for p in cells), grown])
    note = f"ms a step with full caches, of a chunk of {chunk_ms(f)} ms; a decision is the mean over the steps between "
    note += "two evictions. Ages take turns: quartiles over all turns, quotients within them. "
    if hears:
        note += "The whole step is hearing and deciding, hearing holds each encoder. Nobody speaks, words are left out"
        note += "; nano encodes speech only while somebody speaks." if subject(f)["tier"] == "nano" else "."
    columns = ["part", *(f"{x} chunks" for x in ages), f"{ages[-1]} / {ages[0]}"]
    return Table("Cost against the age of a session", columns, rows, note.strip())


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
