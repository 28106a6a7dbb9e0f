"""The openly licensed mini set: real dev recordings in the official layout, by a recipe and an index.

mini.csv says which recordings. They are openly licensed (`open` yes) rows of split `dev` (not the quarter that fits the
dial) whose `respond` policy is yes or no: every recording that silence is right for, and as many to answer: all of
the rare classes, of coughs and cries as many as fill the number, drawn by a hash of the path. No system's output has a
part in it. One clip a recording. Six macro categories; three of them hold nothing to answer, as no open recording does.
Music and speech have no policy in the index and are left out.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.compose import at_level
from benchmarks.corpus import Clips, Row
from benchmarks.official.audio import samples_sha, write_wav
from benchmarks.official.formats import IGNORE, RESPOND, file_sha, write_lines
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray

INDEX: Final = Path(__file__).with_name("mini.csv")
ROOT: Final = "proactive-sound-mini"
MOST_S: Final = 5.0
LEVEL_DB: Final = -26.0  # RMS, dBFS
PEAK: Final = 0.89
FILLING: Final = ("coughing", "crying_baby")  # classes of many recordings: they fill up the answered side
CATEGORIES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "Human": {"Coughing": ("coughing",), "Infants": ("crying_baby",), "Emotion": ("laugh",)},
    "Signals": {"Alarms": ("alarm",), "Bells": ("bell",), "Clocks": ("clock_tick",)},
    "Impacts": {
        "Explosions": ("explosion",),
        "Gunshots": ("gunshot",),
        "Metal": ("swords_metal",),
        "Coins": ("coins",),
    },
    "Weather and Water": {
        "Rain": ("rain", "rain/rain-on-umbrella"),
        "Water": ("sea_waves", "nature/waterfall", "places/underwater"),
        "Wind": ("wind", "nature/howling-wind"),
    },
    "Animals": {"Farm": ("rooster", "horse", "animals/sheep"), "Wild": ("bird", "places/night-village")},
    "Traffic and Machines": {
        "Aircraft": ("airplane",),
        "Road": ("car_engine", "urban/road", "things/windshield-wipers"),
        "Rail": ("transport/train",),
        "Tools": ("saw_drill_tools", "things/slide-projector"),
    },
}
PLACES: Final = {
    label: (macro, meso)
    for macro, inner in CATEGORIES.items()
    for meso, labels in inner.items()
    for label in labels
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of mini.csv: `from_s` to at most 5 s more of the audible part of `path` are the clip.

    `sha256`: of the recording's decoded samples as 16-bit numbers; `file_sha256`: of the file.
    """

    id: str
    path: str
    from_s: float
    dataset: str
    label: str
    macro: str
    meso: str
    decision: str
    license: str
    source: str
    file_sha256: str
    sha256: str

    @property
    def clip_path(self) -> str:
        return f"./{ROOT}/{self.macro}/{self.meso}/{self.decision}/{self.id}.wav"


def choose(rows: Iterable[Row], leave_out: Collection[str] = ()) -> list[Row]:
    """The rows of the mini set, by the rule above, without the paths of `leave_out` (what training has too).

    ConfigError where one side is empty.
    """
    fit = [r for r in rows if r.split == "dev" and r.open and r.kind in ("event", "ambience")]
    fit = [r for r in fit if r.respond in ("yes", "no") and r.label in PLACES and r.path not in leave_out]
    no, yes = [r for r in fit if r.respond == "no"], [r for r in fit if r.respond == "yes"]
    rare = sorted((r for r in yes if r.label not in FILLING), key=_order)[: len(no)]
    pools = [sorted((r for r in yes if r.label == label), key=_order) for label in FILLING]
    chosen = list(rare)
    while len(chosen) < len(no) and any(pools):
        for pool in pools:
            if pool and len(chosen) < len(no):
                chosen.append(pool.pop(0))
    no = sorted(no, key=_order)[: len(chosen)]
    if not chosen or not no:
        raise ConfigError(f"expected open dev recordings on both sides, got {len(chosen)} to answer, {len(no)} not to")
    return sorted([*chosen, *no], key=lambda r: (*PLACES[r.label], r.path))


def _order(row: Row) -> tuple[bytes, str]:
    return hashlib.sha256(row.path.encode()).digest(), row.path


def entry(row: Row, clips: Clips) -> Entry:
    """The index line of a row: from the middle of a long ambience, else from where the sound begins."""
    audible = clips.audible(row.path)
    spare = len(audible) / SAMPLE_RATE_HZ - MOST_S
    start = round(spare / 2, 2) if row.kind == "ambience" and spare > 0 else 0.0
    name = hashlib.sha256(f"mini/{row.path}".encode()).hexdigest()[:8]
    macro, meso = PLACES[row.label]
    side = RESPOND if row.respond == "yes" else IGNORE
    shas = file_sha(clips.folder / row.path), samples_sha(clips.read(row.path))
    about = row.dataset, row.label, macro, meso, side, row.license, row.source
    return Entry(name, row.path, start, *about, *shas)


def index_text(entries: Sequence[Entry]) -> str:
    """mini.csv."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [f.name for f in fields(Entry)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(e) for e in entries)
    return buffer.getvalue()


def read_mini(path: Path = INDEX) -> list[Entry]:
    """The entries of an index. DataError, with file and line, for another column, a broken number or an id twice."""
    names = [f.name for f in fields(Entry)]
    found: dict[str, Entry] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        if list(reader.fieldnames or ()) != names:
            raise DataError(f"expected the columns {','.join(names)}, got {reader.fieldnames}", str(path))
        for number, raw in enumerate(reader, 2):
            where = f"{path}:{number}"
            if None in raw or None in raw.values() or raw["decision"] not in (RESPOND, IGNORE):
                raise DataError(f"expected {len(names)} fields and a decision of RESPOND or IGNORE", where)
            if raw["id"] in found:
                raise DataError(f"expected each id once, got {raw['id']!r} again", where)
            try:
                found[raw["id"]] = Entry(**{**raw, "from_s": float(raw["from_s"])})  # type: ignore[arg-type]
            except ValueError as error:
                raise DataError(f"expected from_s as a number, got {raw['from_s']!r}", where) from error
    return list(found.values())


def build(entries: Sequence[Entry], audio: Path, out: Path) -> list[str]:
    """Write the clips, manifest.jsonl and LICENSES.csv of the mini set; returns what is worth saying.

    A clip is RMS -26 dBFS (peaks at most 0.89 of full scale), 16 kHz mono, 16 bits.

    Raises:
        ConfigError: recordings that are not there; all are counted, three are named.
        DataError: a recording with other samples and in another file than the index says.
    """
    gone = [e.path for e in entries if not (audio / e.path).is_file()]
    if gone:
        raise ConfigError(f"--audio {audio}: expected {len(entries)} recordings, {len(gone)} are missing: {gone[:3]}")
    clips, said = Clips(audio, 2), []
    for e in entries:
        if samples_sha(clips.read(e.path)) != e.sha256:
            if file_sha(audio / e.path) != e.file_sha256:
                raise DataError(
                    f"expected samples of sha256 {e.sha256[:16]}, got another recording", str(audio / e.path)
                )
            said.append(f"{e.path}: the file of the index, decoded to other samples (another version of libsndfile)")
        write_wav(out / e.clip_path, cut(clips.audible(e.path), e.from_s))
    keys = ("id", "path", "description", "decision")
    lines = [
        (e.id, e.clip_path, e.label.split("/")[-1].replace("_", " ").replace("-", " "), e.decision) for e in entries
    ]
    write_lines(out / "manifest.jsonl", [dict(zip(keys, line, strict=True)) for line in lines])
    licences = ["id,path,dataset,source,license", *(_licence(e) for e in entries)]
    (out / "LICENSES.csv").write_text("\n".join(licences) + "\n", encoding="utf-8")
    return said


def cut(audible: FloatArray, from_s: float) -> FloatArray:
    """At most 5 s of it at -26 dBFS RMS, lower where its peaks would pass 0.89."""
    start = round(from_s * SAMPLE_RATE_HZ)
    piece = at_level(audible[start : start + round(MOST_S * SAMPLE_RATE_HZ)], LEVEL_DB)
    peak = float(np.abs(piece).max(initial=0.0))
    return (piece * min(1.0, PEAK / max(peak, 1e-9))).astype(np.float32)


def _licence(e: Entry) -> str:
    cells = (e.id, e.path, e.dataset, e.source, e.license)
    return ",".join('"' + c.replace('"', '""') + '"' for c in cells)
