"""Update the adapter that the server runs, and roll it back, by one command.

home()/adapters/<name>/             an adapter folder, as training or `soundflow train sound` wrote it
home()/adapters/<name>.json         its manifest: sha256 and size of each file, when it was added
home()/adapters/current.json        what the server loads when it starts, and what it loaded before; replaced atomically
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from soundflow.errors import ConfigError, WeightsError

if TYPE_CHECKING:
    from soundflow.tiers.checkpoint import Checkpoint

BUILTIN: Final = "builtin"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
MAX_FILES: Final = 64
MAX_BYTES: Final = 4 * 1024**3
SUFFIXES: Final = frozenset({".safetensors", ".json", ".md", ".yaml", ".csv", ".txt"})
"""Nothing that can run code when it is loaded."""
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Version:
    name: str
    size: int
    added: str
    current: bool
    previous: bool


class Store:
    """The adapters in the data folder.

    Args:
        root: default `home()/adapters`.
    """

    def __init__(self, root: Path | None = None) -> None:
        from soundflow.tiers.weights import home

        self.root = root or home() / "adapters"

    def list(self) -> list[Version]:
        """The built-in one first, then by name."""
        current, previous = self._pointer()
        rows = [(BUILTIN, 0, "with the package")]
        for path in sorted(self.root.glob("*.json")) if self.root.is_dir() else []:
            if path.stem != "current" and NAME.fullmatch(path.stem):
                body = self._manifest(path.stem)
                rows.append((path.stem, sum(f["size"] for f in body["files"].values()), body["added"]))
        return [Version(n, size, added, n == current, n == previous) for n, size, added in rows]

    @property
    def current(self) -> str:
        return self._pointer()[0]

    @property
    def previous(self) -> str:
        return self._pointer()[1]

    def current_folder(self) -> Path | None:
        """What a server that starts now loads, checked against its manifest; None is the built-in adapter.

        Raises:
            WeightsError: it was changed or is gone; says how to go back.
        """
        try:
            return self.folder(self.current)
        except (WeightsError, ConfigError) as error:
            raise WeightsError(f"{error}; go back with `soundflow versions rollback`") from error

    def folder(self, name: str) -> Path | None:
        """The folder of a version; None is the built-in one.

        Raises:
            ConfigError: no such version. WeightsError: its files are not those that were added.
        """
        if name == BUILTIN:
            return None
        folder, wanted = self.root / name, self._manifest(name)["files"]
        found = _files(folder)
        if sorted(found) != sorted(wanted):
            raise WeightsError(f"{folder}: the files {sorted(wanted)} were expected, got {sorted(found)}")
        for file, row in wanted.items():
            if _sha256(found[file]) != row["sha256"]:
                raise WeightsError(f"{found[file]}: it was changed since it was added (sha256)")
        return folder

    def add(self, source: Path, name: str = "") -> str:
        """Copy an adapter in, checked; does not switch to it -> its name.

        Raises:
            ConfigError: a bad name or one that is taken. WeightsError: no adapter, an unsafe file, or it does not load.
        """
        name = name or source.absolute().name.lower()
        if not NAME.fullmatch(name) or name in {BUILTIN, "current"}:
            raise ConfigError(f"name: a-z 0-9 . _ - were expected, at most 64, got {name!r}; give one with --name")
        self.root.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if (self.root / name).exists() or (self.root / f"{name}.json").exists():
                raise ConfigError(f"{self.root / name}: there is a version of that name; give another with --name")
            with tempfile.TemporaryDirectory(dir=self.root, prefix=".adding-") as work:
                fresh = Path(work) / name
                fresh.mkdir()
                for file, path in _files(source).items():
                    shutil.copyfile(path, fresh / file)
                check(fresh)
                rows = {f: {"sha256": _sha256(p), "size": p.stat().st_size} for f, p in _files(fresh).items()}
                os.replace(fresh, self.root / name)
            added = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            _write(self.root / f"{name}.json", {"format": FORMAT, "added": added, "files": rows})
        return name

    def use(self, name: str) -> None:
        """Load this one from the next start on; the one before is remembered. Nothing changes where it does not load.

        Raises:
            ConfigError, WeightsError: as `folder`, or it does not load.
        """
        folder = self.folder(name)
        if folder is not None:
            check(folder)
        self.root.mkdir(parents=True, exist_ok=True)
        with self._lock():
            current, previous = self._pointer()
            if name != current:
                previous = current
            _write(self.root / "current.json", {"format": FORMAT, "current": name, "previous": previous})

    def rollback(self) -> str:
        """Go back to the one before -> its name; a second rollback returns.

        Raises:
            ConfigError: nothing was used before. WeightsError: it does not load any more.
        """
        if not (previous := self.previous):
            raise ConfigError("rollback: no version was used before this one")
        self.use(previous)
        return previous

    def _manifest(self, name: str) -> dict[str, Any]:
        path = self.root / f"{name}.json"
        if not NAME.fullmatch(name) or not path.is_file():
            raise ConfigError(f"versions: no version {name!r}; `soundflow versions list` shows them")
        body = _read(path)
        files = body.get("files")
        if body.get("format") != FORMAT or not isinstance(files, dict) or not files:
            raise WeightsError(f"{path}: a manifest of format {FORMAT} was expected")
        return body

    def _pointer(self) -> tuple[str, str]:
        path = self.root / "current.json"
        if not path.exists():
            return BUILTIN, ""
        body = _read(path)
        current, previous = body.get("current"), body.get("previous", "")
        if body.get("format") != FORMAT or not isinstance(current, str) or not isinstance(previous, str):
            raise WeightsError(
                f"{path}: format {FORMAT}, current and previous were expected; remove it for {BUILTIN!r}"
            )
        return current, previous

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.root / ".lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ConfigError(f"{self.root}: another `soundflow versions` is running") from error
            yield


def check(folder: Path) -> None:
    """Load the adapter as the tier would, and compare its shapes with the built-in one's.

    Raises:
        WeightsError, ConfigError: it would not run.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from soundflow.perceive.own import OwnSounds
    from soundflow.tiers import checkpoint
    from soundflow.tiers.nano import ADAPTER, heads

    found, wanted = checkpoint.load(folder), _shapes(ADAPTER)
    OwnSounds.load(folder)
    heads(folder)
    if (branch := checkpoint.branch(folder)) is not None:
        try:
            load_file(branch)
        except (OSError, SafetensorError) as error:
            raise WeightsError(f"{branch}: a safetensors file was expected ({error})") from error
    if found.calibration.branch_weight and checkpoint.branch(folder) is None:
        raise WeightsError(f"{folder}: alert.safetensors was expected, as calibration.json gives the branch a weight")
    got = _shapes_of(found)
    for what, shape in wanted.items():
        optional = what.startswith("lora ")
        if got.get(what, shape if optional else None) != shape:
            raise WeightsError(f"{folder}: {what}: shape {shape} was expected, got {got.get(what, 'nothing')}")
    if bad := [n for n, t in found.deltas.items() if not bool(t.isfinite().all())]:
        raise WeightsError(f"{folder}: lora {bad[0]}: finite numbers were expected")


@cache
def _shapes(folder: Path) -> dict[str, list[int]]:
    from soundflow.tiers import checkpoint

    return _shapes_of(checkpoint.load(folder))


def _shapes_of(found: Checkpoint) -> dict[str, list[int]]:
    tensors = {"decision.in": found.decision_in, "decision.out": found.decision_out, "decision.bias": found.bias}
    tensors |= {f"projector.{k}": v for k, v in found.projector.items()}
    tensors |= {f"lora {k}": v for k, v in found.deltas.items()}
    return {k: list(v.shape) for k, v in tensors.items()}


def _files(folder: Path) -> dict[str, Path]:
    """Name -> file. WeightsError for a link, a subfolder, too much, or a format that can run code."""
    if not folder.is_dir():
        raise WeightsError(f"{folder}: a folder with an adapter was expected")
    found: dict[str, Path] = {}
    size = 0
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file() or path.suffix not in SUFFIXES:
            raise WeightsError(f"{path}: only plain files ending in {', '.join(sorted(SUFFIXES))} were expected")
        found[path.name] = path
        size += path.stat().st_size
    if len(found) > MAX_FILES or size > MAX_BYTES:
        raise WeightsError(f"{folder}: at most {MAX_FILES} files and {MAX_BYTES >> 20} MiB were expected")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: a readable JSON file was expected ({type(error).__name__})") from error
    if not isinstance(body, dict):
        raise WeightsError(f"{path}: an object was expected")
    return body


def _write(path: Path, body: dict[str, Any]) -> None:
    """Whole or not at all, and on the disk when it returns."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".new-", delete=False, encoding="utf-8") as out:
        json.dump(body, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    os.chmod(out.name, 0o644)
    os.replace(out.name, path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


app = typer.Typer(no_args_is_help=True, help="Update the weights that the server runs, and roll them back.")
RESTART: Final = "A running server loads it when it is started again."


@app.command("list")
def list_versions() -> None:
    """The adapters that are installed; `*` runs from the next start on, `-` ran before."""
    for row in Store().list():
        mark = "*" if row.current else "-" if row.previous else " "
        typer.echo(f"{mark} {row.name:24} {row.size / 1e6:8.1f} MB  {row.added}")


@app.command()
def add(
    folder: Annotated[Path, typer.Argument(help="Of an adapter, as training wrote it.")],
    name: Annotated[str, typer.Option(help="Default: the folder's name.")] = "",
    use: Annotated[bool, typer.Option("--use", help="Switch to it, too.")] = False,
) -> None:
    """Check an adapter and copy it into the data folder."""
    store = Store()
    made = store.add(folder, name)
    typer.echo(f"{made} is installed in {store.root / made}")
    if use:
        store.use(made)
        typer.echo(f"{made} is current. {RESTART}")


@app.command()
def use(name: Annotated[str, typer.Argument(help="Of an installed version, or `builtin`.")]) -> None:
    """Switch to a version, if it loads."""
    Store().use(name)
    typer.echo(f"{name} is current. {RESTART}")


@app.command()
def rollback() -> None:
    """Switch back to the version before."""
    typer.echo(f"{Store().rollback()} is current. {RESTART}")
