"""Speech that is not meant for the system: people among themselves, television, and mentions of devices."""

SIDE_TALK: tuple[str, ...] = tuple(
    """
Anna, did you feed the cat this morning?
Mum, can I have another piece of cake?
Honey, what do you want for dinner tonight?
Have you seen my glasses anywhere, Peter?
I told him yesterday, but he never listens to me.
Did you call your sister back, dear?
We should leave in ten minutes or we will miss the bus.
No, I think the meeting was moved to Thursday.
Tom, where did you put the car keys?
She said she would come over after work.
That was really funny, I laughed the whole evening.
Are you coming with us to the lake, Lisa?
I do not know, maybe we should ask your father.
Put your shoes on, children, we are late.
Well, I would have bought the blue one.
Did you hear what happened at school, mum?
He always parks in front of our house.
My back hurts a little today.
Would you like some more soup, grandpa?
Sure, I will bring the dessert on Saturday.
Jack, help me carry this box, please.
You never told me that you were in Spain.
I was thinking we could paint the bedroom.
Do you remember our first apartment, darling?
Yes, mother, I have done my homework.
Who is picking up the kids today, you or me?
The neighbours are moving out next month.
How was your day at work, love?
Not now, I am on the phone with Maria.
Sorry, I did not catch that, say it again, Paul.
Hello, this is Kate, is Doctor Brown available?
I am calling about the flat in Mill Street.
Thanks, I will talk to you tomorrow, bye.
Could you send me the report by Friday, Susan?
So then the customer asked for his money back.
Let us meet at the station at half past six.
You look tired, did you sleep badly, Ben?
This soup needs a little more salt, I think.
The dog has been asleep all afternoon.
Grandma, tell us the story about the ship.
Give it back, it is mine, Oliver.
Good night, sleep well, see you in the morning.
Happy birthday, my dear, all the best to you.
It was colder last year at this time.
Do you want tea or coffee, Helen?
And now the weather forecast for tomorrow.
Good evening, and welcome to the nine o'clock news.
The president met the prime minister on Tuesday.
Rain is expected in the north during the night.
And the next question for our contestant, what is the capital of Peru?
He shoots, and it is a goal in the final minute.
Buy two and get one free, only this week at Miller's.
Call now and save fifty percent on your first order.
Previously, on The House by the River.
Stay with us, we will be right back after the break.
The stock market closed slightly higher today.
Ladies and gentlemen, please welcome tonight's guest.
I will never forgive you, Rodrigo, never.
Detective, we found something behind the wall.
In this episode we travel to the coast of Norway.
Stir the sauce slowly until it thickens.
Our team is leading by three points.
You have been listening to the morning show.
The road is closed between the two villages.
I turned off the kitchen light before we left.
The thermostat in the office is always too low.
My brother locked the front door twice yesterday.
We bought a new lamp for the living room.
She set a timer and then forgot about it.
The old lamp in the bedroom was broken for weeks.
Did your father lock the garage, Emma?
They keep their house at eighteen degrees.
That coffee was far too strong for me.
He always leaves the lights on, it drives me mad.
I had a latte at the station this morning.
The timer on our oven does not work any more.
Nick told me the lock is still broken.
Last night the lights went out in the whole street.
Our heating was off for two days.
I like a warm light in the evening, do you, Sarah?
""".strip().splitlines()
)
MENTIONS = SIDE_TALK[-16:]  # device words inside side talk: hard negatives of act
