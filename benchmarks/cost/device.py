"""Where a model is measured: the processor or a GPU. All that a GPU asks for in timing stands here and in `limits`.

A call to a GPU returns before its work is done, so that a clock may be read only behind `Device.wait`
(docs.pytorch.org/docs/stable/notes/cuda, "Asynchronous execution"). Times of a GPU are wall time: the processor's
clock says nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch

from soundflow.errors import ConfigError
from soundflow.tiers import checkpoint, nano

HOST_NUMBERS: Final = ("int8", "bf16", "fp32")
GPU_NUMBERS: Final = ("bf16", "fp32")


@dataclass(frozen=True, slots=True)
class Device:
    """cpu, or one GPU as torch names it."""

    place: torch.device

    @staticmethod
    def of(name: str) -> Device:
        """cpu, cuda, cuda:N or auto. ConfigError where there is no such device."""
        return Device(nano.device_of(name))

    @property
    def gpu(self) -> bool:
        return self.place.type != "cpu"

    @property
    def clock(self) -> str:
        """Which clock the times of this device are read from: cpu or wall."""
        return "wall" if self.gpu else "cpu"

    @property
    def dtype(self) -> torch.dtype:
        """Of models that are loaded without being told: bfloat16 where the device has it."""
        if not self.gpu:
            return checkpoint.host_dtype()
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32

    def wait(self) -> None:
        """Until all that was begun on it is done."""
        if self.gpu:
            torch.cuda.synchronize(self.place)

    def numbers(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """The kinds of numbers to measure: those wanted; of none, all of a processor, bf16 of a GPU.

        Raises:
            ConfigError: an unknown kind, or one that this device does not multiply.
        """
        if not wanted:
            return ("bf16",) if self.gpu else HOST_NUMBERS
        known = GPU_NUMBERS if self.gpu else HOST_NUMBERS
        for name in wanted:
            if name not in known:
                raise ConfigError(f"--numbers: expected some of {', '.join(known)} on {self.place}, got {name!r}")
        return wanted

    def facts(self) -> dict[str, Any]:
        """What times cannot be read without: `device`, and of a GPU its `name`, memory, CUDA's version."""
        if not self.gpu:
            return {"device": "cpu"}
        found = torch.cuda.get_device_properties(self.place)
        return {
            "device": str(self.place),
            "name": str(found.name),
            "memory_gib": round(found.total_memory / 2**30, 1),
            "cuda": torch.version.cuda,
            "torch": torch.__version__,
        }


HOST: Final = Device(torch.device("cpu"))
