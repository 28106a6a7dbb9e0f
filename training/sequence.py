"""A sample and its cached features -> one token sequence with targets, laid out exactly as `soundflow.decide`
streams it.

Main tokens are causal. A reply is a branch: it sees the main tokens up to its <speak> or <act> and itself, takes the
positions that follow, and is invisible to everything else, as the fork at inference is.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from soundflow.clock import samples
from soundflow.decide.context import MAX_SAID, Context, said_note, sound_names
from soundflow.decide.notes import sound_note
from soundflow.perceive.standing import Standing
from soundflow.perceive.tags import SoundEvents, TagCalibration
from soundflow.respond.grammar import act_text
from soundflow.respond.tools import tools_prompt
from soundflow.session import SessionConfig
from soundflow.types import ActionCall, Kind, Note, Tool
from training.features import CHUNK_SAMPLES, Features
from training.words_sim import SpeechItem, simulate_words

IGNORE = -100
DELAYS = (0, 0, 0, 0, 0, 0, 0, 1, 1, 2)
TURN = samples(SessionConfig().turn_s)


@dataclass(slots=True)
class TokenSequence:
    """Parallel lists over T positions.

    kind: "t" text id, "a" audio chunk (row of `tags`...), "d" decision token; `value` is the id, feature row or Kind.
    position: RoPE position. branch: 0 for main, else the reply's number. seen: for a branch token, main tokens [0,
    seen).
    decision / decision_weight: target Kind at this position and its weight. token: next-token target or IGNORE.
    """

    kind: list[str] = field(default_factory=list)
    value: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    branch: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    decision: list[int] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    token: list[int] = field(default_factory=list)
    features: list[Features] = field(default_factory=list)
    chunk_ids: list[tuple[str, int]] = field(default_factory=list)  # (sample id, chunk) of every audio token
    asked: np.ndarray | None = None  # [C,521] of 0 and 1: tags that are asked for at each audio chunk

    def __len__(self) -> int:
        return len(self.kind)

    def add(self, kind: str, value: int, position: int, branch: int = 0, seen: int = 0, token: int = IGNORE) -> None:
        for name, item in (
            ("kind", kind), ("value", value), ("position", position), ("branch", branch), ("seen", seen),
            ("decision", IGNORE), ("weight", 0.0), ("token", token),
        ):  # fmt: skip
            getattr(self, name).append(item)


@dataclass(slots=True)
class Target:
    """One response of a sample: where it goes, and what it says."""

    chunk: int
    due: int
    first: int
    kind: Kind
    text: str
    heard: str
    sounds: tuple[str, ...]
    notes: tuple[Note, ...]
    count: int = 0


@dataclass(slots=True)
class Memory:
    """What the session would know: (chunk, note) of the sounds that it found, and notes of what was said.

    `base` is the chunk of the stream at which the current sample begins.
    """

    base: int = 0
    sounds: list[tuple[int, Note]] = field(default_factory=list)
    said: list[Note] = field(default_factory=list)


class SequenceBuilder:
    """Lays out samples. `longest`: about how many chunks and words are joined to one stream.

    Args:
        replies: share of sound alerts whose reply is trained (answers and acts always are).
        calibration: of the tags, as the perceiver has it, with its thresholds: what the notes of a question say was
            heard.
        reads: whether there is a words channel. Without one a request is answered when it is due, by its sound alone.
    """

    longest = 170

    def __init__(
        self,
        context: Context,
        tool_sets: Mapping[str, Sequence[Tool]],
        labels: Sequence[str],
        replies: float = 0.6,
        calibration: TagCalibration | None = None,
        reads: bool = True,
    ) -> None:
        self.context = context
        self.calibration = calibration or TagCalibration.identity(len(labels))
        self.labels = labels
        self.tool_sets = tool_sets
        self.replies, self.reads = replies, reads
        self._sounds = SoundEvents(labels, CHUNK_SAMPLES, self.calibration.events)

    def build(
        self,
        samples: Sequence[tuple[Mapping[str, Any], Features]],
        tools: Sequence[Tool],
        rng: random.Random,
        train: bool = True,
    ) -> TokenSequence:
        """Concatenate samples that share instruction and tools into one stream.

        With `train` false nothing is drawn, no response token is written back (the context of a model that has stayed
        silent so far) and no branch is made: for scoring the decision of every chunk.
        """
        seq, main, branches = TokenSequence(), 0, 0
        instruction = str(samples[0][0].get("instruction", ""))
        asked: list[np.ndarray] = []
        late: list[tuple[Target, int]] = []
        for token in self.context.prefix(instruction, [t.name for t in tools]):
            seq.add("t", token, main)
            main += 1
        standing, memory = Standing(instruction, self.labels), Memory()
        noted = train and any(sample["speech"] for sample, _ in samples)
        for sample, features in samples:
            words, finals = simulate_words(speech_items(sample, features), features, rng)
            if noted:
                memory.sounds += self.sound_notes(features, memory.base)
            targets = {t.chunk: t for t in self.targets(sample, features, finals, tools, rng, train, memory)}
            soft = soft_chunks(sample, targets.values())
            pending: list[tuple[str, int]] = []
            said: dict[int, str] = {}
            base, count = len(seq.features), 0
            seq.features.append(features)
            for chunk in range(features.chunks):
                spoken = self.context.said(said.pop(chunk)) if chunk in said else []
                items = [*pending, *(("t", i) for i in spoken)]
                pending = []
                closed = chunk in finals
                if closed and standing.hear(finals[chunk]):
                    count = 0
                asked.append(standing.tags)
                ids = self.context.words(words.get(chunk, ()), closed)
                for kind, value in [*items, ("a", base), *(("t", i) for i in ids)]:
                    if kind == "a":
                        seq.chunk_ids.append((str(sample["id"]), chunk))
                    seq.add(kind, value if kind != "a" else len(seq.chunk_ids) - 1, main)
                    main += 1
                target = targets.get(chunk) if train else None
                weight = 1.0 if target else soft.get(chunk, 1.0)
                seq.decision[-1] = int(target.kind if target else Kind.SILENT)
                seq.weight[-1] = weight
                if target is None:
                    continue
                if standing.each and not target.heard and target.kind is Kind.SPEAK:
                    target.count = count = count + 1
                pending = [("d", int(target.kind))]
                late.append((target, main))
                if target.kind is Kind.SPEAK and rng.random() < 0.7:
                    said[min(chunk + rng.randint(2, 4), features.chunks)] = target.text
            if pending:
                seq.add(*pending[0], main)
                main += 1
            size = features.chunk_samples
            memory.said += [said_note((memory.base + c + 1) * size, finals[c]) for c in sorted(finals)]
            memory.base += features.chunks
        seq.asked = np.stack(asked) if any(row.any() for row in asked) else None
        for target, at in late:
            answer = bool(target.heard) or target.kind is Kind.ACT
            if answer or rng.random() < self.replies:
                branches += 1
                self._branch(seq, target, at, branches, tools)
        return seq

    def _branch(self, seq: TokenSequence, target: Target, at: int, number: int, tools: Sequence[Tool]) -> None:
        if target.kind is Kind.ACT:
            header = self.context.act_header(target.heard, tools_prompt(tools))
        else:
            header = self.context.reply_header(target.heard, target.sounds, target.notes, target.count)
        reply = [*self.context.encode(target.text), self.context.end_id]
        ids = [*header, *reply]
        for i, token in enumerate(ids):
            following = ids[i + 1] if i + 1 < len(ids) and i + 1 >= len(header) else IGNORE
            seq.add("t", token, at + 1 + i, number, at + 1, following)

    def targets(
        self,
        sample: Mapping[str, Any],
        features: Features,
        finals: Mapping[int, str],
        tools: Sequence[Tool],
        rng: random.Random,
        train: bool,
        memory: Memory | None = None,
    ) -> list[Target]:
        """Responses with their chunk; one whose evidence the words channel never closed is left out."""
        memory = memory or Memory()
        found: list[Target] = []
        events = {e["id"]: e for e in sample["events"]}
        speech = {s["id"]: s for s in sample["speech"]}
        for response in sample["responses"]:
            kind, heard, sounds = Kind[str(response["kind"]).upper()], "", ()
            notes: list[Note] = []
            closed: list[int] = []
            trigger, size = response.get("trigger", ""), features.chunk_samples
            if response.get("clock") == "endpoint" and self.reads:
                item = speech[trigger]
                last = item["offset"] // size + 6
                closed = [c for c in sorted(finals) if c * size > item["onset"] and c <= last]
                if not closed:
                    continue
                first = due = closed[-1]
            else:
                # A clause, a time that has come, or a sound: words alone do not announce it before it is due.
                due = int(response["due_chunk"])
                first = int(events[trigger]["onset"]) // size if trigger in events else due
            chunk = due + (rng.choice(DELAYS) if train else 0)
            if chunk >= features.chunks or any(f.chunk == chunk for f in found):
                continue
            if closed:
                # As the session tells them apart: what closed a turn's time ago or sooner is asked, the rest was said.
                asked = [c for c in closed if (chunk - c) * size <= TURN]
                heard = " ".join(finals[c] for c in asked).strip()
                before = [c for c in sorted(finals) if c < asked[0]]
                said = [*memory.said, *(said_note((memory.base + c + 1) * size, finals[c]) for c in before)]
                heard_before = [note for c, note in memory.sounds if c <= memory.base + chunk]
                notes = sorted([*heard_before, *said[-MAX_SAID:]], key=lambda note: note.sample)
            if not heard:
                sounds = sound_names(features.tags[max(0, chunk - 3) : chunk + 1], self.labels)
            call = response.get("call")
            text = act_text(ActionCall(call["name"], call["arguments"]), tools) if call else str(response["text"])
            found.append(Target(chunk, due, first, kind, text, heard, sounds, tuple(notes)))
        return found

    def sound_notes(self, features: Features, base: int) -> list[tuple[int, Note]]:
        """(chunk, note) of every sound that the session would note of a sample which begins at chunk `base`."""
        state, found = self._sounds.init_state(), []
        start = base * features.chunk_samples
        for k, tags in enumerate(features.tags.astype(np.float32)):
            for sound in self._sounds.step(self.calibration(tags), k, state):
                if note := sound_note(sound):
                    found.append((base + k, replace(note, sample=start + note.sample)))
        return found


def soft_chunks(sample: Mapping[str, Any], targets: Any) -> dict[int, float]:
    """Silent chunks that weigh less: from a sound's onset to its response (an early alert is no false one)."""
    weights: dict[int, float] = {}
    for target in targets:
        for chunk in range(target.first, target.chunk):
            weights[chunk] = 0.0 if chunk >= target.due else 0.25
    for event in sample["events"]:
        if event.get("respond") == "context" and not sample.get("instruction"):
            start, end = int(event["onset"]) // 6400, int(event["offset"]) // 6400
            weights |= {c: 0.5 for c in range(start, end + 2) if c not in weights}
    return weights


def speech_items(sample: Mapping[str, Any], features: Features) -> list[SpeechItem]:
    return [
        SpeechItem(int(s["onset"]), int(s["offset"]), features.transcripts.get(str(s["id"]), str(s.get("text") or "")))
        for s in sample["speech"]
    ]
