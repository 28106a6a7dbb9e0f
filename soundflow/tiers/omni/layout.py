"""Where tokens stand in *Audio Interaction Model* (arXiv 2606.05121), by its released code.

    prefix     ONLINE ENGLISH SYSTEM TEXT_BEGIN  system text  TEXT_END
    a chunk    AUDIO_BEGIN  PAD x 10  ASSISTANT  then  KEEP_SILENCE
                                                 or    TEXT_BEGIN  emotion  text  TEXT_END

Audio tokens overwrite the embeddings of the PADs. The decision is read at ASSISTANT. Ids are Qwen2.5's: those below
151643 are rare words of its vocabulary that were given another meaning, so that text may hold them too. A typed request
stands in front of a chunk in the form that the released code has for clips: USER TEXT_BEGIN text TEXT_END. ACT is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from soundflow.errors import ConfigError

EMOTIONS: Final = {"happy": 151614, "sad": 151615, "angry": 151616, "surprise": 151617, "normal": 151618,
                   "urgent": 151619}  # fmt: skip
NEUTRAL: Final = "normal"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Ids of the layout; the defaults are the paper's. `audio`: PADs of a chunk. `act`: None, the model never acts.
    `emotions`: pairs of name and id, "normal" among them.
    """

    online: int = 151609
    english: int = 151611
    system: int = 151644
    text_begin: int = 151644
    text_end: int = 151643
    audio_begin: int = 151647
    pad: int = 151608
    user: int = 151601
    assistant: int = 151602
    keep_silence: int = 151605
    act: int | None = None
    emotions: tuple[tuple[str, int], ...] = tuple(EMOTIONS.items())
    audio: int = 10

    @staticmethod
    def read(raw: Mapping[str, Any], vocab: int, where: str) -> Tokens:
        """From a config, where keys may be left out. ConfigError names the key that is unknown, no id below `vocab`, or
        the same as another between which the model decides.
        """
        known = {f.name for f in fields(Tokens)}
        if unknown := sorted(set(raw) - known):
            raise ConfigError(f"{where}: unknown key {unknown[0]!r}")
        given = dict(raw)
        if "emotions" in given:
            if not isinstance(given["emotions"], Mapping) or NEUTRAL not in given["emotions"]:
                raise ConfigError(f"{where}: emotions: names with ids, {NEUTRAL!r} among them, were expected")
            given["emotions"] = tuple(given["emotions"].items())
        made = Tokens(**given)
        ids = asdict(made) | {f"emotions.{name}": value for name, value in made.emotions}
        for key in ("emotions", "audio", *(["act"] if made.act is None else [])):
            del ids[key]
        for key, value in ids.items():
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < vocab:
                raise ConfigError(f"{where}: {key}: an id from 0 to {vocab - 1} was expected, got {value!r}")
        if not isinstance(made.audio, int) or isinstance(made.audio, bool) or made.audio < 1:
            raise ConfigError(f"{where}: audio: a number of tokens above 0 was expected, got {made.audio!r}")
        decided = [made.keep_silence, made.text_begin, *([made.act] if made.act is not None else [])]
        if len(set(decided)) < len(decided):
            raise ConfigError(f"{where}: keep_silence, text_begin and act: different ids were expected, got {decided}")
        return made

    def to_json(self) -> dict[str, Any]:
        """What `read` takes."""
        return asdict(self) | {"emotions": dict(self.emotions)}

    @property
    def block(self) -> int:
        """Tokens of a chunk up to its decision."""
        return self.audio + 2


def prefix(t: Tokens, system: Sequence[int]) -> list[int]:
    """Ids of the prefix around those of the system text."""
    return [t.online, t.english, t.system, t.text_begin, *system, t.text_end]


def block(t: Tokens) -> list[int]:
    """Ids of a chunk up to its decision."""
    return [t.audio_begin, *[t.pad] * t.audio, t.assistant]


def reply(t: Tokens, text: Sequence[int], emotion: str | int | None = NEUTRAL) -> list[int]:
    """Ids behind ASSISTANT where a chunk is answered. `emotion`: by name or id; None where the model gave none."""
    named = dict(t.emotions)[emotion] if isinstance(emotion, str) else emotion
    return [t.text_begin, *([] if named is None else [named]), *text, t.text_end]


def typed(t: Tokens, text: Sequence[int]) -> list[int]:
    """A typed request in front of a chunk."""
    return [t.user, t.text_begin, *text, t.text_end]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A whole stream: its `ids`. `audio_at` [chunks][audio]: where its audio tokens go. `decided_at` [chunks]: the
    positions whose logits decide. `learned`: whether the loss counts an id (decisions and replies, not what is heard).
    """

    ids: list[int]
    audio_at: list[list[int]]
    decided_at: list[int]
    learned: list[bool]


def dialogue(t: Tokens, system: Sequence[int], replies: Sequence[Sequence[int] | None]) -> Dialogue:
    """Lay out a stream of `len(replies)` chunks: each None for silence, or `reply`'s ids."""
    ids = prefix(t, system)
    made = Dialogue(ids, [], [], [False] * len(ids))
    for said in replies:
        first = len(ids) + 1
        made.audio_at.append(list(range(first, first + t.audio)))
        ids += block(t)
        made.decided_at.append(len(ids) - 1)
        after = [t.keep_silence] if said is None else list(said)
        ids += after
        made.learned.extend([False] * t.block + [True] * len(after))
    return made
