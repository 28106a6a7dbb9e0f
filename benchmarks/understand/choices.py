"""Multiple choice from rows to picks: by likelihood, by text, by rule, and by what needs no audio."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.instances import Row as Instance
from benchmarks.understand.match import matched, mmau_match

Score = tuple[float, int, int]  # sum of log p, tokens, characters
NORMS: Final[Mapping[str, Callable[[float, int, int], float]]] = {
    "sum": lambda logp, tokens, chars: logp,
    "per token": lambda logp, tokens, chars: logp / max(tokens, 1),
    "per character": lambda logp, tokens, chars: logp / max(chars, 1),
}
"""How the likelihood L(o) = sum_i log p(o_i | audio, question, o_<i) of an option o is normalised: not at all; by its n
tokens, L(o) / n (Brown et al. 2020, section 2.4); by its characters (`acc_norm` of lm-evaluation-harness, Gao et al.
2021). The option of the highest value is the pick, the first of equals."""
GAIN: Final = "gain"
"""Domain-conditional pointwise mutual information (Holtzman et al. 2021): L(o | audio, question) - L(o | silence,
question), from the row of the same system that heard silence. What silence makes likely is taken off."""


def best(values: Sequence[float]) -> int:
    """Index of the highest value; the first of equals."""
    return int(np.argmax(np.array(values, dtype=float)))


def picked(scores: Sequence[Score], norm: str, blind: Sequence[Score] | None = None) -> int:
    """The option that a norm picks; `GAIN` needs `blind`, the same options behind silence."""
    if norm == GAIN:
        assert blind is not None
        return best([a[0] - b[0] for a, b in zip(scores, blind, strict=True)])
    return best([NORMS[norm](*s) for s in scores])


def methods(row: Instance, blind: Instance | None) -> dict[str, list[int | None]]:
    """Method -> the pick in each order that was asked in, as an index of the published choices; None: no option.

    "cloze ...": the choices were not shown, so that there is one pick. "shown ...": by likelihood with them shown.
    "text" and "open text": written, with and without them shown; a pick is what MMAU's rule takes for said. "rule".
    """
    choices = row["item"]["facts"]["entry"]["choices"]
    found: dict[str, list[int | None]] = {}
    if "overlaps" in row:
        return {"rule": [_drawn_best(row["overlaps"], row["item"]["seed"])]}
    norms = [*NORMS, *([GAIN] if blind is not None else [])]
    for norm in norms if "cloze" in row else ():
        found[f"cloze {norm}"] = [picked(row["cloze"], norm, blind["cloze"] if blind else None)]
    asked = row["shown"]
    for norm in norms if asked and "options" in asked[0] else ():
        others = [b["options"] for b in blind["shown"]] if blind else [None] * len(asked)
        found[f"shown {norm}"] = [picked(a["options"], norm, b) for a, b in zip(asked, others, strict=True)]
    found["text"] = [matched(a["text"], choices) for a in asked]
    if "open" in row:
        found["open text"] = [matched(row["open"], choices)]
    return found


def _drawn_best(values: Sequence[float], seed: int) -> int:
    """The highest; among equals one drawn by the item's seed."""
    equal = np.flatnonzero(np.array(values) >= max(values) - 1e-9)
    return int(equal[np.random.default_rng(np.random.SeedSequence([seed, 3])).integers(len(equal))])


def right(row: Instance, picks: Mapping[str, Sequence[int | None]]) -> dict[str, list[bool]]:
    """Method -> whether each order's answer is right. Text is right by MMAU's rule on the published answer itself."""
    facts = row["item"]["facts"]
    entry, wanted = facts["entry"], facts["right"]
    out = {m: [p is not None and p == wanted for p in each] for m, each in picks.items()}
    texts = {"text": [a["text"] for a in row["shown"]] if "text" in out else [], "open text": [row.get("open", "")]}
    for method in ("text", "open text"):
        if method in out:
            out[method] = [mmau_match(entry["answer"], t, entry["choices"]) for t in texts[method]]
    return out


def judgeable(row: Instance) -> bool:
    """Whether the answer is published; those of MMAU's test split are not."""
    return bool(row["item"]["facts"]["entry"].get("answer"))


def without_audio(items: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Baselines that look at the choices alone: name -> item id -> probability of being right.

    chance: 1 / N of N choices. best position: always the position at which the right answer stands most often in these
    very items (so it is a little too good). longest option: the most characters, the first of equals.
    """
    places = [f["right"] for i in items.values() if (f := i["facts"])["right"] is not None]
    common = int(np.bincount(places).argmax()) if places else 0
    found: dict[str, dict[str, float]] = {"chance": {}, "best position": {}, "longest option": {}}
    for name, item in items.items():
        choices, wanted = item["facts"]["entry"]["choices"], item["facts"]["right"]
        found["chance"][name] = 1 / len(choices) if wanted is not None else 0.0
        found["best position"][name] = float(wanted == common)
        found["longest option"][name] = float(wanted == best([len(c) for c in choices]))
    return found
