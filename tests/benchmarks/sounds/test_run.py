"""From rows to figures and report; systems that fail, resume, and the fitted threshold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmarks import instances
from benchmarks.compose import Bed, Item
from benchmarks.report import Picture
from benchmarks.runs import Options
from benchmarks.sounds import bench, classes, fit, heard, tables
from benchmarks.sounds.counts import Span
from benchmarks.sounds.score import HEADLINE, SEGMENT, score, stream
from benchmarks.systems import Ask, Listener
from benchmarks.workers import run
from soundflow.errors import ConfigError, DataError, SoundflowError
from soundflow.events import SoundEvent
from soundflow.types import FloatArray
from tests.benchmarks.fakes import CHUNK, hiss

OF = classes.read(classes.DESED)


def item(name: str, truth: Sequence[tuple[str, float, float]], seconds: float = 36.0) -> Item:
    facts = {"set": "desed", "truth": [list(t) for t in truth], "file": f"{name}.wav"}
    return Item(name, "events", "sounds", "context", name, 0, (), Bed("zero"), 0.0, seconds, facts=facts)


def row(name: str, system: str, truth: list[Any], told: list[Any], scores: Any = None, seconds: float = 36.0) -> Any:
    chunks = round(seconds / 0.4)
    body = {"id": name, "system": system, "item": item(name, truth, seconds).to_dict(), "chunk": CHUNK}
    body |= {"samples": round(seconds * 16_000), "truth": truth, "step_ms": [100.0] * chunks, "wall_s": 1.0}
    body["told"] = [{"label": n, "p": 0.5, "onset": a, "offset": b, "t": t} for n, a, b, t in told]
    return body | ({"scores": scores} if scores else {})


TRUTH = [["Dog", 1.0, 3.0], ["Dog", 10.0, 12.0], ["Cat", 20.0, 21.0]]
TOLD = [
    ("Bark", 1.2, 2.0, 1.6),
    ("Dog", 2.0, 3.4, 2.4),  # with the bark one dog, from 1.2 to 3.4 s
    ("Dog", 10.8, 15.0, 11.2),  # began in time, ended too late
    ("Dog", 30.0, 31.0, 30.4),
    ("Meow", 25.0, 26.0, 25.4),
    ("Tuba", 5.0, 6.0, 5.4),
]


def test_figures_by_hand() -> None:
    """Dogs: 3 told for 2, one right at 0.8 s, both by onset; the cat at another time. Hours: 0.01."""
    body = score([row("a", "x", TRUTH, TOLD)], OF, draws=10, psds_draws=5)["x"]
    assert (body["events"], body["classes"], body["hours"]) == (3, 2, 0.01)
    assert body[HEADLINE][0] == pytest.approx((2 * 1 / 5 + 0) / 2)
    assert body["onset 0.8 s"][0] == pytest.approx((2 * 2 / 5 + 0) / 2)
    assert body["event 0.2 s"][0] == pytest.approx((2 * 1 / 5 + 0) / 2)  # 0.2 s late, and 0.4 s is a fifth of 2 s
    dog, cat = body["by_class"]["Dog"], body["by_class"]["Cat"]
    # seconds with a dog: 1, 2, 10, 11; told: 1, 2, 3, 10 to 14, 30
    assert dog[SEGMENT] == pytest.approx(2 * 4 / (4 + 9), abs=1e-4)
    assert cat[SEGMENT] == 0.0
    assert body["counting error"][0] == pytest.approx((1 / 2 + 0 / 1) / 2)
    assert body["told for one"] == pytest.approx(4 / 3, abs=1e-4)
    assert body["false alarms/h"][0] == pytest.approx(200.0)
    assert body["outside/h"] == pytest.approx(100.0)
    assert body["alarms_by_class"] == {"Cat": 100.0, "Dog": 100.0}
    delay = body["delay"]
    assert delay["told_share"] == pytest.approx(2 / 3, abs=1e-4)
    assert delay["audio_s"]["median"] == pytest.approx((0.6 + 1.2) / 2)
    assert delay["compute_s"]["median"] == pytest.approx((0.7 + 1.3) / 2)
    assert "psds" not in body  # no scores


def test_psds_is_taken_of_the_scores_of_the_classes_in_the_truth() -> None:
    """Perfect scores of the dog and none of the cat: 1 and 0, so mean 0.5, deviation 0.5."""
    on = [1.0 if 0.9 < 0.4 * k + 0.2 < 3.1 or 9.9 < 0.4 * k + 0.2 < 12.1 else 0.1 for k in range(90)]
    scores = [on if n == "Dog" else [0.1] * 90 for n in OF.names]
    body = score([row("a", "x", TRUTH, [], scores)], OF, draws=5, psds_draws=5)["x"]["psds"]
    assert body["scenario 1"]["by_class"] == {"Cat": 0.0, "Dog": 1.0}
    assert body["scenario 1"]["mean"][0] == pytest.approx(0.5)
    assert body["scenario 1"]["psds"] == 0.0


def test_a_class_that_a_draw_has_not_is_not_a_zero_in_it() -> None:
    """The dog is perfect in one stream, the cat in the other; each draw has one or both of them: always 1."""
    rows = []
    for name, label in (("a", "Dog"), ("b", "Cat")):
        on = [1.0 if 5 <= k < 10 else 0.1 for k in range(90)]
        scores = [on if n == label else [0.1] * 90 for n in OF.names]
        rows.append(row(name, "x", [[label, 2.0, 4.0]], [], scores))
    body = score(rows, OF, draws=40, psds_draws=40)["x"]["psds"]["scenario 1"]
    assert body["mean"] == [1.0, 1.0, 1.0]
    assert body["psds"] == 1.0


def test_a_failed_stream_is_missed_and_stays() -> None:
    good = row("a", "x", TRUTH, TOLD)
    bad = {"id": "b", "system": "x", "item": item("b", [("Dog", 1.0, 3.0)]).to_dict(), "error": "broke"}
    body = score([good, bad], OF, draws=5)["x"]
    assert (body["streams"], body["failed"], body["events"], body["hours"]) == (2, 1, 4, 0.02)
    assert body["by_class"]["Dog"][HEADLINE] == pytest.approx(2 * 1 / 6, abs=1e-4)
    scores = [[0.5] * 90 for _ in OF.names]
    both = score([row("a", "x", TRUTH, [], scores), bad], OF, draws=5, psds_draws=2)["x"]
    assert both["psds"]["scenario 2"]["mean"][0] <= 0.5


def test_a_class_that_the_bed_is_of_does_not_count() -> None:
    body = row("a", "x", TRUTH, TOLD, [[0.5] * 90 for _ in OF.names])
    body["item"]["facts"]["ignored"] = ["Dog"]
    read = stream(body, OF)
    assert not read.truth["Dog"]
    assert not read.told["Dog"]
    assert read.scores is not None
    assert np.isneginf(read.scores[:, OF.names.index("Dog")]).all()
    assert np.isfinite(read.scores).sum() == 90 * (len(OF.names) - 1)
    assert len(read.truth["Cat"]) == 1


def test_systems_on_the_same_streams_are_compared_in_pairs() -> None:
    rows = [row(f"{k}", s, TRUTH, TOLD if s == "x" else []) for k in range(4) for s in ("x", "always-silent")]
    found = score(rows, OF, draws=50)
    assert found["x"]["minus"]["always-silent"][HEADLINE] == pytest.approx([0.2, 0.2, 0.2])
    assert found["always-silent"]["counting error"][0] == 1.0
    titles = [t.title for t in tables.made(found)]
    assert titles == ["Sound events", "Delay, counting, false alarms", "Differences, paired", "Classes"]
    for table in tables.made(found):
        assert all(len(line) == len(table.columns) for line in table.rows)


def test_told_pairs_the_two_messages_of_a_sound() -> None:
    events = [
        SoundEvent(t=2.0, label="Dog", p=0.4, onset=1.2),
        SoundEvent(t=2.8, label="Cat", p=0.5, onset=2.4),
        SoundEvent(t=4.0, label="Dog", p=0.9, onset=1.2, offset=3.2),
        SoundEvent(t=4.4, label="Dog", p=0.3, onset=4.0),
        SoundEvent(t=9.0, label="Dog", p=0.3, onset=4.0, offset=9.0),
        SoundEvent(t=9.0, label="Pig", p=0.3, onset=8.8, offset=8.8),
    ]
    assert heard.told(events, 8.0) == [
        {"label": "Dog", "onset": 1.2, "t": 2.0, "p": 0.9, "offset": 3.2},
        {"label": "Cat", "onset": 2.4, "t": 2.8, "p": 0.5, "offset": 8.0},
        {"label": "Dog", "onset": 4.0, "t": 4.4, "p": 0.3, "offset": 8.0},
    ]


class Ear:
    """A system whose score of every class is the level of the chunk."""

    chunk = CHUNK

    def __init__(self, name: str, threshold: float = 0.01, fails_on: int = -1) -> None:
        self.name, self.opened, self._threshold, self._fails_on = name, 0, threshold, fails_on

    def open(self, ask: Ask) -> Listener:
        if self.opened == self._fails_on:
            raise SoundflowError("made to fail")
        self.opened += 1
        names = OF.names

        def score(pcm: FloatArray) -> FloatArray:
            return np.full(len(names), float(np.sqrt(np.mean(pcm**2))), np.float32)

        return heard.Told(CHUNK, self._threshold, names, score)


def desed_folder(folder: Path, files: int = 3) -> tuple[Path, Path]:
    """Files of 6 s with 1.6 s of hiss from 2 s on, called a dog; the last file is missing."""
    audio = folder / "audio"
    audio.mkdir()
    lines = ["filename\tonset\toffset\tevent_label"]
    for k in range(files):
        lines.append(f"{k}.wav\t2.0\t3.6\tDog")
        if k < files - 1:
            x = np.zeros(6 * 16_000, np.float32)
            x[32_000:57_600] = hiss(1.6, k)
            soundfile.write(audio / f"{k}.wav", x, 16_000)
    tsv = folder / "t.tsv"
    tsv.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tsv, audio


def test_hears_resumes_and_counts_what_failed(tmp_path: Path) -> None:
    from benchmarks.sounds import desed

    tsv, audio = desed_folder(tmp_path)
    items = desed.items(tsv, audio, OF)
    setup = heard.SoundsSetup(audio, ("ear",), classes="desed")
    ear = Ear("ear", fails_on=1)
    kwargs: dict[str, Any] = {"workers": 0, "systems": [ear]}
    rows = run("events", items[:2], tmp_path / "out", setup, partial(heard.hear_by, [ear]), **kwargs)
    assert [bool(r.get("error")) for r in rows] == [False, True]
    assert rows[0]["truth"] == [["Dog", 2.0, 3.6]]
    assert {(t["label"], t["onset"], t["offset"], t["t"]) for t in rows[0]["told"]} == {
        (n, 2.0, 3.6, 2.4) for n in OF.names
    }
    again = run("events", items, tmp_path / "out", setup, partial(heard.hear_by, [ear]), **kwargs)
    assert again[:2] == rows  # kept, the failed one too
    assert "expected audio" in again[2]["error"]
    assert ear.opened == 1
    body = score(again, OF, draws=5, psds_draws=2)["ear"]
    assert (body["events"], body["failed"]) == (3, 2)
    assert body["by_class"]["Dog"][HEADLINE] == pytest.approx(2 * 1 / 4)
    assert body["psds"]["scenario 2"]["by_class"]["Dog"] == pytest.approx(1 / 3, abs=1e-4)


def test_bench_over_a_desed_folder_with_what_needs_no_weights(tmp_path: Path) -> None:
    tsv, audio = desed_folder(tmp_path)
    o = Options(tmp_path / "out", workers=0, systems=("always-silent", heard.ALWAYS))
    found = bench.run_events(o, tsv=tsv, folder=audio)
    respond = found.figures[heard.ALWAYS]
    assert respond[SEGMENT][0] == pytest.approx(
        2 * 4 / (6 + 12), abs=1e-4
    )  # two of three files: seconds 2 and 3 of six
    assert found.figures["always-silent"][SEGMENT][0] == 0.0
    assert respond["failed"] == 1
    assert {p.name for p in found.section.pictures} == {"psd_roc"}
    saved = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert saved["figures"][heard.ALWAYS][SEGMENT] == respond[SEGMENT]
    assert saved["about"]["config"]["set"] == "desed"
    before = instances.digest(tmp_path / "out")
    scored = bench.run_events(Options(tmp_path / "out", score_only=True))
    assert scored.figures == found.figures
    assert instances.digest(tmp_path / "out") == before
    with pytest.raises(DataError, match="expected the configuration"):
        bench.run_events(o, tsv=tsv, folder=audio, files=1)


def test_options_that_do_not_fit_are_named(tmp_path: Path) -> None:
    o = Options(tmp_path / "out", systems=("always-silent",))
    with pytest.raises(ConfigError, match="--desed and --desed-audio: expected both or none"):
        bench.run_events(o, tsv=tmp_path / "t.tsv")
    with pytest.raises(ConfigError, match="got 'ears'"):
        bench.run_events(Options(tmp_path / "out", audio=tmp_path, systems=("ears",)))
    with pytest.raises(ConfigError, match="expected instances"):
        bench.run_events(Options(tmp_path / "out", score_only=True))


def test_the_threshold_is_that_of_the_best_f1() -> None:
    """Scores of 0.6 in the dog, 0.3 for a while after it, 0.1 elsewhere: between 0.3 and 0.6 all is right."""
    dog = [0.6 if 5 <= k < 10 else 0.3 if k < 20 else 0.1 for k in range(90)]
    scores = [dog if n == "Dog" else [0.0] * 90 for n in OF.names]
    rows = [row("a", "yamnet", [["Dog", 2.0, 4.0]], [], scores)]
    body = fit.best(rows, OF, fit.COLLARS[HEADLINE])
    assert 0.3 < body["threshold"] <= 0.6
    assert body["train_f1"] == 1.0
    assert fit.runs(dog, 0.5, 0.4) == [Span(2.0, 4.0)]
    with pytest.raises(DataError, match="expected train streams"):
        fit.best([], OF, fit.COLLARS[HEADLINE])


def test_the_pictures_show_what_was_told() -> None:
    rows = [row("a", "x", TRUTH, TOLD, [[0.5] * 90 for _ in OF.names])]
    drawn = bench._pictures(rows, OF, score(rows, OF, draws=5, psds_draws=2))
    assert [p.name for p in drawn] == ["psd_roc", "timeline"]
    assert all(isinstance(p, Picture) and p.png.startswith(b"\x89PNG") for p in drawn)


@pytest.mark.weights
def test_ours_and_yamnet_on_a_minute(nano_parts: Path, corpus: Path, tmp_path: Path) -> None:
    """Both hear a file of 4 s; scores of ours are probabilities, calibrated as its events are."""
    from benchmarks.sounds import desed

    tsv, audio = desed_folder(tmp_path, 2)
    (one, _) = desed.items(tsv, audio, OF)
    setup = heard.SoundsSetup(audio, ("nano", "yamnet"), threshold=0.2, classes="desed", proactivity=0.0)
    rows = run("events", [one], tmp_path / "out", setup, heard.hear, workers=0)
    assert [r["system"] for r in rows] == ["nano", "yamnet"]
    for r in rows:
        assert not r.get("error")
        table = np.array(r["scores"])
        assert table.shape == (len(OF.names), 15)
        assert (table >= 0).all()
        assert table.max() <= 1.0
        assert len(r["step_ms"]) == 15


def test_the_command_runs_a_tsv_and_scores_again(tmp_path: Path) -> None:
    import typer
    from typer.testing import CliRunner

    from benchmarks.sounds import cli

    app = typer.Typer()
    app.command("events")(cli.events)
    tsv, audio = desed_folder(tmp_path, 2)
    given = ["--out", str(tmp_path / "o"), "--systems", "always-silent", "--workers", "0"]
    done = CliRunner().invoke(app, [*given, "--desed", str(tsv), "--desed-audio", str(audio)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "Sound events" in done.output
    again = CliRunner().invoke(app, ["--out", str(tmp_path / "o"), "--score-only"], catch_exceptions=False)
    assert again.exit_code == 0
    assert (tmp_path / "o" / "report.md").is_file()


def test_the_table_says_that_equal_psds_of_one_network_compare_nothing() -> None:
    rows = [row("a", s, TRUTH, TOLD) for s in ("nano", "yamnet")]
    assert tables.SAME in tables.made(score(rows, OF, draws=5))[0].note
    assert tables.SAME not in tables.made(score(rows[:1], OF, draws=5))[0].note
