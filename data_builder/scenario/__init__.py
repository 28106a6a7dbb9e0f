"""The scenario planner: a block of the corpus is a day in a household, whose moments the sub-tasks draw from."""

from data_builder.scenario.day import Day, Moment, plan_day
from data_builder.scenario.home import ACTIVITIES, Home, Person
from data_builder.scenario.places import BED_LABELS, PLACES, Place
from data_builder.scenario.verify import Planned, Rejection, plan_verified, verify

__all__ = [
    "ACTIVITIES",
    "BED_LABELS",
    "PLACES",
    "Day",
    "Home",
    "Moment",
    "Person",
    "Place",
    "Planned",
    "Rejection",
    "plan_day",
    "plan_verified",
    "verify",
]
