"""FSD50K: 51,000 clips of Freesound in 200 classes. Licence by clip; validation and evaluation are dev.

Speaker is the uploader, so that clips of one person's recordings stay on one side.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from data_builder.corpora.get import get, unpacked
from data_builder.corpora.http import fetch
from data_builder.corpora.labels import best, from_fsd, kind_of, respond_to
from data_builder.corpora.licences import of_url
from data_builder.corpora.manifest import load_json, table
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, RemoteFile, find_root
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

NEEDED: Final = (
    *("FSD50K.ground_truth/dev.csv", "FSD50K.ground_truth/eval.csv", "FSD50K.dev_audio", "FSD50K.eval_audio"),
    *("FSD50K.metadata/dev_clips_info_FSD50K.json", "FSD50K.metadata/eval_clips_info_FSD50K.json"),
)
JOIN_S: Final = 3 * 3600


def clips(raw: Path) -> Iterator[Entry]:
    """FSD50K.ground_truth/{dev,eval}.csv (fname, labels, mids, and split in dev) and FSD50K.{dev,eval}_audio/FNAME.wav.

    A clip whose labels come to more than one sound is left out with that reason.
    """
    root = find_root(raw, ("FSD50K",), NEEDED, RECIPE.name)
    held: set[str] = set()
    for part in ("eval", "dev"):
        about = load_json(root / "FSD50K.metadata" / f"{part}_clips_info_FSD50K.json")
        rows = list(table(root / "FSD50K.ground_truth" / f"{part}.csv", ("fname", "labels")))
        for late in (False, True):  # validation before train: its uploaders are held out
            for item in rows:
                if isinstance(item, Bad):
                    if not late:
                        yield item
                elif (item[1].get("split") == "train") == late:
                    yield _clip(
                        item[0], item[1], about, root / f"FSD50K.{part}_audio", "train" if late else "dev", held
                    )


def _clip(where: str, row: dict[str, str], about: Any, folder: Path, split: str, held: set[str]) -> Entry:
    name = row["fname"].strip()
    info = about.get(name) if isinstance(about, dict) else None
    if not name.isdigit() or not isinstance(info, dict):
        return Bad(where, f"expected a Freesound id with its licence in the metadata, got {name[:40]!r}")
    names = [from_fsd(label) for label in row["labels"].split(",") if label]
    labels, kind = best(names), kind_of(names)
    if len(labels) != 1:
        return Bad(where, f"expected a clip of one sound, got {', '.join(labels) or 'no label'}")
    uploader = str(info.get("uploader") or name)
    if split == "dev":
        held.add(uploader)
    elif uploader in held:
        return Bad(where, "expected an uploader of train, got one of validation or evaluation")
    licence, is_open = of_url(str(info.get("license") or ""))
    label = "" if kind == "speech" else labels[0]
    return Clip(
        audio=folder / f"{name}.wav",
        key=f"{folder.name.removeprefix('FSD50K.')}/{name}",
        split=split,
        kind=kind,
        label=label,
        speaker=f"freesound:{uploader}",
        respond=respond_to(label) if label else "",
        licence=licence,
        source=f"https://freesound.org/s/{name}/",
        open=is_open,
    )


def download_fsd50k(folder: Path, only: Sequence[str] = ()) -> None:
    """All of it. The audio comes as zips in pieces, which Info-ZIP's `zip -s 0` joins before they are unpacked."""
    for part, last in (("dev", 5), ("eval", 1)):
        archive = f"FSD50K.{part}_audio.zip"
        whole = folder / f"joined-{archive}"
        if (only and not any(word in archive for word in only)) or whole.with_name(f"{whole.name}.unpacked").is_file():
            continue
        for file in RECIPE.files:
            if file.filename.startswith(f"FSD50K.{part}_audio."):
                fetch(file, folder)
        _join(folder / archive, whole, last)
        unpacked(whole, folder)
        whole.unlink()
    small = [name for name in ("ground_truth", "metadata", "doc") if not only or any(word in name for word in only)]
    if small:
        get(RECIPE, folder, small)


def _join(archive: Path, whole: Path, pieces: int) -> None:
    if whole.is_file():
        return
    if shutil.which("zip") is None:
        raise DataError(
            f"expected the program `zip` to join {pieces + 1} pieces, got none: install it, or run"
            f" `zip -s 0 {archive.name} --out {whole.name}` elsewhere and put the result here",
            str(archive.parent),
        )
    part = whole.with_name(f"part-{whole.name}")
    part.unlink(missing_ok=True)
    command = ["zip", "-q", "-s", "0", archive.name, "--out", part.name]
    done = subprocess.run(
        command,
        cwd=archive.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=JOIN_S,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode or not part.is_file():
        raise DataError(f"zip -s 0 failed with code {done.returncode}: {done.stderr.strip()[-200:]}", str(archive))
    part.replace(whole)


def prepare_fsd50k(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


def _zenodo(name: str, md5: str) -> RemoteFile:
    return RemoteFile(f"https://zenodo.org/records/4060432/files/{name}?download=1", checksum=f"md5:{md5}")


RECIPE: Final = Recipe(
    name="fsd50k",
    title="FSD50K",
    licence="by clip: CC0, CC BY, CC BY-NC, CC Sampling+ (set: CC BY 4.0)",
    open=False,
    mixed=True,
    gives="sounds of 200 AudioSet classes, 108 hours",
    size="33 GB",
    citation="E. Fonseca et al., FSD50K: an Open Dataset of Human-Labeled Sound Events, arXiv:2010.00475",
    homepage="https://zenodo.org/records/4060432",
    layout="https://zenodo.org/records/4060432 (description; md5 as soundata states them)",
    download=download_fsd50k,
    prepare=prepare_fsd50k,
    files=(
        _zenodo("FSD50K.dev_audio.z01", "faa7cf4cc076fc34a44a479a5ed862a3"),
        _zenodo("FSD50K.dev_audio.z02", "8f9b66153e68571164fb1315d00bc7bc"),
        _zenodo("FSD50K.dev_audio.z03", "1196ef47d267a993d30fa98af54b7159"),
        _zenodo("FSD50K.dev_audio.z04", "d088ac4e11ba53daf9f7574c11cccac9"),
        _zenodo("FSD50K.dev_audio.z05", "81356521aa159accd3c35de22da28c7f"),
        _zenodo("FSD50K.dev_audio.zip", "c480d119b8f7a7e32fdb58f3ea4d6c5a"),
        _zenodo("FSD50K.eval_audio.z01", "3090670eaeecc013ca1ff84fe4442aeb"),
        _zenodo("FSD50K.eval_audio.zip", "6fa47636c3a3ad5c7dfeba99f2637982"),
        _zenodo("FSD50K.ground_truth.zip", "ca27382c195e37d2269c4c866dd73485"),
        _zenodo("FSD50K.metadata.zip", "b9ea0c829a411c1d42adb9da539ed237"),
        _zenodo("FSD50K.doc.zip", "3516162b82dc2945d3e7feba0904e800"),
    ),
)
