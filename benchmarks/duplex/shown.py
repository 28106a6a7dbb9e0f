"""Figures of the duplex benchmark -> tables."""

from __future__ import annotations

from typing import Any

from benchmarks.duplex.behaviour import WANTED, Behaviour
from benchmarks.tables import Table, interval, num

Figures = dict[str, Any]
_ARROWS = {"pause": "low", "listening": "low", "turn": "high", "interruption": "high"}


def tables(figures: Figures) -> list[Table]:
    """What was right, v1, v1.5."""
    return [_right(figures), _first(figures), _overlaps(figures)]


def _scenarios(figures: Figures) -> list[str]:
    return [name for name in figures if name != "all"]


def _lines(figures: Figures) -> list[tuple[str, str, Figures]]:
    """(scenario, system, figures) of each."""
    return [(name, system, f) for name in _scenarios(figures) for system, f in figures[name].items()]


def _right(figures: Figures) -> Table:
    names = _scenarios(figures)
    rows = []
    for system, body in figures["all"].items():
        cells = [num(figures[n][system]["right"][0], 2) if system in figures[n] else "-" for n in names]
        failed = sum(figures[n][system]["failed"] for n in names if system in figures[n])
        rows.append([system, interval(body["right"]), interval(body.get("minus_peer")), *cells, str(failed)])
    counts = {n: max(f["samples"] for f in figures[n].values()) for n in names}
    heads = [f"{n} (n={counts[n]})" for n in names]
    note = (
        "Right: no takeover in a pause and while listening; the turn taken behind a question and not before; an "
        "interruption answered; the reply gone on with over a backchannel, talk to others and television. Mean over "
        "the scenarios, 95 % bootstrap over samples; the difference to vad-700 is drawn in pairs."
    )
    return Table("Right behaviour", ["system", "all", "minus vad-700", *heads, "failed"], rows, note)


def _first(figures: Figures) -> Table:
    rows = []
    for name, system, f in _lines(figures):
        if f["group"] in _ARROWS:
            waits = [f.get(k) or {} for k in ("latency_s", "latency_compute_s")]
            content = [f.get(k) or {} for k in ("on_topic", "correct")]
            said = [f"{num((c.get('share') or [None])[0], 2)} of {c['of']}" if c.get("of") else "-" for c in content]
            rows.append(
                [
                    *(f"{name} ({_ARROWS[f['group']]})", system, str(f["samples"]), interval(f["takeover"], 2)),
                    num((f.get("any_voice") or [None])[0], 2),
                    *(_mean(w) for w in waits),
                    *(num(f[k][0], 3) if f.get(k) else "-" for k in ("frequency", "divergence")),
                    *said,
                ]
            )
    heads = ["scenario (wanted TOR)", "system", "n", "TOR", "any voice", "latency s", "with compute"]
    heads += ["backchannels/s", "JSD", "on topic", "correct"]
    note = (
        "Full-Duplex-Bench v1 (Lin et al. 2025): TOR = share of samples with speech of at least 1 s or of more than "
        "three words; latency = first word - end of the user's turn, not below 0, mean (median) over turns taken; JSD "
        "is 1 without a backchannel. In pauses latency is from the turn's end. Any voice: short "
        "answers, too, which are no turn by that rule. On topic and correct are rules of ours."
    )
    return Table("Full-Duplex-Bench v1", heads, rows, note)


def _overlaps(figures: Figures) -> Table:
    rows = []
    for name, system, f in _lines(figures):
        if f["group"] in WANTED:
            kinds = [num(f["behaviours"][str(b)], 2) for b in Behaviour]
            cells = [_mean(f.get(k) or {}) for k in ("stop_s", "stop_compute_s", "overlaps_s", "responses_s")]
            stopped = num((f.get("stopped") or [None])[0], 2)
            rows.append([f"{name} ({WANTED[f['group']]})", system, str(f["samples"]), *kinds, stopped, *cells])
    heads = ["speech over a reply (wanted)", "system", "n", *(str(b) for b in Behaviour), "reply cut"]
    heads += ["stop s", "with compute", "v1.5 stop s", "v1.5 response s"]
    note = (
        "Full-Duplex-Bench v1.5 (Lin et al. 2025), categories by rule instead of GPT-4o. Stop: from the onset of the "
        "speech to silence of a reply that was cut, mean (median). v1.5 stop: length of the overlaps, cut or not; v1.5 "
        "response: from the end of a stretch of the user to the next start of the system."
    )
    return Table("Full-Duplex-Bench v1.5: speech over a reply", heads, rows, note)


def _mean(f: Figures) -> str:
    """ "1.23 (1.10)": mean and median."""
    return f"{num(f['mean'][0], 2)} ({num(f['median'], 2)})" if f.get("of") else "-"
