"""Speakers: the voices of all engines, divided so that nobody speaks in two splits, and drawn by how clear they are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from data_builder.speech.protocol import Voice
from soundflow.errors import ConfigError

LANGUAGES: Final = ("en", "es", "de", "fr", "it", "cmn")
SPLITS: Final = ("train", "cal", "dev")
WEIGHTS: Final = {
    "piper": 2.0,
    "kokoro": 4.0,
    "rhvoice": 3.0,
    "festival": 1.5,
    "flite": 2.0,
    "pico": 1.0,
    "mbrola": 0.5,
    "espeak": 1.0,
}
"""How often a group of speakers is drawn, one group an engine: clear voices more often than robotic ones."""
RETRY_RATES: Final = (0.85, 1.2)  # one slower and one faster save more than two slower ones

_PEOPLE: Final = {
    # a person recorded for several engines (slt, bdl, kal, ...) stays in one split
    "flite": {"train": "slt kal kal16", "cal": "awb", "dev": "rms"},
    "festival": {
        "train": "cmu_us_slt_arctic_hts cmu_us_slt_cg kal_diphone ked_diphone cmu_us_bdl_cg us1_mbrola us2_mbrola",
        "cal": "cmu_us_awb_cg rab_diphone",
        "dev": "cmu_us_rms_cg cmu_us_clb_cg",
    },
    "rhvoice": {"train": "bdl slt lyubov evgeniy-eng", "cal": "alan", "dev": "clb"},
    "kokoro": {
        "train": "af_alloy af_aoede af_bella af_heart af_jessica af_nicole af_nova af_river af_sky am_adam am_eric "
        "am_fenrir am_liam am_onyx am_puck am_santa bf_alice bf_emma bf_isabella bm_fable bm_george",
        "cal": "af_kore am_echo bm_lewis",
        "dev": "af_sarah am_michael bf_lily bm_daniel",
    },
    "pico": {"train": "en-US", "cal": "en-GB", "dev": ""},
    "mbrola": {"train": "mb-us1 mb-us2", "cal": "mb-en1", "dev": "mb-us3"},
}
_FOREIGN: Final = {
    # language -> split -> names
    "festival": {"it": {"train": "lp_diphone", "dev": "pc_diphone"}, "es": {"train": "el_diphone"}},
    "kokoro": {
        "es": {"train": "ef_dora", "dev": "em_alex"},
        "fr": {"train": "ff_siwis"},
        "it": {"train": "if_sara", "dev": "im_nicola"},
    },
    "pico": {lang: {"train": f"{lang}-{lang.upper()}"} for lang in ("es", "de", "fr", "it")},
    "mbrola": {
        "es": {"train": "mb-es1", "dev": "mb-es2"},
        "de": {"train": "mb-de1 mb-de4 mb-de5 mb-de6 mb-de7", "cal": "mb-de2", "dev": "mb-de3"},
        "fr": {"train": "mb-fr1 mb-fr2", "cal": "mb-fr3", "dev": "mb-fr4"},
        "it": {"train": "mb-it3", "dev": "mb-it4"},
    },
}
_ACCENTS: Final = {
    "train": (
        *("en-us", "en", "en-us", "en-029", "en-us-nyc"),
        *("en", "en-us", "en-gb-x-gbclan", "en-gb-x-gbcwmd"),
    ),
    "cal": ("en-gb-scotland",),
    "dev": ("en-gb-x-rp",),
}
_VARIANTS: Final = {  # those that the recogniser understands in three sentences of ten or fewer are left out
    "train": "m1 m2 m3 m6 m7 f2 f3 f4 Alex Annie Denis Diogo Gene Hugo Jacky Mario Michael Mike adam antonio aunty "
    "benjamin caleb david ed edward grandpa john max michel miguel norbert pablo paul pedro quincy rob robert sandro "
    "steph travis victor",
    "cal": "m5 m8 f1",
    "dev": "f5 m4 Henrique steph2",
}
# "cmn" of espeak-ng 1.51 reads each tone aloud as an English number (issues 1028 and 1236 of espeak-ng/espeak-ng)
_ESPEAK: Final = {"cmn": "cmn-latn-pinyin"}
_PITCHES: Final = (50, 38, 60)
_PIPER_LANGUAGES: Final = {"zh": "cmn"}
_PIPER_QUALITIES: Final = frozenset({"x_low", "low", "medium", "high"})
_PIPER_TRAIN: Final = frozenset({"en_US-joe", "fr_FR-siwis"})  # the voice that ships; the person of Kokoro's ff_siwis
_PIPER_MOODS: Final = {"de_DE-thorsten_emotional": "de_DE-thorsten"}  # whose speakers are moods of one person


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person: one voice a language. `group`, an engine, is what `draw` weighs."""

    id: str
    split: str
    group: str
    voices: dict[str, Voice] = field(default_factory=dict)

    def candidates(self, language: str = "en", rate: float = 1.0) -> list[Voice]:
        """What to try in order: this person at `rate`, then slower, then faster. Empty where it lacks the language."""
        voice = self.voices.get(language)
        if voice is None:
            return []
        rates = (min(2.0, max(0.5, round(voice.rate * rate * change, 3))) for change in (1.0, *RETRY_RATES))
        return [replace(voice, rate=r) for r in rates]


def speakers(split: str, have: set[str]) -> list[Speaker]:
    """Every speaker of a split, sorted by id, of the voices `have` ("engine:name", see `engines.offered`).

    No voice name is in two splits, nor is a person that several engines or several models of Piper have. People of
    Piper other than joe are divided by a hash, eight tenths train; "arctic" is left out, as its people are those of
    flite and festival.
    Raises ConfigError for a split that is none of SPLITS.
    """
    if split not in SPLITS:
        raise ConfigError(f"expected a split of {', '.join(SPLITS)}; got {split!r}")
    found = _espeak(split, have)
    for engine, names in _PEOPLE.items():
        found += [_one(engine, split, "en", name, have) for name in names[split].split()]
    for engine, languages in _FOREIGN.items():
        for language, by_split in languages.items():
            found += [_one(engine, split, language, name, have) for name in by_split.get(split, "").split()]
    for voice in sorted(v for v in have if v.startswith("piper:")):
        name = voice.removeprefix("piper:")
        if _piper_split(name) == split:
            found.append(_one("piper", split, _PIPER_LANGUAGES.get(name[:2], name[:2]), name, have))
    return sorted((s for s in found if s.voices), key=lambda s: s.id)


def draw(people: Sequence[Speaker], rng: np.random.Generator, language: str = "en") -> Speaker:
    """One of the people who speak `language`: a group by WEIGHTS, then anyone of it.

    Raises ConfigError where nobody speaks it.
    """
    groups: dict[str, list[Speaker]] = {}
    for person in people:
        if language in person.voices:
            groups.setdefault(person.group, []).append(person)
    if not groups:
        raise ConfigError(f"expected a speaker of {language!r}, got none among {len(people)}: install espeak-ng")
    names = sorted(groups)
    weights = np.array([WEIGHTS.get(name, 1.0) for name in names])
    group = groups[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
    return group[int(rng.integers(len(group)))]


def _one(engine: str, split: str, language: str, name: str, have: set[str]) -> Speaker:
    voices = {language: Voice(engine, name)} if f"{engine}:{name}" in have else {}
    return Speaker(f"{engine}:{name}", split, engine, voices)


def _espeak(split: str, have: set[str]) -> list[Speaker]:
    """One speaker a variant, of one English accent, who speaks every language too."""
    found = []
    for number, variant in enumerate(_VARIANTS[split].split()):
        if f"espeak:+{variant}" not in have:
            continue
        accents = [a for a in _ACCENTS[split] if f"espeak:{a}" in have]
        bases = {"en": accents[number % len(accents)]} if accents else {}
        bases |= {lang: name for lang in LANGUAGES[1:] if f"espeak:{(name := _ESPEAK.get(lang, lang))}" in have}
        pitch = _PITCHES[number // 2 % len(_PITCHES)]
        voices = {lang: Voice("espeak", f"{base}+{variant}", pitch=pitch) for lang, base in bases.items()}
        found.append(Speaker(f"espeak:{variant}", split, "espeak", voices))
    return found


def _piper_person(name: str) -> str:
    """Language, name and number of the speaker: the same for every quality, and for a corpus and its restored form."""
    model, _, number = name.partition("#")
    stem, _, quality = model.rpartition("-")
    person = stem if stem and quality in _PIPER_QUALITIES else model
    if person in _PIPER_MOODS:
        return _PIPER_MOODS[person]
    person = person.removesuffix("_r")  # libritts_r: LibriTTS-R has the speakers of LibriTTS
    return f"{person}#{number}" if number else person


def _piper_split(name: str) -> str:
    person = _piper_person(name)
    if person in _PIPER_TRAIN:
        return "train"
    if person.partition("#")[0].endswith("-arctic"):
        return ""
    digit = int(hashlib.sha256(person.encode()).hexdigest(), 16) % 10
    return {0: "dev", 1: "cal"}.get(digit, "train")
