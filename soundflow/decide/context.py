"""How text stands around the audio in the LALM's context. Training and inference share these functions.

    prefix        <|im_start|>system ... instruction, tool names ...<|im_end|>\\n<|im_start|>user\\n      (attention
    sinks)
    a chunk       [<speak>|<act> of the last chunk] [said text] AUDIO [words] [\\n where a segment closed]   -> decision
    a reply       fork of the row, <speak>|<act>, then heard / sounds / notes, <|im_end|>, assistant, reply, <|im_end|>

The control tokens are SmolLM2's and Qwen's here; another tokenizer's stand in its `Dialect`. A silent decision is
emitted but not written back: it is what the context assumes, and a silent chunk costs one position.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from soundflow.clock import seconds
from soundflow.decide.dialect import Dialect, broken, control_text
from soundflow.errors import CapacityError, WeightsError
from soundflow.perceive.labels import GENERIC, SPEECH, UNREPORTED, display_name
from soundflow.types import FloatArray, Note, Word

SYSTEM = "You listen to a home. Warn of danger, distress and callers. Answer requests. Else stay silent."
MAX_PREFIX_TOKENS = 128
MAX_HEADER_TOKENS = 512
MAX_NOTES = 12
MAX_SAID = 6
MAX_SAID_CHARS = 120
MAX_HEARD_CHARS = 400


NAMED_TAG = 0.1


def sound_names(tags: FloatArray, labels: Sequence[str], most: int = 3) -> tuple[str, ...]:
    """Plain names of the strongest sounds of a few chunks, tags [n,521].

    Speech and scenes are left out, and a generic label where one of its children is at least half as probable.
    """
    p = tags.astype(np.float32).max(axis=0)
    by_label = dict(zip(labels, p.tolist(), strict=True))
    names: list[str] = []
    for i in np.argsort(-p, kind="stable"):
        if p[i] < NAMED_TAG or len(names) >= most:
            break
        label = labels[i]
        if label in SPEECH or label in UNREPORTED:
            continue
        if any(by_label.get(child, 0.0) >= p[i] / 2 for child in GENERIC.get(label, ())):
            continue
        name = display_name(label)
        if name not in names:
            names.append(name)
    return tuple(names)


def stamp(sample: int) -> str:
    """Minutes and seconds of the stream, "12:05"."""
    whole = int(seconds(sample))
    return f"{whole // 60}:{whole % 60:02d}"


def said_note(sample: int, text: str) -> Note:
    """What somebody said before, as a note for a later question."""
    return Note(sample, f'"{text[-MAX_SAID_CHARS:]}"')


class Context:
    """Turns instructions, words, notes and replies into token ids of the LALM's own tokenizer."""

    more_ends: tuple[int, ...] = ()
    _control: re.Pattern[str] | None = None

    def __init__(self, tokenizer: Tokenizer, dialect: Dialect | None = None) -> None:
        """`dialect`: of the tokenizer's family; None finds it by its tokens (WeightsError where none fits)."""
        self.tokenizer = tokenizer
        self.dialect = dialect or Dialect.of(tokenizer)
        ends = self.dialect.end_ids(tokenizer)
        if not ends:
            raise WeightsError(f"a tokenizer with {self.dialect.ends[0]} was expected")
        self.end_id, self.more_ends = ends[0], ends[1:]

    @staticmethod
    def load(path: Path) -> Context:
        """Read a Hugging Face `tokenizer.json`, with the `tokenizer_config.json` beside it if there is one.

        Raises:
            WeightsError: it is missing or no tokenizer, or nothing says what ends a reply.
        """
        if not path.exists():
            raise WeightsError(f"{path} is missing: run `soundflow models pull nano`")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises no class of its own
            raise WeightsError(f"{path}: a tokenizer.json was expected ({error})") from error
        return Context(tokenizer, Dialect.of(tokenizer, path.parent / "tokenizer_config.json"))

    @property
    def end_ids(self) -> tuple[int, ...]:
        """Any of which ends a reply; the first is `end_id`, which training writes."""
        return self.end_id, *self.more_ends

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def plain(self, text: str) -> str:
        """`text` without anything that the tokenizer would read as a control token."""
        if self._control is None:
            self._control = control_text(self.tokenizer)
        return " ".join(self._control.sub(broken, text.replace("<|", "< |")).split())

    def prefix(self, instruction: str, tool_names: Sequence[str]) -> list[int]:
        """Ids of the system prompt. Raises CapacityError where it would not fit the sinks."""
        text = SYSTEM
        if tool_names:
            text += f" Tools: {', '.join(tool_names)}."
        if instruction:
            text += f" {self.plain(instruction)}"
        ids = [*self.dialect.lead, *self.encode(f"{self.dialect.begin}{text}{self.dialect.user}")]
        if len(ids) > MAX_PREFIX_TOKENS:
            raise CapacityError(
                f"instruction and tool names of at most {MAX_PREFIX_TOKENS} tokens were expected, got {len(ids)}"
            )
        return ids

    def words(self, new: Sequence[Word], closed: bool) -> list[int]:
        """Ids of the words printed in one chunk, and the newline that marks a closed segment."""
        ids = self.encode("".join(f" {self.plain(w.text)}" for w in new)) if new else []
        return ids + (self.encode("\n") if closed else [])

    def typed(self, text: str) -> list[int]:
        """A typed request behind the chunk in which it comes."""
        return self.encode(f" {self.plain(text)}\n")

    def said(self, text: str) -> list[int]:
        """What the system said, written into the stream once it was said."""
        return self.encode(f"\n({self.plain(text)})\n")

    def reply_header(self, heard: str, sounds: Sequence[str], notes: Sequence[Note], count: int = 0) -> list[int]:
        """Ids between <speak> and the reply. `count`: how many of what is told each time there were with this one."""
        lines = [f"Heard: {self.plain(heard)[-MAX_HEARD_CHARS:]}"] if heard else []
        if sounds:
            lines.append(f"Sound: {', '.join(sounds)}")
        if count:
            lines.append(f"Count: {count}")
        if notes:
            listed = "; ".join(f"{stamp(n.sample)} {self.plain(n.text)}" for n in notes[-MAX_NOTES:])
            lines.append(f"Earlier: {listed}")
        return self._turn(lines)

    def act_header(self, heard: str, tools_text: str) -> list[int]:
        """Ids between <act> and the call. `tools_text` is `respond.tools.tools_prompt`."""
        return self._turn([f"Heard: {self.plain(heard)[-MAX_HEARD_CHARS:]}", f"Tools:\n{tools_text}"])

    def _turn(self, lines: Sequence[str]) -> list[int]:
        ids = self.encode("\n" + "\n".join(lines) + self.dialect.reply)
        if len(ids) > MAX_HEADER_TOKENS:
            raise CapacityError(f"a turn of at most {MAX_HEADER_TOKENS} tokens was expected, got {len(ids)}")
        return ids
