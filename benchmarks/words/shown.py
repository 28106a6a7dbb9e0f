"""Tables and pictures of `bench asr` and `bench translate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.charts import INK, OURS, RULES, SOFT, figure_of, png
from benchmarks.report import Picture
from benchmarks.systems import OURS as NANO
from benchmarks.tables import Table, num
from benchmarks.words.plan import LONG, WHOLE, WORDS

Figures = dict[str, Any]


Values = Sequence[float | None] | None


def several(values: Values, digits: int = 2, scale: float = 1.0) -> str:
    """A figure times `scale` with its interval; without one where there is none; "-" where there is no figure."""
    if not values or values[0] is None:
        return "-"
    shown = [f"{scale * v:.{digits}f}" for v in values if v is not None]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]" if len(shown) == 3 else shown[0]


def percent(values: Values) -> str:
    """ "5.9 [4.1, 8.0]" of shares."""
    return several(values, 1, 100)


def asr(figures: Figures, worst: Sequence[dict[str, Any]] = ()) -> list[Table]:
    """Errors; delays and stability; the recordings with most errors."""
    errors, times = [], []
    for group, systems in figures.items():
        for system, f in systems.items():
            errors.append(
                [
                    *(group, system, str(f["clips"]), str(f["words"]), percent(f["wer"]), percent(f["cer"])),
                    *(several(f.get("against_whole")), str(f["failed"])),
                ]
            )
            if "laal" not in f:
                continue
            delay = f["word_delay_ms"]
            times.append(
                [
                    *(group, system, several(f.get("al")), several(f["laal"]), several(f["laal_compute"])),
                    *(several(f["shown"]), f"{num(delay['median'], 0)} / {num(delay['p90'], 0)}", num(f["upwr"], 2)),
                    *(num(f["upsr"], 2), str(f["broken"]), str(f["no_words"]), num(f["rtf"], 2)),
                ]
            )
    heads = ["speech", "system", "recordings", "words", "WER %", "CER %", "errors / whole clip", "failed"]
    note = (
        "After Whisper's normaliser. A recording that failed has all its words wrong. Errors / whole clip: against the "
        f'same recogniser given each recording at once ("{WHOLE}"), in pairs. "{WORDS}": our words channel alone; '
        f'"{NANO}": the whole stream. 95 % bootstrap over recordings (long-form: over streams).'
    )
    tables = [Table("Words", heads, errors, note)]
    columns = ["speech", "system", "AL s", "LAAL s", "LAAL s,\nwith compute", "LAAL s,\nfirst shown", "word delay ms"]
    columns += ["UPWR", "UPSR", "broken", "no words", "RTF"]
    lagging = (
        f"Until a word was told, that is named stable or final; {LONG}: StreamLAAL. First shown: until it stood as it "
        "stayed, which only hindsight knows. Word delay, median / p90: from its end by the system's own reckoning. "
        "UPWR: words taken back / final words; broken: of words that had been named stable. Without a word: first word "
        "at the end of the stream. With compute: step times of that run, queueing, pushed at full speed."
    )
    tables.append(Table("Delay and stability", columns, times, lagging))
    if worst:
        rows = [[w["system"], f"{w['errors']} of {w['words']}", w["wanted"], w["said"]] for w in worst]
        tables.append(Table("Most errors", ["system", "wrong", "wanted", "said"], rows))
    return tables


def translate(figures: Figures, signatures: dict[str, str]) -> list[Table]:
    """Quality beside chance, and delays."""
    quality, times = [], []
    for group, systems in figures.items():
        for system, f in systems.items():
            quality.append(
                [
                    *(group, system, str(f["items"]), f"{100 * f['answered']:.0f}", several(f["bleu"], 1)),
                    *(num(f["bleu_chance"], 1), several(f["chrf"], 1), num(f["chrf_chance"], 1)),
                    *(num(f["chrf_copied"], 1), _of(f["false"], f["silent_items"]), str(f["failed"])),
                ]
            )
            if f["laal"]:
                times.append(
                    [
                        *(group, system, several(f["al"]), several(f["laal"]), several(f["laal_compute"])),
                        *(str(f["no_words"]), num(f["rtf"], 2)),
                    ]
                )
    heads = ["speech", "system", "to translate", "answered %", "BLEU", "BLEU\nby chance", "chrF", "chrF\nby chance"]
    heads += ["chrF of\nthe source", "answered, not asked", "failed"]
    note = "By chance: what the system said against the references of other items, mean of shuffles. " + "; ".join(
        f"{name}: {text}" for name, text in signatures.items()
    )
    columns = ["speech", "system", "AL s", "LAAL s", "LAAL s,\nwith compute", "no words", "RTF"]
    more = "Where nothing was said, the first word counts as come at the end of the stream."
    return [Table("Translation", heads, quality, note), Table("Delay", columns, times, more)]


def _of(count: int, among: int) -> str:
    return f"{count} of {among}" if among else "-"


def pictures(figures: Figures) -> list[Picture]:
    """Word errors against lagging, a point a system, on single recordings; none where no system streams."""
    systems = {s: f for s, f in figures.get("all", {}).items() if "laal" in f and f["wer"][0] is not None}
    if not systems:
        return []
    figure, (axis,) = figure_of(7.2, 3.6)
    places: dict[tuple[float, float], list[str]] = {}
    for system, f in systems.items():
        colour = OURS if system in (NANO, WORDS) else RULES
        wer, low, high = (100 * float(f["wer"][0] if v is None else v) for v in f["wer"])
        places.setdefault((round(f["laal"][0], 2), round(wer, 1)), []).append(system)
        for clock, filled in (("laal", colour), ("laal_compute", "white")):
            axis.errorbar(
                f[clock][0],
                wer,
                yerr=[[max(0.0, wer - low)], [max(0.0, high - wer)]],
                marker="o",
                color=colour,
                markerfacecolor=filled,
                linewidth=1.0,
            )
    for k, (place, names) in enumerate(sorted(places.items())):
        at = (6, 6 + 11 * (k % 2))
        axis.annotate(", ".join(names), place, xytext=at, textcoords="offset points", fontsize=8, color=INK)
    whole = figures["all"].get(WHOLE)
    if whole and whole["wer"][0] is not None:
        level, across = 100 * whole["wer"][0], axis.get_yaxis_transform()
        axis.axhline(level, color=SOFT, linewidth=0.9, linestyle=":")
        axis.text(0.01, level, " whole clip", fontsize=7, color=SOFT, transform=across, va="bottom")
    axis.set_xlabel("LAAL, s", fontsize=9, color=SOFT)
    axis.set_ylabel("WER, %", fontsize=9, color=SOFT)
    axis.set_ylim(bottom=0)
    axis.set_xlim(left=0)
    caption = "Word errors against lagging; filled: by audio heard, open: with compute; bars: 95 % of WER"
    return [Picture("wer_lag", caption, png(figure))]
