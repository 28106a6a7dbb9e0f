"""A hub without a network: repositories of file names, what was asked of them, and the hub's own filter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub.utils import filter_repo_objects

WHISPER_LARGE = (
    *("config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json"),
    *("model.safetensors.index.fp32.json", "model.fp32-00001-of-00002.safetensors", "pytorch_model.bin"),
    *("model.fp32-00002-of-00002.safetensors", "flax_model.msgpack", "onnx/encoder_model.onnx", "LICENSE"),
)
"""As openai/whisper-large-v3 holds its weights: several times."""
MISTRAL = (
    *("config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "tokenizer.json"),
    *("model.safetensors.index.json", "consolidated.safetensors", "params.json", "onnx/model.safetensors"),
    *("original/model.safetensors", "onnx/model_fp16.onnx", "model.gguf", "modeling.py", "tokenizer_config.json"),
    *("generation_config.json", "adapter_model.safetensors", "model.onnx"),
)


class FakeHub:
    """repositories: names of files. `write` makes one; lost: names that a download leaves out, as one does whose
    network goes away behind its back. asked: (repository, revision) of each download."""

    def __init__(self, root: Path, write: Callable[[str, Path], object]) -> None:
        self.repositories: dict[str, tuple[str, ...]] = {}
        self.root, self.write = root, write
        self.lost: set[str] = set()
        self.asked: list[tuple[str, str | None]] = []

    def names(self, name: str, *, revision: str | None = None) -> list[str]:
        if name not in self.repositories:
            raise OSError("no route")
        return list(self.repositories[name])

    def download(self, name: str, *, revision: str | None = None, allow_patterns, local_dir=None) -> str:
        self.asked.append((name, revision))
        folder = Path(local_dir or self.root / name)
        for path in filter_repo_objects(self.repositories[name], allow_patterns=allow_patterns):
            if path not in self.lost:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                self.write(path, folder / path)
        return str(folder)


def install(monkeypatch: pytest.MonkeyPatch, root: Path, write=lambda name, path: path.write_text(name)) -> FakeHub:
    """Stands for huggingface_hub from here on."""
    hub = FakeHub(root, write)
    monkeypatch.setattr("huggingface_hub.list_repo_files", hub.names)
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub.download)
    return hub


def files(folder: Path) -> set[str]:
    """What lies there, by path."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
