"""What one stream waits for: sounds, words and times that somebody asked for, and what of what is heard bears on them.

The LALM decides; this adds the evidence of the sounds that are waited for, keeps what a request says beside their names
(the second time, the end, a word, a time), which a small language model cannot, and holds back what nobody wants.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from soundflow.clock import samples
from soundflow.decide.announced import announced_as
from soundflow.decide.evidence import Evidence
from soundflow.decide.familiar import Familiar
from soundflow.decide.lasting import Lasting
from soundflow.decide.pause import Pause
from soundflow.decide.policy import Calibration
from soundflow.decide.tally import Tally
from soundflow.decide.waited import HEARD, MEMORY, Waited, log_odds
from soundflow.perceive.asked import asked_tags
from soundflow.perceive.labels import ALERTING, HAZARDS, display_name, group_of
from soundflow.perceive.nearest import Reading, heard_as, read
from soundflow.perceive.standing import Standing
from soundflow.respond.reminders import Due, Reminders, much
from soundflow.respond.spoken_numbers import spelled
from soundflow.respond.terms import (
    Terms,
    asks_count,
    counted_said,
    end_said,
    look_said,
    number_said,
    terms,
    time_said,
    word_said,
)
from soundflow.session import CALLS
from soundflow.types import FloatArray, Perception, Whole

TAG_MEMORY: Final = 4
GONE: Final = 2
"""Chunks without it after which a sound is over."""
NAMED: Final = 0.5
"""Probability of what is waited for where a whole sound was called so: of 79 in armed dialogues of cal 78 were it."""
MUTED: Final = 0.1
"""Probability from which on what sounds may be what nobody wants to hear of."""


LONGEST_CHARS: Final = 400
_OPENS: Final = re.compile(
    r"(please|tell|let|can|could|would|will|say|i|i'm|i've|watch|if|keep|warn|listen|no|not|forget|make|actually|now|"
    r"sorry|switch|stop|you|never|cancel|that|remind|in|wait|set|start|count|give|time|only|should|after|check|report|"
    r"is|yes|when|whenever|every|each|the|alert|notify|wake|do|don't|and|okay|hey|[\d]+|"
    r"(one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty))\b",
    re.IGNORECASE,
)

_VOCATIVE: Final = re.compile(r"[a-z],? [A-Z][a-z]+\W*$")


@dataclass(frozen=True, slots=True)
class Told:
    """Something to tell now, in these words. name: what it is about. answers: it answers what was just said. due: of a
    time, which is over once told."""

    name: str
    say: str
    answers: bool = False
    due: Due | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """On telling of sounds. hold: not now. name: of what is waited for, "" where it is about another sound. say: in
    which words, "" for the model's own. count: how many there were with this one, 0 where nobody counts."""

    hold: bool = False
    name: str = ""
    say: str = ""
    count: int = 0


class Watch:
    """Of one stream. `fit` has the weights of the evidence; `labels` are the sound encoder's, `headed` those that have
    a head of their own."""

    def __init__(self, instruction: str, labels: Sequence[str], fit: Calibration, headed: Collection[str] = ()) -> None:
        self._labels, self._fit, self._headed = labels, fit, headed
        self._tags: deque[FloatArray] = deque(maxlen=TAG_MEMORY)
        self._sure: deque[FloatArray] = deque(maxlen=TAG_MEMORY)
        self._alerts: deque[float] = deque(maxlen=TAG_MEMORY)
        self._lasting, self._familiar = Lasting(), Familiar()
        self._tally, self._pause = Tally(len(labels)), Pause(len(labels) + 1)  # of the labels and of what is waited for
        self._now = 0
        self.reminders = Reminders()
        self._instruction: str | None = None
        self._pending = ""
        self.instruct(instruction)

    def instruct(self, instruction: str) -> None:
        """Under another instruction what was asked for by voice is over; times that were asked for stay."""
        if instruction == self._instruction:
            return
        self._instruction = instruction
        self.standing = Standing(instruction, self._labels)
        self._by, self._read, self._typed, self._heeded, self._pending = "", "", "", "", ""
        self._begin(0)

    def _begin(self, now: int) -> None:
        """Something else is waited for, from sample `now` on."""
        standing = self.standing
        self._terms = terms(standing.newest.text) if standing.newest.asks else Terms()
        self._weigh()
        self._waited = Waited()
        self._times, self._told_at = 0, now
        self._lasting.begin(spoken=bool(self._by))
        self._look_at = now + samples(self._terms.after_s) if self._terms.after_s else -1

    def _weigh(self) -> None:
        standing = self.standing
        asked = standing.tags * (standing.muted == 0)
        text = self._instruction or ""
        self._evidence = Evidence(self._labels, self._fit, text, asked, standing.wanted, self._headed)

    @property
    def tags(self) -> FloatArray:
        """[521] of 1 for each tag that is named by what holds now."""
        return self.standing.tags

    @property
    def unasked(self) -> bool:
        """Whether there is neither an instruction nor a request."""
        return self._evidence.unasked

    @property
    def sure(self) -> FloatArray:
        """[n,521] of the newest chunks, of what is waited for with its prior."""
        return np.stack(self._sure)

    def hear(self, perception: Perception) -> None:
        """The next chunk."""
        self._alerts.append(perception.alert)
        self._familiar.hear(perception.sound, perception.end_sample)
        self._tags.append(perception.tags)
        self._now = perception.end_sample
        sure, missed = self._evidence.likely(perception.sure), self._missed(perception.noted)
        if missed >= 0:
            sure = sure.copy()
            sure[missed] = max(float(sure[missed]), NAMED)
        self._sure.append(sure)
        p = self._evidence.wanted(sure)
        anew = self._pause.hear(perception.level_db, np.append(perception.sure, np.float32(p)))
        self._waited.hear(float(anew[-1]) if self._counts and missed < 0 else p)
        self._tally.hear(anew[:-1], perception.end_sample)
        self._lasting.hear(log_odds(p), perception.level_db, perception.vad.speaking)
        final, word = perception.words.final, self.standing.newest.word
        if final and word and final.text != self._by and _holds(final.text, word):
            self._pending = word

    def _missed(self, noted: Whole | None) -> int:
        """The label of a sound that has just been named as a whole, where it is waited for and nothing was told of
        since it began; -1 otherwise."""
        if noted is None or noted.label not in self._labels or noted.onset < self._told_at:
            return -1
        label = self._labels.index(noted.label)
        return label if self.standing.wanted[label] > 0 else -1

    @property
    def _counts(self) -> bool:
        """Whether each time of what is waited for counts: a pause is then the end of one."""
        return self.standing.newest.each or bool(self._terms.nth)

    def expire(self, now: int) -> bool:
        """End a request that was only to be told if its sound was still there -> whether there was one to end."""
        if not (0 <= self._look_at <= now and self._terms.only_if) or self._lasting.there(GONE):
            return False
        self._over(now)
        return True

    def bias(self) -> float:
        """Log-odds of answering a sound."""
        return self._evidence.bias(self._tags, self._alerts, self._waited, self._familiar.doubt)

    def doubted(self, whole: Whole) -> Whole:
        """A sound that has just ended, its `alert` less what speaks against one."""
        return replace(whole, alert=whole.alert - self._familiar.least(whole.onset))

    def heard_said(self, text: str, now: int, typed: bool = False) -> bool:
        """Take a closed utterance -> whether what is waited for has changed. What was `typed` was not misheard."""
        text, muted = _short(text), self.standing.muted
        self._typed, said = (text, Reading(text)) if typed else ("", read(text, self._labels))
        if not self.standing.hear(said.text):
            if not np.array_equal(muted, self.standing.muted):
                self._heeded = text
                self._weigh()
            return False
        self._by = self._heeded = text
        self._read = said.name
        self._begin(now)
        return True

    def likely_ours(self, text: str) -> bool:
        """Whether a closed utterance has just changed what is waited for or held back, or is about a time, and does not
        begin or end with a name: "Tom, remind me ..."."""
        text = _short(text)
        named = not _OPENS.match(text) or _VOCATIVE.search(text)
        return not named and (self._heeded == text or self.reminders.about(text))

    def answered(self, text: str, now: int) -> str:
        """What was said is answered -> the answer where it asks for a time, or takes one back, or how often a sound was
        heard, or was read anew; else ""."""
        text = _short(text)
        if self._look_at >= 0 and self._by and self._by in text:
            return f"Okay, in {much(self._terms.after_s)}."
        if self._read and self._by in text:
            return f"Okay, I will listen for {self._read}."
        return self.reminders.hear(text, now) or self._counted(text, now)

    def _counted(self, text: str, now: int) -> str:
        """How often the sound was heard that a question names, or without a name what is waited for; "" for no such
        question."""
        if not asks_count(text):
            return ""
        asked = np.flatnonzero(asked_tags(text, self._labels))
        columns = (asked if len(asked) else np.flatnonzero(self.standing.named)).tolist()
        if text != self._typed and not self._tally.count(columns, now):
            columns = heard_as(text, self._labels, self._tally.heard()) or columns
        name = min((self._labels[i] for i in columns), key=len, default="")
        return counted_said(display_name(name), self._tally.count(columns, now)) if name else ""

    def due(self, perception: Perception, times_only: bool = False) -> Told | None:
        """What the terms say is to be told now; it stays due until `given`. `times_only`: nothing of what is heard."""
        now = perception.end_sample
        if (due := self.reminders.due(now)) is not None:
            return Told("a time", due.say, due=due)
        if times_only:
            return None
        if self._pending:
            return Told(self._pending, word_said(self._pending), answers=perception.words.final is not None)
        name = self._terms.called or self._name()
        if self._terms.ends and self._lasting.gone(GONE):
            return Told(name, end_said(name))
        if 0 <= self._look_at <= now:
            return Told(name, look_said(name, self._lasting.there(GONE)))
        return None

    def given(self, told: Told, now: int) -> None:
        """It was told."""
        if told.due:
            self.reminders.told(told.due)
        elif self._pending:
            self._pending = ""
        else:
            self._lasting.again()
            self._over(now)

    def _over(self, now: int) -> None:
        """A spoken request for one time, an end or a look is over once that was told; an instruction holds."""
        self._look_at = -1
        if self.standing.over():
            self._begin(now)

    def judge(self, names: Sequence[str], answers: bool = False) -> Verdict:
        """The model would tell of sounds, `names`, now, or, where it `answers`, say something to what was just said.

        What nobody wants to hear of is held back; under a request other sounds than the one that is waited for, and
        where something is muted or was called off all sounds, unless they alert; where every one is counted, or its
        second time, its end or a word is waited for, unless they are a hazard.
        """
        held, newest = self._muted(names), self.standing.newest
        about = bool(self._waited.heard) and max(self._waited.heard) >= HEARD
        if answers and not about:
            return Verdict()
        if held or not about or self._drowned(names):
            every = newest.each and not self.standing.wanted.any()
            narrow = self._terms != Terms() or newest.each or bool(newest.word)
            alerts = [n for n in names if announced_as((n,)) in (HAZARDS if narrow else ALERTING)]
            free = not newest.asks and not self.standing.muted.any()
            passes = bool(alerts) or free or newest.everything
            say = f"I hear {alerts[0]}." if newest.asks and alerts and not newest.everything else ""
            return Verdict(held or not passes, say=say, count=self._times + 1 if every else 0)
        name = display_name(self._name())
        if not self._newest_heard():
            return Verdict(name=name)
        if self._terms.ends or self._terms.after_s:
            return Verdict(hold=True)
        if self._terms.nth:
            self._times += 1
            self._tell()
            called = self._terms.called or name
            return Verdict(self._times < self._terms.nth, name, time_said(called, self._terms.nth))
        count = self._times + 1 if newest.each else 0
        say = f"I hear {name}." if answers else ""  # not what the model says to what was just said
        return Verdict(name=name, say=number_said(count) if self._terms.counts and count else say, count=count)

    def _drowned(self, names: Sequence[str]) -> bool:
        """Whether a hazard that nobody waits for is there more surely than what is waited for."""
        wanted = self.standing.wanted > 0
        groups = {group_of(x) for x, w in zip(self._labels, wanted, strict=True) if w}
        found = {announced_as((n,)) for n in names} & (HAZARDS - groups)
        other = [i for i, x in enumerate(self._labels) if group_of(x) in found]
        return bool(other) and float(self.sure[:, other].max()) > float(self.sure[:, wanted].max(initial=0.0))

    def _newest_heard(self) -> bool:
        """Whether what is heard is what the newest request waits for, and not what an older one does."""
        mine = self.standing.newest.wanted > 0
        return not mine.any() or float(self.sure[-MEMORY:, mine].max()) >= HEARD

    def other_word(self, text: str) -> bool:
        """Whether a word is waited for, and these one or two are neither it nor a call."""
        word, said = self.standing.newest.word, _plain(text).split()
        return bool(word) and len(said) < 3 and not CALLS & set(said) and not _holds(text, word)

    def told(self, verdict: Verdict, now: int) -> None:
        """Sounds are being told of."""
        if verdict.count:
            self._times = verdict.count
        self._tell()
        if verdict.name and self._terms.nth:
            self._over(now)

    def _tell(self) -> None:
        self._waited.told()
        self._told_at = self._now

    def _name(self) -> str:
        """Of the labels that were named for what is waited for, the one that was heard best of late."""
        wanted = np.flatnonzero(self.standing.named)
        if not len(wanted) or not self._sure:
            return ""
        p = np.stack(self._sure)[:, wanted].max(axis=0)
        best = int(wanted[int(p.argmax())])
        return self._labels[best]

    def _muted(self, names: Sequence[str]) -> bool:
        """Whether what sounds is what nobody wants to hear of."""
        muted = np.flatnonzero(self.standing.muted)
        if not len(muted):
            return False
        quiet = {display_name(self._labels[i]) for i in muted.tolist()}
        if any(announced_as((n,)) in ALERTING and n not in quiet for n in names):
            return False
        return float(self.sure[:, muted].max()) >= MUTED

    def memory(self) -> dict[str, Any]:
        """JSON: what `recall` of another stream's watch under the same instruction takes."""
        own = {"times": self._times, "look_at": self._look_at, "by": self._by, "read": self._read}
        own |= {"pending": self._pending, "standing": self.standing.snapshot(), "tally": self._tally.memory()}
        own |= {"waited": self._waited.snapshot(), "lasting": self._lasting.snapshot()}
        return own | {"reminders": self.reminders.snapshot()}

    def recall(self, saved: dict[str, Any]) -> None:
        """Wait for what `memory` says."""
        self.standing.restore(saved["standing"])
        self._begin(0)
        self.reminders.restore(saved["reminders"])
        self._times, self._look_at, self._by = saved["times"], saved["look_at"], saved["by"]
        self._pending, self._read = saved["pending"], saved["read"]
        self._tally.recall(saved["tally"])
        self._waited, self._lasting = Waited.restore(saved["waited"]), Lasting.restore(saved["lasting"])

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs."""
        heard: dict[str, Any] = {"tags": list(self._tags), "sure": list(self._sure), "alerts": list(self._alerts)}
        heard |= {"counted": self._tally.snapshot(), "pause": self._pause.snapshot(), "told_at": self._told_at}
        return self.memory() | heard | {"familiar": self._familiar.snapshot()}

    def restore(self, saved: dict[str, Any]) -> None:
        """As it was."""
        self._tags = deque(saved["tags"], maxlen=TAG_MEMORY)
        self._sure = deque(saved["sure"], maxlen=TAG_MEMORY)
        self._alerts = deque(saved["alerts"], maxlen=TAG_MEMORY)
        self.recall(saved)
        self._tally.restore(saved["counted"])
        self._pause, self._told_at = Pause.restore(saved["pause"]), saved["told_at"]
        self._familiar = Familiar.restore(saved["familiar"])


def _short(text: str) -> str:
    """A request is a sentence or two; of a monologue the beginning is read."""
    return " ".join(text.split())[:LONGEST_CHARS]


def _holds(text: str, word: str) -> bool:
    """Whether the word (or words) were said; numbers in digits or letters."""
    return f" {_plain(word)} " in f" {_plain(text)} "


def _plain(text: str) -> str:
    words = re.findall(r"\d+|[a-z']+", text.lower())
    return " ".join(" ".join(spelled(int(w))) if w.isdigit() and len(w) < 3 else w for w in words)
