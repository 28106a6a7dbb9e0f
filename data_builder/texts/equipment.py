"""Equipment that fails: what each fault sounds like is in `data_builder.synth_equipment`; here is what to say of it."""

from __future__ import annotations

from typing import Final

EQUIPMENT: Final[dict[str, tuple[str, ...]]] = {
    "low_battery_chirp": (
        "A smoke detector is chirping. Its battery is probably low.",
        "I hear a low battery chirp. Please replace the battery of the detector.",
        "That short chirp comes back again and again. Check the smoke alarm's battery.",
        "A detector is asking for a new battery.",
        "Something chirps at intervals. I would look at the smoke detector.",
        "Low battery warning. Please change the battery soon.",
    ),
    "dripping": (
        "Water is dripping somewhere. Check the taps and pipes.",
        "I hear dripping. There may be a leak.",
        "Something is leaking drop by drop. Put a bowl under it and look for the source.",
        "That steady dripping sounds like a leaking tap.",
        "Water is dripping. Please check under the sink.",
        "I hear drops falling. Check whether a pipe is leaking.",
    ),
    "grinding_motor": (
        "A motor is grinding. Switch it off before it is damaged.",
        "That machine sounds rough. Please turn it off and check it.",
        "I hear metal grinding in a motor. It may need repair.",
        "Something is wrong with that machine. Unplug it first, then look inside.",
        "The motor is rattling and grinding. It should be checked.",
        "A machine is grinding. Stop it and see what is stuck.",
    ),
    "unbalanced_washer": (
        "The washing machine is banging. Pause it and spread the load.",
        "That thumping sounds like an unbalanced washing machine.",
        "The washer is out of balance. Stop the spin and sort the laundry.",
        "I hear heavy thumping. Check the load in the washing machine.",
        "The drum is knocking hard. Please stop the machine for a moment.",
        "The laundry is unbalanced. Pause the machine before it moves.",
    ),
    "hissing_leak": (
        "I hear hissing. If it could be gas, open a window and switch nothing on.",
        "Something is hissing like a leak. Check the gas and the pipes.",
        "A steady hiss has started. Please look for a leaking valve.",
        "That hissing may be gas or steam. Air the room and check.",
        "Air or gas is escaping. Close the valve if you can do it safely.",
        "I hear a leak hissing. Keep away from flames and open a window.",
    ),
    "arcing": (
        "I hear electric crackling. Switch the power off and do not touch it.",
        "Something is sparking. Turn off the fuse before you look.",
        "That buzzing and snapping sounds like a loose contact. Cut the power.",
        "Electric arcing. Unplug the device if it is safe.",
        "A socket or a switch is sparking. Please switch it off at the fuse box.",
        "I hear sparks. Keep away and turn the power off.",
    ),
    "open_door_beep": (
        "The fridge is beeping. Its door may be open.",
        "A patient beep repeats. Check whether the freezer door is closed.",
        "An appliance is calling. Perhaps the fridge was left open.",
        "I hear a door alarm. Please close the fridge.",
        "The fridge door seems to be open. Close it to keep the food cold.",
        "An appliance beeps again and again. Look at the fridge and the oven.",
    ),
}
"""Class -> wordings: what it is and one next step."""
