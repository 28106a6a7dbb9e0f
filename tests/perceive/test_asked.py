"""Tags that an instruction names: by stem, by any of a tag's names, and none for an instruction that asks for none."""

from __future__ import annotations

import pytest

from soundflow.perceive.asked import asked_tags

LABELS = (
    *(
        "Chicken, rooster",
        "Church bell",
        "Bell",
        "Bellow",
        "Doorbell",
        "Crackle",
        "Fire",
        "Cough",
        "Snoring",
        "Clapping",
    ),
    *(
        "Smoke detector, smoke alarm",
        "Alarm",
        "House music",
        "Music",
        "Car",
        "Cat",
        "Police car (siren)",
        "Run",
        "Water",
    ),
    *("Telephone", "Tick-tock", "Baby cry, infant cry", "Crying, sobbing"),
)


def _asked(text: str) -> set[str]:
    return {label for label, hit in zip(LABELS, asked_tags(text, LABELS), strict=True) if hit}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Tell me when you hear a rooster.", {"Chicken, rooster"}),
        ("Let me know if there are church bells.", {"Church bell", "Bell"}),
        ("Listen for the crackling of a fire.", {"Crackle", "Fire"}),
        ("Say so if someone coughs, snores or claps.", {"Cough", "Snoring", "Clapping"}),
        ("Watch for the smoke alarm", {"Smoke detector, smoke alarm", "Alarm"}),
        ("I am waiting for running water.", {"Water"}),
        ("Is that my phone?", {"Telephone"}),
        ("Tell me when you hear a crying baby", {"Baby cry, infant cry", "Crying, sobbing"}),
        ("a siren", {"Police car (siren)"}),
        ("Look after the house while I work.", set()),
        ("Tell me when you hear a cat.", {"Cat"}),
        ("", set()),
    ],
)
def test_names(text: str, labels: set[str]) -> None:
    assert _asked(text) == labels


def test_one_entry_a_label() -> None:
    assert asked_tags("a bell", LABELS).shape == (len(LABELS),)
    assert asked_tags("a bell", ()).shape == (0,)


def test_household_words_find_their_labels_and_no_others() -> None:
    labels = ("Bus", "Busy signal", "Car", "Vehicle horn, car horn, honking", "Cattle, bovinae", "Mechanical fan")
    labels += ("Singing", "Beep, bleep", "Wind", "Wind instrument, woodwind instrument")
    for text, wanted in (
        ("a busy tone", "Busy signal"),
        ("a car horn", "Vehicle horn, car horn, honking"),
        ("a cow", "Cattle, bovinae"),
        ("a fan", "Mechanical fan"),
        ("a single beep", "Beep, bleep"),
        ("some wind", "Wind"),
    ):
        found = asked_tags(f"Tell me when you hear {text}.", labels)
        assert [labels[int(i)] for i in found.nonzero()[0]] == [wanted]
