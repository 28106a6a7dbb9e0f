"""Device act. Sources: the utterance bank (lights, timers, locks, thermostat; tool set "home") and real coffee orders
(tool set "coffee", no verbatim text). Label: the exact call, once the utterance has been endpointed.

Negatives: a request for which there is no tool gets a short apology, never a call; speech that only mentions devices,
and side talk, get nothing.
"""

from __future__ import annotations

from data_builder.sources import Clip, Rng, Sources, pick
from data_builder.subtasks.proactive import add_negative, random_instruction
from data_builder.texts.devices import NO_TOOL, coffee_call
from data_builder.texts.side_talk import MENTIONS
from data_builder.timeline import Scene


def _mention(rng: Rng, sources: Sources) -> Clip:
    """Side talk about devices where the bank has some, else any side talk."""
    rows = [r for r in sources.bank.get("side_talk", []) if r["text"] in MENTIONS]
    if not rows:
        return sources.side_talk(rng, 5.0)
    kept, sources.bank["side_talk"] = sources.bank["side_talk"], rows
    try:
        return sources.utterance(rng, "side_talk")
    finally:
        sources.bank["side_talk"] = kept


def act(rng: Rng, sources: Sources) -> Scene:
    scene = Scene(rng, "act")
    scene.instruction = random_instruction(rng)
    spoken, orders = bool(sources.bank.get("act")), bool(sources.orders)
    if rng.random() < 0.35:
        add_negative(rng, sources, scene, context=False)
    draw = rng.random()
    if draw < 0.13:
        scene.tools = str(pick(rng, ("home", "home", "coffee")))
        scene.talk(_mention(rng, sources), avoid="mention of a device")
    elif draw < 0.26:
        coffee = orders and (not spoken or rng.random() < 0.25)
        scene.tools = str(pick(rng, ("", "", "home" if coffee else "coffee")))
        scene.talk(sources.order(rng) if coffee else sources.utterance(rng, "act"), say=str(pick(rng, NO_TOOL)))
    elif orders and (not spoken or draw < 0.46):
        scene.tools = "coffee"
        clip = sources.order(rng)
        scene.talk(clip, call=coffee_call(clip.extra["label"]))
    else:
        scene.tools = "home"
        clip = sources.utterance(rng, "act")
        scene.talk(clip, call=clip.extra["call"])
    return scene
