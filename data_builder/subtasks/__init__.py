"""The 28 sub-tasks of seven abilities, one file an ability; and two controls beside them."""

from __future__ import annotations

from typing import Final

from data_builder.subtasks.agent import AGENT
from data_builder.subtasks.asr import ASR
from data_builder.subtasks.chat import CHAT
from data_builder.subtasks.controls import CONTROLS
from data_builder.subtasks.instruction import INSTRUCTION
from data_builder.subtasks.proactive import PROACTIVE
from data_builder.subtasks.subtask import Subtask
from data_builder.subtasks.translation import TRANSLATION
from data_builder.subtasks.understanding import UNDERSTANDING

__all__ = ["ABILITIES", "CONTROLS", "SUBTASKS", "Subtask"]

ABILITIES: Final = {
    "asr": "Real-time speech recognition",
    "translation": "Streaming translation",
    "understanding": "Streaming audio understanding",
    "chat": "Voice chatting",
    "instruction": "Streaming instruction following",
    "proactive": "Proactive response",
    "agent": "Environment-aware agent",
}
SUBTASKS: Final[dict[str, Subtask]] = {
    task.name: task
    for ability in (ASR, TRANSLATION, UNDERSTANDING, CHAT, INSTRUCTION, PROACTIVE, AGENT)
    for task in ability
}
