"""Spoken questions in a stream: the plan, one reply by hand, what is kept, voices, and the whole command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import instances, runs
from benchmarks.stream import heard, questions, run, voices
from benchmarks.stream.words import QUESTIONS, SOUNDS, sentences
from benchmarks.systems import Setup
from benchmarks.workers import run as run_items
from soundflow.errors import ConfigError
from tests.benchmarks.fakes import CHUNK
from tests.benchmarks.stream.fakes import Remembers, make_voices


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_voices(tmp_path_factory.mktemp("voices"))


def row_of(
    decisions: str, replies: list[tuple[float, str]], spans: list[list[float]], asked: list[int], n: int = 0
) -> Any:
    """A row of questions; times in seconds."""
    told = [{"question": q, "event": k} for k, q in enumerate(asked)]
    facts = {"rounds": n or len(asked), "gaps": "spoken" if len(asked) > 1 else "alone", "stream": 0, "events": told}
    body: dict[str, Any] = {
        "id": "x",
        "system": "nano",
        "chunk": CHUNK,
        "decisions": decisions,
        "item": {"facts": facts},
    }
    body["replies"] = [{"t": t, "id": "r", "text": text} for t, text in replies]
    words = [{"t": b + 0.7, "text": QUESTIONS[q].text} for (_, b), q in zip(spans, asked, strict=True)]
    body |= {"cancelled": [], "actions": [], "transcripts": words}
    return body | {"spans": [[round(a * 16000), round(b * 16000)] for a, b in spans]}


def decided(*chunks: int, length: int = 40) -> str:
    return "".join("S" if k in chunks else "s" for k in range(length))


def test_every_n_asks_the_same_questions(said: Path) -> None:
    audio = voices.voiced(sentences(), said, said)
    items = questions.plan(audio, (1, 3, 6), 2, 0)
    assert len(items) == 2 * (6 + 2 + 1)
    for k in range(2):
        orders = [
            [
                e["question"]
                for i in items
                if i.facts["stream"] == k and i.facts["rounds"] == n
                for e in i.facts["events"]
            ]
            for n in (1, 3, 6)
        ]
        assert orders[0] == orders[1] == orders[2]
        assert len(set(orders[0])) == 6
    with pytest.raises(ConfigError, match="questions"):
        questions.plan(audio, (len(QUESTIONS) + 1,), 1, 0)


def test_a_reply_in_time_by_hand() -> None:
    # "How much is seven plus five?" ends at 2.0 s, "How much is nine minus four?" at 9.0 s.
    spans, asked = [[1.0, 2.0], [8.0, 9.0]], [0, 1]
    row = row_of(decided(7, 24), [(3.6, "It is twelve."), (10.4, "It is six.")], spans, asked)
    first, second = questions.answered(row)
    assert (first.hit, first.right, first.heard) == (True, True, True)
    assert first.delay_s == pytest.approx(8 * 0.4 - 2.0)
    assert (second.hit, second.right) == (True, False), "nine minus four is not six"
    late = questions.answered(row_of(decided(13), [(5.8, "It is twelve.")], spans, asked))
    assert not late[0].hit, "chunk 13 ends 3.6 s behind the question"
    early = questions.answered(row_of(decided(3), [(1.7, "It is twelve.")], spans, asked))
    assert not early[0].hit, "before the question is over"


def test_what_is_kept_of_questions_by_hand() -> None:
    whole = row_of(decided(7), [(3.6, "Twelve.")], [[1.0, 2.0], [8.0, 9.0]], [0, 1])
    alone = [row_of(decided(7), [(3.6, text)], [[1.0, 2.0]], [q], 1) for q, text in ((0, "Twelve."), (1, "Five."))]
    alone[1]["item"]["facts"]["events"][0]["event"] = 1
    figures = questions.score([whole, *alone], draws=20)["nano"]
    assert figures["1 alone"]["right"][0] == 1.0
    assert figures["2 spoken"]["right"][0] == 0.5
    assert figures["2 spoken"]["retention"][0] == 0.5
    assert [p["retention"][0] for p in figures["2 spoken"]["by_position"]] == [1.0, 0.0]
    lost = questions.score([{**whole, "error": "x"}, *alone], draws=20)["nano"]["2 spoken"]
    assert (lost["failed"], lost["right"][0], lost["questions"]) == (1, 0.0, 2)


def test_voices_of_a_folder_and_their_faults(tmp_path: Path, said: Path) -> None:
    found = voices.voiced(["Did you hear a dog?"], tmp_path, said)
    assert found["Did you hear a dog?"].path == str(said / "tone.wav")
    with pytest.raises(ConfigError, match=r"index\.csv.*bench stream sentences"):
        voices.voiced(["x"], tmp_path, tmp_path)
    with pytest.raises(ConfigError, match=r"1 are missing, the first is 'Never said\.'"):
        voices.voiced(["Did you hear a dog?", "Never said."], tmp_path, said)


def test_sentences_are_all_there_and_each_once() -> None:
    every = list(sentences())
    assert len(set(every)) == len(every) <= 200
    for word in ("{", "}"):
        assert not any(word in text for text in every)
    for label, sound in SOUNDS.items():
        assert sound.noun.split()[0] in ("a", "an", "some"), label


def test_a_system_without_words_answers_nothing_and_stays_in_the_count(
    corpus: Path, said: Path, tmp_path: Path
) -> None:
    items = questions.plan(voices.voiced(sentences(), said, said), (1, 2), 1, 0)
    made = [Remembers("nano"), Remembers("rules", fails_on=items[-1].seed)]
    rows = run_items("retention", items, tmp_path, Setup(corpus), heard.hear, workers=0, systems=made)
    assert len(rows) == 2 * len(items)
    figures = questions.score(rows, draws=20)
    assert figures["nano"]["2 spoken"]["answered"][0] == 1.0, "it speaks when the tone ends"
    assert figures["nano"]["2 spoken"]["right"][0] == 0.0
    assert figures["nano"]["2 spoken"]["retention"] == [None, None, None], "nothing to keep"
    assert figures["nano"]["1 alone"]["delay_s"]["with_compute"] > figures["nano"]["1 alone"]["delay_s"]["audio"]
    assert figures["rules"]["2 spoken"]["failed"] == 1


def test_the_whole_command_resumes_and_scores_again(corpus: Path, said: Path, tmp_path: Path) -> None:
    o = runs.Options(tmp_path / "out", corpus, workers=0, systems=("always-silent", "always-respond"))
    found = run.run_retention(o, (1, 2), 1, ("short gaps",), spoken=said)
    assert found.figures["events"]["always-silent"]["2 short gaps"]["balanced_accuracy"][0] == 0.5
    assert found.figures["questions"]["always-silent"]["2 spoken"]["right"][0] == 0.0
    before = instances.digest(o.out)
    whole = (o.out / "instances.jsonl").read_text().splitlines()
    (o.out / "instances.jsonl").write_text("\n".join([*whole[:3], whole[3][:40]]))
    again = run.run_retention(o, (1, 2), 1, ("short gaps",), spoken=said)
    assert len(again.rows) == len(found.rows)
    assert instances.digest(o.out) == before
    scored = run.run_retention(runs.Options(o.out, score_only=True))
    assert scored.figures == again.figures
    for name in ("report.html", "report.md", "figures.json", "retention.png", "retention_positions.png"):
        assert (o.out / name).stat().st_size > 100
    with pytest.raises(ConfigError, match="events, questions"):
        run.run_retention(o, what=("songs",))
