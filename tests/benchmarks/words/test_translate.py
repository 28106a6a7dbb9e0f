"""`bench translate`: quality beside chance, and what is counted where nothing was said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sacrebleu

from benchmarks import tasks
from benchmarks.runs import Options
from benchmarks.systems import Setup
from benchmarks.words import dialogues, layouts, plan, translate_scores
from benchmarks.words.listen import hear
from benchmarks.words.run import Source, run_translate
from benchmarks.workers import run
from soundflow.errors import ConfigError
from tests.benchmarks.task_shards import CHUNK, both, meta, response, spoken, stream, write
from tests.benchmarks.words.talkers import Talker, clips, replied

TEXTS = ("The cat sat on the mat today.", "My sister plays the piano well.", "We will leave for the sea at noon.")


def rows_of(said: list[str | None], system: str = "t", target: str = "en") -> list[dict[str, Any]]:
    rows = []
    for k, (text, wanted) in enumerate(zip(said, TEXTS, strict=True)):
        facts = {"text": wanted, "source_text": "le chat", "language": "fr", "target": target, "wants": "reply"}
        item = {"id": str(k), "group": "g", "facts": facts, "seconds": 4.0, "parts": [{}]}
        row: dict[str, Any] = {"id": str(k), "system": system, "item": item}
        if text is None:
            rows.append(row | {"error": "gone"})
            continue
        heard = [[4, True, 9, text, None]] if text else []
        body = {"chunk": CHUNK, "samples": 5 * CHUNK, "origin": 0, "source": 4 * CHUNK, "step_ms": [10.0] * 6}
        rows.append(row | body | {"said": heard, "cpu_s": 0.1})
    return rows


def test_a_perfect_translation_is_far_above_chance() -> None:
    f = translate_scores.score(rows_of(list(TEXTS)))["g"]["t"]
    assert (f["bleu"][0], f["chrf"][0], f["answered"], f["items"]) == (100.0, 100.0, 1.0, 3)
    assert f["bleu_chance"] < 10
    assert 0 < f["chrf_chance"] < 30
    assert f["chrf_copied"] < 20
    assert f["laal"][0] == f["al"][0] == pytest.approx(2.0)  # all in the push that ends 0.4 s behind the source


def test_what_failed_or_was_not_said_counts() -> None:
    f = translate_scores.score(rows_of([TEXTS[0], "", None]))["g"]["t"]
    assert (f["items"], f["failed"], f["answered"], f["no_words"]) == (3, 1, pytest.approx(1 / 3, abs=1e-4), 2)
    assert f["bleu"][0] == pytest.approx(
        sacrebleu.BLEU().corpus_score([TEXTS[0], "", ""], [list(TEXTS)]).score, abs=0.01
    )
    assert f["chrf"][0] < 50
    assert f["laal"][0] == pytest.approx((2.0 + 2.0 + 4.0) / 3, abs=1e-3)  # the end of the stream; of the longest
    silent = translate_scores.score(rows_of(["", "", ""]))["g"]["t"]
    assert (silent["bleu"][0], silent["chrf"][0], silent["bleu_chance"], silent["answered"]) == (0.0, 0.0, 0.0, 0.0)


def test_a_draw_of_everything_is_the_corpus_score() -> None:
    said = ["The cat sat on a mat.", "My brother plays the piano well.", "We leave for the sea."]
    whole = np.arange(3)[None]
    (found,) = translate_scores._bleu_draws(said, TEXTS, ["13a"] * 3, whole)
    assert found == pytest.approx(translate_scores.bleu(said, TEXTS), abs=1e-9)
    (mixed,) = translate_scores._bleu_draws(said, TEXTS, ["13a", "zh", "zh"], whole)
    parts = translate_scores.bleu(said[:1], TEXTS[:1]) / 3 + translate_scores.bleu(said[1:], TEXTS[1:], "zh") * 2 / 3
    assert mixed == pytest.approx(parts, abs=1e-9)
    f = translate_scores.score(rows_of(said))["g"]["t"]
    assert f["bleu"][1] <= f["bleu"][0] <= f["bleu"][2]
    assert f["chrf"][1] < f["chrf"][0] < f["chrf"][2]


def test_shuffles_never_keep_an_item_with_its_own_reference() -> None:
    orders = translate_scores.shuffles(["13a", "13a", "zh", "zh", "13a"], 0)
    assert len(orders) == translate_scores.SHUFFLES
    for order in orders:
        assert sorted(order) == [0, 1, 2, 3, 4]
        assert all(k != other for k, other in enumerate(order))
        assert {order[2], order[3]} == {2, 3}
    assert all(k != o for order in translate_scores.shuffles(["13a", "zh"], 0) for k, o in enumerate(order))
    assert translate_scores.shuffles(["13a"], 0) == []


def test_signatures_name_the_tokenisers() -> None:
    rows = rows_of(list(TEXTS)) + rows_of(list(TEXTS), target="zh")
    found = translate_scores.signatures(rows)
    assert set(found) == {"BLEU (13a)", "BLEU (zh)", "chrF"}
    assert "tok:zh" in found["BLEU (zh)"]
    assert "version:" in found["chrF"]


def test_covost_clips_are_heard_with_the_wish(tmp_path: Path) -> None:
    data = clips(tmp_path, "a.mp3", "b.mp3")
    lines = "a.mp3\tLe chat est assis.\tThe cat sat.\tx\nb.mp3\tBonjour.\tHello.\ty\n"
    (data / "covost_v2.fr_en.test.tsv").write_text("path\tsentence\ttranslation\tclient_id\n" + lines)
    items = plan.translations(layouts.covost(data, "test", "fr", "en"), 0, data)
    assert items[0].instruction == "Translate the French that you hear into English."
    talker = Talker("t", replied("r", 3, "The c", "at ", "sat."))
    rows = run("translate", items, tmp_path / "out", Setup(data, ("t",)), hear, systems=[talker])
    f = translate_scores.score(rows)["covost2 fr_en test"]["t"]
    assert (f["items"], f["answered"]) == (2, 1.0)
    # told at pushes 3, 4 and 5: 1.1 s is already behind the second of the recording
    assert f["laal"][0] == pytest.approx(1.1)
    o = Options(tmp_path / "silent", workers=0, systems=("always-silent",))
    result = run_translate(o, Source("covost", data, "test", "fr", "en"))
    assert result.figures["groups"]["covost2 fr_en test"]["always-silent"]["chrf"] == [0.0, 0.0, 0.0]
    assert "nrefs:1" in (tmp_path / "silent/report.md").read_text()
    with pytest.raises(ConfigError, match="got 'xx'"):
        plan.translations([layouts.Utterance("a", "b", "c", "d", language="xx", translation="e", target="en")], 0, data)


def shards(folder: Path) -> Path:
    members = []
    wanted = [response("s0", 8, "The cat"), response("s0", 10, "is here.")]
    more = {"instruction": "Interpret the French.", "speech": [spoken("s0", "le chat est là", 5, "fr")]}
    for k in range(2):
        members += both(meta(f"w{k}", "translate_simultaneous", "translation", wanted, **more), stream(5))
        members += both(meta(f"i{k}", "translate_simultaneous", "translation", (), **more), stream(5))
    members += both(
        meta("zh", "translate_from_english", "translation", [response("s0", 8, "咖啡。")], **more), stream(5)
    )
    members += both(meta("other", "asr_clean", "asr", wanted, **more), stream(5))
    write(folder / "shard-0.tar", members)
    return folder


def test_dialogues_of_a_corpus(tmp_path: Path) -> None:
    folder = shards(tmp_path / "data")
    items = dialogues.plan(tasks.read_metas(folder), 0)
    assert sorted(i.id for i in items) == ["i0", "i1", "w0", "w1", "zh"]
    one = next(i for i in items if i.id == "w0")
    assert (one.facts["text"], one.facts["source_text"]) == ("The cat is here.", "le chat est là")
    assert (one.facts["origin"], one.facts["source"]) == (5 * CHUNK, 3 * CHUNK)
    assert next(i for i in items if i.id == "zh").facts["target"] == "zh"
    talker = Talker("t", replied("r", 6, "The cat ", "is here."))
    rows = run("translate", items, tmp_path / "out", Setup(folder, ("t",)), dialogues.hear, systems=[talker])
    f = translate_scores.score(rows)["translate_simultaneous"]["t"]
    assert (f["items"], f["silent_items"], f["false"], f["bleu"][0]) == (2, 2, 2, 100.0)
    # told in pushes 6 and 7: 0.8 and 1.2 s behind the onset of chunk 5, which is the source's end; 4 words in 1.2 s
    assert f["laal"][0] == pytest.approx((0.8 + 0.5 + 0.6) / 3, abs=1e-4)
    everything = translate_scores.score(rows)["all"]["t"]
    assert everything["items"] == 3
    result = run_translate(Options(tmp_path / "silent", workers=0, systems=("always-silent",)), None, folder)
    assert result.figures["groups"]["all"]["always-silent"]["answered"] == 0.0


def test_one_source_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one of them"):
        run_translate(Options(tmp_path))
    with pytest.raises(ConfigError, match="of the ability translation"):
        dialogues.plan([meta("a", "asr_clean", "asr")], 0)
    with pytest.raises(ConfigError, match="folder of CoVoST 2"):
        run_translate(Options(tmp_path), Source())
