"""What a figure was made with: versions of the packages that touch audio or decide, and hashes of the predictions."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Final

from benchmarks.tables import Table

PACKAGES: Final = (
    *("soundflow", "numpy", "torch", "transformers", "tokenizers", "safetensors", "onnxruntime", "ai-edge-litert"),
    *("llguidance", "soundfile", "soxr"),
)


def versions() -> dict[str, str]:
    """Package -> version, "-" where it is not installed; libsndfile too, which decodes the clips."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "-"
    try:
        import soundfile

        found["libsndfile"] = soundfile.__libsndfile_version__
    except ImportError:
        found["libsndfile"] = "-"
    return found


def table(pins: Mapping[str, str], shas: Mapping[str, str], what: str = "predictions") -> Table:
    """Versions, and sha256 of each file of `what`."""
    rows = [[name, version] for name, version in pins.items()]
    rows += [[f"{what} of {name}", sha] for name, sha in shas.items()]
    return Table("Made with", ["what", "version or sha256"], rows)
