"""Words that were recorded one by one: English ones with five translations, Mandarin ones with one."""

from __future__ import annotations

from typing import Final

_LANGUAGES: Final = ("es", "de", "fr", "it", "zh")
_ENGLISH: Final = """
zero cero null zéro zero 零
one uno eins un uno 一
two dos zwei deux due 二
three tres drei trois tre 三
four cuatro vier quatre quattro 四
five cinco fünf cinq cinque 五
six seis sechs six sei 六
seven siete sieben sept sette 七
eight ocho acht huit otto 八
nine nueve neun neuf nove 九
yes sí ja oui sì 是
no no nein non no 不
up arriba oben haut su 上
down abajo unten bas giù 下
left izquierda links gauche sinistra 左
right derecha rechts droite destra 右
on encendido an allumé acceso 开
off apagado aus éteint spento 关
stop alto stopp arrêtez stop 停
bed cama Bett lit letto 床
bird pájaro Vogel oiseau uccello 鸟
cat gato Katze chat gatto 猫
dog perro Hund chien cane 狗
happy feliz glücklich heureux felice 快乐
house casa Haus maison casa 房子
tree árbol Baum arbre albero 树
learn aprender lernen apprendre imparare 学习
follow seguir folgen suivre seguire 跟随
forward adelante vorwärts avant avanti 向前
backward atrás rückwärts arrière indietro 向后
"""


def _read(text: str) -> dict[str, dict[str, str]]:
    rows = [line.split() for line in text.strip().splitlines()]
    return {row[0]: dict(zip(_LANGUAGES, row[1:], strict=True)) for row in rows}


def _pairs(text: str) -> dict[str, str]:
    cells = (cell.split(maxsplit=1) for cell in text.split(",") if cell.strip())
    return {word: meaning.strip() for word, meaning in cells}


ENGLISH_WORDS: Final = _read(_ENGLISH)
"""English word -> language -> its translation."""

DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPOKEN_DIGITS: Final = {d: d for d in DIGITS} | {"oh": "zero"}
"""Digit as it is read aloud -> its key in ENGLISH_WORDS."""

# Words of the HSK list that mean one thing when they are heard without any other word (few homophones).
MANDARIN_WORDS: Final = _pairs("""
丈夫 husband, 上班 go to work, 下班 get off work, 不错 not bad, 东西 thing, 个性 personality, 中餐 Chinese food,
临时 temporary, 主流 mainstream, 乒乓球 table tennis, 书包 school bag, 京剧 Peking opera, 人参 ginseng, 人类 mankind,
今后 from now on, 介绍 introduce, 传说 legend, 伞 umbrella, 位置 position, 体操 gymnastics, 便条 note, 修建 build,
倒霉 unlucky, 假期 holiday, 兄弟 brothers, 光线 light, 兰花 orchid, 兴趣 interest, 内容 content, 农作物 crops,
冬瓜 winter melon, 决定 decide, 冷却 cool down, 出去 go out, 出差 business trip, 出版 publish, 刚才 just now,
刹车 brake, 前天 the day before yesterday, 加班 work overtime, 动脉 artery, 北部 the north, 医院 hospital,
半夜 midnight, 单词 word, 印象 impression, 危害 harm, 原料 raw material, 及时 in time, 友好 friendly, 反应 reaction,
发火 get angry, 发现 discover, 口袋 pocket, 口语 spoken language, 台风 typhoon, 叶子 leaf, 吃 eat, 合同 contract,
同时 at the same time, 名字 name, 后悔 regret, 后面 behind, 和平 peace, 哪个 which one, 商业 commerce,
商标 trademark, 土地 land, 地下 underground, 地球 the earth, 地铁 subway, 地震 earthquake, 坦克 tank,
士兵 soldier, 复活节 Easter, 夏季 summer, 外国 foreign country, 外祖母 grandmother, 外面 outside, 夜晚 night,
大使 ambassador, 大脑 brain, 天气 weather, 天真 naive, 天文 astronomy, 失踪 missing, 好吃 delicious,
好看 good-looking, 妖怪 monster, 姑姑 aunt, 季节 season, 学费 tuition, 宇宙 universe, 客人 guest, 宝贵 precious,
家具 furniture, 家庭 family, 寒假 winter vacation, 寒冷 cold, 对不起 sorry, 对话 dialogue, 尺寸 size,
山区 mountain area, 工资 wages, 帆船 sailing boat, 希望 hope, 平等 equality, 幻想 fantasy, 床 bed,
店员 shop assistant, 开工 start work, 弟弟 younger brother, 弱点 weakness, 强大 powerful, 影响 influence,
快乐 happy, 快速 fast, 悄悄 quietly, 悲伤 sad, 情况 situation, 感兴趣 be interested, 感觉 feel, 愤怒 anger,
懂 understand, 懒 lazy, 成绩 grades, 或许 perhaps, 战争 war, 房子 house, 所以 so, 手指 finger, 打算 plan,
投资 invest, 拍照 take a photo, 指甲 fingernail, 损害 damage, 摇摆 sway, 操心 worry, 收藏 collect, 改革 reform,
政治 politics, 故宫 the Forbidden City, 教授 professor, 教育 education, 文化 culture, 文明 civilisation, 新娘 bride,
新闻 news, 旅游 travel, 旅馆 hotel, 日用品 daily necessities, 昂贵 expensive, 昆虫 insect, 明亮 bright,
明信片 postcard, 明星 celebrity, 星期日 Sunday, 春节 Spring Festival, 晴天 sunny day, 智慧 wisdom, 最后 finally,
月球 the moon, 有些 some, 服务员 waiter, 本来 originally, 机器 machine, 村子 village, 杨树 poplar, 果断 decisive,
标题 title, 栗子 chestnut, 梳子 comb, 棕色 brown, 欢迎 welcome, 歌手 singer, 武术 martial arts, 比赛 competition,
毛巾 towel, 毫米 millimetre, 水库 reservoir, 永远 forever, 污染 pollution, 汽车 car, 沙发 sofa, 沙子 sand,
没什么 it is nothing, 没用 useless, 治疗 treatment, 泡沫 foam, 海外 overseas, 海滨 seaside, 消毒 disinfect,
温度计 thermometer, 游客 tourist, 湿度 humidity, 演讲 speech, 潜力 potential, 火药 gunpowder, 火车 train,
灾害 disaster, 热 hot, 熊猫 panda, 牙刷 toothbrush, 牙膏 toothpaste, 牙齿 teeth, 牺牲 sacrifice, 犹豫 hesitate,
独特 unique, 狗 dog, 狮子 lion, 现实 reality, 玻璃 glass, 珍惜 cherish, 理发 haircut, 理想 ideal,
电冰箱 refrigerator, 电影院 cinema, 电流 electric current, 电脑 computer, 电视 television, 电风扇 electric fan,
疯子 madman, 病人 patient, 直接 direct, 看望 visit, 睡眠 sleep, 石头 stone, 神圣 sacred, 神经 nerve, 离开 leave,
种子 seed, 科学 science, 秘密 secret, 空气 air, 空调 air conditioner, 突然 suddenly, 窗户 window, 竞争 compete,
笑话 joke, 笛子 flute, 笨拙 clumsy, 箱子 box, 糊涂 confused, 糖果 candy, 系统 system, 纯洁 pure, 细菌 bacteria,
羡慕 envy, 美元 US dollar, 老婆 wife, 考试 exam, 而且 moreover, 耳朵 ear, 聊天 chat, 联络 contact, 肚子 belly,
肩膀 shoulder, 肺炎 pneumonia, 能源 energy, 舌头 tongue, 艰难 difficult, 花朵 flower, 英俊 handsome, 草地 lawn,
荒地 wasteland, 菜单 menu, 萝卜 radish, 血管 blood vessel, 行李 luggage, 衣服 clothes, 表扬 praise, 表面 surface,
衬衣 shirt, 西瓜 watermelon, 观察 observe, 设备 equipment, 证据 evidence, 语言 language, 说谎 tell a lie,
课堂 classroom, 谨慎 cautious, 货币 currency, 走廊 corridor, 跑步 running, 跟踪 follow, 跳舞 dance, 跳远 long jump,
身体 body, 边界 border, 运动员 athlete, 这样 like this, 这边 over here, 逮捕 arrest, 逻辑 logic, 那个 that one,
邮票 postage stamp, 钉子 nail, 银行 bank, 错误 mistake, 键盘 keyboard, 阅览室 reading room, 附近 nearby,
陌生 unfamiliar, 隔壁 next door, 难民 refugee, 零件 spare part, 零钱 small change, 青年 young people, 青蛙 frog,
面条儿 noodles, 项目 project, 项链 necklace, 风景 scenery, 食堂 canteen, 食欲 appetite, 馒头 steamed bun,
首都 capital city, 香烟 cigarette, 香皂 soap, 香肠 sausage, 骄傲 proud, 高兴 glad, 鲜血 blood, 黄油 butter,
黑夜 dark night, 鼓励 encourage
""")
"""Mandarin word -> English."""
