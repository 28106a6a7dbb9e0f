"""Download of all files of a recipe: fetched, unpacked beside the archives, and resumed where it was cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.http import Progress, fetch, quiet
from data_builder.corpora.recipe import Recipe, RemoteFile, listing
from data_builder.corpora.unpack import Limits, unpack
from soundflow.errors import DataError

ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")
REJECTED: Final = "quarantine.jsonl"


def get(recipe: Recipe, folder: Path, only: Sequence[str] = (), progress: Progress = quiet) -> list[Path]:
    """The recipe's files in `folder` (those whose name holds one of `only`, if given), archives unpacked.

    Raises DataError that names every file that is still to be had, and where a copy fetched by hand is to be put.
    """
    wanted = [file for file in recipe.files if not only or any(part in file.filename for part in only)]
    if not wanted:
        names = listing([file.filename for file in recipe.files])
        raise DataError(f"expected a part of {recipe.name} ({names}), got {', '.join(only)}")
    done: list[Path] = []
    for number, file in enumerate(wanted):
        try:
            path = fetch(file, folder, progress)
        except DataError as err:
            rest = [f"{other.url} -> {folder / other.filename}" for other in wanted[number + 1 :]]
            more = f" Still to come: {listing(rest)}" if rest else ""
            raise DataError(f"{err}{more}", recipe.name) from err
        if path.name.endswith(ARCHIVES):
            unpacked(path, folder)
        done.append(path)
    return done


def unpacked(archive: Path, folder: Path, limits: Limits | None = None) -> int:
    """Files of `archive` unpacked into `folder`; once that was done, NAME.unpacked says so and it is not done again.

    Members that were refused are told in quarantine.jsonl. Raises DataError where the archive is cut or damaged.
    """
    mark = archive.with_name(f"{archive.name}.unpacked")
    if mark.is_file():
        try:
            return int(json.loads(mark.read_text(encoding="utf-8"))["files"])
        except (ValueError, KeyError, TypeError):
            mark.unlink()  # it was cut; unpacked anew
    result = unpack(archive, folder, limits)
    if result.rejected:
        with (folder / REJECTED).open("a", encoding="utf-8") as log:
            for member in result.rejected:
                line = {"archive": archive.name, "member": member.name, "reason": member.reason}
                log.write(json.dumps(line, ensure_ascii=False) + "\n")
    if not result.complete:
        reason = result.rejected[-1].reason
        raise DataError(
            f"{len(result.files)} files came out, then: {reason}. Remove the archive and download it again",
            str(archive),
        )
    body = json.dumps({"files": len(result.files), "rejected": len(result.rejected)})
    mark.write_text(body + "\n", encoding="utf-8")
    return len(result.files)


def by_hand(name: str, folder: Path, steps: str) -> DataError:
    """The error for a corpus that no program may fetch: who gives it, and where it is to be put."""
    return DataError(f"this corpus has to be fetched by hand: {steps} Put it into {folder}", name)


def remote(base: str, names: Sequence[str], checksums: Sequence[str] = ()) -> tuple[RemoteFile, ...]:
    """Files that lie side by side at `base`; a query may follow a name there ("?download=1") and is no part of it."""
    sums = checksums or [""] * len(names)
    return tuple(RemoteFile(f"{base}{name}", checksum=sum_) for name, sum_ in zip(names, sums, strict=True))
