"""An activity: what people do, where and when; its story templates, topics and own sounds."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import Final

import numpy as np

from data_builder.scenario.places import Span, within


@dataclass(frozen=True, slots=True)
class Activity:
    """What somebody does.

    `stories` and `topics` are templates with the slots of `SLOTS`, and {who}, {other}. `sounds` come from the activity
    itself, `media` out of a loudspeaker (television, radio, a toy), where they may be anything. `roles`: who may lead
    it, empty for all who speak. `needs`: a feature of the home. `weather`: empty for any. `night`: for people who would
    be asleep. `company`: how many others must be there.
    """

    name: str
    places: tuple[str, ...]
    hours: tuple[Span, ...]
    stories: tuple[str, ...]
    topics: tuple[str, ...]
    sounds: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    needs: str = ""
    weather: tuple[str, ...] = ()
    night: bool = False
    company: int = 0

    def fits_hour(self, hour: float) -> bool:
        return any(within(hour, span) for span in self.hours)


def activity(
    name: str,
    places: str,
    hours: str,
    stories: str,
    topics: str,
    *,
    sounds: str = "",
    media: str = "",
    roles: str = "",
    needs: str = "",
    weather: str = "",
    night: bool = False,
    company: int = 0,
) -> Activity:
    """An activity out of compact text: lists with "|" (sounds, roles, weather: blanks), hours "7-9 18-20.5"."""
    spans = []
    for part in hours.split():
        start, _, end = part.partition("-")
        spans.append((float(start), float(end)))
    return Activity(
        name,
        tuple(places.split("|")),
        tuple(spans),
        tuple(s.strip() for s in stories.split("|")),
        tuple(t.strip() for t in topics.split("|")),
        tuple(sounds.split()),
        tuple(media.split()),
        tuple(roles.split()),
        needs,
        tuple(weather.split()),
        night,
        company,
    )


SLOTS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(values.split("|"))
    for name, values in {
        "dish": "a lentil soup|a mild curry|pancakes|a potato gratin|spaghetti|a vegetable stew|fried rice|an omelette|"
        "fish and chips|a mushroom risotto|meatballs|a chicken pie|a bean chilli|dumplings",
        "bake": "a lemon cake|rye bread|cinnamon rolls|a plum tart|oat biscuits|a birthday cake|cheese scones|muffins|"
        "a carrot cake|flatbread",
        "snack": "an apple|a cheese sandwich|yoghurt with honey|crackers|a banana|toast and jam|a handful of nuts|"
        "leftover pizza|carrot sticks|a bowl of cereal",
        "drink": "green tea|black coffee|hot chocolate|peppermint tea|orange juice|a glass of water|a cappuccino|"
        "warm milk|iced tea|an espresso",
        "book": "a detective novel|a book about whales|a travel guide|a picture book|a biography|an old atlas|"
        "a science magazine|the local paper|a fantasy saga|a book of poems",
        "show": "a quiz show|the evening news|a cooking contest|a crime series|a football match|a talent show|"
        "an old western|a comedy|a history documentary|a sitcom",
        "game": "chess|a card game|a word game|dominoes|a board game about trains|a memory game|draughts|charades|"
        "a puzzle of a lighthouse|backgammon",
        "tune": "a waltz|a lullaby|an old folk song|a jazz standard|a scale in G|the school concert piece|a blues|"
        "a film theme|a march|a slow ballad",
        "instrument": "guitar|flute|violin|clarinet|cello|saxophone|piano|ukulele",
        "chore": "the recycling|the shopping bags|the laundry basket|the curtains|the dusty shelves|the shoe rack|"
        "the spice drawer|the old newspapers|the toy box|the windows",
        "repair": "a wobbly chair|a bicycle tyre|the loose shelf|a broken lamp|the garden gate|an old radio|a drawer|"
        "the rabbit hutch|a squeaky hinge|a picture frame",
        "plant": "the tomatoes|the roses|the herb bed|young carrots|the apple tree|the strawberries|the hedge|"
        "the sunflowers|a row of beans|the lavender",
        "subject": "fractions|the water cycle|French verbs|the planets|a history essay|long division|a poem|volcanoes|"
        "a map of Europe|the human heart",
        "work": "the budget|a slide deck|a customer report|the project plan|an invoice|the newsletter|a code review|"
        "the meeting notes|a job offer|the floor plan",
        "goods": "oat milk|ripe tomatoes|washing powder|fresh bread|cat food|light bulbs|olive oil|batteries|"
        "a birthday card|frozen peas|shampoo",
        "errand": "a parcel|new keys|a prescription|library books|a repaired watch|concert tickets|a passport photo|"
        "flowers|a suit from the cleaner's|a spare tyre",
        "place": "the lake|the old harbour|the market|the castle|the museum|the sports hall|the bus station|"
        "the botanical garden|the dentist|the town hall",
        "guest": "an aunt|the neighbours|an old school friend|a cousin|the book club|the new colleague|"
        "the piano teacher|the plumber",
        "event": "the school play|a birthday|the summer holiday|a wedding|the move|the marathon|a picnic|the exam week|"
        "the street party|a camping trip",
        "toy": "a wooden railway|building blocks|a toy fire engine|finger puppets|a farm set|a doll's house|marbles|"
        "a plush bear",
        "craft": "a paper lantern|a knitted scarf|a clay bowl|a birthday banner|a model boat|a quilt|a mobile of stars|"
        "a pencil drawing",
        "sport": "stretches|push-ups|yoga|a short dumbbell set|skipping|a balance exercise|a dance routine|sit-ups",
        "machine": "the washing machine|the dishwasher|the boiler|the printer|the freezer|the router|"
        "the coffee machine|the tumble dryer",
        "care": "a headache|a sore throat|a scraped knee|a cold|a stiff back|hay fever|a tired voice|a blister",
        "town": "Lisbon|Bristol|Vienna|Oslo|Toronto|Kyoto|Seville|Hamburg|Dublin|Prague",
        "count": "two|three|four|five|six|eight|ten|twelve",
    }.items()
}


def slots(template: str) -> list[str]:
    """Names of the slots of a template, in order."""
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def fill(rng: np.random.Generator, template: str, who: str, other: str, chosen: dict[str, str]) -> str:
    """The template with its slots drawn; what was drawn is kept in `chosen`, so that a topic speaks of the same."""
    for name in slots(template):
        if name not in {"who", "other"} and name not in chosen:
            values = SLOTS[name]
            chosen[name] = values[int(rng.integers(len(values)))]
    return template.format(who=who, other=other, **chosen)
