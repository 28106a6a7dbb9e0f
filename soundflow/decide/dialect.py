"""How the families mark who speaks: the strings around a system text, what is heard, and a reply.

Each is what the family's own chat template writes for a system text, an open user turn and an assistant's. It is found
by the control tokens that a tokenizer has; one without any of them gets plain words and its own end of text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

from soundflow.decide.backbones.fields import Fields
from soundflow.errors import WeightsError
from soundflow.jsonfile import read_object


@dataclass(frozen=True, slots=True)
class Dialect:
    """`begin` SYSTEM `user` what is heard `reply` the reply, then one of `ends`.

    marks: tokens that a tokenizer has to have for it. ends: tokens that end a reply; the first is what training writes,
    and the tokenizer has it. lead: ids in front of everything that `begin` does not spell.
    """

    name: str
    begin: str
    user: str
    reply: str
    ends: tuple[str, ...]
    marks: tuple[str, ...] = ()
    lead: tuple[int, ...] = ()

    @staticmethod
    def of(tokenizer: Tokenizer, settings: Path | None = None) -> Dialect:
        """The dialect of a tokenizer.

        Args:
            settings: a folder's `tokenizer_config.json`, which names the end of text (`eos_token`) of a tokenizer
                without control tokens. May be missing.

        Raises:
            WeightsError: nothing says what ends a reply.
        """
        for known in DIALECTS:
            if all(tokenizer.token_to_id(mark) is not None for mark in known.marks):
                if known is CHATML and all(tokenizer.token_to_id(mark) is not None for mark in THOUGHT):
                    return replace(known, name="chatml, thoughtless", reply=known.reply + NO_THOUGHT)
                return known
        ends = tuple(end for end in (_named_end(settings), *ENDS) if end and tokenizer.token_to_id(end) is not None)
        if not ends:
            marks = "; ".join(", ".join(known.marks) for known in DIALECTS)
            where = settings or "the tokenizer"
            raise WeightsError(f"{where}: control tokens ({marks}) or an eos_token were expected, got neither")
        plain, whole = (tokenizer.encode("a", add_special_tokens=x).ids for x in (False, True))
        lead = tuple(whole[: whole.index(plain[0])]) if plain and plain[0] in whole else ()
        return replace(PLAIN, ends=ends, lead=lead)

    def end_ids(self, tokenizer: Tokenizer) -> tuple[int, ...]:
        """Ids of those `ends` that this tokenizer has."""
        found = (tokenizer.token_to_id(end) for end in self.ends)
        return tuple(dict.fromkeys(x for x in found if x is not None))


CHATML: Final = Dialect(
    "chatml", "<|im_start|>system\n", "<|im_end|>\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n",
    ("<|im_end|>", "<|endoftext|>"), ("<|im_start|>", "<|im_end|>"),
)  # fmt: skip
"""SmolLM2 and 3, Qwen 2, 2.5 and 3."""
THOUGHT: Final = ("<think>", "</think>")
NO_THOUGHT: Final = "<think>\n\n</think>\n\n"
"""With what the templates of Qwen 3 and SmolLM 3 begin a reply that is not thought about first: a listener answers."""
LLAMA3: Final = Dialect(
    "llama3", "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n",
    "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
    "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ("<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"), ("<|begin_of_text|>", "<|start_header_id|>", "<|eot_id|>"),
)  # fmt: skip
GEMMA: Final = Dialect(
    "gemma", "<bos><start_of_turn>user\n", "\n\n", "<end_of_turn>\n<start_of_turn>model\n",
    ("<end_of_turn>", "<eos>"), ("<bos>", "<start_of_turn>", "<end_of_turn>"),
)  # fmt: skip
"""Knows no system: its text begins the user's turn."""
MISTRAL_SYSTEM: Final = Dialect(
    "mistral with system", "<s>[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT][INST]", "[/INST]", ("</s>",),
    ("<s>", "</s>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[INST]", "[/INST]"),
)  # fmt: skip
MISTRAL: Final = Dialect(
    "mistral", "<s>[INST] ", "\n\n", "[/INST]", ("</s>",), ("<s>", "</s>", "[INST]", "[/INST]")
)  # fmt: skip
PLAIN: Final = Dialect("plain", "System: ", "\nUser: ", "\nAssistant:", ())
DIALECTS: Final = (CHATML, LLAMA3, GEMMA, MISTRAL_SYSTEM, MISTRAL)
ENDS: Final = ("</s>", "<|endoftext|>", "<|end_of_text|>", "<eos>")


def control_text(tokenizer: Tokenizer) -> re.Pattern[str]:
    """Finds what the tokenizer would read as one of its control tokens: special ones, and bracketed ones."""
    added = [token.content for token in tokenizer.get_added_tokens_decoder().values() if _controls(token)]
    spelled = "|".join(re.escape(text) for text in sorted(added, key=len, reverse=True))
    return re.compile(spelled or r"(?!)")


def broken(found: re.Match[str]) -> str:
    """What a control token's text becomes in what somebody said: the same to a reader."""
    text = found[0]
    return f"{text[0]} {text[1:]}"


def _controls(token: object) -> bool:
    text = str(getattr(token, "content", ""))
    bracketed = re.fullmatch(r"<\S+>|\[\S+\]", text) is not None
    return len(text) > 1 and (bracketed or bool(getattr(token, "special", False)))


def _named_end(settings: Path | None) -> str | None:
    """`eos_token` of a tokenizer_config.json: a string, or an object with its `content`."""
    if settings is None or not settings.exists():
        return None
    fields = Fields(read_object(settings, f"a readable {settings.name}"), str(settings))
    given = fields.raw.get("eos_token")
    named = given.get("content") if isinstance(given, dict) else given
    if named is not None and not isinstance(named, str):
        raise fields.wrong("eos_token", "the text of a token", given)
    return named
