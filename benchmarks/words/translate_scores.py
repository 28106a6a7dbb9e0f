"""Rows of `bench translate` -> BLEU and chrF beside chance, and lagging, by group and system."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.instances import Row
from benchmarks.words.asr_scores import lags, rounded, text_of
from benchmarks.words.errors import draws_of, mean
from soundflow import SAMPLE_RATE_HZ

SHUFFLES: Final = 20
DRAWS: Final = 300
TOKENS: Final = {"zh": "zh", "zh-CN": "zh", "ja": "char", "th": "char"}
"""sacrebleu's tokeniser of a target; 13a for all others (its own one for Japanese wants MeCab)."""

Texts = Sequence[str]


@lru_cache(maxsize=8)
def _metric(name: str, tokens: str = "") -> Any:
    import sacrebleu

    return sacrebleu.CHRF() if name == "chrF" else sacrebleu.BLEU(tokenize=tokens, effective_order=False)


def bleu(said: Texts, wanted: Texts, tokens: str = "13a") -> float:
    """Corpus BLEU, 0 to 100 (Papineni et al. 2002), as sacrebleu counts it (Post 2018)."""
    return float(_metric("BLEU", tokens).corpus_score(list(said), [list(wanted)]).score)


def chrf(said: Texts, wanted: Texts) -> float:
    """Corpus chrF2, 0 to 100: F-score of character n-grams 1 to 6, beta 2 (Popovic 2015), by sacrebleu."""
    return float(_metric("chrF").corpus_score(list(said), [list(wanted)]).score)


def tokens_of(row: Row) -> str:
    """sacrebleu's tokeniser for the target of a row."""
    return TOKENS.get(str(row["item"]["facts"]["target"]), "13a")


def signatures(rows: Sequence[Row]) -> dict[str, str]:
    """What sacrebleu prints to say how it counted, by metric and tokeniser."""
    found = {}
    for tokens in sorted({tokens_of(r) for r in rows if r["item"]["facts"]["text"]}):
        bleu(["a"], ["a"], tokens)
        found[f"BLEU ({tokens})"] = str(_metric("BLEU", tokens).get_signature())
    chrf(["a"], ["a"])
    return found | {"chrF": str(_metric("chrF").get_signature())}


def score(rows: Sequence[Row], seed: int = 0) -> dict[str, Any]:
    """Group (and "all", where there are several) -> system -> figures.

    Items with a reference are scored; one that failed or was not answered has said nothing. Intervals: 95 % bootstrap
    over items.

    - bleu: over items of several targets each by its own tokeniser, mean weighted by items. chrf: over all.
    - bleu_chance, chrf_chance: what was said against the references of other items (of the same target where there are
      any), mean of 20 shuffles without a fixed point. chrf_copied: the source words in place of a translation.
    - false: items to be left alone that were answered. al, laal (s): `benchmarks.words.lag`.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["item"]["group"], []).append(row)
    if len(groups) > 1:
        groups = {"all": list(rows)} | dict(sorted(groups.items()))
    return {
        name: {
            s: _system([r for r in mine if r["system"] == s], seed) for s in dict.fromkeys(r["system"] for r in mine)
        }
        for name, mine in groups.items()
    }


def _system(rows: Sequence[Row], seed: int) -> dict[str, Any]:
    rows = sorted(rows, key=lambda r: r["id"])
    mine = [r for r in rows if r["item"]["facts"]["text"]]
    idle = [r for r in rows if not r["item"]["facts"]["text"]]
    body: dict[str, Any] = {
        "items": len(mine),
        "silent_items": len(idle),
        "false": sum(bool(r.get("error")) or bool(text_of(r).strip()) for r in idle),
        "failed": sum(bool(r.get("error")) for r in rows),
        "answered": round(float(np.mean([bool(text_of(r).strip()) for r in mine])), 4) if mine else 0.0,
    }
    nothing = dict.fromkeys(("bleu", "bleu_chance", "chrf", "chrf_chance", "chrf_copied", "al", "laal", "laal_compute"))
    if not mine:
        return body | nothing | {"no_words": 0, "rtf": None}
    said, wanted = [text_of(r) for r in mine], [str(r["item"]["facts"]["text"]) for r in mine]
    kinds = [tokens_of(r) for r in mine]
    drawn = draws_of(len(mine), seed, DRAWS)

    def by_kind(texts: Texts, references: Texts) -> float:
        return sum(
            len(at) / len(kinds) * bleu([texts[k] for k in at], [references[k] for k in at], kind)
            for kind in sorted(set(kinds))
            for at in [[k for k, o in enumerate(kinds) if o == kind]]
        )

    counted = _counted(_metric("chrF"), said, wanted)
    characters = (counted[at].sum(axis=0) for at in drawn)
    quality: dict[str, Any] = {
        "bleu": _interval(by_kind(said, wanted), _bleu_draws(said, wanted, kinds, drawn), len(mine)),
        "chrf": _interval(chrf(said, wanted), [_score_of(_metric("chrF"), c) for c in characters], len(mine)),
    }
    others = [[wanted[k] for k in order] for order in shuffles(kinds, seed)]
    quality["bleu_chance"] = round(float(np.mean([by_kind(said, o) for o in others])), 2) if others else None
    quality["chrf_chance"] = round(float(np.mean([chrf(said, o) for o in others])), 2) if others else None
    copied = [str(r["item"]["facts"].get("source_text", "")) for r in mine]
    quality["chrf_copied"] = round(chrf(copied, wanted), 2)
    return body | quality | _timing(mine, drawn)


def _counted(metric: Any, said: Texts, wanted: Texts) -> NDArray[np.int64]:
    """[n, counts] of sacrebleu for each item: drawn again and again, they need not be counted again."""
    return np.array(metric._extract_corpus_statistics(list(said), [list(wanted)]), dtype=np.int64)


def _score_of(metric: Any, counts: NDArray[np.int64]) -> float:
    return float(metric._compute_score_from_stats([int(c) for c in counts]).score)


def _bleu_draws(said: Texts, wanted: Texts, kinds: Sequence[str], drawn: NDArray[np.int64]) -> list[float]:
    """BLEU of each draw of items, weighted over tokenisers as in `score`."""
    total = np.zeros(len(drawn))
    for kind in sorted(set(kinds)):
        metric = _metric("BLEU", kind)
        counts = _counted(metric, said, wanted)
        mine = np.array([k == kind for k in kinds])
        for k, at in enumerate(drawn):
            inside = at[mine[at]]
            if len(inside):
                total[k] += len(inside) / len(at) * _score_of(metric, counts[inside].sum(axis=0))
    return [float(t) for t in total]


def _interval(value: float, draws: Sequence[float], count: int) -> list[float | None]:
    """Value and 95 % interval; no interval of one item."""
    low, high = np.percentile(draws, [2.5, 97.5])
    return [round(value, 2), *((round(float(low), 2), round(float(high), 2)) if count > 1 else (None, None))]


def shuffles(kinds: Sequence[str], seed: int, count: int = SHUFFLES) -> list[list[int]]:
    """`count` orders of the items in which each stands in for another one of its kind: a rotation of a random order.

    Where a kind has a single item, all kinds are mixed. Nothing for a single item.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 7]))
    groups = [[k for k, kind in enumerate(kinds) if kind == name] for name in sorted(set(kinds))]
    if any(len(g) < 2 for g in groups):
        groups = [list(range(len(kinds)))]
    if len(kinds) < 2:
        return []
    found = []
    for _ in range(count):
        order = list(range(len(kinds)))
        for group in groups:
            mixed = [int(k) for k in rng.permutation(group)]
            for here, there in zip(mixed, mixed[1:] + mixed[:1], strict=True):
                order[here] = there
        found.append(order)
    return found


def _timing(rows: Sequence[Row], drawn: NDArray[np.int64]) -> dict[str, Any]:
    longest = max(max(r.get("samples", 0) / SAMPLE_RATE_HZ, float(r["item"]["seconds"])) for r in rows)
    measured = [lags(r, longest) for r in rows]
    audio = sum(r.get("samples", 0) for r in rows) / SAMPLE_RATE_HZ
    found: dict[str, Any] = {
        name: rounded(mean([lag[name] for _, lag in measured], drawn)) for name in ("al", "laal", "laal_compute")
    }
    found["no_words"] = sum(out is None or not out.words for out, _ in measured)
    found["rtf"] = round(sum(sum(r.get("step_ms", ())) for r in rows) / 1000 / audio, 4) if audio else None
    return found
