"""Speakers: nobody in two splits, every language, draws that follow the weights."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from data_builder.speech import voices
from data_builder.speech.voices import LANGUAGES, SPLITS, WEIGHTS, draw, speakers
from soundflow.errors import ConfigError

ACCENTS = {name for names in voices._ACCENTS.values() for name in names}
HAVE = (
    {f"espeak:{name}" for name in (*ACCENTS, "es", "de", "fr", "it", "cmn", "cmn-latn-pinyin")}
    | {f"espeak:+{v}" for names in voices._VARIANTS.values() for v in names.split()}
    | {f"{e}:{n}" for e, by_split in voices._PEOPLE.items() for names in by_split.values() for n in names.split()}
    | {f"piper:en_US-{n}-medium" for n in ("joe", "amy", "ryan", "kathleen", "lessac", "kusal", "norman", "bryce")}
    | {
        "piper:de_DE-thorsten-medium",
        "piper:zh_CN-huayan-medium",
        "piper:en_US-arctic-medium#3",
        "festival:lp_diphone",
        "festival:unknown",
    }
)


def test_no_voice_and_no_person_is_in_two_splits() -> None:
    names = [{v.name for s in speakers(split, HAVE) for v in s.voices.values()} for split in SPLITS]
    assert sum(len(n) for n in names) == len(set().union(*names))
    ids = [s.id for split in SPLITS for s in speakers(split, HAVE)]
    assert "piper:en_US-joe-medium" in ids
    assert not any("arctic-medium" in i for i in ids)
    assert len(ids) == len(set(ids))
    for person in ("slt", "bdl", "rms", "awb", "clb", "kal"):
        assert len({split for split, n in zip(SPLITS, names, strict=True) if any(person in v for v in n)}) <= 1


def splits_of(*names: str) -> set[str]:
    """The splits in which these voices of Piper are."""
    have = {f"piper:{name}" for name in names}
    found = {v.name: split for split in SPLITS for s in speakers(split, have) for v in s.voices.values()}
    assert found.keys() == set(names)
    return set(found.values())


@pytest.mark.parametrize("person", ["en_US-ryan", "en_US-lessac", "en_GB-alan", "es_ES-carlfm", "de_DE-karlsson", "x"])
def test_a_person_of_piper_is_in_one_split_in_every_quality(person: str) -> None:
    assert len(splits_of(*(f"{person}-{q}" for q in ("x_low", "low", "medium", "high")))) == 1


def test_speakers_of_one_model_of_piper_are_people_and_are_divided() -> None:
    numbers = range(60)
    for n in numbers:
        assert len(splits_of(f"en_US-libritts-high#{n}", f"en_US-libritts_r-medium#{n}")) == 1
    assert splits_of(*(f"en_US-libritts_r-medium#{n}" for n in numbers)) == set(SPLITS)
    assert len(splits_of("de_DE-thorsten-high", *(f"de_DE-thorsten_emotional-medium#{n}" for n in range(8)))) == 1
    assert splits_of("fr_FR-siwis-low", "fr_FR-siwis-medium") == {"train"}, "as ff_siwis of Kokoro"
    assert all(speakers(split, {"piper:en_US-arctic-medium#3"}) == [] for split in SPLITS)
    assert splits_of("en_US-l2arctic-medium#3"), "other people than those of arctic"


def test_voices_of_the_benchmark_of_requests_are_dev() -> None:
    dev = {v.name for s in speakers("dev", HAVE) for v in s.voices.values()}
    assert {"en-gb-x-rp+f5", "en-gb-x-rp+m4", "rms"} <= dev


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_speaks_every_language(split: str) -> None:
    people = speakers(split, HAVE)
    assert people == speakers(split, set(sorted(HAVE, reverse=True)))
    assert {language for s in people for language in s.voices} >= set(LANGUAGES)
    assert all(s.split == split for s in people)
    assert not any(v.name.startswith("cmn+") for s in people for v in s.voices.values())
    if split == "train":
        assert len(people) > 60


def test_only_what_is_installed_is_offered() -> None:
    assert speakers("train", set()) == []
    assert [s.id for s in speakers("dev", {"flite:rms", "flite:slt"})] == ["flite:rms"]
    assert all(set(s.voices) == {"es"} for s in speakers("train", {"espeak:+f3", "espeak:es"}))
    with pytest.raises(ConfigError, match="split of train"):
        speakers("test", HAVE)


def test_draws_follow_the_weights() -> None:
    people = speakers("train", HAVE)
    rng = np.random.default_rng(1)
    drawn = Counter(draw(people, rng).group for _ in range(4_000))
    total = sum(WEIGHTS[g] for g in drawn)
    for group, count in drawn.items():
        assert abs(count / 4_000 - WEIGHTS[group] / total) < 0.03
    assert draw(people, np.random.default_rng(3)) == draw(people, np.random.default_rng(3))
    assert "cmn" in draw(people, rng, "cmn").voices
    with pytest.raises(ConfigError, match="'cmn'"):
        draw(speakers("dev", {"flite:rms"}), rng, "cmn")


def test_candidates_are_one_person_at_three_rates() -> None:
    person = speakers("dev", {"flite:rms"})[0]
    tries = person.candidates(rate=1.1)
    assert [v.rate for v in tries] == [1.1, 0.935, 1.32]
    assert {v.name for v in tries} == {"rms"}
    assert [v.rate for v in person.candidates(rate=0.5)] == [0.5, 0.5, 0.6]
    assert person.candidates("es") == []
