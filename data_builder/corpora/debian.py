"""Recipe for sounds out of free games and desktops in Debian: more of the classes that open corpora have few of.

Every package lies in Debian's `main`, so its files are free to use and to change; the package's own copyright file,
which names the licence of each, is kept beside the clips. Labels follow the file names; files that
YAMNet hears as something else altogether are left out, and nothing comes from a package of an evaluation set. Source: https://packages.debian.org/bookworm/.
"""

from __future__ import annotations

import csv
import fnmatch
import hashlib
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import soundfile as sf

from data_builder.clips import decode
from data_builder.corpora.download import download
from data_builder.corpora.folder import COLUMNS
from data_builder.texts.sounds import ALERT_LABELS
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

DATASET: Final = "debian_more"
CONTEXT: Final = frozenset({"dog", "door", "horn", "thunder", "water", "footsteps", "crackling_fire", "chainsaw"})
AMBIENCE: Final = "ambience:"
LONGEST_S, LONGEST_AMBIENCE_S, BIGGEST_FILE = 12.0, 60.0, 64 << 20

WANTED: Final[dict[str, dict[str, str]]] = {
    "barrage": {"gunshot": "gunfire.wav autocannon.wav", "explosion": "expl[123].wav"},
    "ceferino-data": {"alarm": "alarma.wav", "explosion": "explo.wav boom.wav"},
    "coccinella": {"alarm": "alarm.wav"},
    "cube2-data": {
        "gunshot": "q009/pistol*.ogg q009/shotgun*.ogg q009/rifle*.ogg q009/minigun*.ogg",
        "explosion": "q009/explosion.ogg sfx/explode.ogg",
        "thunder": "0ad/thunder_10.ogg",
        "wind": "0ad/windgust_11.ogg",
        "chainsaw": "audioaugust/chainsaw/*.ogg",
        "door": "sfx_DoorSlam.wav",
        "crackling_fire": "sfx/burning.ogg",
        "water": "yo_frankie/*water*.ogg",
    },
    "displaycal": {"hum": "engine_hum_loop.wav", "camera_shutter": "camera_shutter.wav"},
    "dopewars-data": {"gunshot": "gun.wav colt.wav", "train": "train.wav"},
    "dustracing2d-data": {"car_engine": "carEngine.ogg", "applause_clap": "cheering.ogg", "bell": "bell.ogg"},
    "gambas3-examples": {"applause_clap": "applause.wav"},
    "gigalomania-data": {"airplane": "*plane.ogg"},
    "gl-117-data": {"airplane": "plane1.wav", "thunder": "thunder1.wav", "explosion": "explode1.wav"},
    "gltron": {"car_engine": "game_engine.wav"},
    "libjs-jsxc": {"phone_ring": "Rotary-Phone6.mp3"},
    "linphone-common": {"phone_ring": "oldphone-mono.wav", "music": "toy-mono.wav"},
    "lomiri-sounds": {
        "camera_shutter": "camera_click.ogg",
        "music": "Rhodes.ogg Xylo.ogg Mallet.ogg Array*.ogg Harp*.ogg Koto*.ogg Melody*.ogg Tongue*.ogg A440.ogg"
        " Marimbach.ogg Soul.ogg Bliss.ogg Latin.ogg Harmonics.ogg",
    },
    "monsterz-data": {"applause_clap": "applause.wav"},
    "orage-data": {"knock": "Knock.wav", "phone_ring": "Phone.wav"},
    "oxygen-sounds": {"phone_ring": "Oxygen-Im-Phone-Ring.ogg"},
    "php-horde": {"doorbell": "doorbell.wav"},
    "pychess": {"alarm": "alarm.ogg"},
    "qtmultimedia5-examples": {"whistle": "whistle.wav", "car_engine": "engine-loop.wav", "horn": "horn.wav"},
    "redeclipse-data": {
        "gunshot": "weapons/pistol/primary*.ogg weapons/shotgun/primary.ogg weapons/smg/primary.ogg"
        " weapons/rifle/primary*.ogg",
        "footsteps": "player/footstep*.ogg",
        "wind": "ambience/morph/wind*.ogg ambience/wastewind.ogg",
        AMBIENCE + "wind": "ambience/*wind.ogg ambience/morph/stormwind.ogg",
        AMBIENCE + "water": "ambience/creek.ogg ambience/river.ogg ambience/water*.ogg",
        AMBIENCE + "rain": "ambience/morph/*rain.ogg",
        AMBIENCE + "machine": "ambience/machine*.ogg ambience/morph/machine*.ogg ambience/hum.ogg ambience/vapour.ogg",
        AMBIENCE + "forest": "ambience/forest*.ogg ambience/nightcrickets.ogg ambience/cycadas.ogg",
        AMBIENCE + "traffic": "ambience/distant_cars.ogg",
        AMBIENCE + "rumble": "ambience/lavarumble*.ogg ambience/morph/ambient*.ogg",
    },
    "sdl-ball-data": {"glass_break": "glass-brick-break.ogg"},
    "sound-theme-freedesktop": {"alarm": "alarm-clock-elapsed.oga", "phone_ring": "phone-incoming-call.oga"},
    "sumo-tools": {"horn": "car_horn*.wav"},
    "trophy-data": {"horn": "carhorn.wav", "car_engine": "engine.wav", "dog": "dog.wav", "gunshot": "shot.wav"},
    "tuxfootball": {"whistle": "refwhistle*.wav", "applause_clap": "crowd*.wav"},
    "tuxtype-data": {"alarm": "alarm.wav", "explosion": "explosion.wav"},
    "twinkle-common": {"phone_ring": "ringtone.wav"},
    "xboard": {"phone_ring": "phone.wav", "bell": "gong.wav"},
    "xemacs21-basesupport": {
        "gunshot": "shotgun.wav",
        "dog": "bark.wav",
        "cat_meow": "catmeow.wav",
        "snore": "snore.wav",
    },
}
"""Package -> label -> patterns of file names; a label with "ambience:" is a background, not an event."""


def fetch(package: str, folder: Path) -> Path:
    """The package's .deb in `folder`, by `apt-get download`; DataError where apt is missing or fails."""
    return download(["apt-get", "download", "-q", package], folder, f"{package}_*.deb")


def members(deb: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each ordinary file of a .deb of at most 64 MiB. Nothing is unpacked or run."""
    command = ["dpkg-deb", "--fsys-tarfile", str(deb)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unpack:
        try:
            with tarfile.open(fileobj=unpack.stdout, mode="r|") as tar:
                for member in tar:
                    if member.isfile() and member.size <= BIGGEST_FILE:
                        file = tar.extractfile(member)
                        assert file is not None
                        yield member.name, file.read()
        except tarfile.TarError as err:
            raise DataError(f"expected a Debian package: {err}", str(deb)) from err


def label_of(package: str, name: str) -> str:
    """The label that the table gives to a file of `package`, or "" for one that is not wanted."""
    for label, patterns in WANTED[package].items():
        # Spaces divide patterns; a file name with spaces is met with "*".
        if any(fnmatch.fnmatchcase(name, f"*/{pattern}") for pattern in patterns.split()):
            return label
    return ""


def make(packages: Path, out: Path, log: Callable[[str], None] = lambda text: None) -> int:
    """Write the clips, the packages' copyright files and `index.csv` to `out`; returns the number of clips.

    A package that cannot be had and a file that cannot be read are told to `log` and left out.
    """
    rows: list[tuple[str, ...]] = []
    seen: set[str] = set()
    (out / "copyright").mkdir(parents=True, exist_ok=True)
    for package in sorted(WANTED):
        try:
            for name, raw in members(fetch(package, packages)):
                if name.endswith(f"/doc/{package}/copyright"):
                    (out / "copyright" / package).write_bytes(raw)
                label, digest = label_of(package, name), hashlib.sha256(raw).hexdigest()[:12]
                if not label or digest in seen:
                    continue
                seen.add(digest)
                try:
                    rows.append(_clip(package, label, digest, raw, out))
                except DataError as err:
                    log(f"{package}: {name} left out: {err}")
        except DataError as err:
            log(f"{package} left out: {err}")
    with (out / "index.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *sorted(rows)])
    return len(rows)


def _clip(package: str, label: str, digest: str, raw: bytes, out: Path) -> tuple[str, ...]:
    background = label.startswith(AMBIENCE)
    name = label.removeprefix(AMBIENCE)
    clip = decode(raw, LONGEST_AMBIENCE_S if background else LONGEST_S, cap=False)
    path = f"{DATASET}/{package}-{digest}.flac"
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    sf.write(out / path, clip, SR, subtype="PCM_16")
    kind = "ambience" if background else "music" if name == "music" else "event"
    respond = "yes" if name in ALERT_LABELS else "context" if name in CONTEXT else "no"
    licence = f"DFSG-free, see copyright/{package}"
    shown = (path, DATASET, "train", kind, name, "", "", "", f"{len(clip) / SR:.3f}")
    return (*shown, licence, f"debian:{package}", "yes", respond)
