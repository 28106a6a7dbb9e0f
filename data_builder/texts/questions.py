"""Spoken questions and their short answers, and questions about what was heard."""

QUESTIONS: tuple[tuple[str, str], ...] = tuple(
    (q.strip(), a.strip())
    for q, a in (
        line.split("|")
        for line in """
What is the capital of France?|The capital of France is Paris.
What is the capital of Italy?|The capital of Italy is Rome.
What is the capital of Germany?|The capital of Germany is Berlin.
What is the capital of Spain?|The capital of Spain is Madrid.
What is the capital of Japan?|The capital of Japan is Tokyo.
What is the capital of Canada?|The capital of Canada is Ottawa.
What is the capital of Australia?|The capital of Australia is Canberra.
What is the capital of Egypt?|The capital of Egypt is Cairo.
What is the capital of Greece?|The capital of Greece is Athens.
What is the capital of Portugal?|The capital of Portugal is Lisbon.
What is the capital of Austria?|The capital of Austria is Vienna.
What is the capital of China?|The capital of China is Beijing.
What is the capital of India?|The capital of India is New Delhi.
What is the capital of Norway?|The capital of Norway is Oslo.
What is the capital of Sweden?|The capital of Sweden is Stockholm.
How many days are in a week?|A week has seven days.
How many months are in a year?|A year has twelve months.
How many hours are in a day?|A day has twenty-four hours.
How many minutes are in an hour?|An hour has sixty minutes.
How many seconds are in a minute?|A minute has sixty seconds.
How many weeks are in a year?|A year has about fifty-two weeks.
How many days are in a year?|A year has three hundred and sixty-five days.
How many legs does a spider have?|A spider has eight legs.
How many legs does an insect have?|An insect has six legs.
How many sides does a triangle have?|A triangle has three sides.
How many sides does a hexagon have?|A hexagon has six sides.
How many continents are there?|There are seven continents.
How many planets are in the solar system?|There are eight planets.
How many letters are in the English alphabet?|There are twenty-six letters.
How many strings does a guitar have?|A guitar usually has six strings.
How many strings does a violin have?|A violin has four strings.
How many keys does a piano have?|A piano has eighty-eight keys.
How many players are in a soccer team?|A soccer team has eleven players.
How many cards are in a deck?|A deck has fifty-two cards.
How many eggs are in a dozen?|A dozen is twelve eggs.
How many grams are in a kilogram?|A kilogram is one thousand grams.
How many meters are in a kilometer?|A kilometer is one thousand meters.
How many inches are in a foot?|A foot is twelve inches.
How many cents are in a dollar?|A dollar is one hundred cents.
How many years are in a century?|A century is one hundred years.
What is two plus two?|Two plus two is four.
What is five plus seven?|Five plus seven is twelve.
What is ten minus three?|Ten minus three is seven.
What is six times seven?|Six times seven is forty-two.
What is nine times nine?|Nine times nine is eighty-one.
What is half of fifty?|Half of fifty is twenty-five.
What is twelve divided by four?|Twelve divided by four is three.
What is one hundred minus one?|One hundred minus one is ninety-nine.
What is three times eight?|Three times eight is twenty-four.
What is the square root of nine?|The square root of nine is three.
What color is the sky?|The sky is blue on a clear day.
What color is grass?|Grass is green.
What color do you get from blue and yellow?|Blue and yellow make green.
What color do you get from red and white?|Red and white make pink.
What color is a ripe banana?|A ripe banana is yellow.
What color is snow?|Snow is white.
What is the largest planet?|The largest planet is Jupiter.
What is the smallest planet?|The smallest planet is Mercury.
Which planet is closest to the sun?|Mercury is closest to the sun.
Which planet has rings?|Saturn is famous for its rings.
Which planet is red?|Mars is the red planet.
What is the closest star to the earth?|The closest star is the sun.
What goes around the earth?|The moon goes around the earth.
What is the largest ocean?|The largest ocean is the Pacific.
What is the longest river?|The Nile is usually called the longest river.
What is the highest mountain?|The highest mountain is Mount Everest.
What is the largest country?|The largest country is Russia.
What is the largest animal?|The blue whale is the largest animal.
What is the fastest land animal?|The cheetah is the fastest land animal.
What is the tallest animal?|The giraffe is the tallest animal.
Which animal barks?|A dog barks.
Which animal says meow?|A cat says meow.
What do bees make?|Bees make honey.
What do cows give us?|Cows give us milk.
What does a panda eat?|A panda eats bamboo.
What do caterpillars become?|They become butterflies or moths.
What is a baby dog called?|A baby dog is called a puppy.
What is a baby cat called?|A baby cat is called a kitten.
What is a baby sheep called?|A baby sheep is called a lamb.
What is a young frog called?|A young frog is called a tadpole.
At what temperature does water boil?|Water boils at one hundred degrees Celsius.
At what temperature does water freeze?|Water freezes at zero degrees Celsius.
What is water made of?|Water is made of hydrogen and oxygen.
What is ice?|Ice is frozen water.
What gas do we breathe?|We breathe oxygen from the air.
What do plants need to grow?|Plants need light, water and air.
What is the hardest natural material?|Diamond is the hardest natural material.
What metal is a magnet drawn to?|A magnet is drawn to iron.
What is the chemical symbol of gold?|The symbol of gold is A U.
What pumps blood in the body?|The heart pumps the blood.
How many bones does an adult have?|An adult has two hundred and six bones.
How many fingers are on one hand?|One hand has five fingers.
How many teeth does an adult have?|An adult usually has thirty-two teeth.
What is normal body temperature?|It is about thirty-seven degrees Celsius.
Who wrote Romeo and Juliet?|William Shakespeare wrote it.
Who painted the Mona Lisa?|Leonardo da Vinci painted it.
Who was the first man on the moon?|Neil Armstrong was the first.
Who discovered gravity?|Isaac Newton described gravity.
Who invented the telephone?|Alexander Graham Bell is usually named.
Who wrote the theory of relativity?|Albert Einstein wrote it.
Who composed the Moonlight Sonata?|Ludwig van Beethoven composed it.
In which city is the Eiffel Tower?|The Eiffel Tower is in Paris.
In which country are the pyramids of Giza?|They are in Egypt.
In which city is Big Ben?|Big Ben is in London.
In which country is the Great Wall?|The Great Wall is in China.
On which continent is Brazil?|Brazil is in South America.
On which continent is Kenya?|Kenya is in Africa.
What language do people speak in Brazil?|They speak Portuguese.
What language do people speak in Mexico?|They speak Spanish.
What money is used in Japan?|Japan uses the yen.
What money is used in Germany?|Germany uses the euro.
What is the first month of the year?|The first month is January.
What is the last month of the year?|The last month is December.
Which month has the fewest days?|February has the fewest days.
What day comes after Monday?|Tuesday comes after Monday.
What day comes before Friday?|Thursday comes before Friday.
What season comes after winter?|Spring comes after winter.
What season comes after summer?|Autumn comes after summer.
In which direction does the sun rise?|The sun rises in the east.
In which direction does the sun set?|The sun sets in the west.
What is the opposite of hot?|The opposite of hot is cold.
What is the opposite of big?|The opposite of big is small.
What is the opposite of up?|The opposite of up is down.
What is the opposite of early?|The opposite of early is late.
How do you spell cat?|Cat is spelled C, A, T.
How do you say hello in Spanish?|Hello in Spanish is hola.
How do you say thank you in French?|Thank you in French is merci.
How do you say goodbye in German?|Goodbye in German is auf Wiedersehen.
How long should I boil an egg?|About eight minutes for a firm egg.
How long should I cook pasta?|Most pasta cooks in about ten minutes.
How long should I brew tea?|Black tea needs three to five minutes.
How hot should the oven be for pizza?|As hot as it goes, about two hundred fifty Celsius.
How do I keep bread fresh?|Keep it in a bag or a bread box.
How do I remove a coffee stain?|Rinse it with cold water, then use mild soap.
How do I clean a window?|Use water with a little vinegar and a dry cloth.
How do I get rid of a bad smell in the fridge?|Put an open box of baking soda inside.
How often should I water a cactus?|About once every two weeks.
How often should I change my toothbrush?|About every three months.
How often should I test the smoke alarm?|Test it once a month.
What should I do if I burn my finger?|Cool it under running water for ten minutes.
What should I do for a nosebleed?|Lean forward and pinch your nose gently.
What can I put on a mosquito bite?|A cold cloth helps against the itch.
What is the emergency number in Europe?|The emergency number in Europe is one one two.
What is the emergency number in America?|The emergency number is nine one one.
What is bread made of?|Bread is made of flour, water, yeast and salt.
What is cheese made from?|Cheese is made from milk.
What is chocolate made from?|Chocolate is made from cocoa beans.
What is wine made from?|Wine is made from grapes.
What fruit is used for cider?|Cider is made from apples.
Which vegetable makes you cry?|Onions make you cry.
Is a tomato a fruit?|Yes, a tomato is a fruit.
Is the sun a star?|Yes, the sun is a star.
Can penguins fly?|No, penguins cannot fly.
Do fish sleep?|Yes, fish rest in their own way.
Why is the sky blue?|Air scatters blue light more than red light.
Why do leaves fall in autumn?|Trees drop leaves to save water and energy.
What can you do?|I listen, answer questions and warn you about sounds.
What is the capital of Ireland?|The capital of Ireland is Dublin.
What is the capital of Poland?|The capital of Poland is Warsaw.
What is the capital of Denmark?|The capital of Denmark is Copenhagen.
What is the capital of Turkey?|The capital of Turkey is Ankara.
How many legs does a dog have?|A dog has four legs.
How many wheels does a bicycle have?|A bicycle has two wheels.
How many toes do people have?|People usually have ten toes.
How many colours are in a rainbow?|A rainbow is said to have seven colours.
How many days does February have?|February has twenty-eight days, and twenty-nine in a leap year.
How many days does April have?|April has thirty days.
How many arms does an octopus have?|An octopus has eight arms.
How many corners does a square have?|A square has four corners.
How many people play in a basketball team?|Five players of a team are on the court.
How many squares are on a chess board?|A chess board has sixty-four squares.
How many strings does a cello have?|A cello has four strings.
Which bird can swim but not fly?|A penguin swims well but cannot fly.
Which animal gives us wool?|Sheep give us wool.
Which animal carries its house on its back?|A snail carries its house on its back.
Which animal has a very long trunk?|An elephant has a long trunk.
Which animal sleeps upside down?|A bat sleeps upside down.
Which animal has black and white stripes?|A zebra has black and white stripes.
What do you call a baby cow?|A baby cow is called a calf.
What do you call a young horse?|A young horse is called a foal.
What do rabbits like to eat?|Rabbits eat mostly grass and hay.
Where do bees live?|Bees live in a hive.
Where do birds lay their eggs?|Most birds lay their eggs in a nest.
Is a whale a fish?|No, a whale is a mammal.
Is a spider an insect?|No, a spider has eight legs, so it is not an insect.
Can a cat see in the dark?|A cat sees well in dim light, but not in full darkness.
Can ice float on water?|Yes, ice is lighter than water, so it floats.
Do trees drink water?|Yes, trees take up water with their roots.
Is the moon bigger than the earth?|No, the moon is much smaller than the earth.
Does the sun move around the earth?|No, the earth moves around the sun.
Is glass made of sand?|Yes, glass is made mostly of melted sand.
What is snow made of?|Snow is made of small ice crystals.
What is paper made of?|Paper is mostly made of wood.
What is butter made from?|Butter is made from cream.
What is flour made from?|Flour is made from ground grain, mostly wheat.
What is a raisin?|A raisin is a dried grape.
Where does coffee come from?|Coffee comes from the roasted seeds of a plant.
What do you need for a pancake?|You need flour, eggs, milk and a little salt.
How long should I cook rice?|Most white rice cooks in about fifteen minutes.
How long should I cook potatoes?|Boil them for about twenty minutes.
How do I know that an egg is fresh?|A fresh egg sinks in a glass of water.
How do I peel garlic quickly?|Press it with a flat knife and the skin comes off.
What helps when soup is too salty?|Add water or a few pieces of potato.
How do I stop onions from burning?|Turn the heat down and stir them often.
How do I keep flowers fresh?|Cut the stems and change the water every two days.
How do I get wax out of a cloth?|Put paper on it and use a warm iron.
How do I clean a burnt pan?|Soak it with hot water and baking soda.
How do I dry wet shoes?|Fill them with paper and let them dry slowly.
How do I get rid of ants?|Take away their food and close the gap they use.
What should I pack for the beach?|Pack a towel, sun cream, water and a hat.
What should I pack for a hike?|Pack water, food, a map and a warm jacket.
What should I wear in the rain?|A rain coat and good shoes.
What helps against hiccups?|Hold your breath for a moment or drink some water.
What helps against a sore throat?|Warm tea, rest and plenty to drink may help.
What helps me to fall asleep?|A dark and quiet room, and no screen before bed.
What should I do in a thunderstorm?|Go inside and keep away from tall trees.
What should I do when I smell gas?|Open the windows, touch no switch and go outside.
What should I do if a pan is on fire?|Put a lid on it, and never use water.
What do I do if the power goes out?|Check the fuse box and ask your neighbours.
How often should I wash my hands?|Always before you eat and when you come home.
How much water should I drink in a day?|About one and a half litres is a good start.
How much sleep does an adult need?|Most adults need seven to nine hours.
Why do we sleep?|Sleep lets the body and the brain recover.
Why do we yawn?|Nobody knows for sure, but being tired is a common reason.
Why is the sea salty?|Rivers carry salt out of the rocks into the sea.
Why do cats purr?|Cats often purr when they feel well.
Why do bread and cakes rise?|Gas bubbles from yeast or baking powder lift them.
Why do we have seasons?|Because the earth is tilted as it goes around the sun.
Why does the moon change its shape?|We see its sunny side from other angles each night.
Why do stars twinkle?|The air that moves above us bends their light.
Why does iron rust?|Iron rusts when it meets water and air.
Why do onions make us cry?|They give off a gas that stings the eyes.
What makes a rainbow?|Sunlight that is split by drops of rain.
What makes thunder?|Lightning heats the air so fast that it bangs.
What is fog?|Fog is a cloud on the ground.
What is a desert?|A desert is a place with very little rain.
What is an island?|An island is land with water all around it.
What is a volcano?|A volcano is an opening where hot rock comes out of the earth.
What is a compass for?|A compass shows you where north is.
What is a thermometer for?|A thermometer measures the temperature.
What is a leap year?|A year with one more day, every four years.
What is a synonym?|A synonym is a word with nearly the same meaning.
What is a verb?|A verb is a word for something that is done.
What do you call the son of my brother?|He is your nephew.
What do you call the mother of my mother?|She is your grandmother.
Who works in a bakery?|A baker works in a bakery.
Who repairs cars?|A mechanic repairs cars.
Who looks after sick animals?|A vet looks after sick animals.
Who puts out fires?|Firefighters put out fires.
What do you use to cut paper?|You can cut paper with scissors.
What do you use to hammer a nail?|You use a hammer.
Which ocean is between Europe and America?|The Atlantic Ocean lies between them.
On which continent is Japan?|Japan is in Asia.
On which continent is Italy?|Italy is in Europe.
What language do people speak in Austria?|They speak German.
What is the tallest mountain of Africa?|It is Mount Kilimanjaro.
Which month comes after June?|July comes after June.
Which holiday is in late December?|Christmas is in late December.
Tell me a fun fact.|Honey can stay good for a very long time.
Tell me a short joke.|Why did the bike fall over? It was two tired.
Give me an idea for dinner.|How about a vegetable soup with fresh bread?
Give me an idea for a rainy day.|You could bake something or play a board game.
Give me a tip for saving energy.|Turn the heating down by one degree.
What could I give my sister for her birthday?|Perhaps a good book or a plant.
What should I cook with eggs and cheese?|You could make an omelette.
Can you recommend a hobby?|You could try drawing, it needs only a pencil.
What is your name?|I am SoundFlow, and I am listening for you.
Do you ever sleep?|No, I listen all the time.
Are you listening?|Yes, I am listening.
Can you hear me?|Yes, I can hear you.
""".strip().splitlines()
    )
)

HEARD_QUESTIONS: tuple[str, ...] = (
    "What did you just hear?",
    "What was that sound?",
    "What was that noise?",
    "What have you heard so far?",
    "Which sounds did you hear?",
    "Did you hear something?",
    "Can you tell me what you heard?",
    "What sounds were there just now?",
    "What just happened?",
    "What noises did you notice?",
    "Tell me what you heard.",
    "What did I miss?",
)
