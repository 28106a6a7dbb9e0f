"""Whether a model's cache holds a prompt, and its language model a reply behind a full cache."""

from __future__ import annotations

from soundflow.decide.context import Context
from soundflow.decide.lalm import Lalm
from soundflow.errors import ConfigError
from soundflow.respond.reply import REPLY_ROOM


def check(lalm: Lalm, context: Context, lm: object, key: str) -> None:
    """ConfigError names the language model (`lm`) that knows too few positions, or file and key of a wrong cache."""
    limit, given, least = lalm.llama.config.limit, lalm.capacity, 2 * len(context.prefix("", ()))
    if limit < least + REPLY_ROOM:
        raise ConfigError(
            f"{lm}: a language model that knows {least + REPLY_ROOM} positions was expected, for a prompt and a reply;"
            f" it knows {limit}"
        )
    if not least <= given <= limit - REPLY_ROOM:
        raise ConfigError(
            f"{key}: {least} to {limit - REPLY_ROOM} was expected, as the prompt takes {least // 2}, the language model"
            f" knows {limit} positions and a reply may need {REPLY_ROOM} of them; got {given}"
        )
