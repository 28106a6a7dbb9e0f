"""Corpus labels in our words, the policy for each, and what licences allow."""

from __future__ import annotations

import pytest

from data_builder.corpora import esc50, urbansound8k
from data_builder.corpora.labels import AUDIOSET, CONTEXT, DISTRESS, GENERIC, best, from_fsd, kind_of, respond_to, snake
from data_builder.corpora.licences import of_url, of_words, share
from data_builder.texts.sounds import ALERT_LABELS, PHRASES


def test_every_mapping_leads_to_a_label_that_we_can_name() -> None:
    targets = {*AUDIOSET.values(), *esc50.OURS.values(), *urbansound8k.OURS.values()}
    assert targets <= {*PHRASES, "crying"}
    assert set(AUDIOSET) >= GENERIC
    assert not CONTEXT & DISTRESS
    assert set(ALERT_LABELS) <= DISTRESS


@pytest.mark.parametrize(
    ("label", "policy"),
    [
        ("siren", "yes"),
        ("glass_break", "yes"),
        ("dog", "context"),
        ("car_horn", "context"),
        ("rain", "no"),
        ("x", "no"),
    ],
)
def test_policy(label: str, policy: str) -> None:
    assert respond_to(label) == policy


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["Bark", "Dog", "Domestic animals, pets"], ("dog",)),
        (["Siren", "Alarm"], ("siren",)),
        (["Alarm"], ("alarm",)),
        (["Doorbell", "Door", "Alarm"], ("doorbell",)),
        (["Chicken, rooster", "Crowing, cock-a-doodle-doo"], ("rooster",)),
        (["Rain", "Siren"], ("siren",)),
        (["Bark", "Screaming"], ("scream", "dog")),
        (["Dishes, pots, and pans", "Domestic sounds, home sounds"], ("dishes_pots_and_pans",)),
        (["Speech"], ("speech",)),
        ([], ()),
    ],
)
def test_the_most_telling_label_of_a_clip(names: list[str], labels: tuple[str, ...]) -> None:
    assert best(names) == labels


def test_kinds_and_spellings() -> None:
    assert kind_of(["Speech", "Conversation"]) == "speech"
    assert kind_of(["Music", "Guitar"]) == "music"
    assert kind_of(["Music", "Siren"]) == "event"
    assert kind_of(["Speech", "Dog"]) == "event"
    assert from_fsd("Vehicle_horn_and_car_horn_and_honking") == "Vehicle horn, car horn, honking"
    assert from_fsd("Gunshot_and_gunfire") == "Gunshot, gunfire"
    assert from_fsd("Male_speech_and_man_speaking") == "Male speech, man speaking"
    assert from_fsd("Wind_chime") == "Wind chime"
    assert snake("Wail, moan") == "wail_moan"


@pytest.mark.parametrize(
    ("url", "name", "is_open"),
    [
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0 1.0", True),
        ("https://creativecommons.org/licenses/by/4.0/", "CC BY 4.0", True),
        ("http://creativecommons.org/licenses/by-nc/3.0/", "CC BY-NC 3.0", False),
        ("http://creativecommons.org/licenses/sampling+/1.0/", "CC Sampling+ 1.0", False),
        ("http://creativecommons.org/licenses/by-nd/3.0/", "CC BY-ND 3.0", False),
        ("", "unknown", False),
    ],
)
def test_licence_by_address(url: str, name: str, is_open: bool) -> None:
    assert of_url(url) == (name, is_open)


@pytest.mark.parametrize(
    ("words", "is_open"),
    [
        ("Attribution", True),
        ("Attribution-ShareAlike 3.0 International", True),
        ("Attribution-NonCommercial-ShareAlike 3.0 International", False),
        ("Attribution-Noncommercial-No Derivative Works 3.0 United States", False),
        ("Attribution-NoDerivatives 4.0", False),
        ("CC0 1.0 Universal", True),
        ("Public Domain Mark 1.0", True),
        ("FMA-Limited: Download Only", False),
        ("All rights reserved", False),
        ("", False),
    ],
)
def test_licence_in_words(words: str, is_open: bool) -> None:
    assert of_words(words) == (words or "unknown", is_open)


def test_the_share_of_dev_is_fixed_and_about_right() -> None:
    dev = [key for key in map(str, range(4000)) if share(key) == "dev"]
    assert 320 < len(dev) < 480
    assert dev == [key for key in map(str, range(4000)) if share(key) == "dev"]
