"""Figures of hand-made rows: medians within a round, quotients within a round, shares of the roofline."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.cost import pictures, rounds, scores, tables
from soundflow.errors import DataError


def row(curve: str, part: str, numbers: str, x: int, ms: list[float], number: int, **more: Any) -> dict[str, Any]:
    work = {"ops": 0.0, "bytes": 0.0, "threads": 1} | more
    name = f"{curve}/{part}/{numbers}/{x}#{number}"
    base = {"id": name, "system": "nano", "curve": curve, "part": part, "numbers": numbers, "x": x, "round": number}
    return base | work | {"ms": ms, "cpu_ms": ms}


def machine(number: int, read_ms: float = 10.0, slow: float = 1.0) -> list[dict[str, Any]]:
    """400 MB in 10 ms: 40 GB/s; 1 GOP in 10 ms: 100 GOP/s."""
    return [
        row("machine", "read sum", "", 1, [2 * read_ms * slow, read_ms * slow], number, bytes=4e8),
        row("machine", "read dot", "", 1, [3 * read_ms * slow], number, bytes=4e8),
        row("machine", "product", "int8", 1, [10.0 * slow, 30.0], number, ops=1e9),
    ]


def test_limits_are_the_best_of_a_round() -> None:
    found = scores.score([*machine(0), *machine(1, read_ms=20.0)])["machine"]
    assert found["read_gb_s"] == {"1": [30.0, 25.0, 35.0]}, "40 and 20"
    assert found["gop_s"] == {"int8": {"1": [100.0, 100.0, 100.0]}}


def test_shares_are_taken_within_a_round_so_that_a_slow_round_cancels_out() -> None:
    """100 MB and 0.2 GOP: 2.5 ms by memory, 2 ms by products; the step takes 10 ms, so that its share is a quarter."""
    rows = []
    for number, slow in enumerate((1.0, 4.0, 1.0)):
        step = [9.0 * slow, 10.0 * slow, 30.0 * slow]
        rows += [*machine(number, slow=slow), row("context", "lm", "int8", 64, step, number, ops=2e8, bytes=1e8)]
    point = scores.score(rows)["context"][0]
    assert point["ms"] == [10.0, 10.0, 25.0]
    assert point["share"] == [0.25, 0.25, 0.25]
    assert point["limit_ms"][0] == 2.5
    assert point["bound"] == "memory"
    heavy = [*machine(0), row("context", "lm", "int8", 64, [10.0], 0, ops=5e8, bytes=1e8)]
    assert scores.score(heavy)["context"][0]["bound"] == "products"


def test_batching_and_sessions_that_fit() -> None:
    rows = machine(0)
    for x, lm, sound, vad in ((1, 10.0, 4.0, 1.0), (16, 40.0, 60.0, 4.0), (64, 130.0, 400.0, 10.0)):
        rows += [
            row("sessions", "lm", "int8", x, [lm], 0, bytes=1e8, ops=1e8),
            row("sessions", "sound", "int8", x, [sound], 0, bytes=1e6, ops=1e8),
            row("sessions", "voice activity", "as shipped", x, [vad], 0, bytes=1e6),
        ]
    found = scores.score(rows)
    assert [(b["x"], b["gain"][0]) for b in found["batching"]] == [(1, 1.0), (16, 4.0), (64, 4.923)]
    (fits,) = found["capacity"]
    assert [s["ms"] for s in fits["steps"]] == [15.0, 104.0, 540.0]
    assert fits["sessions"] == pytest.approx(16 + 48 * (400 - 104) / (540 - 104), abs=0.05)


def test_rows_of_another_benchmark_are_refused() -> None:
    with pytest.raises(DataError, match=r"quiet/7.*without curve, part"):
        scores.score([{"id": "quiet/7", "system": "nano"}])


def test_crossing() -> None:
    assert scores.crossing([(1, 100.0), (3, 300.0)], 200) == 2.0
    assert scores.crossing([(1, 100.0), (3, 300.0)], 400) is None
    assert scores.crossing([(1, 500.0), (3, 600.0)], 400) == 0.0


def history(number: int, slow: float = 1.0) -> list[dict[str, Any]]:
    rows = []
    for x in (100, 200, 400):
        rows += [
            row("history", "ours lm", "int8", x, [12.0 * slow], number, ops=2e8, bytes=1e8),
            row("history", "ours sound", "int8", x, [4.0 * slow], number, ops=1e8, bytes=1e6),
            row("history", "naive lm", "int8", x, [2.0 * x * slow], number, ops=2e8 * x, bytes=1e8),
            row("history", "naive sound", "int8", x, [2.0 * x * slow], number, ops=1e8 * x, bytes=1e6),
        ]
    return rows


def test_ours_is_flat_and_the_naive_way_grows() -> None:
    found = scores.score([*machine(0), *history(0), *machine(1), *history(1, 3.0)])
    assert found["growth"] == [{"numbers": "int8", "ours": 0.0, "naive": 1.0}]
    at = {p["x"]: p for p in found["naive"]}
    assert at[100]["ratio"] == [25.0, 25.0, 25.0], "400 ms over 16, in the slow round too"
    assert at[100]["decoder_ratio"][0] == pytest.approx(200 / 12, rel=1e-3)
    assert at[400]["seconds"] == 160.0
    assert at[400]["naive"][0] == pytest.approx(2 * 1600.0), "the median of one round and a slow one"


def test_a_round_without_one_side_has_no_quotient_and_failures_are_told() -> None:
    rows = [*machine(0), *[r for r in history(0) if r["part"] != "naive lm"]]
    broken = {**row("history", "naive lm", "int8", 100, [], 0), "error": "RuntimeError: can't allocate memory"}
    found = scores.score([*rows, broken])
    assert found["naive"] == []
    assert found["failed"] == [{"id": broken["id"], "error": broken["error"]}]
    shown = {t.title: t for t in tables.cost(found)}
    assert "can't allocate memory" in shown["Not measured"].rows[0][1]


def test_disturbed_is_wall_over_processor_time() -> None:
    quiet = row("context", "lm", "int8", 64, [10.0, 10.0], 0, bytes=1e8, ops=1e8)
    held = {**row("context", "lm", "int8", 64, [30.0, 30.0], 1, bytes=1e8, ops=1e8), "cpu_ms": [10.0, 10.0]}
    found = scores.score([quiet, held])
    assert found["disturbed"] == [2.0, 1.0, 3.0]
    assert found["context"][0]["ms"] == [10.0, 10.0, 10.0], "what the neighbours took is not in it"
    assert found["context"][0]["wall_ms"] == [20.0, 15.0, 25.0]
    stopped = {**held, "cpu_ms": [0.0, 0.0]}
    assert rounds.times(stopped) == [30.0, 30.0], "a clock that stands"
    both = {**row("machine", "read sum", "", 2, [5.0], 0, bytes=4e8), "cpu_ms": [10.0]}
    assert rounds.times(both) == [5.0], "two threads are timed by the wall"


def test_every_table_and_picture_is_made_of_figures() -> None:
    rows = [*machine(0), *history(0)]
    for x in (1, 4):
        rows += [row("sessions", "lm", "int8", x, [10.0 * x], 0, ops=2e8, bytes=1e8),
                 row("sessions", "sound", "int8", x, [10.0 * x], 0, ops=2e8, bytes=1e8),
                 row("sessions", "voice activity", "as shipped", x, [1.0 * x], 0, bytes=1e6)]  # fmt: skip
    for x in (200, 400):
        rows += [row("chunk", part, kind, x, [5.0], 0, ops=1e8, bytes=1e7) for part, kind in (
            ("lm", "int8"), ("sound", "int8"), ("speech", "as shipped"), ("voice activity", "as shipped"))]  # fmt: skip
    rows.append(row("context", "lm", "int8", 64, [10.0], 0, ops=2e8, bytes=1e8))
    found = scores.score(rows)
    titles = [t.title for t in tables.cost(found)]
    assert len(titles) == 6
    for table in tables.cost(found):
        assert all(len(r) == len(table.columns) for r in table.rows), table.title
    chunk = next(t for t in tables.cost(found) if "length of a chunk" in t.title)
    assert chunk.rows[-2] == ["all, int8, a second of audio", "100.0", "50.0"], "four parts of 5 ms"
    assert chunk.rows[-1] == ["limit of all, int8", "20.0", "10.0"], "four parts of 1 ms"
    made = pictures.of(found)
    assert [p.name for p in made] == ["cost_context", "cost_sessions", "cost_chunk", "cost_history", "roofline"]
    assert all(p.png.startswith(b"\x89PNG") for p in made)


def aged(number: int, hearing: float, slow: float = 1.0) -> list[dict[str, Any]]:
    rows = []
    for x, deciding in ((10, 8.0), (1000, 12.0)):
        rows += [
            row("age", "deciding", "int8", x, [deciding * slow], number, ops=2e8, bytes=1e8),
            row("age", "deciding", "bf16", x, [3 * deciding * slow], number, ops=2e8, bytes=1e8),
            row("age", "hearing", "int8", x, [hearing * slow], number, ops=1e8, bytes=1e6),
            row("age", "hearing", "fp32", x, [4 * hearing * slow], number, ops=1e8, bytes=1e6),
            row("age", "sound", "int8", x, [hearing * slow / 2], number, ops=1e8, bytes=1e6),
        ]
    return rows


def test_a_whole_step_is_hearing_and_deciding_and_grows_within_rounds() -> None:
    """Eight bits hear beside eight bits; bfloat16 decides beside what hears in float32."""
    found = scores.score([*machine(0), *aged(0, 2.0), *machine(1, slow=3.0), *aged(1, 2.0, 3.0)])
    at = {(p["numbers"], p["x"]): p for p in found["ages"]}
    assert at["int8", 10]["ms"] == [20.0, 15.0, 25.0], "8 and 2 ms, in the slow round three times that"
    assert at["int8", 1000]["to_first"] == [1.4, 1.4, 1.4]
    assert at["bf16", 10]["ms"][0] == pytest.approx(2 * (24 + 8))
    assert at["int8", 10]["limit_ms"][0] == pytest.approx(2 * (2.5 + 1.0)), "of both, by the limits of their round"
    assert at["int8", 1000]["seconds"] == 400.0
    table = next(t for t in tables.cost(found) if "age" in t.title)
    assert [r[0] for r in table.rows] == [
        "whole step, bf16",
        "whole step, int8",
        "deciding, bf16",
        "deciding, int8",
        "hearing, fp32",
        "hearing, int8",
        "sound, int8",
    ]
    assert "nano encodes speech" in table.note
    assert [p.name for p in pictures.of(found)] == ["cost_age"]
    one = [r for r in aged(0, 2.0) if r["part"] == "deciding" or r["x"] == 10]
    half = {(p["numbers"], p["x"]) for p in scores.score([*machine(0), *one])["ages"]}
    assert half == {("int8", 10), ("bf16", 10)}, "no sum without one side"
    alone = scores.score([*machine(0), *[r for r in aged(0, 2.0) if r["part"] == "deciding"]])
    assert [p["ms"][0] for p in alone["ages"] if p["numbers"] == "int8"] == [8.0, 12.0]
    assert [r[0] for t in tables.cost(alone) if "age" in t.title for r in t.rows] == [
        "deciding, bf16",
        "deciding, int8",
    ]


def test_one_after_the_other_is_what_batching_is_compared_with_where_it_was_timed() -> None:
    rows = machine(0)
    for x, together, apart in ((1, 10.0, 12.0), (4, 20.0, 60.0)):
        rows += [
            row("sessions", "lm", "bf16", x, [together], 0, bytes=1e8, ops=1e8),
            row("sessions", "lm one by one", "bf16", x, [apart], 0, bytes=1e8 * x, ops=1e8),
        ]
    found = scores.score(rows)
    assert [(b["x"], b["gain"][0]) for b in found["batching"]] == [(1, 1.2), (4, 3.0)]
    assert found["capacity"] == [], "nobody hears"
    table = next(t for t in tables.cost(found) if "sessions" in t.title)
    assert table.rows[1][-2] == "60.0 (60.0 to 60.0)"


def test_the_naive_way_for_sessions_is_divided_within_the_rounds_that_timed_both() -> None:
    rows = []
    for number, slow in enumerate((1.0, 3.0, 1.0)):
        rows += machine(number, slow=slow)
        for x, together, again in ((1, 10.0, 100.0), (4, 20.0, 400.0)):
            rows.append(row("sessions", "lm", "int8", x, [together * slow], number, bytes=1e8, ops=1e8))
            if x == 1 or number < 2:
                body = {"bytes": 1e8, "ops": 1e9 * x}
                rows.append(row("sessions", "lm again", "int8", x, [again * slow], number, **body))
    found = scores.score(rows, {"subject": {"chunk_ms": 800}, "size": {"again": 30}})
    assert [(p["x"], p["ratio"]) for p in found["again"]] == [(1, [10.0] * 3), (4, [20.0] * 3)]
    assert found["again"][1]["naive"][0] == 800.0, "of two rounds, one of them slow"
    assert found["capacity"] == [], "it is no encoder"
    table = next(t for t in tables.cost(found) if "history of each session" in t.title)
    assert table.rows[0] == [
        "int8",
        "1",
        "10.0 (10.0 to 20.0)",
        "100 (100 to 200)",
        "10.0",
        "100",
        "10.0 (10.0 to 10.0)",
    ]
    assert "the last 24 s of each encoded again" in table.note


def test_ages_are_compared_turn_by_turn() -> None:
    """The second turn is slow, and ages do not differ."""
    rows = machine(0)
    for x, noise in ((10, 1.0), (1000, 1.1)):
        rows += [
            row("age", "deciding", "int8", x, [8.0, 16.0 * noise, 8.0], 0, bytes=1e8, ops=1e8),
            row("age", "hearing", "int8", x, [2.0, 4.0 * noise, 2.0], 0, bytes=1e6, ops=1e6),
        ]
    found = scores.score(rows)
    deciding = {p["x"]: p for p in found["age"] if p["part"] == "deciding"}
    assert deciding[10]["ms"] == [8.0, 8.0, 12.0], "quartiles of the turns, in a single round, too"
    assert deciding[1000]["to_first"] == [1.0, 1.0, 1.05]
    assert found["ages"][1]["ms"] == [10.0, 10.0, 16.0]
    assert found["ages"][1]["to_first"] == [1.0, 1.0, 1.05]
    table = next(t for t in tables.cost(found) if "age of a session" in t.title)
    assert {r[0]: r[-1] for r in table.rows}["deciding, int8"] == "1.00 (1.00 to 1.05)"


def test_chunks_of_another_length_and_encoders_of_any_name() -> None:
    about = {"subject": {"name": "omni", "tier": "omni", "chunk_ms": 800, "tokens": 23, "held": 1024}}
    rows = [*machine(0), *history(0)]
    rows += [{**r, "id": r["id"].replace("sound", "tower"), "part": r["part"].replace("sound", "tower")}
             for r in history(0) if "sound" in r["part"]]  # fmt: skip
    found = scores.score(rows, about)
    at = {p["x"]: p for p in found["naive"]}
    assert at[400]["seconds"] == 320.0
    assert at[100]["ours"][0] == 12 + 4 + 4
    assert at[100]["naive"][0] == 600.0, "three parts of 200 ms"
    assert at[100]["ours_limit"][0] == pytest.approx(2.5 + 1 + 1)
    assert at[100]["naive_limit"][0] == pytest.approx(200 + 100 * 1 * 2)
    shown = {t.title: t for t in tables.cost(found)}
    assert "Decoder and sound and tower encoder" in shown["Against encoding the whole history again"].note
    assert "omni, 23 tokens a chunk of 800 ms; not run on a GPU" in shown["Limits of this machine"].note
