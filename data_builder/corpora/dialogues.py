"""Text dialogues: MOSS and UltraChat, or any file in their forms, to be spoken by the voices.

Forms: MOSS {"chat": {"turn_1": {"Human", "MOSS"}}} and {"conversation": [{"human", "assistant"}]}; UltraChat
{"data": [question, answer, ...]} and {"messages": [{"role", "content"}]}; {"conversations": [{"from", "value"}]}.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from data_builder.corpora.get import get, remote
from data_builder.corpora.licences import share
from data_builder.corpora.manifest import json_items, json_lines, load_json
from data_builder.corpora.recipe import Bad, Dialogue, Entry, Options, Prepared, Recipe, RemoteFile, Turn, unfinished
from data_builder.corpora.write import QUARANTINE, prepare
from soundflow.errors import DataError

DEV_PERCENT: Final = 5
MOST_TURNS, LONGEST_TURN = 200, 20_000
SUFFIXES: Final = (".json", ".jsonl")
USER: Final = frozenset({"user", "human", "prompter"})
ASSISTANT: Final = frozenset({"assistant", "gpt", "moss", "bot", "model"})
MARKS: Final = re.compile(
    r"<\|?(?:Human|MOSS|Inner Thoughts|Commands|Results)\|?>:?|<eo[a-z]>|\[(?:Human|MOSS)\]:", re.I
)
HELD_OUT: Final = re.compile(r"(?:^|[_.-])(?:test|eval|dev|valid(?:ation)?)(?:[_.-]|$)", re.I)


def entries(raw: Path) -> Iterator[Entry]:
    """Every .json and .jsonl below `raw`. Files named test, eval or dev are dev, and one in twenty of the others."""
    paths = [p for p in sorted(raw.rglob("*")) if p.suffix in SUFFIXES and p.is_file() and p.name != QUARANTINE]
    if not paths:
        raise DataError(f"expected .json or .jsonl files of dialogues, got none{unfinished(raw)}", str(raw))
    for path in paths:
        held = bool(HELD_OUT.search(path.stem))
        for item in _records(path):
            yield item if isinstance(item, Bad) else _dialogue(*item, held)


def _records(path: Path) -> Iterator[tuple[str, Any] | Bad]:
    """(place, record): JSON lines (whatever the name says), an array, or one record a file."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        start = file.read(4096).lstrip()
        rest = start.partition("\n")[2].lstrip()
    try:
        if start.startswith("["):
            yield from json_items(path)
        elif path.suffix == ".jsonl" or (start.startswith("{") and rest.startswith("{")):
            yield from json_lines(path)
        else:
            yield str(path), load_json(path)
    except DataError as err:
        yield Bad(str(path), str(err).removeprefix(f"{path}: "))


def _dialogue(where: str, record: Any, held: bool) -> Entry:
    try:
        turns = [(role, MARKS.sub(" ", text).strip()) for role, text in _turns(record)]
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        return Bad(where, f"expected a dialogue in a form of MOSS or UltraChat: {str(err)[:120] or type(err).__name__}")
    turns = [(role, text) for role, text in turns if role != "system"]
    if len(turns) % 2:
        turns = turns[:-1]  # a last question that nobody answers
    if not turns or any(role != ("user", "assistant")[i % 2] for i, (role, _) in enumerate(turns)):
        return Bad(where, "expected turns of user and assistant in alternation")
    if any(not text for _, text in turns):
        return Bad(where, "expected words in every turn")
    if len(turns) > MOST_TURNS or any(len(text) > LONGEST_TURN for _, text in turns):
        return Bad(where, f"expected at most {MOST_TURNS} turns of {LONGEST_TURN} characters")
    digest = hashlib.sha256(json.dumps(turns, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:16]
    first = hashlib.sha256(turns[0][1].encode("utf-8", "replace")).hexdigest()  # the same question: the same split
    split = "dev" if held else share(first, DEV_PERCENT)
    return Dialogue(digest, split, language_of(turns[0][1]), tuple(Turn(role, text) for role, text in turns))


def _turns(record: Any) -> list[tuple[str, str]]:
    """(role, text) of each turn; raises KeyError, TypeError or ValueError for another form."""
    if not isinstance(record, dict):
        raise TypeError(f"a record is {type(record).__name__}")
    if isinstance(record.get("chat"), dict):
        chat = record["chat"]
        names = sorted(chat, key=lambda name: int(name.removeprefix("turn_")))
        return [
            (role, str(chat[n][field])) for n in names for role, field in (("user", "Human"), ("assistant", "MOSS"))
        ]
    for key in ("data", "messages", "conversations", "conversation"):
        if key in record and not isinstance(record[key], list):
            raise TypeError(f"{key} is {type(record[key]).__name__}, not a list")
    if "data" in record:
        return [(("user", "assistant")[i % 2], _text(text)) for i, text in enumerate(record["data"])]
    for key, role, field in (("messages", "role", "content"), ("conversations", "from", "value")):
        if key in record:
            return [(_role(turn[role]), _text(turn[field])) for turn in record[key]]
    if "conversation" in record:
        said = record["conversation"]
        return [(role, _text(t[key])) for t in said for role, key in (("user", "human"), ("assistant", "assistant"))]
    raise ValueError(f"no turns in {', '.join(map(str, record))[:80]}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a turn is {type(value).__name__}, not text")
    return value


def _role(name: str) -> str:
    plain = name.lower()
    if plain not in USER | ASSISTANT | {"system"}:
        raise ValueError(f"a role {name[:40]!r}")
    return "user" if plain in USER else "assistant" if plain in ASSISTANT else "system"


def language_of(text: str) -> str:
    """zh where Chinese characters are common, en otherwise: the two languages of these corpora."""
    return "zh" if sum("\u4e00" <= c <= "\u9fff" for c in text) > 0.2 * len(text) else "en"


def download_moss(folder: Path, only: Sequence[str] = ()) -> None:
    get(MOSS, folder, only)


def download_ultrachat(folder: Path, only: Sequence[str] = ()) -> None:
    get(ULTRACHAT, folder, only)


def prepare_moss(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(MOSS, entries, raw, out, options or Options())


def prepare_ultrachat(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(ULTRACHAT, entries, raw, out, options or Options())


MOSS: Final = Recipe(
    name="moss",
    title="MOSS SFT conversations (moss-003)",
    licence="CC BY-NC 4.0",
    open=False,
    gives="text dialogues, English and Chinese (for `data build --dialogues`)",
    size="1 to 3 GB",
    citation="T. Sun et al., MOSS: An Open Conversational Large Language Model, Machine Intelligence Research, 2024",
    homepage="https://github.com/OpenMOSS/MOSS",
    layout="https://github.com/OpenMOSS/MOSS (SFT_data: examples of conversations without plugins)",
    download=download_moss,
    prepare=prepare_moss,
    files=(
        RemoteFile(
            "https://huggingface.co/datasets/fnlp/moss-003-sft-data/resolve/main/moss-003-sft-no-tools.jsonl.zip"
        ),
    ),
)
ULTRACHAT: Final = Recipe(
    name="ultrachat",
    title="UltraChat",
    licence="MIT",
    open=True,
    gives="text dialogues of several rounds, English (for `data build --dialogues`)",
    size="9.3 GB",
    citation="N. Ding et al., Enhancing Chat Language Models by Scaling High-quality Instructional Conversations, 2023",
    homepage="https://github.com/thunlp/UltraChat",
    layout="https://github.com/thunlp/UltraChat (README: data format)",
    download=download_ultrachat,
    prepare=prepare_ultrachat,
    files=remote(
        "https://huggingface.co/datasets/stingning/ultrachat/resolve/main/", [f"train_{k}.jsonl" for k in range(10)]
    ),
)
