"""AudioSet: sounds of 10 s stretches of videos, with strong labels (onset and offset of each event) and weak ones.

Only labels are published; the audio is whatever the user has got. Held as not open: each video has its own licence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import by_hand, get, remote
from data_builder.corpora.labels import best, kind_of, respond_to
from data_builder.corpora.manifest import table
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, unfinished
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

STRONG: Final = {"audioset_train_strong.tsv": "train", "audioset_eval_strong.tsv": "dev"}
WEAK: Final = {
    "balanced_train_segments.csv": "train",
    "unbalanced_train_segments.csv": "train",
    "eval_segments.csv": "dev",
}
NAMES, CLASSES = "mid_to_display_name.tsv", "class_labels_indices.csv"
SUFFIXES: Final = (".flac", ".wav", ".ogg", ".opus", ".mp3")
OVERLAP: Final = 0.1
"""An event is used where others cover at most this share of it."""
Event = tuple[float, float, str]


def clips(raw: Path) -> Iterator[Entry]:
    """Strong events first; a weak clip only of segments without strong labels. Audio anywhere below `raw`/audio,
    named YTID_STARTMS, YYTID or YTID (.flac, .wav, .ogg, .opus, .mp3)."""
    strong = [name for name in STRONG if (raw / name).is_file()]
    weak = [name for name in WEAK if (raw / name).is_file()]
    if not strong and not weak:
        raise DataError(f"expected one of {', '.join((*STRONG, *WEAK))}, got none{unfinished(raw)}", str(raw))
    heard = {path.stem: path for path in sorted((raw / "audio").rglob("*")) if path.suffix.lower() in SUFFIXES}
    if not heard:
        raise DataError("expected audio of the segments, got none: AudioSet's labels come without", str(raw / "audio"))
    names = display_names(raw)
    done: set[str] = set()
    for name in strong:
        yield from _strong(raw / name, STRONG[name], heard, names, done)
    for name in weak:
        yield from _weak(raw / name, WEAK[name], heard, names, done)


def display_names(raw: Path) -> dict[str, str]:
    """Machine id -> display name, out of either published list. Raises DataError where both are missing."""
    found: dict[str, str] = {}
    if (raw / NAMES).is_file():
        for line in (raw / NAMES).read_text(encoding="utf-8", errors="replace").splitlines():
            mid, _, name = line.partition("\t")
            found[mid] = name.strip()
    if (raw / CLASSES).is_file():
        for item in table(raw / CLASSES, ("mid", "display_name")):
            if not isinstance(item, Bad):
                found.setdefault(item[1]["mid"], item[1]["display_name"])
    if not found:
        raise DataError(f"expected {NAMES} or {CLASSES}, got neither", str(raw))
    return found


def _audio(heard: dict[str, Path], segment: str, video: str) -> Path | None:
    return heard.get(segment) or heard.get(f"Y{video}") or heard.get(video)


def _strong(path: Path, split: str, heard: dict[str, Path], names: dict[str, str], done: set[str]) -> Iterator[Entry]:
    events: defaultdict[str, list[Event]] = defaultdict(list)
    for item in table(path, ("segment_id", "start_time_seconds", "end_time_seconds", "label"), tabs=True):
        if isinstance(item, Bad):
            yield item
            continue
        where, row = item
        segment = row["segment_id"]
        if _audio(heard, segment, segment.rpartition("_")[0]) is None:
            continue
        try:
            start, end, name = float(row["start_time_seconds"]), float(row["end_time_seconds"]), names[row["label"]]
        except ValueError:
            yield Bad(
                where, f"expected times in seconds, got {row['start_time_seconds']!r}, {row['end_time_seconds']!r}"
            )
        except KeyError:
            yield Bad(where, f"expected a label of {NAMES}, got {row['label']!r}")
        else:
            events[segment].append((start, end, name))
    for segment in sorted(events):
        video = segment.rpartition("_")[0]
        audio = _audio(heard, segment, video)
        assert audio is not None
        done.add(segment)
        yield from _events(segment, video, audio, split, events[segment])


def _events(segment: str, video: str, audio: Path, split: str, events: list[Event]) -> Iterator[Entry]:
    for number, (start, end, name) in enumerate(sorted(events)):
        label = best([name])[0]
        others = [(s, e, n) for s, e, n in events if best([n])[0] != label]
        covered = sum(max(0.0, min(end, e) - max(start, s)) for s, e, _ in others)
        if covered > OVERLAP * (end - start):
            busy = ", ".join(sorted({n for s, e, n in others if min(end, e) > max(start, s)}))
            yield Bad(f"{audio}, {start:g} to {end:g} s", f"expected {name} alone, got it with {busy[:120]}")
            continue
        kind = kind_of([name])
        yield Clip(
            audio=audio,
            key=f"strong/{segment}-{number:03d}",
            split=split,
            kind=kind,
            label="" if kind == "speech" else label,
            speaker=f"youtube:{video}",
            respond="" if kind == "speech" else respond_to(label),
            start=max(0.0, start),
            end=end,
            source=f"https://youtu.be/{video}",
        )


def _weak(path: Path, split: str, heard: dict[str, Path], names: dict[str, str], done: set[str]) -> Iterator[Entry]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#") or not line.strip():
                continue
            parts = [part.strip() for part in line.split(",", 3)]
            try:
                video, start = parts[0], float(parts[1])
                mids = parts[3].strip().strip('"').split(",")
                segment = f"{video}_{round(start * 1000)}"
            except (IndexError, ValueError, OverflowError):
                yield Bad(f"{path}:{number}", f"expected id, start, end and quoted labels, got {line.strip()[:80]!r}")
                continue
            audio = _audio(heard, segment, video)
            if audio is None or segment in done:
                continue
            done.add(segment)
            called = [names[mid] for mid in mids if mid in names]
            labels, kind = best(called), kind_of(called)
            if len(labels) != 1:
                told = ", ".join(labels) or "none that is known"
                yield Bad(f"{path}:{number}", f"expected a clip of one sound, got {told}")
                continue
            label, respond = ("", "") if kind == "speech" else (labels[0], respond_to(labels[0]))
            key, source = f"weak/{segment}", f"https://youtu.be/{video}"
            yield Clip(audio, key, split, kind, label, speaker=f"youtube:{video}", respond=respond, source=source)


def download_audioset(folder: Path, only: Sequence[str] = ()) -> None:
    """The labels. Raises DataError afterwards, for the audio cannot be had from the publisher."""
    get(RECIPE, folder, only)
    if not (folder / "audio").is_dir():
        raise by_hand("audioset", folder / "audio", "the labels are here; the audio of the videos is not published.")


def prepare_audioset(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


_BASE: Final = "http://storage.googleapis.com/us_audioset/youtube_corpus/"
RECIPE: Final = Recipe(
    name="audioset",
    title="AudioSet (strong and weak labels)",
    licence="labels CC BY 4.0; each video its own",
    open=False,
    gives="sounds of 527 classes; 120,000 clips with onset and offset",
    size="labels 120 MB; audio up to 2 TB",
    citation="J. Gemmeke et al., Audio Set, ICASSP 2017; S. Hershey et al., Temporally-strong labels, ICASSP 2021",
    homepage="https://research.google.com/audioset/",
    layout="https://research.google.com/audioset/download.html and download_strong.html",
    download=download_audioset,
    prepare=prepare_audioset,
    files=(
        *remote(f"{_BASE}v1/csv/", [*WEAK, CLASSES]),
        *remote(f"{_BASE}strong/", [*STRONG, NAMES]),
    ),
    partial=True,
)
