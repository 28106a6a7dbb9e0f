"""`bench asr`: what is written down, what is counted, and that nothing leaves the denominator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import instances
from benchmarks.runs import Options
from benchmarks.systems import Setup
from benchmarks.words import asr_scores, layouts, plan, shown
from benchmarks.words.listen import hear
from benchmarks.words.run import Source, run_asr
from benchmarks.workers import run
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.words.talkers import CHUNK, Line, Talker, librispeech

SAID = {"1": [("A B C D", 2.0), ("A B C D", 2.0), ("A B C D", 2.0)]}
GOOD: tuple[Line, ...] = ((2, False, 1, "a"), (4, False, 2, "a b"), (8, True, 0, "a b c d"))


def items(folder: Path) -> list[Any]:
    return plan.clips(layouts.librispeech(librispeech(folder, SAID)), 0, folder)


def heard(folder: Path, out: Path, *systems: Talker) -> list[dict[str, Any]]:
    setup = Setup(folder, tuple(s.name for s in systems))
    listed = items(folder) if not (folder / "1").exists() else plan.clips(layouts.librispeech(folder), 0, folder)
    plan.write(out, listed)
    return plan.complete(out, run("asr", listed, out, setup, hear, systems=systems))


def test_figures_by_hand(tmp_path: Path) -> None:
    rows = heard(tmp_path / "data", tmp_path / "out", Talker.of("t", *GOOD))
    (row, *_) = rows
    assert row["chunk"] == CHUNK and row["origin"] == 8_000 and row["source"] == 32_000  # noqa: PT018
    assert row["said"][0] == [2, False, 1, "a", None]
    assert set(row["step_ms"]) >= {100.0}  # what the system itself says
    assert len(row["step_ms"]) == row["samples"] // CHUNK + 1
    f = asr_scores.score(rows)["all"]["t"]
    assert (f["clips"], f["failed"], f["words"], f["wer"][0], f["cer"][0]) == (3, 0, 12, 0.0, 0.0)
    # told at pushes 2, 4, 8, 8: 1.2, 2.0, 3.6 s heard, less the half second before the recording: 0.7, 1.5, 3.1 s; of
    # 2 s for 4 words half a second each, and the third, behind the end, is the last: (0.7 + 1.0 + 2.1) / 3
    assert f["laal"][0] == f["al"][0] == pytest.approx((0.7 + 1.0 + 2.1) / 3, abs=1e-4)
    assert f["laal_compute"][0] == pytest.approx((0.8 + 1.1 + 2.2) / 3, abs=1e-4)
    # words end at 0.1, 0.2, 0.3, 0.4 s: 1.1, 1.8, 3.3, 3.2 s later
    assert f["word_delay_ms"]["median"] == pytest.approx((1800 + 3200) / 2)
    assert (f["upwr"], f["upsr"], f["broken"], f["no_words"]) == (0.0, 0.0, 0, 0)
    assert f["rtf"] == pytest.approx(0.25, rel=0.05)  # 100 ms a push of 400


def test_nothing_leaves_the_denominator(tmp_path: Path) -> None:
    data = tmp_path / "data"
    listed = items(data)
    (data / "1/7/1-7-0001.flac").unlink()  # a clip that is missing
    crashes = Talker.of("crashes", *GOOD, fails_at=3)
    refuses = Talker("refuses", Talker.of("", *GOOD)._events, refuses=[listed[0].seed])
    rows = heard(data, tmp_path / "out", Talker.of("t", *GOOD), crashes, refuses, Talker.of("mute"))
    figures = asr_scores.score(rows)["all"]
    assert {s: f["clips"] for s, f in figures.items()} == dict.fromkeys(("t", "crashes", "refuses", "mute"), 3)
    assert {s: f["words"] for s, f in figures.items()} == dict.fromkeys(("t", "crashes", "refuses", "mute"), 12)
    assert {s: f["failed"] for s, f in figures.items()} == {"t": 1, "crashes": 3, "refuses": 2, "mute": 1}
    assert figures["t"]["wer"][0] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["refuses"]["wer"][0] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["crashes"]["wer"][0] == figures["mute"]["wer"][0] == 1.0
    errors = {r["system"]: r["error"] for r in rows if r["id"] == listed[0].id and "error" in r}
    assert errors == {"crashes": "RuntimeError: made to crash", "refuses": "soundflow_error: made to fail"}
    longest = max(r.get("samples", 0) for r in rows) / 16_000
    assert figures["crashes"]["laal"][0] == pytest.approx(longest)
    assert figures["mute"]["no_words"] == 3
    # without a word: the end of the stream, less what was before the recording; the missing one the longest stream
    assert figures["mute"]["laal"][0] == pytest.approx((2 * (longest - 0.5) + longest) / 3, abs=1e-4)


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    first = Talker.of("t", *GOOD)
    rows = heard(data, out, first)
    assert first.opened == 3
    lines = (out / instances.NAME).read_text().splitlines(keepends=True)
    (out / instances.NAME).write_text(lines[0] + lines[1][:40])  # killed while it wrote
    again = Talker.of("t", *GOOD)
    resumed = heard(data, out, again)
    assert again.opened == 2
    assert asr_scores.score(resumed) == asr_scores.score(rows)


def test_a_long_stream_is_scored_as_a_whole(tmp_path: Path) -> None:
    data = librispeech(tmp_path, {"1": [("A B", 10.0), ("C D", 10.0)]})
    (item,) = plan.long_form(layouts.librispeech(data), 1, 0.5, 0, data)
    talker = Talker.of("t", (5, True, 2, "a b"), (40, False, 1, "x"), (45, True, 2, "c d"))
    (row,) = run("asr", [item], tmp_path / "out", Setup(data, ("t",)), hear, systems=[talker])
    f = asr_scores.score([row])[plan.LONG]["t"]
    assert (f["words"], f["wer"][0], f["upwr"], f["upsr"], f["broken"]) == (4, 0.0, 0.25, 0.5, 1)
    assert "al" not in f
    start = row["places"][1][0] / 16_000
    # the first: 2.4 - 0.5 = 1.9 s, and again less half of its ten seconds; the second from its own start
    first = (1.9 + max(1.9 - 5, -5)) / 2
    second = ((18.4 - start) + (18.4 - start - 5)) / 2
    assert f["laal"][0] == pytest.approx((first + second) / 2, abs=1e-3)
    failed = {"id": "x", "system": "t", "item": item.to_dict(), "error": "gone"}
    assert asr_scores.score([row, failed])[plan.LONG]["t"]["wer"][0] == 0.5


def test_errors_against_the_whole_clip_are_drawn_in_pairs() -> None:
    item = {"group": "g", "facts": {"text": "a b c d", "language": "en"}, "seconds": 3.0, "parts": [{}]}
    rows = [{"id": "1", "system": "whole", "item": item, "text": "a b c", "samples": 16_000, "cpu_s": 0.1}]
    body = {"chunk": CHUNK, "samples": 12_800, "origin": 0, "source": 12_800, "step_ms": [1.0, 1.0, 1.0], "cpu_s": 0.2}
    rows.append({"id": "1", "system": "words", "item": item, "said": [[1, True, 2, "a x", None]], **body})
    figures = asr_scores.score(rows)["all"]
    assert figures["words"]["against_whole"] == [3.0, None, None]
    assert "laal" not in figures["whole"]
    assert [w["errors"] for w in asr_scores.worst(rows)] == [3, 1]
    tables = shown.asr(asr_scores.score(rows), asr_scores.worst(rows))
    assert [t.title for t in tables] == ["Words", "Delay and stability", "Most errors"]
    assert "75.0" in tables[0].markdown()
    assert shown.pictures(asr_scores.score(rows))[0].png.startswith(b"\x89PNG")


def test_the_command_from_plan_to_report(tmp_path: Path, corpus: Path) -> None:
    out = tmp_path / "out"
    o = Options(out, corpus, workers=0, systems=("always-silent",))
    result = run_asr(o, clips=3)
    assert result.figures["all"]["always-silent"]["wer"] == [1.0, 1.0, 1.0]
    assert result.figures["all"]["always-silent"]["clips"] == 2
    assert "always-silent" in (out / "report.html").read_text()
    again = run_asr(Options(out, corpus, score_only=True))
    assert again.figures == result.figures
    rows = (out / instances.NAME).read_text().splitlines()
    (out / instances.NAME).write_text("\n".join(rows[:1]) + "\n")
    assert run_asr(Options(out, score_only=True)).figures["all"]["always-silent"]["failed"] == 1
    assert json.loads((out / "config.json").read_text())["bench"] == "asr"
    with pytest.raises(DataError, match="rows of the same items"):
        run_asr(o, clips=1)


def test_the_published_layouts_from_plan_to_report(tmp_path: Path) -> None:
    data = librispeech(tmp_path / "test-clean", SAID)
    o = Options(tmp_path / "out", workers=0, systems=("always-silent",))
    figures = run_asr(o, Source("librispeech", data), clips=2).figures
    assert figures["librispeech test-clean"]["always-silent"]["words"] == 8


def test_what_is_asked_for_has_to_be_there(tmp_path: Path, corpus: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="--layout"):
        run_asr(Options(out, corpus), Source("voices"))
    with pytest.raises(ConfigError, match="--data"):
        run_asr(Options(out, corpus), Source("commonvoice"))
    with pytest.raises(ConfigError, match="nobody"):
        run_asr(Options(out, corpus, systems=("nobody",)))
    with pytest.raises(ConfigError, match="--systems"):
        run_asr(Options(out, corpus, systems=()))
    with pytest.raises(ConfigError, match=r"expected instances\.jsonl"):
        run_asr(Options(tmp_path / "none", score_only=True))
