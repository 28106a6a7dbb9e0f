"""Likelihoods against a direct computation, and the ask against the stream's own path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.compose import Item, Part
from benchmarks.hear import Shop
from benchmarks.systems import Setup
from benchmarks.understand import ask as asking
from benchmarks.understand import runner
from benchmarks.understand.tagrule import heard_tags, overlaps
from soundflow.loop import Model, Stream
from tests.conftest import MakeAudio
from tests.decide.tiny import lalm
from tests.tiny_model import tiny_model


class Letters:
    """A context of one token a character."""

    end_id = 0
    end_ids = (0,)

    def plain(self, text: str) -> str:
        return text

    def encode(self, text: str) -> list[int]:
        return [ord(c) % 97 for c in text]

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(map(str, ids))


def asked_tiny() -> tuple[Any, asking.Asked, list[int]]:
    model: Any = SimpleNamespace(lalm=lalm(), context=Letters())
    prompt = [3, 1, 4, 1, 5]
    state = model.lalm.init_state(1)
    model.lalm.start(0, [9, 8], state)
    cache = model.lalm.fork(0, state, len(prompt) + 64)
    logits = model.lalm.feed(model.lalm.embed(prompt), cache)
    return model, asking.Asked(cache, logits, len(prompt), False), [9, 8, *prompt]


def test_the_likelihood_is_the_sum_of_the_tokens_log_probabilities() -> None:
    model, asked, before = asked_tiny()
    options = ["a", "dog", "a longer one"]
    found = asking.likelihoods(model, asked, options)
    for option, score in zip(options, found, strict=True):
        ids = model.context.encode(option)
        whole = torch.tensor([before + ids])
        state = model.lalm.llama.init_state(1, 64)
        hidden = model.lalm.llama(model.lalm.embed(whole[0].tolist())[None], torch.tensor([whole.shape[1]]), state)
        logp = model.lalm.llama.head(hidden[0]).float().log_softmax(-1)
        direct = sum(float(logp[len(before) - 1 + k, t]) for k, t in enumerate(ids))
        assert score.logp == pytest.approx(direct, abs=1e-3)
        assert (score.tokens, score.chars) == (len(ids), len(option))


def test_all_continuations_of_one_token_sum_to_one_and_asks_leave_no_trace() -> None:
    model, asked, _ = asked_tiny()
    model.context.encode = lambda text: [int(text)]
    first = asking.likelihoods(model, asked, [str(i) for i in range(97)])
    assert sum(np.exp(o.logp) for o in first) == pytest.approx(1.0, abs=1e-3)
    text = asking.write(model, asked, 5)
    assert asking.likelihoods(model, asked, [str(i) for i in range(97)]) == first
    assert asking.write(model, asked, 5) == text
    assert int(text.split()[0]) == int(np.argmax([o.logp for o in first]))


def test_the_tag_rule_by_hand() -> None:
    labels = ["Dog", "Speech", "Baby cry, infant cry", "Bell"]
    tags = heard_tags(np.array([0.8, 0.05, 0.5, 0.2], np.float32), labels)
    assert tags == {"Dog": 0.8, "Baby cry, infant cry": 0.5, "Bell": 0.2}
    # "crying baby": both stems are in the label of 0.5; "church bell": one of two in that of 0.2
    assert overlaps(["Dog barking", "Crying baby", "Church bells", "Rain"], tags) == [0.4, 0.5, 0.1, 0.0]
    assert overlaps(["Left", "Rain"], {}, said="left.") == [1.0, 0.0]


@pytest.fixture(scope="module")
def model(nano_parts: Path) -> Model:
    if not (nano_parts / "lm" / "tokenizer.json").is_file():
        pytest.skip("no tokenizer: run `soundflow models pull nano`")
    return tiny_model(nano_parts)


@pytest.fixture
def scene(tone: MakeAudio, noise: MakeAudio) -> np.ndarray:
    return np.concatenate([noise(0.8, 0.01), tone(1.2, 880.0), noise(0.4, 0.01)])


@pytest.mark.weights
def test_a_written_answer_is_what_the_stream_answers_to_typed_words(model: Model, scene: np.ndarray) -> None:
    heard = asking.listen(model, scene)
    text = asking.write(model, asking.ask(model, heard, "Which month follows May?"), 80)
    stream = Stream(model, proactivity=0.0)
    stream.push(asking.padded(scene, model.chunk_samples, asking.TAIL_S))
    step = stream.row.ask("Which month follows May?")
    assert step is not None
    logits = model.lalm.step([stream.row.now // model.chunk_samples], [step.inputs], stream.row.lalm)[0]
    events, _ = stream.row.finish(step, logits)
    while stream.row.replies.reply is not None:
        events += stream.row.replies.advance(stream.row.now)
    said = next(e.to_dict()["text"] for e in events if e.type == "reply.done")
    assert text == said.strip()


@pytest.mark.weights
def test_an_ask_changes_nothing_that_was_heard(model: Model, scene: np.ndarray) -> None:
    heard = asking.listen(model, scene)
    before = heard.row.lalm.cache.snapshot(0)
    first = asking.ask(model, heard, "What?")
    asking.ask(model, heard, "Something else, longer?")
    again = asking.ask(model, heard, "What?")
    torch.testing.assert_close(first.logits, again.logits, rtol=0, atol=0)
    after = heard.row.lalm.cache.snapshot(0)
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert asking.ask(model, heard, "word " * 120).cut
    assert not first.cut


@pytest.mark.weights
def test_rows_of_ours_blind_and_the_rules(model: Model, scene: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimpleNamespace(name="nano", chunk=model.chunk_samples, model=model)
    monkeypatch.setattr(runner, "make", lambda setup: [made])
    monkeypatch.setattr(runner, "load", lambda path: scene)
    entry = {"question": "What?", "choices": ["Dog", "Beep tone", "Rain"], "answer": "Rain"}
    facts = {"entry": entry, "right": 2, "circular": True, "orders": [[0, 1, 2], [1, 2, 0]]}
    item = Item("q", "sound", "", "", "q", 1, (Part("q.wav"),), facts=facts)
    rows = {r["system"]: r for r in runner.answer(item, runner.DEFAULT, Shop(Setup(Path("x"))), lambda s: None)}
    assert not any(r.get("error") for r in rows.values())
    assert len(rows["nano"]["cloze"]) == 3
    assert [s["order"] for s in rows["nano"]["shown"]] == facts["orders"]
    assert rows["nano"]["cloze"] != rows["nano-blind"]["cloze"], "silence is another context"
    assert not rows["nano-blind"]["tags"].keys() & rows["nano"]["tags"].keys() - {"Silence"}
    assert len(rows["tag-rule"]["overlaps"]) == 3
    spoken = Item(
        "s", "sd-qa", "", "", "s", 1, (Part("q.wav"),), facts={"entry": {"prompt": "Who?"}, "modality": "audio"}
    )
    row = runner.answer_speech(spoken, ["nano"], Shop(Setup(Path("x"))), lambda s: None)[0]
    assert {"itself", "asked", "said", "cut"} <= row.keys(), row
