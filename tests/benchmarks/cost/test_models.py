"""`bench cost` of whole model folders of base and omni, and of published sizes, from command to report."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import instances
from benchmarks.cost import age, curves, ears, limits, parts, subject, timed, work
from benchmarks.cost.curves import Size
from benchmarks.cost.device import HOST
from benchmarks.cost.rounds import quartiles, times
from benchmarks.cost.shapes import SHAPES, Shape
from soundflow.errors import ConfigError, WeightsError
from soundflow.tiers import random
from soundflow.tiers.base_config import BaseConfig
from soundflow.tiers.omni.layout import Tokens
from tests.benchmarks.cost.test_runs import app
from tests.decide.tiny import CONFIG

TINY = Size((16, 64), (1, 3), (), (4, 8), (2, 6), 5)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {tier: random.write(tier, root / tier) for tier in random.TIERS}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "SMALL", TINY)
    monkeypatch.setattr(limits, "READ_MB", 4)
    monkeypatch.setattr(limits, "SIZES", {"bf16": (8, 64), "fp32": (8, 64)})


def cost(out: Path, *words: str) -> dict:
    line = ["cost", "--out", str(out), "--small", "--rounds", "1", *words]
    done = CliRunner().invoke(app(), line)
    if done.exception:
        raise done.exception
    assert done.exit_code == 0, done.output
    return json.loads((out / "figures.json").read_text())


@pytest.mark.parametrize("tier", random.TIERS)
def test_a_model_folder_from_command_to_report(folders: dict[str, Path], tmp_path: Path, tier: str, tiny: None) -> None:
    body = cost(tmp_path, "--model", str(folders[tier]), "--numbers", "fp32")
    f, config = body["figures"], body["about"]["config"]
    assert f["failed"] == []
    tokens, held = (1, 256) if tier == "base" else (13, 512)
    assert [config["subject"][k] for k in ("name", "tokens", "held", "chunk_ms")] == [tier, tokens, held, 400]
    heard = {"sound", "speech"} if tier == "base" else {"tower"}
    assert {p["part"] for p in f["sessions"]} == {"lm", "lm one by one", "lm again"} | heard
    assert {p["part"] for p in f["age"]} == {"deciding", "hearing"} | heard
    assert {p["part"] for p in f["history"]} == {f"{side} {x}" for side in ("ours", "naive") for x in {"lm"} | heard}
    assert [p["x"] for p in f["naive"]] == [4, 8]
    assert [p["x"] for p in f["ages"]] == [2, 6]
    assert f["chunk"] == []
    for point in (*f["context"], *f["sessions"], *f["age"]):
        assert point["ms"][0] > 0
        assert point["limit_ms"][0] > 0, point
    rows = {r["part"]: times(r) for r in instances.read(tmp_path) if r["curve"] == "age" and r["x"] == 6}
    whole = [a + b for a, b in zip(rows["deciding"], rows["hearing"], strict=True)]
    assert f["ages"][1]["ms"] == quartiles(whole)
    batch = [p["ms"][0] for p in f["sessions"] if p["x"] == 3 and p["part"] in {"lm"} | heard]
    assert f["capacity"][0]["steps"][1]["ms"] == pytest.approx(sum(batch), abs=0.1)
    report = (tmp_path / "report.md").read_text()
    assert f"Measured: {tier}, {tokens} token" in report
    assert "not run on a GPU" in report
    pictures = sorted(p.stem for p in tmp_path.glob("*.png"))
    assert pictures == ["cost_age", "cost_context", "cost_history", "cost_sessions", "roofline"]
    for picture in pictures:
        (tmp_path / f"{picture}.png").unlink()
    again = cost(tmp_path, "--score-only")
    assert again["figures"] == f
    assert len(list(tmp_path.glob("*.png"))) == 5, "drawn again out of the rows"


def test_a_published_size_has_no_encoders(tmp_path: Path, tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Tokens(*range(10), act=None, emotions=(("normal", 10),))
    monkeypatch.setattr("benchmarks.cost.shapes.SHAPES", {"small": Shape("small", CONFIG, 64, layout)})
    body = cost(tmp_path, "--shape", "small", "--numbers", "fp32", "--curves", "context,age")
    assert body["about"]["config"]["weights"] == "random"
    assert body["about"]["config"]["subject"]["tokens"] == 13
    assert {p["part"] for p in body["figures"]["age"]} == {"deciding"}
    assert len(body["figures"]["ages"]) == 2
    assert body["figures"]["history"] == []


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--shape", "gpt-9"], "--shape: expected one of nano, .*got 'gpt-9'"),
        (["--model", "no/such/folder"], "--model no/such/folder: a folder with the config.json"),
        (["--shape", "nano", "--model", "BASE"], "--model and --shape: one of them was expected"),
        (["--model", "BASE", "--adapter", "a"], "--adapter and --model: one of them"),
        (["--shape", "nano", "--device", "cuda:77"], "device 'cuda:77': a GPU was expected"),
        (["--shape", "nano", "--device", "abacus"], "device: auto, cpu, cuda or cuda:N was expected, got 'abacus'"),
        (["--shape", "nano", "--numbers", "int4"], "--numbers: expected some of int8, bf16, fp32 on cpu, got 'int4'"),
        (["--shape", "nano", "--curves", "chunk"], "--curves: expected some of context, sessions, history, age"),
        (["--model", "BASE", "--curves", "chunk"], "--curves: expected some of context, sessions, history, age"),
        (["--shape", "nano", "--words", "1"], "--words: none were expected of a shape"),
        (["--model", "OMNI", "--words", "2"], "--words: none were expected of omni, which hears them"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    folders: dict[str, Path], tmp_path: Path, tiny: None, words: list[str], match: str
) -> None:
    named = {"BASE": str(folders["base"]), "OMNI": str(folders["omni"])}
    with pytest.raises(ConfigError, match=match):
        cost(tmp_path, *(named.get(word, word) for word in words))
    assert not (tmp_path / "instances.jsonl").exists(), "refused before anything is measured"


def test_a_folder_that_lacks_a_part_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_bytes((folders["base"] / "config.json").read_bytes())
    with pytest.raises(WeightsError, match=r"a part of .*broken was expected"):
        subject.of(model=broken)


def test_tokens_of_a_chunk_are_the_tiers_own(folders: dict[str, Path]) -> None:
    base = subject.of(model=folders["base"])
    assert (base.tokens, base.words) == (1, 0), "this one recognises no words"
    spoken = subject.of(model=folders["base"], words=2)
    assert base.kit is not None
    ids = base.kit.context().words([subject.WORD] * 2, False)
    assert spoken.tokens == 1 + len(ids) > 2
    assert subject.of(model=folders["omni"]).tokens == 1 + 1 + 10 + 1, "what closes a chunk, and what opens the next"
    (decoder,) = spoken.decoders(("fp32",))
    (point,) = curves.contexts(decoder, (20,))
    seen = []
    lalm = type(decoder.lalm(64))
    original = lalm.step_rows
    try:
        lalm.step_rows = lambda self, chunks: seen.append([len(c[1]) for c in chunks]) or original(self, chunks)
        timed.once(point, timed.Clocks())
    finally:
        lalm.step_rows = original
    assert seen == [[spoken.tokens]] * (1 + point.repeats)


def test_another_folder_has_another_fingerprint(folders: dict[str, Path], tmp_path: Path) -> None:
    other = random.write("base", tmp_path / "other", seed=1)
    assert subject.of(model=folders["base"]).weights == subject.of(model=folders["base"]).weights
    assert subject.of(model=folders["base"]).weights != subject.of(model=other).weights


@pytest.mark.parametrize("tier", random.TIERS)
def test_encoders_stand_in_perception_and_are_read_whole(folders: dict[str, Path], tier: str) -> None:
    found = ears.of(subject.of(model=folders[tier]), HOST, False, (4, 8))
    assert found is not None
    for ear in found.ears:
        assert ear.work.ops > 0
        assert ear.work.bytes > 1_000
        assert 4 % ear.piece == 0, "pieces fill every age"
        again = parts.operations(partial(ear.whole, 8))
        assert again == pytest.approx(ear.piece_work.ops * 8 / ear.piece, rel=0.02), "nothing is encoded twice"
    if tier == "base":
        config = BaseConfig.read(folders[tier])
        assert all(ear.piece * 400 <= config.sound_left_ms + ears.BEATS_STEP_MS for ear in found.ears)
        assert found.ears[0].piece > 1
    (perceiver,) = found.perceivers.values()
    life = age.Life(perceiver, found.chunk_samples, (1, 3))
    first = life.step()
    life.go_to(3)
    life.step()
    life.go_to(1)
    held = [life.step() for _ in range(4)]
    assert [p.chunk for p in held] == [1, 2, 3, 4]
    assert first.chunk == 4
    assert (first.speech == held[-1].speech).all(), "the same past gives the same perception"


@pytest.mark.parametrize("tier", random.TIERS)
def test_operations_of_hearing_are_the_same_at_every_age(folders: dict[str, Path], tier: str) -> None:
    """What the curve shows by the clock, by counting."""
    model = subject.of(model=folders[tier])
    found = ears.of(model, HOST, False)
    assert found is not None
    (decoder,) = model.decoders(("fp32",))
    points = age.hearing(found, decoder.lalm(64), (8, 60))
    counted: dict[str, list[float]] = {}
    for point in points:
        point.prepare()
        counted.setdefault(point.part, []).append(parts.operations(point.run))
    assert set(counted) == {"hearing", *(e.name for e in found.ears)}
    assert all(p.together == f"age/{p.part}/{p.numbers}" for p in points), "the ages of each part take turns"
    assert all(young == old > 0 for young, old in counted.values()), counted


def test_a_session_with_a_full_cache_stays_full(folders: dict[str, Path]) -> None:
    for tier, folder in folders.items():
        (decoder,) = subject.of(model=folder).decoders(("fp32",))
        young, old = age.deciding(decoder, (1, 30), 64)
        assert (young.warm, old.warm) == (True, False), "one session: it is warmed up once"
        assert young.together == old.together != "", "they take turns"
        assert young.repeats == old.repeats == age.REPEATS
        assert young.work.bytes == pytest.approx(old.work.bytes, rel=0.3), tier
        (again,) = age.deciding(decoder, (400,), 64)
        assert again.work.ops == pytest.approx(young.work.ops, rel=0.3), "flat in age"
        assert "error" not in timed.once(old, timed.Clocks())


@pytest.mark.parametrize(
    ("name", "millions"),
    [  # without embeddings, as the cards of the models state it: 0.36, 1.31 and 6.53 billion of Qwen2.5
        ("nano", 106.2),
        ("smollm2-360m", 314.6),
        ("qwen2.5-0.5b", 358),
        ("qwen2.5-1.5b", 1_310),
        ("qwen2.5-7b", 6_530),
    ],
)
def test_published_sizes(name: str, millions: float) -> None:
    assert work.weights(SHAPES[name].config) / 1e6 == pytest.approx(millions, rel=0.005)
    assert SHAPES["thinker-7b"].config == SHAPES["qwen2.5-7b"].config
    assert SHAPES["thinker-7b"].layout == Tokens()


@pytest.mark.weights
def test_nano_has_a_folder_too_and_encoders_in_eight_bits(nano_parts: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"format": 1, "tier": "nano"}')
    own, shipped = subject.of(model=tmp_path), subject.of()
    assert (own.name, own.tokens, own.held, own.weights) == ("nano", 1, 256, shipped.weights)
    found = ears.of(shipped, HOST, True, (4, 8))
    assert found is not None
    assert [(e.name, e.numbers) for e in found.ears] == [("sound", "int8"), ("sound", "fp32"), ("speech", "as shipped")]
    (lm,) = (d.lalm(64) for d in subject.of(shape=Shape("small", CONFIG)).decoders(("fp32",)))
    points = age.hearing(found, lm, (1, 2))
    assert {p.part for p in points} == {"hearing", "sound", "speech"}
    whole = {p.numbers: p.work.bytes for p in points if p.part == "hearing"}
    sound = {p.numbers: p.work.bytes for p in points if p.part == "sound"}
    assert whole == sound, "speech is not encoded while nobody speaks"
    for point in (*points[:4], *ears.history(found, (4,))):
        assert "error" not in timed.once(point, timed.Clocks())
