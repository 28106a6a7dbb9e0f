"""The best adapter of a run as a folder to share: what `--adapter` takes, the recipe, the figures, a model card. Of a
model that is not nano, the whole model with the adapter in it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from soundflow.errors import ConfigError, WeightsError
from soundflow.tiers import base_config, checkpoint
from training.kits import model_of

NEEDED = ("adapter.safetensors", "adapter.json")
FITTED = ("calibration.json", "tags.json")
OPTIONAL = (*FITTED, "alert.safetensors", "named.safetensors", "config.json", "gate.json")


def export(run: Path, out: Path, branch: Path | None = None) -> list[str]:
    """Copy best/ of a run and write its card -> names of the files written.

    Args:
        branch: alert branch to put beside it, where best/ has none of its own.

    Raises:
        WeightsError: no complete adapter in best/, or `out` holds something else.
    """
    best = run / "best"
    checkpoint.load(best)
    if (model := model_of(best)) is not None:
        if branch:
            raise ConfigError(f"--branch: the alert branch is of nano's sound encoder, {run} is of {model}")
        return _whole(best, model, out)
    if out.exists() and any(out.iterdir()) and not (out / NEEDED[1]).exists():
        raise WeightsError(f"{out}: an empty folder or an earlier export was expected")
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name in (*NEEDED, *OPTIONAL):
        (out / name).unlink(missing_ok=True)
        if (best / name).is_file():
            shutil.copy2(best / name, out / name)
            written.append(name)
    if branch:
        shutil.copy2(branch, out / "alert.safetensors")
        written += [] if "alert.safetensors" in written else ["alert.safetensors"]
    config, gate = _read(out / "config.json"), _read(out / "gate.json")
    (out / "README.md").write_text(card(out.name, config, gate, written))
    return [*written, "README.md"]


def _whole(best: Path, model: Path, out: Path) -> list[str]:
    """The model with its parts, the adapter in it; recipe.json and TRAINING.md say how it was made.

    The adapter of omni changes nothing but the language model, and is merged into that.
    """
    from soundflow.tiers import card as model_card
    from soundflow.tiers.omni.settings import LM
    from soundflow.tiers.pretrained import save_pretrained

    save_pretrained(model, out)
    merged = base_config.head(model)["tier"] == "omni"
    if merged:
        merge(out / LM, checkpoint.load(best).deltas)
    else:
        (out / "calibration.json").unlink(missing_ok=True)  # of an earlier adapter; tags.json is of the encoders
        for name in (*NEEDED, *FITTED):
            if (best / name).is_file():
                shutil.copy2(best / name, out / name)
    shutil.copy2(best / "config.json", out / "recipe.json")
    shutil.copy2(best / "gate.json", out / "gate.json")
    held = {p.name for p in out.iterdir()}
    gate, of = _read(out / "gate.json"), f"the model {model.name}"
    (out / "TRAINING.md").write_text(card(out.name, _read(out / "recipe.json"), gate, held, of, merged))
    model_card.write(out)
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


def merge(lm: Path, deltas: Mapping[str, Tensor]) -> None:
    """Add LoRA updates to a Hugging Face folder's matrices, file by file; each file is there whole, old or new.

    WeightsError where there is no such matrix.
    """
    left = dict(deltas)
    for path in sorted(lm.glob("*.safetensors")):
        tensors = load_file(path)
        if not (own := [name for name in tensors if name in left]):
            continue
        for name in own:
            tensors[name] = (tensors[name].float() + left.pop(name)).to(tensors[name].dtype)
        part = path.with_suffix(".part")
        save_file(tensors, part, {"format": "pt"})
        part.replace(path)
    if left:
        raise WeightsError(f"{lm}: tensor {min(left)!r} was expected, which the adapter changes")


def card(
    name: str,
    config: Mapping[str, Any],
    gate: Mapping[str, Any],
    files: Collection[str],
    of: str = "",
    merged: bool = False,
) -> str:
    """A model card with what the run knows; what only its maker knows is marked "to be filled in". `of`: the model that
    was adapted, where it is not nano. `merged`: into its language model.
    """
    stages = "\n".join(
        f"| {s['name']} | {', '.join(s['trainable'])} | {s['steps']} | {_mixture(s)} |"
        for s in config.get("stages", [])
    )
    fitted = (
        "calibrated (calibration.json)"
        if "calibration.json" in files
        else "not calibrated" + ("" if merged else ": `soundflow train calibrate`")
    )
    nano = (
        "An adapter of the SoundFlow nano tier: LoRA, projector and decision rows for SmolLM2-135M-Instruct. Use it"
        f" with\n`soundflow listen FILE --adapter {name}`."
    )
    recipe = "recipe.json" if of else "config.json"
    lies = "was merged into the language model" if merged else "lies in this folder, with the model"
    other = f"How {of} was adapted; the adapter {lies}. README.md says how it is used."
    return f"""# {name}

{other if of else nano}

- Step {gate.get("step", "unknown")} of stage {gate.get("stage", "unknown")}, chosen by the gate's merit; {fitted}.
- Code: commit {config.get("commit") or "unknown"}; recipe: {recipe}; seed {config.get("seed", "unknown")}.
- Start: {config.get("start") or "the language model as it is published"}.

## Figures

On held-out recordings of the calibration split ({", ".join(config.get("cal", [])) or "unknown"}), thresholds
cross-fitted; they chose the checkpoint, so they are no test figures. Run `soundflow bench` for those.

{_figures(gate.get("figures", {}))}

## Training

| stage | trained | steps at most | data |
|---|---|---|---|
{stages}

## Data, licences, limits

- To be filled in: corpora and their licences (`soundflow data build` writes a card beside the shards).
- To be filled in: figures of `soundflow bench`, with baselines and intervals.
- What it must not be used for: as the only alarm where a miss can hurt somebody, to watch people who did not agree to
  it, or to tell who is speaking.
- Abilities near 0.5 balanced accuracy above are at chance level.
"""


def _mixture(stage: Mapping[str, Any]) -> str:
    shares = ", ".join(f"{k} {v:g}" for k, v in stage.get("mixture", {}).items())
    return ", ".join(stage["train"]) + (f" ({shares})" if shares else "")


def _figures(rows: Mapping[str, Mapping[str, float | None]]) -> str:
    lines = [
        "| ability | streams | respond-recall | silent-recall | balanced accuracy | AUC | false alarms/h | delay |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name, f in rows.items():
        cells = ["-" if v is None else f"{v:.3f}" if isinstance(v, float) else str(v) for v in f.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _read(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found
