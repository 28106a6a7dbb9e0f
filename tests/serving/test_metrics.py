"""What is counted."""

from __future__ import annotations

import inspect
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from serving.metrics import MAX_VALUES, Metrics, NoMetrics


def samples(metrics: Metrics) -> dict[str, float]:
    """`name{labels}` -> value, read back by Prometheus' own parser."""
    return {
        s.name + "".join(f"|{k}={v}" for k, v in sorted(s.labels.items())): s.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for s in family.samples
    }


def test_everything_is_counted() -> None:
    m = Metrics()
    m.session_opened("realtime")
    m.session_opened("wyoming")
    m.session_closed("realtime", "done")
    m.step(0.12, 3)
    m.queue(4)
    m.dropped("audio", 2)
    m.deadline_miss(5)
    m.decision("speak")
    m.tokens(7)
    m.reply("done")
    m.refused("full")
    m.ready(True)
    m.service("mqtt", False)
    m.service_failed("mqtt")
    found = samples(m)
    assert m.open_sessions == 1
    wanted = {
        "soundflow_sessions_total|protocol=realtime": 1,
        "soundflow_sessions_open|protocol=realtime": 0,
        "soundflow_sessions_open|protocol=wyoming": 1,
        "soundflow_sessions_closed_total|protocol=realtime|reason=done": 1,
        "soundflow_step_seconds_count": 1,
        "soundflow_step_seconds_bucket|le=0.1": 0,
        "soundflow_step_seconds_bucket|le=0.15": 1,
        "soundflow_step_rows_sum": 3,
        "soundflow_queue_depth": 4,
        "soundflow_dropped_total|kind=audio": 2,
        "soundflow_deadline_misses_total": 5,
        "soundflow_decisions_total|kind=speak": 1,
        "soundflow_tokens_total": 7,
        "soundflow_replies_total|outcome=done": 1,
        "soundflow_refused_total|code=full": 1,
        "soundflow_ready": 1,
        "soundflow_service_up|service=mqtt": 0,
        "soundflow_service_failures_total|service=mqtt": 1,
    }
    assert {k: found.get(k) for k in wanted} == wanted
    assert found["process_resident_memory_bytes"] > 0


def test_two_servers_in_a_process_do_not_collide() -> None:
    one, two = Metrics(), Metrics()
    one.tokens(1)
    assert samples(two)["soundflow_tokens_total"] == 0


def test_labels_are_bounded() -> None:
    m = Metrics()
    for i in range(10 * MAX_VALUES):
        m.session_closed("x", f"reason {i}")
    kinds = [k for k in samples(m) if k.startswith("soundflow_sessions_closed_total")]
    assert len(kinds) == MAX_VALUES + 1
    assert samples(m)["soundflow_sessions_closed_total|protocol=x|reason=other"] == 9 * MAX_VALUES


def test_the_null_object_has_the_same_methods() -> None:
    def shape(cls: type) -> dict[str, str]:
        return {n: str(inspect.signature(f)) for n, f in vars(cls).items() if inspect.isfunction(f) and n[0] != "_"}

    assert shape(NoMetrics) == shape(Metrics)
    assert NoMetrics.open_sessions == 0


def test_the_manual_names_every_metric() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
    names = {family.name for family in Metrics().registry.collect() if family.name.startswith("soundflow_")}
    assert len(names) > 12
    assert {n for n in names if n not in manual} == set()
