"""What people do away from home: on the way, at work, on errands and on days out."""

from __future__ import annotations

from typing import Final

from data_builder.scenario.activities import activity as a

AWAY: Final = (
    a("driving", "car", "6-24", "{who} drives to {place}.|{who} drives {other} to {place}.|{who} is stuck in traffic "
      "on the way to {place}.", "the way to {place}|the traffic near {place}",
      sounds="car_engine engine_idling car_horn click", media="music", roles="adult"),
    a("being driven", "car", "7-23", "{who} sits in the back and asks {other} about {place}.|{who} and {other} play "
      "{game} in the back of the car.", "how long until {place}|a song for the road", sounds="car_engine laugh",
      media="music children_playing", roles="child teenager", company=1),
    a("in the car wash", "car", "8-20", "{who} waits in the car wash.|{who} cleans the windscreen before {event}.",
      "how long the wash takes|the price of the wash", sounds="water hum beep", roles="adult"),
    a("walking through town", "street", "6.5-23.5", "{who} walks to {place}.|{who} and {other} stroll past "
      "{place}.|{who} crosses the road near {place}.", "the way to {place}|whether {place} is still open",
      sounds="footsteps"),
    a("waiting for the bus", "street", "6-23", "{who} waits for the bus to {place}.|{who} and {other} miss the bus to "
      "{place}.|{who} reads {book} at the bus stop.", "when the bus comes|another way to {place}",
      sounds="engine_idling"),
    a("a street concert", "street|park", "10-22.5", "{who} stops for a band that plays {tune}.|{who} and {other} "
      "listen to a street {instrument}.|{who} throws coins into the hat of a musician.", "the name of {tune}|when the "
      "concert ends", sounds="street_music music applause_clap coins"),
    a("past the road works", "street", "7-19", "{who} cannot hear a word beside the road works at {place}.|{who} goes "
      "round the building pit with {other}.", "how long the works take|another way to {place}",
      sounds="jackhammer drilling"),
    a("cycling", "street|park", "7-21", "{who} cycles to {place}.|{who} and {other} ride along the river.|{who} rings "
      "the bell at a walker.", "the shortest way to {place}|how far {place} is", sounds="bell whistle",
      weather="clear windy"),
    a("a fireworks show", "park|street", "20-24", "{who} watches the fireworks over {place}.|{who} lifts {other} up "
      "to see the fireworks.", "when the fireworks end|why fireworks are coloured",
      sounds="explosion applause_clap whistle", weather="clear windy"),
    a("on the train", "train", "6-24", "{who} takes the train to {town}.|{who} reads {book} on the train.|{who} and "
      "{other} look for seats on the train to {town}.", "when the train arrives in {town}|the connection to {place}",
      sounds="train whistle"),
    a("working on the train", "train", "6-20", "{who} writes {work} on the train.|{who} takes a call about {work} on "
      "the train.", "the deadline of {work}|a note about {work}", sounds="keyboard_typing phone_ring", roles="adult"),
    a("at the platform", "station", "6-24", "{who} waits on the platform for the train to {town}.|{who} says goodbye "
      "to {guest} at the station.|{who} and {other} run for the train to {town}.", "the platform for {town}|how late "
      "the train is", sounds="train whistle bell footsteps"),
    a("a coffee break", "cafe", "7-19", "{who} orders {drink}.|{who} and {other} share a table and {snack}.|{who} "
      "waits for {drink} at the counter.", "an order of {drink}|the price of {drink}", sounds="coins beep"),
    a("meeting a friend", "cafe|restaurant", "9-23", "{who} meets {guest} over {drink}.|{who} tells {guest} about "
      "{event}.|{who} waits for {guest} with {book}.", "a gift for {guest}|news of {event}", sounds="laugh bell door",
      roles="adult teenager"),
    a("writing in the cafe", "cafe", "8-18", "{who} works on {work} in the cafe.|{who} has {drink} and {work} on the "
      "small table.", "notes on {work}|an order of {drink}", sounds="keyboard_typing", roles="adult"),
    a("lunch out", "restaurant|cafe", "11.5-15", "{who} orders {dish} for lunch.|{who} and {other} wait for {dish}.",
      "what is in {dish}|the bill for {count}", sounds="coins swords_metal"),
    a("dinner out", "restaurant", "17.5-24", "{who} has {dish} at a long table.|{who} raises a glass to "
      "{event}.|{who} and {other} cannot choose between {dish} and the soup.",
      "what goes with {dish}|a taxi to {place}", sounds="applause_clap laugh glass_break coins"),
    a("shopping for food", "supermarket", "7.5-21.5", "{who} looks for {goods}.|{who} compares the prices of "
      "{goods}.|{who} sends {other} back for {goods}.", "where to find {goods}|the shopping list|the price of {goods}",
      sounds="beep coins"),
    a("at the checkout", "supermarket", "7.5-21.5", "{who} queues with {goods}.|{who} counts the coins for "
      "{goods}.|{who} packs {goods} while {other} pays.", "the sum of {count} things|a receipt for {goods}",
      sounds="beep coins"),
    a("running an errand", "street|supermarket|car", "8-19", "{who} picks up {errand}.|{who} and {other} collect "
      "{errand} near {place}.|{who} is late to pick up {errand}.", "when the shop closes|where to park near {place}",
      sounds="door bell"),
    a("desk work", "workplace", "6.5-21", "{who} works on {work} at the desk.|{who} reads {work} once more.|{who} "
      "discusses {work} with a colleague.", "the deadline of {work}|a reminder about {work}",
      sounds="keyboard_typing click"),
    a("a meeting", "workplace", "8-19", "{who} presents {work}.|{who} takes notes on {work}.|{who} waits for the "
      "others to talk about {work}.", "a summary of {work}|the next meeting about {work}",
      sounds="applause_clap keyboard_typing"),
    a("a break at work", "workplace", "9-18", "{who} fetches {drink} from the machine.|{who} eats {snack} with a "
      "colleague.|{who} talks about {event} in the corridor.", "an order of {drink}|plans for {event}",
      sounds="beep water laugh"),
    a("a fire drill", "workplace|street", "9-17", "{who} leaves the building for a fire drill.|{who} waits outside "
      "until the drill is over.", "whether it is only a drill|where to meet", sounds="alarm siren"),
    a("on the building site", "building site", "6.5-18", "{who} checks the scaffold.|{who} shouts over the noise of "
      "the drills.|{who} reads the floor plan in the wind.", "how much cement is needed|when the crane comes",
      sounds="jackhammer drilling saw_drill_tools beep", roles="adult"),
    a("walking the dog", "park|street|woods", "6-22.5", "{who} throws a stick for the dog.|{who} walks the dog past "
      "{place}.|{who} and {other} call the dog back.", "how far the walk was|when it gets dark", sounds="dog whistle",
      needs="dog"),
    a("a walk in the park", "park", "7-21.5", "{who} feeds the ducks.|{who} and {other} rest on a bench and talk "
      "about {event}.|{who} walks round the pond with {drink}.", "the name of a bird|the weather later",
      sounds="duck_goose bird footsteps"),
    a("jogging", "park|street|woods", "6-21", "{who} runs the usual round.|{who} stops to breathe near {place}.|{who} "
      "runs {count} rounds with {other}.", "the pace|the time for {count} rounds", sounds="footsteps",
      roles="adult teenager"),
    a("at the playground", "playground", "9-20", "{who} pushes {other} on the swing.|{who} looks for {toy} in the "
      "sand.|{who} waits at the slide.", "how many children there are|whose turn it is",
      sounds="children_playing laugh", roles="child parent grandparent", weather="clear windy"),
    a("a ball game", "park|playground", "10-20", "{who} keeps the goal.|{who} and {other} play against the "
      "neighbours.|{who} argues with the referee.", "the score|the rules of the game",
      sounds="whistle applause_clap laugh", weather="clear windy"),
    a("a day at the beach", "beach", "9-21", "{who} builds a sand castle.|{who} and {other} listen to the "
      "waves.|{who} walks into the cold water.", "when the tide comes in|how cold the water is",
      sounds="sea_waves laugh", weather="clear windy"),
    a("a visit to the farm", "farm", "9-18", "{who} feeds the goats.|{who} and {other} look at the young pigs.|{who} "
      "buys eggs from the farmer.", "what a cow eats|which animal that was", sounds="cow pig sheep_goat horse chicken "
      "rooster"),
    a("a visit to the zoo", "zoo", "9-18", "{who} stands before the lions.|{who} and {other} watch the monkeys.|{who} "
      "waits for the elephants to be fed.", "when the lions are fed|which animal that was", sounds="lion_roar "
      "elephant monkey applause_clap camera_shutter"),
    a("taking pictures", "park|beach|zoo|street", "9-21", "{who} takes a picture of {other}.|{who} photographs a bird "
      "near {place}.|{who} changes the lens and waits for better light.", "the light for a picture|how to take a "
      "picture", sounds="camera_shutter click"),
    a("a church concert", "church", "10-22", "{who} listens to {tune} in the cold church.|{who} and {other} whisper "
      "before the concert.", "who composed {tune}|when the concert ends", sounds="music church_bells applause_clap"),
    a("a quiet church", "church", "9-19", "{who} looks at the windows of the church.|{who} lights a candle for "
      "{guest}.", "how old the church is|when the bells ring", sounds="church_bells bell footsteps"),
    a("at the gym", "gym", "6.5-22", "{who} lifts weights to {tune}.|{who} does {sport} at the gym.|{who} and {other} "
      "share a mat for {sport}.", "a timer for {sport}|how many rounds are left",
      sounds="swords_metal music hiccup_burp", roles="adult teenager"),
    a("at the doctor's", "waiting room", "8-18.5", "{who} waits because of {care}.|{who} leafs through {book} among "
      "the coughing.|{who} asks {other} to hold {book}.", "when it is my turn|what helps against {care}",
      sounds="coughing sneezing crying_baby"),
    a("a walk in the woods", "woods", "8-20", "{who} looks for mushrooms.|{who} and {other} follow the stream.|{who} "
      "stops to listen to a bird.", "the name of a bird|the way back to the car", sounds="bird crow footsteps insect"),
    a("a camp fire", "woods|beach", "17-24", "{who} lights a camp fire with {other}.|{who} plays {tune} by the "
      "fire.|{who} roasts bread over the fire.", "how to put out the fire safely|a ghost story",
      sounds="crackling_fire laugh music owl", weather="clear windy"),
)  # fmt: skip
