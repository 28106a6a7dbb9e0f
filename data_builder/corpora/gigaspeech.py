"""GigaSpeech: spontaneous English of audiobooks, podcasts and videos, cut by its segments. Held as non-commercial."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from data_builder.corpora.get import by_hand
from data_builder.corpora.manifest import json_items
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, find_root
from data_builder.corpora.write import prepare

MANIFEST: Final = "GigaSpeech.json"
MARKS: Final = {" <COMMA>": ",", " <PERIOD>": ".", " <QUESTIONMARK>": "?", " <EXCLAMATIONPOINT>": "!"}
NO_SPEECH: Final = frozenset({"<SIL>", "<MUSIC>", "<NOISE>", "<OTHER>"})
HELD_OUT: Final = frozenset({"{DEV}", "{TEST}"})


def clips(raw: Path) -> Iterator[Entry]:
    """GigaSpeech.json: {"audios": [{aid, path, subsets, segments: [{sid, begin_time, end_time, text_tn, ...}]}]}.

    Segments of no speech (<SIL>, <MUSIC>, <NOISE>, <OTHER>) are passed over.
    """
    root = find_root(raw, ("GigaSpeech", "gigaspeech"), (MANIFEST,), RECIPE.name)
    for where, audio in json_items(root / MANIFEST, "audios"):
        yield from _recording(where, audio, root)


def _recording(where: str, audio: Any, root: Path) -> Iterator[Entry]:
    try:
        aid, path, segments = str(audio["aid"]), PurePosixPath(audio["path"]), list(audio["segments"])
        held = bool(HELD_OUT & set(audio.get("subsets", ())))
    except (KeyError, TypeError, AttributeError) as err:
        yield Bad(where, f"expected a recording with aid, path and segments: {err!r}")
        return
    if path.is_absolute() or ".." in path.parts:
        yield Bad(where, f"expected a path below {root.name}, got {str(path)[:120]!r}")
        return
    for number, segment in enumerate(segments):
        try:
            start, end, sid = float(segment["begin_time"]), float(segment["end_time"]), str(segment["sid"])
            text, person = str(segment["text_tn"]), str(segment.get("speaker") or "N/A")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as err:
            yield Bad(f"{where}, segment {number}", f"expected sid, begin_time, end_time and text_tn: {err!r}")
            continue
        if set(text.split()) & NO_SPEECH:
            continue
        yield Clip(
            audio=root / path,
            key=f"{aid}/{sid}",
            split="dev" if held else "train",
            kind="speech",
            text=plain(text),
            speaker=f"gigaspeech_{aid}" if person == "N/A" else f"gigaspeech_{aid}_{person}",
            language="en",
            start=start,
            end=end,
        )


def plain(text: str) -> str:
    """ "AS THEY'RE LEAVING <COMMA> CAN KASH ..." with the marks of punctuation as punctuation."""
    for mark, sign in MARKS.items():
        text = text.replace(mark, sign)
    return re.sub(r"<[A-Z]+>", " ", text).strip()


def download_gigaspeech(folder: Path, only: Sequence[str] = ()) -> None:
    """Raises DataError that says how: the publisher gives a password to each person who accepts the terms."""
    raise by_hand(
        "gigaspeech",
        folder,
        f"fill in the form at {RECIPE.homepage} and run its utils/download_gigaspeech.sh; GigaSpeech.json and audio/"
        " have to lie side by side.",
    )


def prepare_gigaspeech(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="gigaspeech",
    title="GigaSpeech",
    licence="GigaSpeech terms: non-commercial research and education",
    open=False,
    gives="spontaneous and read English with words and punctuation",
    size="1.2 TB (XL), 10 h in XS",
    citation="G. Chen et al., GigaSpeech: An Evolving, Multi-domain ASR Corpus, Interspeech 2021",
    homepage="https://github.com/SpeechColab/GigaSpeech",
    layout="https://github.com/SpeechColab/GigaSpeech (README: metadata walkthrough)",
    download=download_gigaspeech,
    prepare=prepare_gigaspeech,
)
