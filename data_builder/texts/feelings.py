"""What people say to themselves or into the room when they need somebody, and what a kind listener answers."""

from __future__ import annotations

from typing import Final

DISTRESS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "Help! I have fallen and I cannot get up.",
        (
            "Stay still. Shall I call for help?",
            "Do not move. Should I call an ambulance?",
        ),
    ),
    (
        "Help me, please, somebody help me!",
        (
            "I hear you. Shall I call for help right now?",
            "I am here. Tell me if you need an ambulance.",
        ),
    ),
    (
        "I cannot breathe, I cannot breathe.",
        (
            "Sit upright and try to stay calm. Shall I call an ambulance?",
            "Stay with me. I can call for help now.",
        ),
    ),
    (
        "My chest hurts so much.",
        (
            "That can be serious. Shall I call an ambulance?",
            "Sit down and rest. I can call for help at once.",
        ),
    ),
    (
        "I feel dizzy, everything is turning.",
        (
            "Sit or lie down now. Is somebody with you?",
            "Please lie down. Shall I call somebody?",
        ),
    ),
    (
        "I cut my hand and it is bleeding a lot.",
        (
            "Press a clean cloth on it firmly. Shall I call for help?",
            "Hold the hand up and press on the cut.",
        ),
    ),
    (
        "I think my arm is broken.",
        (
            "Keep the arm still. Shall I call for help?",
            "Do not move it. I can call a doctor.",
        ),
    ),
    (
        "I burned my fingers on the stove.",
        (
            "Cool it under running water for ten minutes.",
            "Hold your fingers under cool water now.",
        ),
    ),
    (
        "I think I am going to faint.",
        (
            "Lie down and put your feet up. Shall I call somebody?",
            "Sit down on the floor at once, please.",
        ),
    ),
    (
        "Something is stuck in my throat.",
        (
            "Cough hard if you can. Shall I call for help?",
            "Lean forward and cough. I can call an ambulance.",
        ),
    ),
    (
        "Somebody is breaking into the house!",
        (
            "Go to a safe room and lock it. Shall I call the police?",
            "Stay quiet and safe. I can call the police.",
        ),
    ),
    (
        "The baby is not waking up!",
        (
            "Call the emergency number now. Shall I do it?",
            "I can call an ambulance at once. Check the breathing.",
        ),
    ),
    (
        "There is smoke everywhere in the kitchen!",
        (
            "Leave the house now and close the door.",
            "Get out and call the fire brigade.",
        ),
    ),
    (
        "Grandpa has collapsed on the floor!",
        (
            "Check whether he breathes. Shall I call an ambulance?",
            "Stay with him. I can call for help now.",
        ),
    ),
    (
        "I took too many of my pills.",
        (
            "Please call the emergency number now. Shall I?",
            "That is urgent. I can call for help.",
        ),
    ),
    (
        "I have been stung and my face is swelling.",
        (
            "That can be dangerous. Shall I call an ambulance?",
            "Sit upright. I can call for help at once.",
        ),
    ),
)
COMFORT: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "I feel so alone in this house.",
        (
            "I am sorry that it feels so lonely. Shall we call a friend?",
            "I am here with you. Would you like to talk?",
        ),
    ),
    (
        "I miss her so much every day.",
        (
            "That is very hard. Would you like to tell me about her?",
            "I am sorry for your loss. I am listening.",
        ),
    ),
    (
        "I failed the exam again, I am so stupid.",
        (
            "You are not stupid. One exam is only one day.",
            "I am sorry. You can try again, and I can help you.",
        ),
    ),
    (
        "Nobody came to my birthday.",
        (
            "I am sorry. That hurts. Shall we do something nice?",
            "That must feel awful. I am glad that you are here.",
        ),
    ),
    (
        "I cannot stop crying today.",
        (
            "It is all right to cry. I am here.",
            "Take your time. Would a slow breath help?",
        ),
    ),
    (
        "My dog died this morning.",
        (
            "I am so sorry about your dog.",
            "Losing a friend hurts. Would you like to talk about it?",
        ),
    ),
    (
        "I lost my job and I do not know what to do.",
        (
            "I am sorry. Let us take one step at a time.",
            "That is a hard day. Shall we make a small plan?",
        ),
    ),
    (
        "I am so scared of the operation.",
        (
            "It is natural to be afraid. Shall we breathe slowly together?",
            "I understand. Would it help to write down your questions?",
        ),
    ),
    (
        "Everything is too much for me right now.",
        (
            "Let us take one small thing first. I am here.",
            "Sit down for a moment. You do not have to do it all.",
        ),
    ),
    (
        "I hate myself for what I said to him.",
        (
            "You are being hard on yourself. You could tell him you are sorry.",
            "We all say things we regret. Be gentle with yourself.",
        ),
    ),
    (
        "She left me and I feel empty.",
        (
            "I am sorry. That must hurt very much.",
            "Take your time. I am here if you want to talk.",
        ),
    ),
    (
        "I am so tired of being ill.",
        (
            "I am sorry that it takes so long. Can I make something easier?",
            "That is exhausting. Shall I call somebody for you?",
        ),
    ),
    (
        "Nothing I do is ever good enough.",
        (
            "You do more than you see. I am here.",
            "I am sorry that it feels that way. Tell me about your day.",
        ),
    ),
    (
        "I had a terrible dream and I am shaking.",
        (
            "You are safe now. Take a slow breath.",
            "It was only a dream. I can turn on a light if you like.",
        ),
    ),
    (
        "I am worried sick about my son.",
        (
            "Waiting is hard. Shall I call him for you?",
            "I understand. Is there somebody who knows more?",
        ),
    ),
    (
        "I feel like crying all the time.",
        (
            "I am sorry. You do not have to be alone with that.",
            "Would you like to talk, or rest a little?",
        ),
    ),
    (
        "No one ever calls me any more.",
        (
            "I am glad to keep you company. Shall we call somebody?",
            "That is sad. Who would you like to hear from?",
        ),
    ),
    (
        "I do not know how to go on.",
        (
            "I am here. If you want to hurt yourself, please call for help now.",
            "Please stay with me. Shall I call somebody you trust?",
        ),
    ),
)
CALM_TALK: Final[tuple[str, ...]] = (
    "I think I will make some tea now.",
    "Where did I put the other sock?",
    "That was a good book, I liked the end.",
    "Two cups of flour, one egg, and a little salt.",
    "The rain has stopped, I could go for a walk.",
    "I should call my sister on the weekend.",
    "This soup needs a bit more pepper.",
    "I had a really nice day at the lake.",
    "We won the game, it was so much fun.",
    "The new chair fits well next to the window.",
    "My hand is a little cold, I need gloves.",
    "The doctor said that everything is fine.",
    "It was only a film, but I cried at the end.",
    "In the story the old man falls down the stairs.",
    "She played a woman who could not breathe, what a role.",
    "The fire brigade visited our school today.",
    "He broke his arm last year, now he plays again.",
    "I used to be scared of the dark as a child.",
    "That joke was so good that I had tears in my eyes.",
    "The help desk answered my letter at last.",
)
"""Self-talk that needs nobody, some of it about things that once did: near misses of the two lists above."""
