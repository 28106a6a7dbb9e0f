"""Sentences of two or three clauses that come in the same order in every language: `data_builder.texts.parallel`."""

from __future__ import annotations

from typing import Final

LINES: Final = """
I would like to pay, / but I have no cash.|Quisiera pagar, / pero no tengo efectivo.|
Ich möchte bezahlen, / aber ich habe kein Bargeld.|Je voudrais payer, / mais je n'ai pas d'argent liquide.|
Vorrei pagare, / ma non ho contanti.|我想付钱，/但是我没有现金。
It is raining outside, / so we are staying at home.|Está lloviendo fuera, / así que nos quedamos en casa.|
Draußen regnet es, / also bleiben wir zu Hause.|Il pleut dehors, / alors nous restons à la maison.|
Fuori piove, / quindi restiamo a casa.|外面在下雨，/所以我们待在家里。
If you have time, / come with us to the cinema.|Si tienes tiempo, / ven con nosotros al cine.|
Wenn du Zeit hast, / komm mit uns ins Kino.|Si tu as le temps, / viens avec nous au cinéma.|
Se hai tempo, / vieni con noi al cinema.|如果你有时间，/就跟我们去看电影吧。
I am very tired, / because I did not sleep well.|Estoy muy cansado, / porque no dormí bien.|
Ich bin sehr müde, / weil ich schlecht geschlafen habe.|Je suis très fatigué, / parce que j'ai mal dormi.|
Sono molto stanco, / perché ho dormito male.|我很累，/因为我没睡好。
When I was a child, / we lived near the sea.|Cuando era niño, / vivíamos cerca del mar.|
Als ich ein Kind war, / wohnten wir in der Nähe des Meeres.|Quand j'étais enfant, / nous habitions près de la mer.|
Quando ero bambino, / abitavamo vicino al mare.|我小时候，/我们住在海边。
First we go shopping, / and then we cook together.|Primero vamos de compras, / y después cocinamos juntos.|
Zuerst gehen wir einkaufen, / und dann kochen wir zusammen.|
D'abord nous faisons les courses, / et ensuite nous cuisinons ensemble.|
Prima facciamo la spesa, / e poi cuciniamo insieme.|我们先去买东西，/然后一起做饭。
My mother is a doctor, / and my father is a teacher.|Mi madre es médica, / y mi padre es profesor.|
Meine Mutter ist Ärztin, / und mein Vater ist Lehrer.|Ma mère est médecin, / et mon père est professeur.|
Mia madre è medico, / e mio padre è insegnante.|我妈妈是医生，/我爸爸是老师。
The hotel is small, / but it is very clean.|El hotel es pequeño, / pero está muy limpio.|
Das Hotel ist klein, / aber es ist sehr sauber.|L'hôtel est petit, / mais il est très propre.|
L'albergo è piccolo, / ma è molto pulito.|旅馆很小，/但是非常干净。
Yesterday I was at home, / and today I am at work.|Ayer estuve en casa, / y hoy estoy en el trabajo.|
Gestern war ich zu Hause, / und heute bin ich bei der Arbeit.|
Hier, j'étais à la maison, / et aujourd'hui je suis au travail.|Ieri ero a casa, / e oggi sono al lavoro.|
昨天我在家，/今天我在上班。
Turn off the light, / before you go to bed.|Apaga la luz, / antes de irte a la cama.|
Mach das Licht aus, / bevor du ins Bett gehst.|Éteins la lumière, / avant d'aller au lit.|
Spegni la luce, / prima di andare a letto.
I know this restaurant, / the food there is very good.|Conozco este restaurante, / la comida allí es muy buena.|
Ich kenne dieses Restaurant, / das Essen dort ist sehr gut.|
Je connais ce restaurant, / la cuisine y est très bonne.|
Conosco questo ristorante, / si mangia molto bene.|我知道这家饭馆，/那里的菜很好吃。
I want to learn Spanish, / because I am moving to Madrid.|Quiero aprender español, / porque me mudo a Madrid.|
Ich möchte Spanisch lernen, / weil ich nach Madrid ziehe.|
Je veux apprendre l'espagnol, / parce que je déménage à Madrid.|
Voglio imparare lo spagnolo, / perché mi trasferisco a Madrid.|我想学西班牙语，/因为我要搬到马德里去。
The meeting begins at ten, / and it ends at noon.|La reunión empieza a las diez, / y termina al mediodía.|
Die Besprechung beginnt um zehn, / und sie endet um zwölf Uhr mittags.|
La réunion commence à dix heures, / et elle finit à midi.|
La riunione comincia alle dieci, / e finisce a mezzogiorno.|会议十点开始，/中午结束。
If it snows tomorrow, / the school will be closed.|Si mañana nieva, / la escuela estará cerrada.|
Wenn es morgen schneit, / bleibt die Schule geschlossen.|S'il neige demain, / l'école sera fermée.|
Se domani nevica, / la scuola resterà chiusa.|如果明天下雪，/学校就不开门。
I like tea, / but my wife prefers coffee.|Me gusta el té, / pero mi mujer prefiere el café.|
Ich mag Tee, / aber meine Frau trinkt lieber Kaffee.|J'aime le thé, / mais ma femme préfère le café.|
Mi piace il tè, / ma mia moglie preferisce il caffè.|我喜欢喝茶，/但是我太太更喜欢咖啡。
She opened the window, / and a bird flew in.|Ella abrió la ventana, / y entró un pájaro.|
Sie öffnete das Fenster, / und ein Vogel flog herein.|Elle a ouvert la fenêtre, / et un oiseau est entré.|
Lei ha aperto la finestra, / ed è entrato un uccello.|她打开窗户，/一只鸟飞了进来。
The tickets are expensive, / so we are taking the bus.|Los billetes son caros, / así que tomamos el autobús.|
Die Fahrkarten sind teuer, / deshalb nehmen wir den Bus.|Les billets sont chers, / alors nous prenons le bus.|
I biglietti sono cari, / quindi prendiamo l'autobus.|票很贵，/所以我们坐公共汽车。
Sit down, please, / the doctor will come soon.|Siéntese, por favor, / el médico vendrá pronto.|
Setzen Sie sich bitte, / der Arzt kommt gleich.|Asseyez-vous, s'il vous plaît, / le médecin arrive bientôt.|
Si sieda, per favore, / il medico arriva subito.|请坐，/医生马上就来。
I called you twice, / but nobody answered.|Te llamé dos veces, / pero no contestó nadie.|
Ich habe dich zweimal angerufen, / aber niemand ging ans Telefon.|
Je t'ai appelé deux fois, / mais personne n'a répondu.|
Ti ho chiamato due volte, / ma nessuno ha risposto.|我给你打了两次电话，/但是没有人接。
While I cook dinner, / you can set the table.|Mientras preparo la cena, / tú puedes poner la mesa.|
Während ich das Abendessen koche, / kannst du den Tisch decken.|
Pendant que je prépare le dîner, / tu peux mettre la table.|
Mentre preparo la cena, / tu puoi apparecchiare la tavola.|我做晚饭的时候，/你可以摆桌子。
We wanted to go for a walk, / but it was too cold.|Queríamos dar un paseo, / pero hacía demasiado frío.|
Wir wollten spazieren gehen, / aber es war zu kalt.|Nous voulions nous promener, / mais il faisait trop froid.|
Volevamo fare una passeggiata, / ma faceva troppo freddo.|我们本来想去散步，/但是天太冷了。
The computer is broken, / I have to buy a new one.|El ordenador está roto, / tengo que comprar uno nuevo.|
Der Computer ist kaputt, / ich muss einen neuen kaufen.|
L'ordinateur est cassé, / je dois en acheter un nouveau.|
Il computer è rotto, / devo comprarne uno nuovo.|电脑坏了，/我得买一台新的。
Go straight ahead, / and then turn right.|Siga todo recto, / y luego gire a la derecha.|
Gehen Sie geradeaus, / und dann biegen Sie rechts ab.|Allez tout droit, / puis tournez à droite.|
Vada sempre dritto, / e poi giri a destra.|一直往前走，/然后往右拐。
My grandmother is old, / but she still rides a bicycle.|Mi abuela es mayor, / pero todavía va en bicicleta.|
Meine Großmutter ist alt, / aber sie fährt noch Fahrrad.|
Ma grand-mère est âgée, / mais elle fait encore du vélo.|
Mia nonna è anziana, / ma va ancora in bicicletta.|我奶奶年纪大了，/但是她还骑自行车。
I found a wallet, / so I took it to the police.|Encontré una cartera, / así que la llevé a la policía.|
Ich habe eine Brieftasche gefunden, / also habe ich sie zur Polizei gebracht.|
J'ai trouvé un portefeuille, / alors je l'ai apporté à la police.|
Ho trovato un portafoglio, / così l'ho portato alla polizia.|我捡到一个钱包，/就把它交给了警察。
When the bell rings, / the children run outside.|Cuando suena el timbre, / los niños salen corriendo.|
Wenn es klingelt, / laufen die Kinder hinaus.|Quand la cloche sonne, / les enfants courent dehors.|
Quando suona la campanella, / i bambini corrono fuori.
The room is quiet, / and the bed is comfortable.|La habitación es tranquila, / y la cama es cómoda.|
Das Zimmer ist ruhig, / und das Bett ist bequem.|La chambre est calme, / et le lit est confortable.|
La camera è tranquilla, / e il letto è comodo.|房间很安静，/床也很舒服。
Please speak quietly, / because the baby is asleep.|Habla bajo, por favor, / porque el bebé está durmiendo.|
Sprich bitte leise, / weil das Baby schläft.|Parle doucement, s'il te plaît, / parce que le bébé dort.|
Parla piano, per favore, / perché il bambino dorme.|请小声说话，/因为宝宝在睡觉。
I am not hungry, / but I would like a cup of tea.|No tengo hambre, / pero me gustaría una taza de té.|
Ich habe keinen Hunger, / aber ich hätte gern eine Tasse Tee.|
Je n'ai pas faim, / mais j'aimerais bien une tasse de thé.|
Non ho fame, / ma vorrei una tazza di tè.|我不饿，/但是我想喝杯茶。
He works in the city, / and he lives in a village.|Trabaja en la ciudad, / y vive en un pueblo.|
Er arbeitet in der Stadt, / und er wohnt in einem Dorf.|Il travaille en ville, / et il habite dans un village.|
Lavora in città, / e abita in un paese.|他在城里上班，/住在乡下。
The plane landed late, / so we missed the last train.|El avión aterrizó tarde, / así que perdimos el último tren.|
Das Flugzeug landete spät, / deshalb verpassten wir den letzten Zug.|
L'avion a atterri en retard, / alors nous avons raté le dernier train.|
L'aereo è atterrato in ritardo, / così abbiamo perso l'ultimo treno.
If you feel cold, / take the blanket from the sofa.|Si tienes frío, / toma la manta del sofá.|
Wenn dir kalt ist, / nimm die Decke vom Sofa.|Si tu as froid, / prends la couverture sur le canapé.|
Se hai freddo, / prendi la coperta dal divano.
I washed the dishes, / and my son dried them.|Yo lavé los platos, / y mi hijo los secó.|
Ich habe das Geschirr gespült, / und mein Sohn hat es abgetrocknet.|
J'ai lavé la vaisselle, / et mon fils l'a essuyée.|Ho lavato i piatti, / e mio figlio li ha asciugati.
The bakery is closed today, / but the supermarket is open.|
La panadería está cerrada hoy, / pero el supermercado está abierto.|
Die Bäckerei hat heute geschlossen, / aber der Supermarkt hat offen.|
La boulangerie est fermée aujourd'hui, / mais le supermarché est ouvert.|
Oggi la panetteria è chiusa, / ma il supermercato è aperto.
After the concert, / we walked home along the river.|Después del concierto, / volvimos a casa a pie por el río.|
Nach dem Konzert / sind wir am Fluss entlang nach Hause gegangen.|
Après le concert, / nous sommes rentrés à pied le long du fleuve.|
Dopo il concerto, / siamo tornati a casa a piedi lungo il fiume.
He forgot his password, / and now he cannot log in.|Olvidó su contraseña, / y ahora no puede entrar.|
Er hat sein Passwort vergessen, / und jetzt kann er sich nicht anmelden.|
Il a oublié son mot de passe, / et maintenant il ne peut pas se connecter.|
Ha dimenticato la password, / e adesso non riesce ad accedere.
I would buy this coat, / if it were not so expensive.|Compraría este abrigo, / si no fuera tan caro.|
Ich würde diesen Mantel kaufen, / wenn er nicht so teuer wäre.|
J'achèterais ce manteau, / s'il n'était pas si cher.|Comprerei questo cappotto, / se non fosse così caro.
The dog is barking, / because somebody is at the door.|El perro ladra, / porque hay alguien en la puerta.|
Der Hund bellt, / weil jemand an der Tür ist.|Le chien aboie, / parce qu'il y a quelqu'un à la porte.|
Il cane abbaia, / perché c'è qualcuno alla porta.
Take this medicine, / and drink a lot of water.|Tome esta medicina, / y beba mucha agua.|
Nehmen Sie dieses Medikament, / und trinken Sie viel Wasser.|Prenez ce médicament, / et buvez beaucoup d'eau.|
Prenda questa medicina, / e beva molta acqua.
In summer it is hot, / in winter there is a lot of snow.|En verano hace calor, / en invierno hay mucha nieve.|
Im Sommer ist es heiß, / im Winter liegt viel Schnee.|
En été il fait chaud, / en hiver il y a beaucoup de neige.|In estate fa caldo, / in inverno c'è molta neve.
We have bread and cheese, / but there is no butter left.|Tenemos pan y queso, / pero ya no queda mantequilla.|
Wir haben Brot und Käse, / aber es ist keine Butter mehr da.|
Nous avons du pain et du fromage, / mais il n'y a plus de beurre.|
Abbiamo pane e formaggio, / ma non c'è più burro.
The street is wet, / so please drive carefully.|La calle está mojada, / así que conduce con cuidado, por favor.|
Die Straße ist nass, / also fahr bitte vorsichtig.|La route est mouillée, / alors conduis prudemment, s'il te plaît.|
La strada è bagnata, / quindi guida con prudenza, per favore.
I get up at seven, / I have breakfast at eight, / and then I go to work.|
Me levanto a las siete, / desayuno a las ocho, / y luego voy al trabajo.|
Ich stehe um sieben auf, / ich frühstücke um acht, / und dann gehe ich zur Arbeit.|
Je me lève à sept heures, / je prends le petit déjeuner à huit heures, / puis je vais au travail.|
Mi alzo alle sette, / faccio colazione alle otto, / e poi vado al lavoro.|我七点起床，/八点吃早饭，/然后去上班。
When I came home, / the lights were on, / but nobody was there.|
Cuando llegué a casa, / las luces estaban encendidas, / pero no había nadie.|
Als ich nach Hause kam, / waren die Lichter an, / aber niemand war da.|
Quand je suis rentré, / les lumières étaient allumées, / mais il n'y avait personne.|
Quando sono tornato a casa, / le luci erano accese, / ma non c'era nessuno.|我回家的时候，/灯是开着的，/但是没有人。
The house is old, / the roof is leaking, / and the heating does not work.|
La casa es vieja, / el tejado gotea, / y la calefacción no funciona.|
Das Haus ist alt, / das Dach ist undicht, / und die Heizung funktioniert nicht.|
La maison est vieille, / le toit fuit, / et le chauffage ne marche pas.|
La casa è vecchia, / il tetto perde, / e il riscaldamento non funziona.
Wash the potatoes, / cut them into small pieces, / and boil them for ten minutes.|
Lava las patatas, / córtalas en trozos pequeños, / y cuécelas diez minutos.|
Wasch die Kartoffeln, / schneide sie in kleine Stücke, / und koche sie zehn Minuten.|
Lave les pommes de terre, / coupe-les en petits morceaux, / et fais-les cuire dix minutes.|
Lava le patate, / tagliale a pezzetti, / e falle bollire per dieci minuti.|把土豆洗干净，/切成小块，/然后煮十分钟。
I like the blue shirt, / but it is too small, / so I will take the green one.|
Me gusta la camisa azul, / pero es demasiado pequeña, / así que me llevo la verde.|
Das blaue Hemd gefällt mir, / aber es ist zu klein, / also nehme ich das grüne.|
J'aime bien la chemise bleue, / mais elle est trop petite, / alors je prends la verte.|
La camicia blu mi piace, / ma è troppo piccola, / quindi prendo quella verde.|
我喜欢蓝色的衬衫，/但是太小了，/所以我要绿色的。
If you see Maria, / tell her that I am sick / and that I am staying at home.|
Si ves a María, / dile que estoy enfermo / y que me quedo en casa.|
Wenn du Maria siehst, / sag ihr, dass ich krank bin / und dass ich zu Hause bleibe.|
Si tu vois Maria, / dis-lui que je suis malade / et que je reste à la maison.|
Se vedi Maria, / dille che sono malato / e che resto a casa.
"""
