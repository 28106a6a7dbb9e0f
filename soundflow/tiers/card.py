"""The model card of a folder: what it is made of and under which licences, what was measured, and its limits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from soundflow.tiers.base_config import CONFIG, head

CARD: Final = "README.md"
TOLD: Final = ("TRAINING.md", "recipe.json", "gate.json")
"""What `soundflow train export` writes of a run beside a whole model."""
UNKNOWN: Final = "unknown"
ORIGIN: Final = "<!-- written by soundflow.tiers.card -->"
WHAT: Final = {
    "nano": "Moonshine tiny, Silero, YAMNet and SmolLM2-135M-Instruct (`soundflow models pull nano`)",
    "base": "a speech encoder, BEATs and a language model, one audio position a chunk",
    "omni": "the audio tower and the thinker of Qwen2.5-Omni in the layout of *Audio Interaction Model*",
}
UNTRAINED: Final = {
    "nano": "Nothing here: the adapter is the one that ships with the package, whose card says what was measured.",
    "base": "Nothing: this model was not trained to decide; its projector and decisions are as training begins.",
    "omni": "Nothing here: the weights decide as they came.",
}
LIMITS: Final = (
    "Not a certified alarm and no medical device: it misses sounds, and hears some that are not there.",
    "Not for listening to people who do not know of it.",
    "Its words, names and answers may be wrong; ask a person before anything is done that cannot be undone.",
)


def write(folder: Path, note: str = "") -> Path:
    """Write the card of a model folder. `note`: what a reader has to know first.

    Raises:
        WeightsError, ConfigError: as of `soundflow.tiers.base_config.head`.
    """
    path = folder / CARD
    path.write_text(text(folder, note), encoding="utf-8")
    return path


def text(folder: Path, note: str = "") -> str:
    """The card. Licences and measurements are those that the folder's own files state; where none does, it says so."""
    raw = head(folder)
    tier, chunk = raw["tier"], raw.get("chunk_ms", 400)
    lines = ["---", "library_name: soundflow", f"license: {_whole_licence(raw)}", "tags: [audio, streaming]", "---"]
    lines += [ORIGIN, f"# SoundFlow {tier}", ""]
    lines += [f"> {note}", ""] if note else []
    lines += [f"Listens to a stream and decides once every {chunk} ms whether to stay silent, speak or act:", ""]
    lines += [f"{WHAT[tier]}.", "", f"    soundflow listen FILE --model {folder.name}", "", "## Parts", ""]
    lines += _table(("part", "what", "from", "licence"), _parts(folder, raw))
    lines += ["", "## Measured", "", *_measured(folder, tier), "", "## Limits", ""]
    return "\n".join([*lines, *(f"- {limit}" for limit in LIMITS)]) + "\n"


def _parts(folder: Path, raw: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    licences = raw.get("licences", {})
    rows = []
    for name in ("lm", "speech", "sound", "vad", "words"):
        place = raw.get(name)
        if not isinstance(place, dict):
            continue  # of an omni all
        file = place.get("file", "")
        origin = f"{place['hub']} at {place['revision']}" if "hub" in place else "in this folder"
        what = file if "hub" in place and file else _kind(folder / place.get("path", "?") / file)
        rows.append((name, what, origin, licences.get(name, UNKNOWN)))
    if raw["tier"] == "omni":
        merged = ", with what was trained" if _trained(folder) else ""
        for name, what in (("tower", _kind(folder / "tower.safetensors")), ("lm", _kind(folder / "lm") + merged)):
            rows.append((name, what, "in this folder", licences.get(name, UNKNOWN)))
    if (folder / "adapter.safetensors").is_file():
        rows.append(("adapter", "LoRA, projector, decisions", "in this folder", licences.get("adapter", UNKNOWN)))
    return rows


def _kind(place: Path) -> str:
    """The model type that a part's own config.json states, else its file's kind."""
    try:
        found = json.loads((place / CONFIG).read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError):
        found = None
    size = sum(x.stat().st_size for x in ([place] if place.is_file() else place.rglob("*")) if x.is_file())
    return f"{found or place.name}, {size / 1e6:.1f} MB" if size else str(found or place.name)


def _measured(folder: Path, tier: str) -> list[str]:
    """What training wrote, and where there is more of it."""
    if not (meta := _trained(folder)):
        return [UNTRAINED[tier]]
    rows = [(key, str(meta[key])) for key in ("stage", "step", "merit") if key in meta]
    fitted = "fitted" if (folder / "calibration.json").is_file() else "not fitted"
    more = [f"`{name}`" for name in TOLD if (folder / name).is_file()]
    told = ["", f"How it was trained, and the figures that chose this step: {', '.join(more)}."] if more else []
    return [*_table(("of training", "value"), [*rows, ("calibration", fitted)]), *told]


def _trained(folder: Path) -> dict[str, Any]:
    """Stage, step and merit: of the adapter, or of the gate where the adapter was merged; empty without training."""
    for name in ("adapter.json", "gate.json"):
        try:
            found = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _whole_licence(raw: dict[str, Any]) -> str:
    """One where all parts state the same, else `other`, as the hub calls it."""
    stated = set(raw.get("licences", {}).values())
    return stated.pop().lower() if len(stated) == 1 and " " not in next(iter(stated)) else "other"


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (names, ("---",) * len(names), *rows)]
