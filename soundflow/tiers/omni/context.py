"""Text of the paper's layout: what `soundflow.decide.context` is for the nano tier.

The paper's model reads no words: it hears them. Notes, names of sounds and counts are not told to it either; its
instruction and the names of its tools are in the system text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

from soundflow.decide.context import MAX_HEADER_TOKENS, MAX_HEARD_CHARS, Context
from soundflow.errors import CapacityError, ConfigError, WeightsError
from soundflow.tiers.omni import layout
from soundflow.tiers.omni.layout import Tokens
from soundflow.types import Note, Word

SYSTEM: Final = (
    "You are a helpful assistant. When there is no user text, if the audio contains a question, please answer it. If it"
    " is a sound effect, determine based on the sound whether help is needed."
)
"""The paper's, word for word: the model was trained with it."""
MAX_PREFIX_TOKENS: Final = 192
MAX_SAID_TOKENS: Final = 128


class OmniContext(Context):
    """Between text and ids. Text that holds a control token's name becomes plain text first."""

    def __init__(
        self, tokenizer: Tokenizer, tokens: Tokens, system: str = SYSTEM, said_tokens: int = MAX_SAID_TOKENS
    ) -> None:
        """`said_tokens`: most that `said` gives, so that nobody has to cut its end off (`Lalm.text_limit`)."""
        self.tokenizer, self.tokens, self.system = tokenizer, tokens, system
        self.end_id, self._most = tokens.text_end, said_tokens - len(layout.reply(tokens, []))
        self._emotions = {value for _, value in tokens.emotions}

    @staticmethod
    def read(path: Path, tokens: Tokens, system: str = SYSTEM, said_tokens: int = MAX_SAID_TOKENS) -> OmniContext:
        """Read a Hugging Face `tokenizer.json`. WeightsError where it is none."""
        try:
            return OmniContext(Tokenizer.from_str(path.read_text(encoding="utf-8")), tokens, system, said_tokens)
        except Exception as error:  # tokenizers raises no class of its own
            raise WeightsError(f"{path}: a tokenizer.json was expected ({error})") from error

    def decode(self, ids: Sequence[int]) -> str:
        """Text of a reply, without the emotion that it begins with."""
        return super().decode(ids[1:] if ids and ids[0] in self._emotions else ids)

    def prefix(self, instruction: str, tool_names: Sequence[str]) -> list[int]:
        """Ids of the prefix. CapacityError where it would not fit the sinks."""
        text = self.system
        if tool_names:
            text += f" Tools: {', '.join(tool_names)}."
        if instruction:
            text += f" {self.plain(instruction)}"
        ids = layout.prefix(self.tokens, self.encode(text))
        if len(ids) > MAX_PREFIX_TOKENS:
            raise CapacityError(
                f"instruction and tool names of at most {MAX_PREFIX_TOKENS} tokens were expected, got {len(ids)}"
            )
        return ids

    def words(self, new: Sequence[Word], closed: bool) -> list[int]:
        """None: the model hears them."""
        return []

    def said(self, text: str) -> list[int]:
        """A reply as it stands in the stream once it was said, with the neutral emotion; a long one is cut."""
        return layout.reply(self.tokens, self.encode(self.plain(text))[: self._most])

    def typed(self, text: str) -> list[int]:
        """A typed request, which `OmniLalm.chunk_inputs` puts into its frame."""
        return self.encode(self.plain(text))

    def reply_header(self, heard: str, sounds: Sequence[str], notes: Sequence[Note], count: int = 0) -> list[int]:
        """Nothing stands between TEXT_BEGIN and the reply, whose first token is the emotion."""
        return []

    def act_header(self, heard: str, tools_text: str) -> list[int]:
        """Ids between the act token and the call (ours: the paper has no acts).

        Raises:
            ConfigError: tools for a layout without an act token, which would never be called.
            CapacityError: too many tokens.
        """
        if tools_text and self.tokens.act is None:
            raise ConfigError(
                "tools: none were expected: this omni never acts, its config.json names no token for it (tokens.act)"
            )
        ids = self.encode(f"\nHeard: {self.plain(heard)[-MAX_HEARD_CHARS:]}\nTools:\n{tools_text}\n")
        if len(ids) > MAX_HEADER_TOKENS:
            raise CapacityError(f"a turn of at most {MAX_HEADER_TOKENS} tokens was expected, got {len(ids)}")
        return ids
