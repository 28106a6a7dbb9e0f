"""How translation is asked for, and the parts of utterances that join two languages."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = {
    "es": "Spanish",
    "de": "German",
    "fr": "French",
    "it": "Italian",
    "zh": "Chinese",
}
TO_ENGLISH: Final = (
    "Translate what you hear into English.",
    "Say in English whatever is said in another language.",
    "I only speak English. Translate foreign speech for me.",
    "Be my interpreter: put every foreign word into English.",
    "When somebody speaks a foreign language, tell me in English what they say.",
    "Please interpret into English.",
    "Give me the English meaning of everything foreign that you hear.",
    "Turn foreign speech into English. English needs no translation.",
    "I am travelling and understand only English. Translate for me.",
    "Whatever foreign language it is, I want to hear it in English.",
)
ONLY_TO_ENGLISH: Final = (
    "Translate {language} into English, and only {language}.",
    "Whenever you hear {language}, tell me in English what it means. Ignore other languages.",
    "Interpret only the {language} for me, in English.",
    "I understand every language here but {language}. Translate that into English.",
    "Put what is said in {language} into English. Leave everything else alone.",
    "Only {language}: say it in English.",
    "My guest speaks {language}. Translate nothing but that into English.",
    "Listen for {language} alone and give me the English.",
)
FROM_ENGLISH: Final = (
    "Translate the English that you hear into {language}.",
    "Whatever is said in English, say it in {language}.",
    "Put English speech into {language} for my guest.",
    "Please interpret from English into {language}.",
    "I am learning {language}. Give me the {language} for what is said in English.",
    "Turn every English word into {language}.",
    "My friend speaks only {language}. Translate what we say in English.",
    "English in, {language} out.",
    "How would you say it in {language}? Translate all English speech.",
    "When somebody speaks English, repeat it in {language}.",
)
SIMULTANEOUS_TO_ENGLISH: Final = (
    "Interpret into English at once, do not wait for the end of the sentence.",
    "Simultaneous translation into English, please, clause by clause.",
    "Translate foreign speech into English while it is spoken.",
    "Give me the English of each part as soon as it has been said.",
    "Interpret live into English. I do not want to wait for whole sentences.",
    "Follow the speaker closely and translate each clause into English.",
    "Translate as you go: every clause into English right away.",
    "Be a simultaneous interpreter from any foreign language into English.",
)
SIMULTANEOUS_FROM_ENGLISH: Final = (
    "Interpret English into {language} at once, do not wait for the end of the sentence.",
    "Simultaneous translation from English into {language}, clause by clause.",
    "Translate English speech into {language} while it is spoken.",
    "Give me the {language} of each English clause as soon as it has been said.",
    "Interpret live from English into {language}. I do not want to wait for whole sentences.",
    "Follow the English speaker closely and translate each clause into {language}.",
    "Translate as you go: every English clause into {language} right away.",
    "Be a simultaneous interpreter from English into {language}.",
)
CODE_SWITCHED: Final = (
    "We mix languages here. Whenever English and another language are mixed, say it all in English.",
    "If a sentence is half English and half something else, give me the whole in English.",
    "Repeat mixed sentences in plain English. Pure English needs no repeating.",
    "When somebody switches language in the middle of a sentence, tell me in English what they said.",
    "My family mixes languages. Put every mixed sentence into English.",
    "Translate sentences with foreign words in them into English, as a whole.",
    "Whoever jumps between two languages: tell me all of it in English.",
    "Only when English is mixed with another language, say the sentence in English.",
)

# Frames in English, and tails that fit every one of them.
FRAMES: Final = tuple(
    """
I would really like to have
Could you please bring me
Yesterday at the market I bought
My brother is still looking for
Do not forget to take
I think that we still need
For my birthday I wish for
On the table over there I see
In the shop they also sell
I am sorry, I cannot find
My friends would like to have
Please put on the kitchen table
""".strip().splitlines()
)
_FRAMES_ABROAD: Final = """
I would like|Quisiera|Ich möchte|Je voudrais|Vorrei|我想要
I am looking for|Busco|Ich suche|Je cherche|Cerco|我在找
I want|Quiero|Ich will|Je veux|Voglio|我要
We have|Tenemos|Wir haben|Nous avons|Abbiamo|我们有
I see|Veo|Ich sehe|Je vois|Vedo|我看到
We sell|Vendemos|Wir verkaufen|Nous vendons|Vendiamo|我们卖
We are buying|Compramos|Wir kaufen|Nous achetons|Compriamo|我们买
My mother has|Mi madre tiene|Meine Mutter hat|Ma mère a|Mia madre ha|我妈妈有
"""
_TAILS: Final = """
a glass of water|un vaso de agua|ein Glas Wasser|un verre d'eau|un bicchiere d'acqua|一杯水
a cup of coffee|una taza de café|eine Tasse Kaffee|une tasse de café|una tazza di caffè|一杯咖啡
a red apple|una manzana roja|einen roten Apfel|une pomme rouge|una mela rossa|一个红苹果
a piece of bread|un pedazo de pan|ein Stück Brot|un morceau de pain|un pezzo di pane|一块面包
a new umbrella|un paraguas nuevo|einen neuen Regenschirm|un nouveau parapluie|un ombrello nuovo|一把新雨伞
a good book|un buen libro|ein gutes Buch|un bon livre|un buon libro|一本好书
two bottles of milk|dos botellas de leche|zwei Flaschen Milch|deux bouteilles de lait|due bottiglie di latte|两瓶牛奶
a small spoon|una cuchara pequeña|einen kleinen Löffel|une petite cuillère|un cucchiaio piccolo|一把小勺子
a warm blanket|una manta caliente|eine warme Decke|une couverture chaude|una coperta calda|一条暖和的毯子
a white shirt|una camisa blanca|ein weißes Hemd|une chemise blanche|una camicia bianca|一件白衬衫
three tickets|tres billetes|drei Fahrkarten|trois billets|tre biglietti|三张票
a kilo of oranges|un kilo de naranjas|ein Kilo Orangen|un kilo d'oranges|un chilo di arance|一公斤橙子
a map of the city|un mapa de la ciudad|einen Stadtplan|un plan de la ville|una mappa della città|一张城市地图
some fresh fish|pescado fresco|frischen Fisch|du poisson frais|del pesce fresco|一些新鲜的鱼
a long rope|una cuerda larga|ein langes Seil|une longue corde|una corda lunga|一根长绳子
a birthday cake|una tarta de cumpleaños|eine Geburtstagstorte|un gâteau d'anniversaire|
una torta di compleanno|一个生日蛋糕
four yellow flowers|cuatro flores amarillas|vier gelbe Blumen|quatre fleurs jaunes|quattro fiori gialli|四朵黄花
a clean towel|una toalla limpia|ein sauberes Handtuch|une serviette propre|un asciugamano pulito|一条干净的毛巾
a wooden chair|una silla de madera|einen Holzstuhl|une chaise en bois|una sedia di legno|一把木椅子
a bowl of rice|un plato de arroz|eine Schüssel Reis|un bol de riz|una ciotola di riso|一碗米饭
some cheese and ham|queso y jamón|Käse und Schinken|du fromage et du jambon|formaggio e prosciutto|一些奶酪和火腿
a sharp knife|un cuchillo afilado|ein scharfes Messer|un couteau bien aiguisé|un coltello affilato|一把锋利的刀
five green bags|cinco bolsas verdes|fünf grüne Taschen|cinq sacs verts|cinque borse verdi|五个绿色的袋子
a bottle of olive oil|una botella de aceite de oliva|eine Flasche Olivenöl|
une bouteille d'huile d'olive|una bottiglia di olio d'oliva|一瓶橄榄油
"""


def _table(text: str) -> tuple[dict[str, str], ...]:
    rows = [line.split("|") for line in text.strip().replace("|\n", "|").splitlines()]
    return tuple(dict(zip(("en", *LANGUAGES), row, strict=True)) for row in rows)


FRAMES_ABROAD: Final = _table(_FRAMES_ABROAD)
TAILS: Final = _table(_TAILS)
