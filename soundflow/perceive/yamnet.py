"""YAMNet in float32 out of its int8 TFLite file: the published weights, without the file's int8 activations.

The file rounds every activation to 8 bits and class logits to steps of 0.35. Float activations over the same weights
take 2.6 ms a window where the file takes 0.7, rank alerting sounds a little better (training/RUNS.md), and make of the
encoder a module that rows can share and training can reach.

Architecture: M. Plakal and D. Ellis, https://github.com/tensorflow/models/tree/master/research/audioset/yamnet
(MobileNet v1, Howard et al. 2017, arXiv 1704.04861).
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from soundflow.errors import WeightsError
from soundflow.int8 import PositiveInt8Linear

WINDOW_SAMPLES: Final = 15_600
TAGS: Final = 521
EMBEDDING: Final = 1024
FRAME, HOP, FFT, FRAMES = 400, 160, 512, 96
_STRIDE_TWO: Final = frozenset({0, 3, 7, 11, 23})
_LAYERS: Final = 27
_FIRST_IN_INT8: Final = 4
"""Of the pointwise convolutions; the one before it is not faster in eight bits."""
_STDERR_LOCK = threading.Lock()


class YamNet(nn.Module):
    """Waveform windows [B, 15600] -> class logits [B, 521] and embedding [B, 1024] >= 0."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        weights = _Weights(path)
        convs = []
        for layer in range(_LAYERS):
            kernel, bias = weights.layer(layer)
            groups = kernel.shape[0] if kernel.shape[1] == 1 and layer else 1
            stride = 2 if layer in _STRIDE_TWO else 1
            size = kernel.shape[-1]
            conv = nn.Conv2d(kernel.shape[1] * groups, kernel.shape[0], size, stride, size // 2, groups=groups)
            conv.weight, conv.bias = nn.Parameter(kernel), nn.Parameter(bias)
            convs.append(conv)
        self.convs: Sequence[nn.Conv2d] = nn.ModuleList(convs)  # type: ignore[assignment]
        self.head = nn.Linear(EMBEDDING, TAGS)
        self.head.weight, self.head.bias = (nn.Parameter(value) for value in weights.head())
        for name, value in zip(("mel", "offset", "hann"), weights.front(), strict=True):
            self.register_buffer(name, value)
        self.mel: Tensor
        self.offset: Tensor
        self.hann: Tensor
        self.eval().requires_grad_(False)

    def log_mel(self, samples: Tensor) -> Tensor:
        """[B, 15600] -> [B, 96, 64] = log(mel magnitude + 0.001), 25 ms frames every 10 ms."""
        frames = samples.unfold(-1, FRAME, HOP)[..., :FRAMES, :] * self.hann
        return torch.log(torch.fft.rfft(frames, FFT).abs() @ self.mel.T + self.offset)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        return self.above(self.below(self.log_mel(samples), 1), 1)

    def below(self, mel: Tensor, layers: int) -> Tensor:
        """What the first `layers` convolutions make of log-mel [B, 96, 64]: a map [B, C, h, w] in 0 to 6."""
        x = mel[:, None].contiguous(memory_format=torch.channels_last)
        return convolve(x, islice(self.convs, layers), 0)

    def above(self, x: Tensor, layers: int) -> tuple[Tensor, Tensor]:
        """The rest of the network, on what the first `layers` made: class logits and embedding, as `forward`."""
        embedding = convolve(x, islice(self.convs, layers, None), layers).mean((2, 3))
        logits: Tensor = self.head(embedding)
        return logits, embedding


def convolve(x: Tensor, convs: Iterable[nn.Module], first: int) -> Tensor:
    """Run a map through `convs`, of which the first is layer number `first` of the network."""
    for layer, conv in enumerate(convs, first):
        made = _pointwise(x, conv) if layer and layer % 2 == 0 else _spatial(x, cast(nn.Conv2d, conv))
        x = made.clamp_(0.0, 6.0)
    return x


def to_int8(convs: nn.ModuleList, first: int) -> None:
    """Replace the pointwise convolutions among `convs`, of which the first is layer number `first`, in place.

    Their inputs lie in 0 to 6. Depthwise convolutions stay: they are a tenth of the time.
    """
    for layer, conv in enumerate(convs, first):
        if layer >= _FIRST_IN_INT8 and layer % 2 == 0 and isinstance(conv, nn.Conv2d) and conv.bias is not None:
            convs[layer - first] = PositiveInt8Linear(conv.weight[:, :, 0, 0], conv.bias)


def _pointwise(x: Tensor, conv: nn.Module) -> Tensor:
    """A 1 x 1 convolution as a matrix product: for one stream torch takes a slow path for it otherwise."""
    last = x.permute(0, 2, 3, 1)
    made = F.linear(last, conv.weight[:, :, 0, 0], conv.bias) if isinstance(conv, nn.Conv2d) else conv(last)
    return cast(Tensor, made.permute(0, 3, 1, 2))


def _spatial(x: Tensor, conv: nn.Conv2d) -> Tensor:
    if conv.stride[0] == 1:
        out: Tensor = conv(x)
        return out
    # TensorFlow's "SAME" pads an even side behind only, where torch's `padding` pads both ends.
    down, right = (max((-(-n // 2) - 1) * 2 + 3 - n, 0) for n in x.shape[2:])
    x = F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
    return F.conv2d(x, conv.weight, conv.bias, 2, 0, 1, conv.groups)


class _Weights:
    """The file's constants, dequantised: (q - zero) * scale, per channel where the file says so."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise WeightsError(f"{path}: no such file; run `soundflow models pull nano`")
        from ai_edge_litert.interpreter import Interpreter

        try:
            with warnings.catch_warnings(), _native_stderr_muted():
                warnings.simplefilter("ignore")
                self._file = Interpreter(str(path), num_threads=1)
                self._file.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise WeightsError(f"{path}: expected a TFLite model: {error}") from error
        self._details = self._file.get_tensor_details()
        self._path = path
        filters = [d for d in self._details if len(d["shape"]) == 4 and len(_scales(d)) > 1]
        if len(filters) != _LAYERS:
            raise self._wrong(f"{len(filters)} convolutions")
        self._filters = filters

    def _wrong(self, got: str) -> WeightsError:
        return WeightsError(
            f"{self._path}: expected YAMNet ([{WINDOW_SAMPLES}] samples, {_LAYERS} convolutions, [{TAGS}, {EMBEDDING}]"
            f" class weights), got {got}"
        )

    def _float(self, detail: dict[str, Any]) -> Tensor:
        value = self._file.get_tensor(detail["index"]).astype(np.float64)
        scales, zeros = (
            np.asarray(detail["quantization_parameters"][k], np.float64) for k in ("scales", "zero_points")
        )
        if len(scales) > 1:
            shape = [1] * value.ndim
            shape[detail["quantization_parameters"]["quantized_dimension"]] = -1
            scales, zeros = scales.reshape(shape), zeros.reshape(shape)
        return torch.from_numpy(((value - zeros) * scales).astype(np.float32))

    def layer(self, number: int) -> tuple[Tensor, Tensor]:
        """Kernel [out, in / groups, k, k] and bias [out]. TFLite: [out, k, k, in], depthwise [1, k, k, out]."""
        detail = self._filters[number]
        kernel, bias = self._float(detail), self._float(self._at(detail["index"] + 1, None))
        order = (3, 0, 1, 2) if number % 2 else (0, 3, 1, 2)
        return kernel.permute(order).contiguous(memory_format=torch.channels_last), bias

    def head(self) -> tuple[Tensor, Tensor]:
        """[521, 1024] and [521]."""
        found = [d for d in self._details if tuple(d["shape"]) == (TAGS, EMBEDDING)]
        if len(found) != 1:
            raise self._wrong(f"{len(found)} tensors of [{TAGS}, {EMBEDDING}]")
        return self._float(found[0]), self._float(self._at(found[0]["index"] + 1, (TAGS,)))

    def front(self) -> tuple[Tensor, Tensor, Tensor]:
        """Mel weights [64, 257], offset [64] and the window [400]."""
        found = []
        for shape, name in (((64, 257), "mel_spectrogram"), ((64,), "add"), ((FRAME,), "hann")):
            held = [d for d in self._details if tuple(d["shape"]) == shape and name in d["name"]]
            if not held:
                raise self._wrong(f"no {name} of {list(shape)}")
            found.append(torch.from_numpy(self._file.get_tensor(held[0]["index"]).copy()))
        return found[0], found[1], found[2]

    def _at(self, index: int, shape: tuple[int, ...] | None) -> dict[str, Any]:
        for detail in self._details:
            if detail["index"] == index and len(detail["shape"]) == 1 and shape in (None, tuple(detail["shape"])):
                return dict(detail)
        raise self._wrong(f"no bias at tensor {index}")


def _scales(detail: dict[str, Any]) -> Any:
    return detail["quantization_parameters"]["scales"]


@contextmanager
def _native_stderr_muted() -> Iterator[None]:
    """Hide the line that the XNNPACK delegate prints from C++ (it has no switch); Python errors still come out."""
    with _STDERR_LOCK:
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all, for example under a service manager
            yield
            return
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(null)
