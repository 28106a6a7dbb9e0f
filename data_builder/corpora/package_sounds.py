"""Recipe for recordings that free games, desktops and simulators carry in Debian and Ubuntu: pinned packages, 16 kHz.

Every package lies in `main` or `universe`, so its files are free to use and to change; the package's own copyright
file, which names the licence of each, is kept beside the clips. Labels follow file names (`package_sounds_table`);
files that YAMNet hears as something else and near-duplicates of evaluation clips are left out by their digest.
Sources: https://packages.debian.org/bookworm/, https://packages.ubuntu.com/.
"""

from __future__ import annotations

import fnmatch
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from data_builder.corpora.debian import members
from data_builder.corpora.get import get
from data_builder.corpora.labels import respond_to
from data_builder.corpora.package_pins import LEFT_OUT, PINS
from data_builder.corpora.package_sounds_table import WANTED
from data_builder.corpora.recipe import Clip, Entry, Options, Prepared, Recipe, RemoteFile
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

SUFFIXES: Final = frozenset({".wav", ".ogg", ".oga", ".mp3", ".flac", ".opus", ".au", ".aif"})
LONGEST_EVENT_S: Final = 12.0
AMBIENCE: Final = "ambience"
FOLDER, COPYRIGHT = "sounds", "copyright"


def label_of(package: str, name: str) -> str:
    """The label that the table gives to the file `name` of `package`, "" for one that is not wanted."""
    if PurePosixPath(name).suffix.lower() not in SUFFIXES:
        return ""
    for label, patterns in WANTED[package].items():
        if any(fnmatch.fnmatchcase(name, f"*/{pattern}") for pattern in patterns.split()):
            return label
    return ""


def unpack(package: str, deb: Path, folder: Path) -> int:
    """The wanted files of `deb` as `folder`/PACKAGE/LABEL/DIGEST.SUFFIX and its copyright file; how many there are.

    A label "ambience:x" becomes the folders ambience/x. Raises DataError where `deb` is no package.
    """
    out, part = folder / package, folder / f"{package}.part"
    if out.is_dir():
        return sum(1 for path in out.rglob("*.*") if path.is_file())
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    count = 0
    for name, raw in members(deb):
        if name.endswith(f"/doc/{package}/copyright"):
            (part / COPYRIGHT).write_bytes(raw)
        label, digest = label_of(package, name), hashlib.sha256(raw).hexdigest()[:12]
        if label and digest not in LEFT_OUT:
            path = part / label.replace(":", "/") / f"{digest}{PurePosixPath(name).suffix.lower()}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
            count += 1
    part.rename(out)
    return count


def clips(raw: Path) -> Iterator[Entry]:
    """sounds/PACKAGE/[ambience/]LABEL/DIGEST.SUFFIX; the same file in two packages counts once."""
    root, seen = raw / FOLDER, set()
    if not root.is_dir():
        raise DataError(f"expected a folder {FOLDER} (soundflow data download {RECIPE.name}), got none", str(raw))
    for path in sorted(p for p in root.rglob("*.*") if p.suffix in SUFFIXES):
        package, *kinds, label, _ = path.relative_to(root).parts
        if path.stem in seen:
            continue
        seen.add(path.stem)
        bed = AMBIENCE in kinds
        yield Clip(
            path,
            f"{package}-{path.stem}",
            "train",
            "ambience" if bed else "music" if label == "music" else "event",
            label,
            respond="no" if bed else respond_to(label),
            end=0.0 if bed else LONGEST_EVENT_S,
            licence=f"free (Debian or Ubuntu), see {COPYRIGHT}/{package}",
            source=f"package:{package}",
        )


def download_sounds(folder: Path, only: Sequence[str] = ()) -> None:
    """Fetch the pinned packages and take the wanted files out of them. Nothing is installed or run."""
    for deb in get(RECIPE, folder, only):
        unpack(deb.name.partition("_")[0], deb, folder / FOLDER)


def prepare_sounds(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    """Clips, index and the packages' copyright files."""
    done = prepare(RECIPE, clips, raw, out, options or Options())
    (out / COPYRIGHT).mkdir(exist_ok=True)
    for path in sorted((raw / FOLDER).glob(f"*/{COPYRIGHT}")):
        shutil.copyfile(path, out / COPYRIGHT / path.parent.name)
    return done


RECIPE: Final = Recipe(
    name="package_sounds",
    title="Sounds of free games and desktops",
    licence="free software licences and Creative Commons (BY, BY-SA, 0), by package",
    open=True,
    gives="bells, alarms, screams, metal, steps, doors, animals, crowds and vehicles, one to twelve seconds each",
    size="2 GB",
    citation="the authors named in each package's copyright file",
    homepage="https://packages.debian.org/",
    layout="https://packages.debian.org/bookworm/allpackages (names of files: Contents-all.gz)",
    download=download_sounds,
    prepare=prepare_sounds,
    files=tuple(RemoteFile(url, size, f"sha256:{digest}") for url, size, digest in PINS),
)
