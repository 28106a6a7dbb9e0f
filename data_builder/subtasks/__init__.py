"""The sub-tasks: name -> function that fills a `Scene`. One file an ability."""

from __future__ import annotations

from collections.abc import Callable

from data_builder.sources import Rng, Sources
from data_builder.subtasks.act import act
from data_builder.subtasks.narration import narration
from data_builder.subtasks.proactive import proactive
from data_builder.subtasks.question import question
from data_builder.subtasks.silence import silence
from data_builder.subtasks.single import single
from data_builder.subtasks.watch import watch
from data_builder.timeline import Scene

SUBTASKS: dict[str, Callable[[Rng, Sources], Scene]] = {
    "silence": silence,
    "proactive": proactive,
    "watch": watch,
    "single": single,
    "narration": narration,
    "question": question,
    "act": act,
}
SHARES: dict[str, float] = {
    "silence": 0.35,
    "proactive": 0.30,
    "watch": 0.10,
    "narration": 0.05,
    "question": 0.08,
    "act": 0.12,
}
