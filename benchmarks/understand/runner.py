"""Runs a question through the systems: one row an item and system; an error of one is its row's `error`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace
from functools import partial
from typing import Any, Final

import numpy as np

from benchmarks.compose import Item
from benchmarks.hear import Shop, Tick, attempt, drive, record, timed
from benchmarks.instances import Row
from benchmarks.systems import KNOWN, OURS, Ask, Setup, System, make
from benchmarks.understand import ask as asking
from benchmarks.understand.questions import load
from benchmarks.understand.tagrule import heard_tags, overlaps
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError
from soundflow.loop import Model
from soundflow.types import FloatArray

BLIND: Final = "-blind"
TAGS, TAGS_WORDS = "tag-rule", "tag-word-rule"
RULES: Final = (TAGS, TAGS_WORDS)
DEFAULT: Final = ("nano", f"nano{BLIND}", *RULES)


def base(name: str) -> str:
    """The system that `name` is a variant of: "nano-blind" and the tag rules are heard with nano."""
    return OURS if name in RULES else name.removesuffix(BLIND)


def check(names: Sequence[str]) -> None:
    """ConfigError for a name that nothing is known of; a URL is for `benchmarks.systems` to judge."""
    for name in names:
        ours = base(name).startswith(OURS) or (name not in RULES and not name.endswith(BLIND))
        if "://" not in name and not (ours and base(name) in KNOWN):
            listed = ", ".join((*DEFAULT, *KNOWN[1:]))
            raise ConfigError(f"--systems: expected some of {listed} (ours also with {BLIND}), got {name!r}")


def system_of(name: str, shop: Shop) -> System:
    """The system behind a name, made once in a worker."""
    kept: dict[str, System] = shop.kept.setdefault("understand", {})
    wanted = base(name)
    if wanted not in kept:
        kept[wanted] = make(replace(shop.setup, systems=(wanted,)))[0]
    return kept[wanted]


def prompt(question: str, choices: Sequence[str]) -> str:
    """A question with its choices shown, in their order."""
    return f"{question} Choose one of: {'; '.join(choices)}."


def answer(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """Rows of the systems of `names` for one multiple-choice question; what shares a model hears the audio once."""
    heard: dict[tuple[str, bool], asking.Heard] = {}

    def hear(model: Model, name: str, audio: FloatArray) -> asking.Heard:
        key = base(name), name.endswith(BLIND)
        if key not in heard:
            heard[key] = asking.listen(model, np.zeros_like(audio) if key[1] else audio)
        return heard[key]

    def answered(name: str, system: System) -> Mapping[str, Any]:
        audio = load(shop.setup.audio / item.parts[0].path)
        model = getattr(system, "model", None)
        if isinstance(model, Model):
            body = _of_ours(item, name, model, hear(model, name, audio))
        else:
            body = _of_events(item, system, audio)
        tick(len(audio) / SAMPLE_RATE_HZ)
        return body

    return _each(item, names, shop, answered)


def _each(
    item: Item, names: Sequence[str], shop: Shop, answered: Callable[[str, System], Mapping[str, Any]]
) -> list[Row]:
    rows = []
    for name in names:
        system = system_of(name, shop)
        rows.append(attempt(item, name, partial(timed, item, name, partial(answered, name, system))))
    return rows


def _of_ours(item: Item, name: str, model: Model, heard: asking.Heard) -> dict[str, Any]:
    entry, orders = item.facts["entry"], item.facts["orders"]
    question, choices = entry["question"], entry["choices"]
    body: dict[str, Any] = {"tags": heard_tags(heard.tags, model.perceiver.labels), "said": heard.said}
    if name in RULES:
        said = heard.said if name == TAGS_WORDS else ""
        return body | {"overlaps": overlaps(choices, body["tags"], said)}
    alone = asking.ask(model, heard, question)
    body["cloze"] = [astuple(o) for o in asking.likelihoods(model, alone, choices)]
    body["open"] = asking.write(model, alone)
    body["cut"] = alone.cut
    body["shown"] = []
    for order in orders:
        listed = [choices[i] for i in order]
        asked = asking.ask(model, heard, prompt(question, listed))
        options = asking.likelihoods(model, asked, listed)
        place = {i: k for k, i in enumerate(order)}
        scored = [astuple(options[place[i]]) for i in range(len(choices))]
        body["shown"].append({"order": order, "options": scored, "text": asking.write(model, asked)})
        body["cut"] = body["cut"] or asked.cut
    return body


def _of_events(item: Item, system: System, audio: FloatArray) -> dict[str, Any]:
    """A system of which only events are known: the question is its instruction, all that it says is its answer."""
    entry, shown = item.facts["entry"], []
    whole = asking.padded(audio, system.chunk, SPEECH_TAIL_S)
    for order in item.facts["orders"]:
        text = prompt(entry["question"], [entry["choices"][i] for i in order])
        out = record(drive(system.open(Ask(text, (), item.seed)), whole, system.chunk))
        shown.append({"order": order, "text": " ".join(r["text"] for r in out["replies"])})
    return {"shown": shown}


SPEECH_TAIL_S: Final = 4.8


def answer_speech(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """Rows for a spoken question (VoiceBench): what a system answers by itself, and, of ours, what it says when asked.

    `facts["modality"]`: "audio", or "text", where ours is asked the prompt as typed words and hears silence.
    """

    def answered(name: str, system: System) -> Mapping[str, Any]:
        audio = load(shop.setup.audio / item.parts[0].path)
        if name.endswith(BLIND):
            audio = np.zeros_like(audio)
        model = getattr(system, "model", None)
        if isinstance(model, Model):
            body = _spoken(item, model, audio)
        elif item.facts["modality"] == "text":
            raise ConfigError(f"{name}: expected one of our models for typed prompts, got {type(system).__name__}")
        else:
            body = _by_itself(item, system, audio)
        tick(len(audio) / SAMPLE_RATE_HZ)
        return body

    return _each(item, names, shop, answered)


def _by_itself(item: Item, system: System, audio: FloatArray) -> dict[str, Any]:
    whole = asking.padded(audio, system.chunk, SPEECH_TAIL_S)
    out = record(drive(system.open(Ask("", (), item.seed)), whole, system.chunk))
    said = " ".join(t["text"] for t in out["transcripts"])
    return {"itself": " ".join(r["text"] for r in out["replies"]), "said": said}


def _spoken(item: Item, model: Model, audio: FloatArray) -> dict[str, Any]:
    from benchmarks.systems import OurListener

    typed = item.facts["modality"] == "text"
    body: dict[str, Any] = {"itself": "", "said": ""}
    if not typed:
        listener = OurListener(model, Ask("", (), item.seed))
        out = record(drive(listener, asking.padded(audio, model.chunk_samples, SPEECH_TAIL_S), model.chunk_samples))
        body["itself"] = " ".join(r["text"] for r in out["replies"])
    heard = asking.listen(model, np.zeros(0, np.float32) if typed else audio)
    asked = asking.ask(model, heard, item.facts["entry"]["prompt"] if typed else heard.unanswered, typed)
    body |= {"said": heard.said, "asked": asking.write(model, asked), "cut": asked.cut}
    if choices := item.facts.get("choices"):
        body["options"] = [astuple(o) for o in asking.likelihoods(model, asked, choices)]
    return body


def setup_of(audio: Any, names: Sequence[str], adapter: Any) -> Setup:
    """A worker's setup for these names."""
    check(names)
    return Setup(audio, tuple(names), adapter)
