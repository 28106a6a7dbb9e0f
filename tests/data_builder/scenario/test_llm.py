"""A day and paraphrases out of a language model: taken only where they pass, otherwise the template stands in."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_builder.scenario import BED_LABELS, plan_verified, verify
from data_builder.scenario.endpoint import Endpoint, EndpointError
from data_builder.scenario.llm import LlmPlanner, loads
from data_builder.texts.sounds import PHRASES
from soundflow.errors import ConfigError, DataError
from tests.data_builder.scenario.conftest import FakeEndpoint, Reply, says, send

LABELS = frozenset(PHRASES) | BED_LABELS
N = 8


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def template() -> Any:
    return plan_verified(rng(), N, LABELS).day


def written(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The draft of a request with other stories, as a good model would write it."""
    draft: list[dict[str, Any]] = json.loads(request["messages"][1]["content"])["draft"]
    for i, moment in enumerate(draft):
        moment["story"] = f"{moment['people'][0]} tells tale number {i}."
        moment["topic"] = f"tale number {i}"
    return draft


def good(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    says("```json\n" + json.dumps({"moments": written(request)}) + "\n```")(handler, request)


def altered(i: int, **values: Any) -> Reply:
    """A good answer with one moment changed."""

    def reply(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
        moments = written(request)
        moments[i] |= values
        says({"moments": moments})(handler, request)

    return reply


def later(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    """A good answer whose hours are not the draft's."""
    moments = written(request)
    for moment in moments:
        moment["hour"] += 0.05
    says({"moments": moments})(handler, request)


def planner(fake: FakeEndpoint, **options: Any) -> LlmPlanner:
    return LlmPlanner(Endpoint(fake.url, "tiny", sleep=lambda s: None, **{"timeout": 5.0, "retries": 1, **options}))


def test_good(fake: FakeEndpoint) -> None:
    fake.replies = [good]
    planned = planner(fake).plan(rng(), N, LABELS)
    day = planned.day
    assert day.origin == "llm"
    assert verify(day, LABELS) == []
    assert [m.story.split(" ", 1)[1] for m in day.moments] == [f"tells tale number {i}." for i in range(N)]
    assert (day.people, day.home) == (template().people, template().home)
    assert planned.rejected == ()
    schema = fake.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["moments"]["minItems"] == N
    catalogue = json.loads(fake.requests[0]["messages"][1]["content"])["catalogue"]
    assert set(catalogue["places"]) >= {"kitchen", "street"}


def test_reasons_are_sent_back_once(fake: FakeEndpoint) -> None:
    fake.replies = [altered(3, sounds=["lion_roar", "no_such_label"]), good]
    llm = planner(fake)
    planned = llm.plan(rng(), N, LABELS)
    assert planned.day.origin == "llm"
    assert {r.moment for r in planned.rejected} == {3}
    assert set(planned.counts) >= {"grounded"}
    assert llm.rejected == list(planned.rejected)
    roles = [m["role"] for m in fake.requests[1]["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "'no_such_label' is not a label of the corpus" in fake.requests[1]["messages"][3]["content"]


HOSTILE: dict[str, Reply] = {
    "unknown place": altered(2, place="moon"),
    "markup": altered(2, story="<script>alert(1)</script>"),
    "address": altered(2, topic="see http://example.org/x"),
    "control characters": altered(2, story="bell \u0007 and \u202e"),
    "lone surrogate": altered(2, story="\ud800"),
    "endless story": altered(2, story="word " * 5000),
    "endless list": altered(2, sounds=["dog"] * 1000),
    "wrong type": altered(2, story={"a": 1}),
    "no number": altered(2, hour=float("nan")),
    "a huge hour": altered(2, hour=10**400),
    "true for an hour": altered(2, hour=True),
    "other hours": altered(2, hour=0.0),
    "all a little later": later,
    "too few": says({"moments": []}),
    "not an object": says([1, 2]),
    "not JSON": says("Sure! Here is your day."),
    "deep": says("[" * 100_000),
    "huge number": says('{"moments": ' + "9" * 5000 + "}"),
    "a moment that is none": says({"moments": [1] * N}),
    "oversized": says("x" * (2 << 20)),
    "no text": lambda handler, request: send(handler, b'{"choices": [{"message": {"content": null}}]}'),
}
UNANSWERED: dict[str, Reply] = {
    "malformed": lambda handler, request: send(handler, b"{"),
    "error": lambda handler, request: send(handler, b"", 500),
    "unauthorised": lambda handler, request: send(handler, b"", 401),
    "refused": lambda handler, request: send(handler, b"", 400),
    "slow": lambda handler, request: time.sleep(0.6),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_template_stands_in(fake: FakeEndpoint, tmp_path: Path, name: str) -> None:
    fake.replies = [HOSTILE[name]]
    generator = rng()
    planned = planner(fake, cache=tmp_path).plan(generator, N, LABELS)
    day = planned.day
    assert day.origin.startswith("template: ")
    assert day.moments == template().moments
    assert verify(day, LABELS) == []
    assert planned.rejected
    assert all(r.reason and len(r.reason) < 600 for r in planned.rejected)
    assert len(fake.requests) <= 2
    fake.replies = [good]
    fake.requests.clear()
    assert planner(fake, cache=tmp_path).plan(rng(), N, LABELS) == planned, "the rejected answer is kept"
    assert not fake.requests
    other = rng()
    planner(fake).plan(other, N, LABELS)
    assert generator.random() == other.random(), "the generator must not depend on the endpoint"


@pytest.mark.parametrize("name", UNANSWERED)
@pytest.mark.parametrize("second", [False, True])
def test_no_answer_is_no_day_and_changes_none(fake: FakeEndpoint, tmp_path: Path, name: str, second: bool) -> None:
    before = [altered(1, place="moon")] * second
    fake.replies = [*before, UNANSWERED[name]]
    llm = planner(fake, cache=tmp_path / "a", timeout=0.4 if name == "slow" else 5.0)
    with pytest.raises(EndpointError, match="expected"):
        llm.plan(rng(), N, LABELS)
    fake.replies = [good]
    fake.requests.clear()
    resumed = planner(fake, cache=tmp_path / "a").plan(rng(), N, LABELS)
    assert len(fake.requests) == 1
    fake.replies = [*before, good]
    fake.requests.clear()
    assert resumed == planner(fake, cache=tmp_path / "b").plan(rng(), N, LABELS)
    assert resumed.day.origin == "llm"


def test_same_bytes_without_the_endpoint(fake: FakeEndpoint, tmp_path: Path) -> None:
    fake.replies = [altered(1, place="moon"), good, altered(1, place="moon")]
    one = planner(fake, cache=tmp_path).plan(rng(), N, LABELS)
    offline = LlmPlanner(Endpoint("", "tiny", cache=tmp_path))
    assert offline.plan(rng(), N, LABELS) == one
    assert one.day.origin == "llm"
    other = np.random.default_rng(6)
    two = planner(fake, cache=tmp_path).plan(other, N, LABELS)
    assert two.day.origin == "template: the answers of the endpoint were rejected"
    assert offline.plan(np.random.default_rng(6), N, LABELS) == two
    with pytest.raises(EndpointError, match="no base_url"):
        offline.plan(np.random.default_rng(7), N, LABELS)


TEXTS = ["Turn on the {room} light.", "Tell me when you hear the doorbell."]
KEEP = [["light"], ["doorbell"]]
GOOD = {
    "items": [
        {"index": 1, "variants": ["Let me know as soon as the doorbell rings.", "Say so if you hear the doorbell."]},
        {"index": 0, "variants": ["Switch on the {room} light.", "I want the light on in the {room}."]},
    ]
}


def test_paraphrase(fake: FakeEndpoint) -> None:
    fake.replies = [says(GOOD)]
    got = planner(fake).paraphrase(TEXTS, 2, KEEP)
    assert got == [GOOD["items"][1]["variants"], GOOD["items"][0]["variants"]]
    assert len(fake.requests) == 1


def test_paraphrase_keeps_only_good_ones(fake: FakeEndpoint) -> None:
    bad = {
        "items": [
            {"index": 0, "variants": [
                "Switch on the {room} light.", "switch on the {room} light!", "Turn on the {room} light",
                "Illuminate the {room}.", "Light in the kitchen.", "{room} light {room}", "The {room} light <b>on</b>",
                "The {room} light " + "please " * 40, "", "The {room} lights",
            ]},
            {"index": 1, "variants": ["Tell me when it rings."]},
        ]
    }  # fmt: skip
    fake.replies = [says(bad), says(GOOD)]
    llm = planner(fake)
    got = llm.paraphrase(TEXTS, 2, KEEP)
    assert got[0] == ["Switch on the {room} light.", "I want the light on in the {room}."]
    assert got[1] == GOOD["items"][0]["variants"]
    back = fake.requests[1]["messages"][-1]["content"]
    assert "expected the word 'doorbell'" in back
    assert "expected the slots ['{room}']" in back
    assert llm.rejected
    fake.replies = [says(bad)]
    assert planner(fake).paraphrase(TEXTS, 2, KEEP) == [["Switch on the {room} light."], []]


@pytest.mark.parametrize(
    "content",
    [
        "no", {"items": 1}, {"items": [1]}, {"items": [{"index": 9, "variants": []}]},
        {"items": [{"index": 0, "variants": [1]}]}, {"items": [{"index": True, "variants": []}] * 3},
    ],
)  # fmt: skip
def test_paraphrase_hostile(fake: FakeEndpoint, content: Any) -> None:
    fake.replies = [says(content)]
    assert planner(fake).paraphrase(TEXTS, 2, KEEP) == [[], []]
    assert len(fake.requests) == 2


def test_paraphrase_without_an_answer(fake: FakeEndpoint) -> None:
    fake.replies = [UNANSWERED["error"]]
    with pytest.raises(EndpointError, match="status 500"):
        planner(fake).paraphrase(TEXTS, 2, KEEP)
    fake.replies = [HOSTILE["no text"]]
    assert planner(fake).paraphrase(TEXTS, 2, KEEP) == [[], []]


def test_paraphrase_bad_input(fake: FakeEndpoint) -> None:
    llm = planner(fake)
    with pytest.raises(ConfigError, match="n: expected"):
        llm.paraphrase(TEXTS, 0)
    with pytest.raises(ConfigError, match="keep: expected 2"):
        llm.paraphrase(TEXTS, 1, [["light"]])
    with pytest.raises(ConfigError, match=r"texts\[0\]"):
        llm.paraphrase([""], 1)
    assert llm.paraphrase([], 3) == []


def test_loads_fences() -> None:
    assert loads('```json\n{"a": 1}\n```') == {"a": 1} == loads(' {"a": 1} ')
    with pytest.raises(DataError, match="one JSON object"):
        loads("[]")
