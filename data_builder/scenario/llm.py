"""The same day asked of a language model, and paraphrases; what it writes passes the verifier or is not used."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from data_builder.scenario.day import MAX_COMPANY, Day, Moment, plan_day
from data_builder.scenario.endpoint import AnswerError, Endpoint, Message
from data_builder.scenario.home import ACTIVITIES, as_dict
from data_builder.scenario.paraphrase import BATCH, check_variants, request, variants_in
from data_builder.scenario.places import PLACES
from data_builder.scenario.verify import MAX_LABELS, Planned, Rejection, plan_verified, verify
from soundflow.errors import ConfigError, DataError

MAX_REASONS: Final = 30
MAX_FIELD: Final = 400
LISTS: Final = ("people", "sounds", "media", "beds")
TEXTS: Final = ("place", "activity", "story", "tools", "topic")
_SYSTEM: Final = (
    "You write plausible days of a household for a corpus of everyday sounds. You get a household, a catalogue of "
    "places and activities, and a draft of the day. Give the day back with stories and topics of your own: lively, "
    "concrete, each different, one plain English sentence in the present tense. Keep the number of moments and "
    "their hours. You may change place, activity, people, sounds, media, beds and tools of a moment, but only to "
    "what the catalogue allows: the activity must list the place and the hour; sounds are of the place or the "
    "activity; media are the activity's media; beds and tools are the place's. The first of `people` leads the "
    "moment and must be named in the story; nobody may be named who is not in `people`. Answer with one JSON object "
    "and nothing else."
)


def day_schema(moments: int) -> dict[str, Any]:
    """JSON schema of the answer."""
    strings = {"type": "array", "items": {"type": "string"}}
    properties: dict[str, Any] = {"hour": {"type": "number"}}
    properties |= {name: {"type": "string"} for name in TEXTS}
    properties |= {name: strings for name in LISTS}
    moment = {
        "type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False,
    }  # fmt: skip
    items = {"type": "array", "items": moment, "minItems": moments, "maxItems": moments}
    return {"type": "object", "properties": {"moments": items}, "required": ["moments"], "additionalProperties": False}


def loads(text: str) -> dict[str, Any]:
    """The JSON object in an answer, with or without a code fence round it. Raises DataError."""
    text = text.strip()
    if text.startswith("```"):
        text = text.partition("\n")[2].rstrip().removesuffix("```")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"expected one JSON object, got {type(error).__name__} in {text[:60]!r}") from None
    if not isinstance(value, dict):
        raise DataError(f"expected one JSON object, got {type(value).__name__}")
    return value


def moments_in(answer: str, draft: Day) -> tuple[Moment, ...]:
    """The moments of an answer; the room response stays the draft's. Raises DataError naming moment and key."""
    raw = loads(answer).get("moments")
    if not isinstance(raw, list) or len(raw) != len(draft.moments):
        got = f"{len(raw)} of them" if isinstance(raw, list) else type(raw).__name__
        raise DataError(f"key 'moments': expected a list of {len(draft.moments)} objects, got {got}")
    rooms = {room: (low, high) for room, low, high in draft.home.rt60}
    out = []
    for i, (entry, before) in enumerate(zip(raw, draft.moments, strict=True)):
        where = f"moment {i}"
        if not isinstance(entry, dict):
            raise DataError(f"expected an object, got {type(entry).__name__}", where)
        hour = entry.get("hour")
        if isinstance(hour, bool) or not isinstance(hour, int | float) or not 0 <= hour < 24:
            raise DataError(f"key 'hour': expected a number from 0 to 24, got {str(hour)[:40]!r}", where)
        texts = {name: _text(entry.get(name), name, where) for name in TEXTS}
        lists = {name: _list(entry.get(name), name, where) for name in LISTS}
        place = texts["place"]
        default = PLACES[place].rt60 if place in PLACES else before.rt60
        rt60 = before.rt60 if place == before.place else rooms.get(place, default)
        out.append(Moment(hour=float(hour), rt60=rt60, **texts, **lists))  # type: ignore[arg-type]
    return tuple(out)


def _text(value: Any, name: str, where: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_FIELD:
        raise DataError(
            f"key {name!r}: expected text of at most {MAX_FIELD} characters, got {str(value)[:40]!r}", where
        )
    return value.strip()


def _list(value: Any, name: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_LABELS:
        raise DataError(f"key {name!r}: expected a list of at most {MAX_LABELS}, got {str(value)[:40]!r}", where)
    return tuple(_text(item, name, where) for item in value)


def catalogue(day: Day, labels: Collection[str]) -> dict[str, Any]:
    """What may appear in this day: its places and activities, with the labels that the corpus holds."""
    places = [p for p in PLACES.values() if not p.at_home or p.name in day.home.rooms]
    names = {p.name for p in places}

    def held(values: Collection[str]) -> list[str]:
        return sorted(v for v in values if v in labels)

    activities = {}
    for entry in ACTIVITIES.values():
        if (entry.needs and entry.needs not in day.home.features) or not names.intersection(entry.places):
            continue
        if entry.weather and day.weather not in entry.weather:
            continue
        about = {
            "places": [p for p in entry.places if p in names],
            "hours": [list(span) for span in entry.hours],
            "sounds": held(entry.sounds),
            "media": held(entry.media),
            "led by": list(entry.roles),
            "others": entry.company,
            "only for": "people who should be asleep" if entry.night else "",
        }
        activities[entry.name] = {key: value for key, value in about.items() if value}
    rooms = {
        p.name: {"sounds": held(p.sounds), "beds": held(p.beds), "tools": sorted(set(p.tools)), "why": list(p.reasons)}
        for p in places
    }
    return {"places": rooms, "activities": activities, "people in a moment at most": 1 + MAX_COMPANY}


def question(day: Day, labels: Collection[str]) -> list[Message]:
    """The messages that ask for a day in place of the draft `day`."""
    draft = [{k: v for k, v in moment.to_dict().items() if k != "rt60"} for moment in day.moments]
    text = {
        "household": {**as_dict(day.home, day.people), "weather": day.weather, "weekend": day.weekend},
        "catalogue": catalogue(day, labels),
        "draft": draft,
    }
    content = json.dumps(text, ensure_ascii=False, separators=(",", ":"))
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": content}]


def again(answer: str, reasons: Sequence[str]) -> list[Message]:
    """The messages that send an answer back with what was wrong with it."""
    listed = "\n".join(f"- {reason}" for reason in reasons[:MAX_REASONS])
    more = f"\n- and {len(reasons) - MAX_REASONS} more" if len(reasons) > MAX_REASONS else ""
    content = f"This was not accepted:\n{listed}{more}\nGive the whole corrected JSON object."
    return [{"role": "assistant", "content": answer}, {"role": "user", "content": content}]


@dataclass(slots=True)
class LlmPlanner:
    """Days and paraphrases out of an endpoint. `rejected` collects what was not taken, and why."""

    endpoint: Endpoint
    rejected: list[Rejection] = field(default_factory=list)

    def plan(self, rng: np.random.Generator, moments: int, labels: Collection[str]) -> Planned:
        """A day that passes the verifier: the model's, else the template's it was asked to improve.

        Answers, rejected ones too, are in the endpoint's cache, so the day of a generator stays the same; where there
        is no answer there is no day, as a template day would come of the network and not of the seed. `Day.origin` is
        "llm", or says why the template stood in.

        Raises:
            ConfigError: settings, `moments` or `labels` are wrong, or the key is not set.
            DataError: not even a template day passed. Its EndpointError: no answer; asked again, there may be one.
        """
        drawn = plan_verified(rng, moments, labels, planner=plan_day)
        draft, seed = drawn.day, int(rng.integers(2**31))
        messages, rejected = question(draft, labels), list(drawn.rejected)
        for attempt in (1, 2):
            try:
                answer = self.endpoint.chat(messages, day_schema(moments), "day", seed)
            except AnswerError as error:
                self._note(rejected, [Rejection(-1, "plan", f"endpoint: {error}")])
                break
            try:
                day = replace(draft, moments=moments_in(answer, draft), origin="llm")
                found = verify(day, labels)
                found += _kept_hours(day, draft)
            except DataError as error:
                found = [Rejection(-1, "shape", str(error))]
            if not found:
                return Planned(day, tuple(rejected), drawn.tries + attempt - 1)
            self._note(rejected, found)
            messages = [*messages, *again(answer, [r.reason for r in found])]
        origin = "template: the answers of the endpoint were rejected"
        return Planned(replace(draft, origin=origin), tuple(rejected), drawn.tries)

    def _note(self, rejected: list[Rejection], found: list[Rejection]) -> None:
        rejected += found
        self.rejected += found[: max(0, 10_000 - len(self.rejected))]

    def paraphrase(
        self, texts: list[str], n: int, keep: Sequence[Sequence[str]] = (), seed: int = 0
    ) -> list[list[str]]:
        """At most `n` other wordings of each text, in order; fewer, or none, where the model has no good ones.

        Args:
            texts: 1 to 400 characters each; slots such as {room} stay as they are.
            n: 1 to 20.
            keep: for each text, words that every wording must hold; () = none for all.
            seed: sent along, and part of the cache's key.

        Raises:
            ConfigError: `n`, a text or the length of `keep` is wrong.
            EndpointError: no answer; asked again, there may be one.
        """
        if not 1 <= n <= 20:
            raise ConfigError(f"n: expected 1 to 20 wordings, got {n}")
        if keep and len(keep) != len(texts):
            raise ConfigError(f"keep: expected {len(texts)} lists of words, got {len(keep)}")
        for i, text in enumerate(texts):
            if not text.strip() or len(text) > MAX_FIELD:
                raise ConfigError(f"texts[{i}]: expected 1 to {MAX_FIELD} characters, got {len(text)}")
        words = [list(entry) for entry in keep] or [[] for _ in texts]
        out: list[list[str]] = []
        for start in range(0, len(texts), BATCH):
            out += self._batch(texts[start : start + BATCH], n, words[start : start + BATCH], seed)
        return out

    def _batch(self, texts: list[str], n: int, keep: list[list[str]], seed: int) -> list[list[str]]:
        """One request, and a second one where something was wrong with the first answer."""
        messages, schema = request(texts, n, keep)
        best: list[list[str]] = [[] for _ in texts]
        for _ in range(2):
            try:
                answer = self.endpoint.chat(messages, schema, "paraphrases", seed)
            except AnswerError as error:
                self._note([], [Rejection(-1, "plan", f"endpoint: {error}")])
                break
            try:
                good, reasons = check_variants(texts, n, keep, variants_in(loads(answer), len(texts)), best)
            except DataError as error:
                good, reasons = best, [str(error)]
            best = good
            if not reasons:
                break
            self._note([], [Rejection(-1, "shape", reason) for reason in reasons])
            messages = [*messages, *again(answer, reasons)]
        return best


def _kept_hours(day: Day, draft: Day) -> list[Rejection]:
    """The hours are the draft's, so that days stay spread over the clock."""
    return [
        Rejection(i, "order", f"moment {i} ({new.hour:.2f} h, {new.place[:40]}): expected the hour {old.hour}")
        for i, (new, old) in enumerate(zip(day.moments, draft.moments, strict=True))
        if abs(new.hour - old.hour) > 0.02
    ]
