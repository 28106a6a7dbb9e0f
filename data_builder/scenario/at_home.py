"""What people do at home: the table of activities in and around the rooms of a home."""

from __future__ import annotations

from typing import Final

from data_builder.scenario.activities import activity as a

AT_HOME: Final = (
    a("breakfast", "kitchen", "6-10.5", "{who} has {snack} and {drink} for breakfast.|{who} sets the table for "
      "breakfast.|{who} and {other} share {snack} before the day begins.", "what is on today|whether there is {drink} "
      "left|the weather in {town}", sounds="kettle_boil swords_metal"),
    a("cooking", "kitchen", "7-9.5 11-14 16.5-21", "{who} is cooking {dish}.|{who} chops onions for {dish} while "
      "{other} watches the pot.|{who} tastes {dish} and looks for the salt.", "how long to cook {dish}|a timer for "
      "{dish}|what goes well with {dish}", sounds="water swords_metal alarm beep", roles="adult teenager"),
    a("baking", "kitchen", "8-20", "{who} is baking {bake} for {event}.|{who} kneads dough for {bake}.|{who} and "
      "{other} argue about how long {bake} must stay in the oven.", "the oven temperature for {bake}|how much flour "
      "goes into {bake}", sounds="beep alarm swords_metal"),
    a("making a drink", "kitchen|office", "6-23", "{who} makes {drink}.|{who} puts the kettle on for {drink}.|{who} "
      "asks {other} who wants {drink}.", "how to make {drink}|how much caffeine is in {drink}",
      sounds="kettle_boil water"),
    a("washing up", "kitchen", "8-10 13-15 19-23", "{who} washes the pans after {dish}.|{who} dries the plates while "
      "{other} puts them away.|{who} loads the dishwasher and talks about {event}.", "who does the dishes|a stain "
      "that stays on the pan", sounds="water swords_metal glass_break"),
    a("dinner", "kitchen|living room", "17.5-21.5", "{who} sits down to {dish} with {other}.|{who} serves {dish} and "
      "tells about {place}.|{who} has {dish} and listens to the house.", "how the day was|plans for {event}",
      sounds="swords_metal coins"),
    a("lunch at home", "kitchen|garden", "11.5-14.5", "{who} warms up {dish} for lunch.|{who} and {other} eat {dish} "
      "by the window.|{who} eats {snack} standing up.", "what to eat tonight|how long to keep {dish} in the fridge"),
    a("a snack", "kitchen|living room", "9-23", "{who} looks for {snack}.|{who} shares {snack} with {other}.|{who} "
      "finishes {snack} over {book}.", "whether it is healthy to eat {snack}|what is left in the fridge"),
    a("watching television", "living room", "15-24", "{who} is watching {show}.|{who} and {other} watch {show} on the "
      "sofa.|{who} turns {show} up because of the noise outside.", "who won in {show}|when {show} starts",
      media="music applause_clap laugh gunshot siren explosion scream phone_ring car_crash_skid"),
    a("watching a nature film", "living room", "14-23", "{who} watches a film about the savanna.|{who} shows {other} "
      "a film about wild animals.|{who} listens to animals on the television while reading {book}.",
      "how fast a lion runs|what elephants eat|how long owls live", media="lion_roar elephant monkey owl wind "
      "sea_waves insect frog bird crow horse"),
    a("watching an adventure film", "living room|bedroom", "16-24", "The film of {who} has reached a sword "
      "fight.|{who} and {other} watch pirates on the television.|{who} watches knights and horses late in the "
      "evening.", "who plays in the film|how long the film still is", media="swords_metal horse sea_waves explosion "
      "scream thunder"),
    a("listening to music", "living room|bedroom|kitchen", "7-23", "{who} plays {tune} from the loudspeaker.|{who} "
      "hums along to {tune}.|{who} asks {other} to guess {tune}.", "who wrote {tune}|a playlist for {event}",
      media="music applause_clap"),
    a("listening to the radio", "kitchen|bathroom|garage", "6-22", "{who} listens to the radio over {drink}.|{who} "
      "waits for the news from {town}.|{who} and {other} answer the questions of a radio quiz.",
      "the news from {town}|the weather tomorrow", media="music beep applause_clap laugh"),
    a("practising an instrument", "living room|bedroom", "9-21", "{who} practises {tune} on the {instrument}.|{who} "
      "tunes the {instrument}.|{who} plays {tune} on the {instrument} for {other}.", "how to tune a {instrument}|the "
      "beat of {tune}", sounds="music clock_tick"),
    a("reading", "living room|bedroom|garden", "7-23.5", "{who} reads {book}.|{who} reads {book} aloud to "
      "{other}.|{who} falls silent over the last chapter of {book}.", "who wrote {book}|a word in {book}",
      sounds="clock_tick"),
    a("a board game", "living room|kitchen", "10-22", "{who} and {other} play {game}.|{who} teaches {other} "
      "{game}.|{who} shuffles for another round of {game} with {other}.", "the rules of {game}|who is ahead in {game}",
      sounds="laugh coins applause_clap", company=1),
    a("homework", "kitchen|bedroom|office", "13-20", "{who} works on {subject}.|{who} asks {other} about "
      "{subject}.|{who} has an hour left for {subject}.", "a question about {subject}|how much homework is left",
      sounds="keyboard_typing clock_tick", roles="child teenager"),
    a("helping with homework", "kitchen|living room", "14-20", "{who} explains {subject} to {other}.|{who} and "
      "{other} look up {subject} together.", "{subject}|a quiz about {subject}", roles="adult", company=1),
    a("playing with toys", "living room|nursery|bedroom", "7.5-20", "{who} plays with {toy}.|{who} builds a town "
      "around {toy} with {other}.|{who} searches for {toy} under the sofa.", "a story about {toy}|where to look for "
      "{toy}", sounds="laugh click children_playing whistle", media="music siren train cow",
      roles="child grandparent parent"),
    a("hide and seek", "hallway|living room|garden", "9-20", "{who} counts to ten while {other} hides.|{who} looks "
      "for {other} everywhere.|{who} giggles in the hiding place of {other}.", "counting to {count}|whose turn it is",
      sounds="laugh footsteps door scream", roles="child parent grandparent", company=1),
    a("crafting", "kitchen|living room", "9-21", "{who} is making {craft}.|{who} and {other} glue {craft} for "
      "{event}.|{who} cuts paper for {craft}.", "what {craft} still needs|ideas for {event}", sounds="click"),
    a("a bedtime story", "bedroom|nursery", "18.5-21.5", "{who} tells {other} a story about {toy}.|{who} reads {book} "
      "to {other} by the night light.", "a story about {toy}|a lullaby", media="music", roles="parent grandparent",
      company=1),
    a("putting the baby to bed", "nursery|bedroom", "11.5-14 18-21", "{who} rocks the baby and hums {tune}.|{who} "
      "closes the curtains for the baby.|{who} and {other} tiptoe away from the cot.",
      "a lullaby|whether the baby sleeps", sounds="crying_baby", roles="parent grandparent", needs="baby",
      media="music"),
    a("feeding the baby", "kitchen|nursery", "6-20", "{who} warms the bottle for the baby.|{who} feeds the baby while "
      "{other} finds a bib.|{who} wipes porridge off the baby.", "how warm the milk should be|a timer for the bottle",
      sounds="crying_baby hiccup_burp beep", roles="parent grandparent", needs="baby"),
    a("morning bathroom", "bathroom", "6-10.5", "{who} brushes the teeth and thinks of {event}.|{who} takes a shower "
      "before {place}.|{who} waits for {other} to leave the mirror.", "how late it is|the weather today",
      sounds="water hiccup_burp"),
    a("a bath", "bathroom", "16.5-22.5", "{who} runs a hot bath.|{who} sings {tune} in the tub.|{who} washes the hair "
      "after a day at {place}.", "a timer for the bath|some music for the bath", sounds="water"),
    a("getting dressed", "bedroom|hallway", "6-10.5", "{who} looks for warm socks.|{who} asks {other} which coat to "
      "take to {place}.|{who} gets dressed for {event}.", "whether it will rain|how cold it is outside",
      sounds="door footsteps click"),
    a("getting ready to leave", "hallway", "6.5-19", "{who} looks for the keys before going to {place}.|{who} calls "
      "{other} to hurry for {event}.|{who} packs {snack} into a bag.", "when the next bus leaves|whether the door is "
      "locked", sounds="coins footsteps door car_horn"),
    a("a visitor at the door", "hallway|living room", "9-21.5", "{who} expects {guest}.|{who} opens the door for "
      "{guest}.|{who} hears {guest} outside and calls {other}.", "who is at the door|when {guest} will come",
      sounds="doorbell knock footsteps dog"),
    a("a delivery", "hallway|kitchen", "8.5-20", "{who} waits for {errand} to be delivered.|{who} signs for a heavy "
      "box.|{who} wonders with {other} who ordered {goods}.", "when the parcel comes|who ordered {goods}",
      sounds="doorbell knock car_engine engine_idling"),
    a("a phone call", "living room|office|bedroom|hallway", "8-22.5", "{who} is on the phone with {guest}.|{who} "
      "tries to reach {place} by phone.|{who} calls {other} to the phone.", "the number of {place}|a reminder to call "
      "{guest}", sounds="phone_ring telephone_busy"),
    a("working at the desk", "office|living room|bedroom", "7.5-20", "{who} works on {work}.|{who} types up "
      "{work}.|{who} must finish {work} before {event}.", "the deadline of {work}|a reminder about {work}",
      sounds="keyboard_typing click phone_ring", roles="adult teenager"),
    a("a video meeting", "office|living room", "8-19", "{who} talks about {work} in a video meeting.|{who} waits for "
      "the others to join the call about {work}.|{who} asks {other} to be quiet during the meeting.",
      "who joins the meeting|notes on {work}", sounds="keyboard_typing beep", roles="adult"),
    a("vacuuming", "living room|hallway|bedroom", "9-19", "{who} vacuums under the sofa and finds {snack}.|{who} "
      "vacuums before {guest} comes.|{who} vacuums around the feet of {other}.", "what is next on the list|how often "
      "to change the filter", sounds="vacuum_fan coins"),
    a("tidying up", "living room|bedroom|kitchen|hallway", "7-22", "{who} sorts {chore}.|{who} and {other} deal with "
      "{chore}.|{who} clears away {chore} before {event}.", "where {goods} should go|a list for {event}",
      sounds="footsteps click door"),
    a("doing the laundry", "laundry room|bathroom", "8-21", "{who} fills the machine with towels before "
      "{event}.|{who} hangs up the wet shirts and hums {tune}.|{who} looks for the second sock with {other}.",
      "how hot to wash wool|a timer for the wash", sounds="water beep hum click unbalanced_washer dripping"),
    a("a broken machine", "kitchen|laundry room|hallway|office", "8-21", "{who} finds that {machine} has "
      "stopped.|{who} and {other} listen to the odd noise of {machine}.|{who} reads the manual of {machine}.",
      "what is wrong with {machine}|who can mend {machine}", sounds="beep hum click alarm water arcing grinding_motor "
      "hissing_leak unbalanced_washer open_door_beep", roles="adult teenager"),
    a("repairs", "garage|living room|hallway", "8.5-20", "{who} is mending {repair}.|{who} holds {repair} while "
      "{other} turns the screw.|{who} measures {repair} twice.", "the right screw for {repair}|how long glue must dry",
      sounds="saw_drill_tools drilling knock swords_metal", roles="adult teenager"),
    a("fixing the car", "garage", "9-19", "{who} changes the oil of the car.|{who} starts the engine while {other} "
      "listens.|{who} looks for a tool behind {repair}.", "the tyre pressure|when the car is due for a check",
      sounds="car_engine engine_idling swords_metal saw_drill_tools", roles="adult"),
    a("exercise at home", "living room|bedroom|garage", "6.5-22", "{who} does {sport}.|{who} counts aloud during "
      "{sport}.|{who} shows {other} {sport}.", "a timer for {sport}|how long to do {sport}", sounds="hiccup_burp",
      media="music"),
    a("feeding the dog", "kitchen|hallway|garden", "6.5-9 17-20", "{who} fills the bowl of the dog.|{who} calls the "
      "dog in.|{who} asks {other} whether the dog was out.", "how much a dog should eat|when to walk the dog",
      sounds="dog", needs="dog"),
    a("the cat wants in", "kitchen|living room|hallway", "6-23", "{who} opens the window for the cat.|{who} combs the "
      "cat.|{who} and {other} look for the cat behind {chore}.", "where the cat is|why cats purr",
      sounds="cat cat_meow", needs="cat"),
    a("gardening", "garden", "8-20.5", "{who} waters {plant}.|{who} and {other} plant {plant}.|{who} pulls weeds "
      "around {plant}.", "when to cut {plant}|how much water to give {plant}", sounds="water bird insect",
      weather="clear windy"),
    a("mowing and sawing", "garden", "9-19", "{who} saws up the fallen branch.|{who} trims {plant}.|{who} stacks "
      "firewood with {other}.", "the best time to trim {plant}|a break in {count} minutes",
      sounds="chainsaw saw_drill_tools", roles="adult", weather="clear windy"),
    a("a barbecue", "garden", "12-22", "{who} lights the grill and talks about {event}.|{who} turns the sausages "
      "while {guest} arrives.|{who} and {other} carry {dish} outside.", "how long corn takes on the grill|how many "
      "guests come", sounds="crackling_fire laugh music applause_clap", roles="adult teenager", weather="clear windy"),
    a("playing in the garden", "garden", "9-20", "{who} kicks a ball against the shed.|{who} and {other} build a "
      "den.|{who} looks for snails near {plant}.", "an animal in the garden|the score",
      sounds="laugh whistle children_playing", roles="child teenager", weather="clear windy"),
    a("by the fire", "living room", "16-24", "{who} puts a log on the fire.|{who} and {other} talk about {event} by "
      "the fire.|{who} warms the feet and reads {book}.", "how long the fire burns|a story for a cold evening",
      sounds="crackling_fire", needs="fireplace"),
    a("waiting out the storm", "living room|bedroom|hallway", "6-24", "{who} closes the shutters against the "
      "storm.|{who} and {other} count the seconds to the thunder.|{who} looks for candles.", "how far the storm "
      "is|when the storm ends", sounds="thunder thunderstorm rain wind", weather="storm"),
    a("a rainy afternoon", "living room|bedroom|kitchen", "12-20", "{who} watches the rain and plans {event}.|{who} "
      "and {other} stay in because of the rain.|{who} puts a bucket under the leak.", "when the rain stops|something "
      "to do indoors", sounds="rain", weather="rain storm"),
    a("a friend is over", "living room|kitchen|bedroom", "14-23.5", "{who} laughs with {other} about {event}.|{who} "
      "shows {other} pictures of {town}.|{who} and {other} plan a trip to {town}.", "flights to {town}|a joke|a "
      "restaurant for {event}", sounds="laugh applause_clap camera_shutter", media="music", company=1),
    a("talking things over", "kitchen|living room|bedroom", "7-23.5", "{who} and {other} talk about {event}.|{who} "
      "tells {other} about {guest}.|{who} and {other} disagree about {place}.", "a date for {event}|directions to "
      "{place}", sounds="clock_tick", company=1),
    a("feeling unwell", "bedroom|living room", "7-23", "{who} rests because of {care}.|{who} brings {other} {drink} "
      "for {care}.|{who} drinks {drink} against {care}.", "what helps against {care}|a reminder for the medicine",
      sounds="coughing sneezing hiccup_burp"),
    a("an afternoon nap", "living room|bedroom", "12.5-17", "{who} dozes over {book}.|{who} lies down after "
      "{dish}.|{who} tries to rest while {other} tidies {chore}.", "an alarm in {count} minutes|quiet music",
      sounds="snore snoring", roles="adult"),
    a("paperwork", "office|kitchen|living room", "9-22", "{who} goes through the bills.|{who} and {other} fill in the "
      "form for {event}.|{who} looks for a letter from {place}.", "the sum of {count} bills|when {place} opens",
      sounds="keyboard_typing click coins", roles="adult"),
    a("shopping list", "kitchen|hallway", "8-20", "{who} writes {goods} on the list.|{who} asks {other} about "
      "{goods}.|{who} checks the cupboard for {goods}.", "adding {goods} to the list|the price of {goods}"),
    a("learning a language", "office|bedroom|living room", "8-22", "{who} repeats phrases for a trip to {town}.|{who} "
      "practises small talk with {other} before the trip to {town}.", "how to order {drink} abroad|a word for "
      "{goods}"),
    a("packing a suitcase", "bedroom|hallway", "7-22.5", "{who} packs for {town}.|{who} weighs the suitcase for "
      "{town} with {other}.|{who} folds shirts for {event}.", "the weather in {town}|a packing list for {town}",
      sounds="click door"),
    a("going to bed", "bedroom|bathroom", "20-24", "{who} sets the alarm for the morning.|{who} switches off the lamp "
      "and thinks of {event}.|{who} says good night to {other}.", "an alarm at {count}|the lights in the hallway",
      sounds="clock_tick water snore snoring"),
    a("lying awake", "bedroom", "20-10", "{who} lies awake and thinks of {event}.|{who} hears the house creak and "
      "cannot sleep.|{who} turns the pillow and thinks of {place}.|{who} wonders what {guest} meant.",
      "what time it is|a quiet sound to fall asleep to", sounds="snore snoring clock_tick owl", night=True),
    a("a glass of water at night", "kitchen|bathroom|hallway", "21-8", "{who} fetches a glass of water in the "
      "dark.|{who} walks about in the dark and thinks of {event}.|{who} meets {other} on the way through the "
      "dark.|{who} looks for {snack} without a light.|{who} cannot sleep and reads {book} by a small lamp.",
      "how late it is|a dim light|whether it is too late for {drink}", sounds="water footsteps hum", night=True),
    a("a noise in the night", "hallway|living room|kitchen|bedroom", "21-8", "{who} gets up because of a noise.|{who} "
      "listens at the door and thinks of {guest}.|{who} wonders whether {machine} made that noise.|{who} whispers to "
      "{other} about a noise.", "what that noise was|whether the door is locked|the light in the hallway",
      sounds="knock footsteps glass_break cat cat_meow dripping low_battery_chirp", night=True),
    a("unwell at night", "bedroom|bathroom", "21-8.5", "{who} wakes up with {care}.|{who} looks for something against "
      "{care}.|{who} makes {drink} because of {care}.", "what helps against {care}|how many hours until the morning",
      sounds="coughing sneezing hiccup_burp water", night=True),
    a("asleep before the television", "living room", "20-3", "{who} has dozed off during {show}.|{who} wakes up on "
      "the sofa while {show} goes on.", "turning {show} off|what happened in {show}", sounds="snore snoring",
      media="music applause_clap laugh siren gunshot scream", roles="adult teenager", night=True),
    a("the baby wakes", "nursery|bedroom", "20-8", "{who} gets up for the baby.|{who} carries the baby up and "
      "down.|{who} and {other} take turns with the baby.", "how long the baby slept|a lullaby",
      sounds="crying_baby hiccup_burp", roles="parent grandparent", needs="baby", night=True),
    a("an early start", "kitchen|hallway|bathroom", "3-8.5", "{who} is up early to go to {place}.|{who} makes {drink} "
      "in the dark.", "the first train to {town}|whether {place} is open", sounds="kettle_boil water footsteps",
      roles="adult", night=True),
)  # fmt: skip
