"""Noise of the DNS Challenge: clips of Freesound (CC0) and AudioSet. One in ten recordings is dev.

Clips of Freesound carry what they are in their name; those of AudioSet carry the video only and are not open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import get
from data_builder.corpora.labels import respond_to, snake
from data_builder.corpora.licences import share
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, RemoteFile, find_root
from data_builder.corpora.write import prepare

FREESOUND: Final = re.compile(r"(?P<what>.+?)_Freesound(?:_validated)?_(?P<id>\d+)(?:_\d+)?")
VIDEO: Final = re.compile(r"(?P<id>[A-Za-z0-9_-]{11})")
OURS: Final = {
    "airconditioner": "air_conditioner",
    "babycry": "crying_baby",
    "baby_cry": "crying_baby",
    "clapping": "applause_clap",
    "doorknock": "knock",
    "keyboard": "keyboard_typing",
    "mouse_click": "click",
    "mouseclick": "click",
    "phone_ringing": "phone_ring",
    "typing": "keyboard_typing",
    "vacuum": "vacuum_fan",
    "vacuum_cleaner": "vacuum_fan",
}


def clips(raw: Path) -> Iterator[Entry]:
    """noise_fullband/WHAT_Freesound_validated_ID_N.wav and noise_fullband/YTID.wav, 48 kHz."""
    root = find_root(raw, ("datasets_fullband", "datasets"), ("noise_fullband/*.wav",), RECIPE.name)
    for path in sorted((root / "noise_fullband").glob("*.wav")):
        if found := FREESOUND.fullmatch(path.stem):
            plain = snake(found["what"])
            label, recording, free = OURS.get(plain, plain), f"freesound:{found['id']}", True
        elif found := VIDEO.fullmatch(path.stem):
            label, recording, free = "noise", f"youtube:{found['id']}", False
        else:
            yield Bad(str(path), "expected the name of a Freesound or AudioSet clip")
            continue
        respond = respond_to(label)
        yield Clip(
            audio=path,
            key=path.stem,
            split=share(recording),
            kind="event" if respond != "no" else "ambience",
            label=label or "noise",
            speaker=recording,
            respond=respond,
            licence="CC0 1.0 (Freesound)" if free else "AudioSet: labels CC BY 4.0, the video its own",
            source=f"https://freesound.org/s/{found['id']}/" if free else f"https://youtu.be/{found['id']}",
            open=free,
        )


def download_dns_noise(folder: Path, only: Sequence[str] = ()) -> None:
    """The Freesound part, unless `only` names another."""
    get(RECIPE, folder, only or ("freesound",))


def prepare_dns_noise(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


_BASE: Final = "https://dns4public.blob.core.windows.net/dns4archive/datasets_fullband/noise_fullband/"
RECIPE: Final = Recipe(
    name="dns_noise",
    title="Noise of the ICASSP 2022 Deep Noise Suppression Challenge",
    licence="by clip: CC0 (Freesound), AudioSet's videos each their own",
    open=False,
    mixed=True,
    gives="noise: fans, doors, typing, breath and unnamed, 180 hours",
    size="58 GB (Freesound: 13 GB)",
    citation="H. Dubey et al., ICASSP 2022 Deep Noise Suppression Challenge, ICASSP 2022",
    homepage="https://github.com/microsoft/DNS-Challenge",
    layout="https://github.com/microsoft/DNS-Challenge (README, download-dns-challenge-4.sh)",
    download=download_dns_noise,
    prepare=prepare_dns_noise,
    files=tuple(
        RemoteFile(f"{_BASE}datasets_fullband.noise_fullband.{name}.tar.bz2")
        for name in ("freesound_000", "freesound_001", *(f"audioset_{k:03d}" for k in range(7)))
    ),
)
