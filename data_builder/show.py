"""A picture of one sample: spectrogram, sounds, speech, and the chunks in which a response is due."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundflow import SAMPLE_RATE_HZ as SR


def draw(meta: dict[str, Any], audio: NDArray[np.int16], out: Path) -> None:
    """Write `out` (PNG). Green = answered sound, grey = to be left alone, blue = addressed speech, red = due."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    x = audio.astype(np.float32) / 32768
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(13, 6), sharex=True, height_ratios=[2, 1], constrained_layout=True
    )
    x += 1e-6 * np.random.default_rng(0).standard_normal(
        len(x), dtype=np.float32
    )  # so that digital zero has a logarithm
    top.specgram(x, NFFT=512, Fs=SR, noverlap=352, vmin=-140, vmax=-30, cmap="magma")
    top.set_ylabel("Hz")
    tools, say = meta["tools"] or "none", meta["instruction"] or "none"
    top.set_title(
        f"{meta['id']}  {meta['subtask']}  instruction: {say}  tools: {tools}  bed: {meta['mix']['bed']}", fontsize=9
    )
    answered = {r["trigger"] for r in meta["responses"]}
    for k, item in enumerate([*meta["events"], *meta["speech"]]):
        speech = "addressed" in item
        face = ("tab:blue" if item.get("addressed") else "lightsteelblue") if speech else "tab:green"
        face = face if speech or item["id"] in answered else "silver"
        left, right = item["onset"] / SR, item["offset"] / SR
        lane = 1 if speech else 0
        bottom.barh(lane, right - left, left=left, height=0.7, color=face)
        name = (item["text"] or f"({Path(item['source']).name})")[:60] if speech else item["label"]
        bottom.text(left + 0.03, lane + (0.12 if k % 2 else -0.12), f"{item['id']} {name}", fontsize=8, va="center")
        if not speech:
            bottom.plot([item["evidence_end"] / SR] * 2, [lane - 0.45, lane + 0.45], color="black", linewidth=1.5)
    chunk = meta["chunk"] / SR
    for axis in (top, bottom):
        for r in meta["responses"]:
            axis.axvspan(r["due_chunk"] * chunk, (r["due_chunk"] + 1) * chunk, color="red", alpha=0.3)
    for k, r in enumerate(meta["responses"]):
        words = r["text"] or f"{r['call']['name']} {r['call']['arguments']}"
        late = r["due_chunk"] * meta["chunk"] > 0.6 * meta["samples"]
        at = (r["due_chunk"] + late) * chunk
        place = {"ha": "right" if late else "left", "fontsize": 8, "color": "darkred"}
        bottom.text(at, 2.0 + 0.45 * (k % 2), f"{r['kind']}: {words}", **place)
    bottom.set_yticks([0, 1, 2], ["sounds", "speech", "responses"])
    bottom.set_ylim(-0.7, 3)
    bottom.set_xlim(0, meta["samples"] / SR)
    bottom.set_xticks(np.arange(0, meta["samples"] / SR + 0.01, chunk), minor=True)
    bottom.grid(axis="x", which="minor", alpha=0.25)
    bottom.set_xlabel("seconds (grid: chunks of 400 ms; black: end of evidence)")
    figure.savefig(out, dpi=90)
    plt.close(figure)
