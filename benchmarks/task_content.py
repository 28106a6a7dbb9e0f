"""Whether a reply says what the reference says: numbers, the words that tell references apart, WER, chrF."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

RECALL: Final = 0.5
WER: Final = 0.2
CHRF: Final = 0.5
STYLE: Final = 0.6  # chrF with case and punctuation
ORDER, BETA = 6, 2.0  # of chrF (Popovic 2015)
CUT_WORDS: Final = 3

# Function words, and the words that reports and confirmations are made of whatever they are about.
_STOP: Final = """
a an the this that these those it its is are am was were be been being do does did have has had having will would
shall should can could may might must i me my you your he him his she her we us our they them their one who whom which
what where when why how there here and or but if so as than then to of in at by for with from into near about up out
too also just now very only ever more most any some all each every other another once again time times number far
please oh ah well okay ok right sure fine got noted thanks thank course good remember know let tell say said saying
listen listening watch waiting wait ask asked remind stop stopped stops leave cancel cancelled canceled message messages
instead changed something somebody someone somewhere anything hear heard hearing sound sounds sounded sounding like
seem seems think guess make makes made going ear ears moment first second timer seconds start starting started running
go over done passed end ended word answer before place such because kind instrument play played playing plays still
yes no not often count counts counted counting
"""
STOP: Final = frozenset(_STOP.split())
OPPOSITES: Final = (("yes", "no"), ("on", "off"), ("locked", "unlocked"), ("open", "closed"), ("open", "shut"))
_BOTH_WAYS: Final = (*OPPOSITES, *((b, a) for a, b in OPPOSITES))
POLAR: Final = frozenset(w for pair in OPPOSITES for w in pair)
CLAIMS: Final = frozenset(("hear", "heard"))  # no confirmation
TIMES: Final = {"once": "1", "twice": "2", "thrice": "3"}
_english = EnglishTextNormalizer()


@lru_cache(maxsize=50_000)
def words(text: str) -> tuple[str, ...]:
    """Words after Whisper's English normaliser (Radford et al. 2022: number words become digits); "H, A, P" -> "h#a#p".

    Runs of single letters become one word, so that a spelled word is not the word itself.
    """
    clean = re.sub(r"[^\w\s]", " ", _english(text))
    spelled = re.sub(r"\b[a-z](?: [a-z])+\b", lambda m: m.group().replace(" ", "#"), clean)
    return tuple(TIMES.get(w, w) for w in spelled.split())


def stem(word: str) -> str:
    """The word without a common ending: "sneezed", "sneezing" and "sneeze" are one."""
    if "#" in word or len(word) < 4:
        return word
    for ending in ("ings", "ing", "ter", "ers", "er", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def content(text: str) -> set[str]:
    """Stems of what is neither in the stop list, nor polar, nor a number."""
    return {stem(w) for w in words(text) if w not in STOP and w not in POLAR and not w[0].isdigit()}


def quoted(text: str) -> set[str]:
    """Words in quotation marks, whatever they are: the keyword of 'I heard the word "go".'"""
    return {w for part in re.findall(r"[\"“]([^\"“”]+)[\"”]", text) for w in words(part)}


def numbers(text: str) -> Counter[str]:
    """The numbers of a text, as digits: "twenty-three" and "23" are one, so are "second", "2nd" and "twice"."""
    return Counter(n for w in words(text) for n in re.findall(r"\d+", w))


def polar(text: str) -> set[str]:
    """Words that have an opposite: on, off, yes, no, locked, ... The "no" of "no more messages" is no answer."""
    return set(words(re.sub(r"\bno more\b", "", text, flags=re.IGNORECASE))) & POLAR


def says(reply: str, reference: str, question: str = "", about: str = "") -> bool:
    """Whether `reply` tells what `reference` tells beyond `question` (docs/benchmarks.md, "Content").

    Args:
        question: what was asked; its words and numbers need not come again. about: a request whose numbers alone
            need not come again ("Remind me in six seconds ...").
    """
    if not reply.strip():
        return False
    known = numbers(question) + numbers(about)
    wanted, given = numbers(reference), numbers(reply)
    needed = set(wanted) - set(known)
    if not needed <= set(given) or set(given) - set(wanted) - set(known) - {"1"}:
        return False
    ours, theirs = polar(reply), polar(reference)
    if any(
        b in ours and b not in theirs and a not in ours
        for x, y in OPPOSITES
        for a, b in ((x, y), (y, x))
        if a in theirs
    ):
        return False
    named = {w for w in quoted(reference) if not w[0].isdigit()}
    keys = content(reference) - content(question) - {stem(w) for w in named}
    if keys or named:
        return named <= set(words(reply)) and len(keys & content(reply)) >= RECALL * len(keys)
    if needed:
        return True
    if theirs - {"yes"} and not ours & theirs:
        return False
    if CLAIMS & set(words(reply)) - set(words(reference)):
        return False
    return content(reply) <= content(reference) | content(question) | content(about)


def cut(reference: str, reply: str) -> str:
    """As many words of the reference as were said of a reply that was cut short, three at least."""
    return " ".join(reference.split()[: max(CUT_WORDS, len(reply.split()))])


def wer(reply: str, reference: str) -> float:
    """(S + D + I) / reference words after the normaliser; at most 1. A speaker's number counts as one word."""
    spoken = [" ".join(re.sub(r"[^\w\s]", " ", _english(t)).split()) for t in (reference, reply)]
    return min(1.0, float(jiwer.wer(*spoken))) if spoken[0] and spoken[1] else 1.0


def chrf(reply: str, reference: str) -> float:
    """Character n-gram F-score, n = 1 to 6, beta 2, blanks left out (Popovic 2015, chrF, equation 1), in [0, 1].

    Precision and recall are averaged over the orders that both texts are long enough for.
    """
    a, b = ("".join(t.split()) for t in (reply, reference))
    precisions, recalls = [], []
    for n in range(1, ORDER + 1):
        if min(len(a), len(b)) < n:
            break
        mine, theirs = (Counter(t[k : k + n] for k in range(len(t) - n + 1)) for t in (a, b))
        both = (mine & theirs).total()
        precisions.append(both / mine.total())
        recalls.append(both / theirs.total())
    p, r = (sum(x) / len(x) if x else 0.0 for x in (precisions, recalls))
    return (1 + BETA**2) * p * r / (BETA**2 * p + r) if p + r else 0.0


def same_call(got: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    """Right name and every slot, values as text."""
    if got is None or got["name"] != wanted["name"]:
        return False
    pairs = [{(k, str(v)) for k, v in call["arguments"].items()} for call in (got, wanted)]
    return pairs[0] == pairs[1]


def judge(
    kind: str, reply: str, references: Sequence[str], question: str, about: str, short: bool
) -> tuple[bool, float]:
    """(right, score) of words said for one wanted response.

    Args:
        kind: "transcript" (score: 1 - WER), "translation" and "style" (chrF), "sound" (the first
            sentence of each, which names it) or "says" (1 or 0).
        references: the one of the response first; the others count as well. short: the reply was cut off.
    """
    first = cut(references[0], reply) if short else references[0]
    if kind == "transcript":
        error = wer(reply, first)
        return error <= WER and numbers_of_speaker(reply) == numbers_of_speaker(first), 1 - error
    if kind == "translation":
        score = chrf(reply.lower(), first.lower())
        return score >= CHRF, score
    if kind == "style":
        score = chrf(reply, first)
        return score >= STYLE and says(reply, first), score
    if kind == "sound":
        reply, *references = [re.split(r"(?<=[.!?]) ", t.strip())[0] for t in (reply, *references)]
    right = any(says(reply, cut(r, reply) if short else r, question, about) for r in references)
    return right, float(right)


def numbers_of_speaker(text: str) -> str:
    """ "Speaker 2: ..." -> "2", else ""."""
    found = re.match(r"\s*speaker (\w+)", text, re.IGNORECASE)
    return found.group(1) if found else ""
