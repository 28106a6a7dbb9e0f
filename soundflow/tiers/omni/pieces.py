"""Tensors of large checkpoints as stretches of bytes: read and written block by block, so that no model is ever held.

A safetensors file is eight bytes of length, a JSON header (name -> dtype, shape, data_offsets) and the data, row by
row; rows of a tensor are a stretch of its bytes. A torch file is mapped into memory, and read without its pickle being
able to run anything (`weights_only`).
"""

from __future__ import annotations

import json
import math
import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from soundflow.errors import WeightsError
from soundflow.jsonfile import read_object

FILE: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"
WIDTHS: Final = {"F32": 4, "BF16": 2, "F16": 2}
DTYPES: Final = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
BLOCK: Final = 1 << 22
_LENGTH: Final = 8

Progress = Callable[[str, int, int], None]
"""Called with a file's name, bytes done and bytes in all."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One tensor, or some of its rows. `dtype`: a key of `WIDTHS`, or of another type, which cannot be read: many
    checkpoints hold counters in parts that nobody takes. `start`: where its bytes begin in the file; `held`: the tensor
    of a torch file."""

    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    held: Tensor | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return WIDTHS[self.dtype] * math.prod(self.shape)

    def rows(self, first: int, count: int) -> Piece:
        """Rows [first, first + count) of it."""
        row = WIDTHS[self.dtype] * math.prod(self.shape[1:])
        held = None if self.held is None else self.held[first : first + count]
        return replace(self, shape=(count, *self.shape[1:]), start=self.start + first * row, held=held)

    def blocks(self) -> Iterator[bytes]:
        """Its bytes. WeightsError where the file has become shorter."""
        if self.held is not None:
            flat = self.held.contiguous().view(-1).view(torch.uint8)
            for first in range(0, len(flat), BLOCK):
                yield flat[first : first + BLOCK].numpy().tobytes()
            return
        left = self.size
        with self.path.open("rb") as file:
            file.seek(self.start)
            while left:
                block = file.read(min(BLOCK, left))
                if not block:
                    raise WeightsError(f"{self.path}: {left} more bytes were expected behind its end")
                left -= len(block)
                yield block


def of_folder(folder: Path) -> dict[str, Piece]:
    """Every tensor of `model.safetensors`, or of the shards that its index names.

    Raises:
        WeightsError: there is neither (a pickle is not read), or a shard is missing, cut, or does not hold what the
            index says.
    """
    index = folder / INDEX
    if not index.exists():
        if not (folder / FILE).exists():
            raise WeightsError(f"{folder}: {FILE} or {INDEX} was expected; other formats are not read")
        return of_file(folder / FILE)
    try:
        places = read_object(index, "a weight_map of tensors and files")["weight_map"]
        shards = sorted(set(places.values()))
    except (KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{index}: a weight_map of tensors and files was expected ({error})") from error
    held: dict[str, dict[str, Piece]] = {}
    for shard in shards:
        if not isinstance(shard, str) or Path(shard).name != shard:
            raise WeightsError(f"{index}: names of files beside it were expected, got {shard!r}")
        held[shard] = of_file(folder / shard)
    for name, shard in places.items():
        if name not in held[shard]:
            raise WeightsError(f"{folder / shard}: tensor {name!r} was expected, as {INDEX} says, and is not there")
    return {name: held[shard][name] for name, shard in places.items()}


def of_file(path: Path) -> dict[str, Piece]:
    """Every tensor of one safetensors file. WeightsError where it is none, or is cut."""
    try:
        with safe_open(path, framework="pt"):  # checks the header against the file
            pass
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
            header: dict[str, Any] = json.loads(file.read(length))
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"{path}: a whole safetensors file was expected ({error})") from error
    header.pop("__metadata__", None)
    made = {}
    for name, entry in header.items():
        start = _LENGTH + length + entry["data_offsets"][0]
        made[name] = Piece(path, entry["dtype"], tuple(entry["shape"]), start)
    return made


def of_torch(path: Path) -> dict[str, Piece]:
    """Every tensor of a state dict that torch saved. WeightsError where it holds anything but tensors."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:  # torch's own text says how to run what is in it
        raise WeightsError(
            f"{path}: a state dict of plain tensors was expected: it is damaged, or holds something else"
        ) from error
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{path}: a state dict of plain tensors was expected ({first})") from error
    if not isinstance(found, Mapping):
        raise WeightsError(f"{path}: a state dict was expected, got {type(found).__name__}")
    made = {}
    for name, value in found.items():
        if not isinstance(value, Tensor):
            raise WeightsError(f"{path}: {name}: a tensor was expected, got {type(value).__name__}")
        dtype = DTYPES.get(value.dtype, str(value.dtype).removeprefix("torch."))
        made[str(name)] = Piece(path, dtype, tuple(value.shape), 0, value.detach())
    return made


def write(path: Path, pieces: Mapping[str, Piece], progress: Progress | None = None) -> None:
    """Write a safetensors file block by block; it is there whole, or not at all."""
    names = sorted(pieces, key=lambda name: (-WIDTHS[pieces[name].dtype], name))  # wide types first: aligned
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in names:
        piece = pieces[name]
        header[name] = {"dtype": piece.dtype, "shape": list(piece.shape), "data_offsets": [end, end + piece.size]}
        end += piece.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _LENGTH)
    half, done = path.with_name(path.name + ".part"), 0
    try:
        with half.open("wb") as out:
            out.write(len(text).to_bytes(_LENGTH, "little") + text)
            for name in names:
                for block in pieces[name].blocks():
                    out.write(block)
                    done += len(block)
                    if progress:
                        progress(path.name, done, end)
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
