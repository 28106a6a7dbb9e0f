"""Everyday sentences in English, Spanish, German, French, Italian and, mostly, Mandarin, clause by clause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from data_builder.texts.parallel_clauses import LINES
from soundflow.errors import DataError

ORDER: Final = ("en", "es", "de", "fr", "it", "zh")


@dataclass(frozen=True, slots=True)
class Parallel:
    """One meaning: language (ISO 639-1) -> its clauses in order. Clause k means the same in every language."""

    clauses: dict[str, tuple[str, ...]]

    def __contains__(self, language: object) -> bool:
        return language in self.clauses

    def text(self, language: str) -> str:
        """The whole sentence; Mandarin has no spaces."""
        return ("" if language == "zh" else " ").join(self.clauses[language])


def parse(text: str) -> tuple[Parallel, ...]:
    """Sentences of lines "en|es|de|fr|it" or "en|es|de|fr|it|zh"; a line that ends in "|" goes on, "/" ends a clause.

    Raises DataError for a sentence with other languages, or whose clauses differ in number.
    """
    found = []
    for line in text.strip().replace("|\n", "|").splitlines():
        parts = [tuple(clause.strip() for clause in part.split("/")) for part in line.split("|")]
        if len(parts) not in (5, 6) or len({len(p) for p in parts}) != 1 or not all(c for p in parts for c in p):
            raise DataError(f"expected 5 or 6 languages with as many clauses each, got {line!r}")
        found.append(Parallel(dict(zip(ORDER, parts, strict=False))))
    return tuple(found)


SHORT: Final = parse("""
Where is the train station?|¿Dónde está la estación de tren?|Wo ist der Bahnhof?|
Où est la gare ?|Dov'è la stazione?|火车站在哪里？
How much does this cost?|¿Cuánto cuesta esto?|Wie viel kostet das?|Combien ça coûte ?|Quanto costa questo?|这个多少钱？
I would like a glass of water.|Quisiera un vaso de agua.|Ich möchte ein Glas Wasser.|
Je voudrais un verre d'eau.|Vorrei un bicchiere d'acqua.|我想要一杯水。
The train leaves in ten minutes.|El tren sale en diez minutos.|Der Zug fährt in zehn Minuten ab.|
Le train part dans dix minutes.|Il treno parte tra dieci minuti.|火车十分钟后开。
What time is it now?|¿Qué hora es ahora?|Wie spät ist es jetzt?|Quelle heure est-il maintenant ?|Che ore sono adesso?|
现在几点了？
My sister lives in Paris.|Mi hermana vive en París.|Meine Schwester wohnt in Paris.|
Ma sœur habite à Paris.|Mia sorella abita a Parigi.|我妹妹住在巴黎。
The weather is very nice today.|Hoy hace muy buen tiempo.|Das Wetter ist heute sehr schön.|
Il fait très beau aujourd'hui.|Oggi il tempo è molto bello.|今天天气很好。
Could you help me, please?|¿Podría ayudarme, por favor?|Könnten Sie mir bitte helfen?|
Pourriez-vous m'aider, s'il vous plaît ?|Potrebbe aiutarmi, per favore?|请问您能帮我吗？
I do not understand the question.|No entiendo la pregunta.|Ich verstehe die Frage nicht.|
Je ne comprends pas la question.|Non capisco la domanda.|我不明白这个问题。
We have two children.|Tenemos dos hijos.|Wir haben zwei Kinder.|Nous avons deux enfants.|Abbiamo due figli.|
我们有两个孩子。
The soup is still too hot.|La sopa todavía está demasiado caliente.|Die Suppe ist noch zu heiß.|
La soupe est encore trop chaude.|La zuppa è ancora troppo calda.|汤还太烫。
I have lost my keys.|He perdido mis llaves.|Ich habe meine Schlüssel verloren.|
J'ai perdu mes clés.|Ho perso le chiavi.|我的钥匙丢了。
Please close the window.|Por favor, cierra la ventana.|Bitte mach das Fenster zu.|
Ferme la fenêtre, s'il te plaît.|Chiudi la finestra, per favore.|请把窗户关上。
Good morning, how are you?|Buenos días, ¿cómo estás?|Guten Morgen, wie geht es dir?|
Bonjour, comment vas-tu ?|Buongiorno, come stai?|早上好，你好吗？
The museum is closed on Monday.|El museo está cerrado el lunes.|Das Museum ist am Montag geschlossen.|
Le musée est fermé le lundi.|Il museo è chiuso il lunedì.|博物馆星期一不开门。
I am looking for a cheap hotel.|Busco un hotel barato.|Ich suche ein günstiges Hotel.|
Je cherche un hôtel pas cher.|Cerco un albergo economico.|我在找一家便宜的旅馆。
My father works in a hospital.|Mi padre trabaja en un hospital.|Mein Vater arbeitet in einem Krankenhaus.|
Mon père travaille dans un hôpital.|Mio padre lavora in un ospedale.|我爸爸在医院工作。
I like this song very much.|Esta canción me gusta mucho.|Dieses Lied gefällt mir sehr.|
J'aime beaucoup cette chanson.|Questa canzone mi piace molto.|我很喜欢这首歌。
The coffee is on the table.|El café está en la mesa.|Der Kaffee steht auf dem Tisch.|
Le café est sur la table.|Il caffè è sul tavolo.|咖啡在桌子上。
She speaks three languages.|Ella habla tres idiomas.|Sie spricht drei Sprachen.|
Elle parle trois langues.|Lei parla tre lingue.|她会说三种语言。
See you tomorrow morning.|Hasta mañana por la mañana.|Bis morgen früh.|À demain matin.|A domani mattina.|明天早上见。
I need a new battery.|Necesito una pila nueva.|Ich brauche eine neue Batterie.|
J'ai besoin d'une nouvelle pile.|Ho bisogno di una batteria nuova.|我需要一块新电池。
The bus stops in front of the school.|El autobús para delante de la escuela.|Der Bus hält vor der Schule.|
Le bus s'arrête devant l'école.|L'autobus si ferma davanti alla scuola.|公共汽车停在学校门口。
Happy birthday, my dear friend!|¡Feliz cumpleaños, querido amigo!|Alles Gute zum Geburtstag, mein lieber Freund!|
Joyeux anniversaire, mon cher ami !|Buon compleanno, caro amico!|生日快乐，我亲爱的朋友！
The baby is sleeping now.|El bebé está durmiendo ahora.|Das Baby schläft jetzt.|
Le bébé dort maintenant.|Il bambino sta dormendo adesso.|宝宝正在睡觉。
What would you like to drink?|¿Qué le gustaría beber?|Was möchten Sie trinken?|
Que voudriez-vous boire ?|Che cosa vorrebbe bere?|您想喝什么？
Our train is late again.|Nuestro tren llega tarde otra vez.|Unser Zug hat wieder Verspätung.|
Notre train est encore en retard.|Il nostro treno è di nuovo in ritardo.|我们的火车又晚点了。
I have a headache today.|Hoy me duele la cabeza.|Ich habe heute Kopfschmerzen.|
J'ai mal à la tête aujourd'hui.|Oggi ho mal di testa.|我今天头疼。
This bread is very fresh.|Este pan es muy fresco.|Dieses Brot ist sehr frisch.|Ce pain est très frais.|
Questo pane è molto fresco.|这个面包很新鲜。
Tomorrow is my day off.|Mañana es mi día libre.|Morgen ist mein freier Tag.|
Demain, c'est mon jour de congé.|Domani è il mio giorno libero.|明天我休息。
The children are playing in the garden.|Los niños juegan en el jardín.|Die Kinder spielen im Garten.|
Les enfants jouent dans le jardin.|I bambini giocano in giardino.|孩子们在花园里玩。
Can you speak more slowly?|¿Puede hablar más despacio?|Können Sie langsamer sprechen?|
Pouvez-vous parler plus lentement ?|Può parlare più lentamente?|您能说慢一点吗？
I have been waiting for an hour.|Llevo una hora esperando.|Ich warte seit einer Stunde.|
J'attends depuis une heure.|Aspetto da un'ora.|我等了一个小时了。
The milk is in the fridge.|La leche está en la nevera.|Die Milch ist im Kühlschrank.|
Le lait est dans le frigo.|Il latte è nel frigo.|牛奶在冰箱里。
We are going to the beach on Sunday.|El domingo vamos a la playa.|Am Sonntag fahren wir an den Strand.|
Dimanche, nous allons à la plage.|Domenica andiamo in spiaggia.|星期天我们去海边。
He has forgotten his umbrella.|Ha olvidado su paraguas.|Er hat seinen Regenschirm vergessen.|
Il a oublié son parapluie.|Ha dimenticato l'ombrello.
The door is already open.|La puerta ya está abierta.|Die Tür ist schon offen.|
La porte est déjà ouverte.|La porta è già aperta.
I will call you this evening.|Te llamo esta noche.|Ich rufe dich heute Abend an.|Je t'appelle ce soir.|
Ti chiamo stasera.
Our neighbours are very friendly.|Nuestros vecinos son muy amables.|Unsere Nachbarn sind sehr freundlich.|
Nos voisins sont très gentils.|I nostri vicini sono molto gentili.
The red car belongs to my uncle.|El coche rojo es de mi tío.|Das rote Auto gehört meinem Onkel.|
La voiture rouge est à mon oncle.|La macchina rossa è di mio zio.
We need eggs, butter and flour.|Necesitamos huevos, mantequilla y harina.|Wir brauchen Eier, Butter und Mehl.|
Il nous faut des œufs, du beurre et de la farine.|Ci servono uova, burro e farina.
Turn left at the next corner.|Gire a la izquierda en la próxima esquina.|Biegen Sie an der nächsten Ecke links ab.|
Tournez à gauche au prochain coin de rue.|Giri a sinistra al prossimo angolo.
The film was really exciting.|La película fue muy emocionante.|Der Film war wirklich spannend.|
Le film était vraiment passionnant.|Il film era davvero avvincente.
My phone is almost empty.|Mi teléfono casi no tiene batería.|Mein Handy ist fast leer.|
Mon téléphone n'a presque plus de batterie.|Il mio telefono è quasi scarico.
Where can I buy a ticket?|¿Dónde puedo comprar un billete?|Wo kann ich eine Fahrkarte kaufen?|
Où puis-je acheter un billet ?|Dove posso comprare un biglietto?
She is reading an interesting book.|Está leyendo un libro interesante.|Sie liest ein interessantes Buch.|
Elle lit un livre intéressant.|Sta leggendo un libro interessante.
The shop opens at nine o'clock.|La tienda abre a las nueve.|Das Geschäft öffnet um neun Uhr.|
Le magasin ouvre à neuf heures.|Il negozio apre alle nove.
I have never been to Italy.|Nunca he estado en Italia.|Ich war noch nie in Italien.|
Je ne suis jamais allé en Italie.|Non sono mai stato in Italia.
My brother is three years older than me.|Mi hermano es tres años mayor que yo.|
Mein Bruder ist drei Jahre älter als ich.|Mon frère a trois ans de plus que moi.|Mio fratello ha tre anni più di me.
This chair is not very comfortable.|Esta silla no es muy cómoda.|Dieser Stuhl ist nicht sehr bequem.|
Cette chaise n'est pas très confortable.|Questa sedia non è molto comoda.
Thank you for the lovely evening.|Gracias por la bonita velada.|Danke für den schönen Abend.|
Merci pour cette belle soirée.|Grazie per la bella serata.
""")
COMPOUND: Final = parse(LINES)
SENTENCES: Final = SHORT + COMPOUND
LONGEST: Final = 14
WHOLE: Final = tuple(s for s in SENTENCES if len(s.text("en").split()) <= LONGEST)
"""Sentences that are short enough to be said in one go."""
