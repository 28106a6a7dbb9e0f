"""Tiny corpora in their own published layouts: real names of files, real lines of manifests, tones inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data_builder.corpora.emotion import ACTORS
from tests.data_builder.corpora.tones import text, tone

ALL = ("dev", "train")


@dataclass(frozen=True)
class Layout:
    """`build(raw)` makes it; `clip`: a clip of train; `manifest` and a `bad_line` for it ("" where there is none)."""

    build: Callable[[Path], None]
    clip: str
    manifest: str = ""
    bad_line: str = ""
    count: int = 0
    missing_is_fine: bool = False


def librispeech(raw: Path) -> None:
    for part, speaker, chapter in (("train-clean-100", 19, 198), ("dev-clean", 84, 121123), ("test-clean", 61, 70968)):
        folder = raw / "LibriSpeech" / part / str(speaker) / str(chapter)
        names = [f"{speaker}-{chapter}-{k:04d}" for k in range(2)]
        text(folder / f"{speaker}-{chapter}.trans.txt", f"{names[0]} NORTHANGER ABBEY", f"{names[1]} GO DO YOU HEAR")
        for k, name in enumerate(names):
            tone(folder / f"{name}.flac", 300 + 50 * k)


CV_HEAD = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\tvariant\t"
)


def common_voice(raw: Path) -> None:
    folder = raw / "cv-corpus-17.0-2024-03-15" / "de"
    head = f"{CV_HEAD}locale\tsegment"
    for split, person in (("train", "aa" * 64), ("dev", "bb" * 64), ("test", "cc" * 64)):
        name = f"common_voice_de_{len(split)}{ord(split[0])}.mp3"
        tone(folder / "clips" / name, 330, rate=32_000)
        text(
            folder / f"{split}.tsv",
            head,
            f'{person}\t{name}\tid0\tSie sagte "Guten Tag", dann ging sie.\t\t2\t0\ttwenties\t\t\t\tde\t',
        )


def gigaspeech(raw: Path) -> None:
    def audio(aid: str, subset: str, texts: list[str]) -> dict[str, object]:
        path = f"audio/podcast/P0000/{aid}.opus"
        tone(raw / path, 250, seconds=3.0, rate=16_000)
        segments = [
            {"sid": f"{aid}_S{k:07d}", "begin_time": 0.5 * k, "end_time": 0.5 * k + 0.5, "text_tn": said}
            | {"speaker": "N/A", "subsets": [subset]}
            for k, said in enumerate(texts)
        ]
        return {"title": "x", "path": path, "aid": aid, "format": "opus", "subsets": [subset], "segments": segments}

    body = {
        "dataset": "GigaSpeech",
        "language": "EN",
        "audios": [
            audio("POD0000000001", "{XS}", ["AS THEY'RE LEAVING <COMMA> CAN KASH PULL <PERIOD>", "<MUSIC>"]),
            audio("POD0000000002", "{DEV}", ["WELL DONE <EXCLAMATIONPOINT>"]),
        ],
    }
    (raw / "GigaSpeech.json").write_text(json.dumps(body, indent=2))


def voxpopuli(raw: Path) -> None:
    folder = raw / "transcribed_data" / "en"
    head = "id\traw_text\tnormalized_text\tspeaker_id\tsplit\tgender"
    for split, person in (("train", 28_200), ("dev", 96_764), ("test", 4_515)):
        name = f"20131007-0900-PLENARY-19-en_20131007-21:26:04_{person}"
        tone(folder / "2013" / f"{name}.ogg", 200, seconds=0.6)
        text(
            folder / f"asr_{split}.tsv",
            head,
            f"{name}\tMr President, thank you.\tmr president\t{person}\t{split}\tmale",
        )


def aishell(raw: Path) -> None:
    root = raw / "data_aishell"
    lines = []
    for part, speaker in (("train", "S0002"), ("dev", "S0724"), ("test", "S0764")):
        name = f"BAC009{speaker}W0122"
        tone(root / "wav" / part / speaker / f"{name}.wav")
        lines.append(f"{name} 而 对 楼市 成交 抑制 作用 最 大 的 限 购")
    text(root / "transcript" / "aishell_transcript_v0.8.txt", *lines)


def covost2(raw: Path) -> None:
    folder = raw / "fr"
    rows = [("common_voice_fr_1.mp3", "train", "aa"), ("common_voice_fr_2.mp3", "dev", "bb")]
    rows.append(("common_voice_fr_3.mp3", "test_covost", "cc"))
    rows.append(("common_voice_fr_4.mp3", "train_covost", "bb"))  # a speaker of dev
    text(folder / "validated.tsv", "client_id\tpath\tsentence", *(f"{who}\t{n}\tBonjour {n}" for n, _, who in rows))
    text(
        folder / "covost_v2.fr_en.tsv", "path\ttranslation\tsplit", *(f'{n}\tHello \\"{n}\\"\t{s}' for n, s, _ in rows)
    )
    for name, _, _ in rows:
        tone(folder / "clips" / name, rate=48_000)


def audioset(raw: Path) -> None:
    text(raw / "mid_to_display_name.tsv", "/m/0bt9lr\tDog", "/m/05tny_\tBark", "/m/0ngt1\tThunder", "/m/09x0r\tSpeech")
    head = "segment_id\tstart_time_seconds\tend_time_seconds\tlabel"
    text(
        raw / "audioset_train_strong.tsv",
        head,
        "b0RFKhbpFJA_30000\t0.100\t0.500\t/m/05tny_",
        "b0RFKhbpFJA_30000\t1.000\t2.000\t/m/0ngt1",
        "b0RFKhbpFJA_30000\t1.800\t2.600\t/m/05tny_",
        "no_audio_for_30000\t0.000\t1.000\t/m/05tny_",
    )
    text(raw / "audioset_eval_strong.tsv", head, "s9d-2nhuJCQ_30000\t0.627\t1.237\t/m/0ngt1")
    text(
        raw / "balanced_train_segments.csv",
        "# Segments csv created Sun Mar  5 10:54:31 2017",
        "# num_ytids=22160, num_segs=22160, num_unique_labels=527, num_positive_labels=52882",
        "# YTID, start_seconds, end_seconds, positive_labels",
        '--PJHxphWEs, 30.000, 40.000, "/m/0bt9lr,/m/05tny_"',
        '--mixedClip, 0.000, 10.000, "/m/05tny_,/m/0ngt1"',
        'b0RFKhbpFJA, 30.000, 40.000, "/m/0bt9lr"',
        '--unheardXX, 30.000, 40.000, "/m/0bt9lr"',
    )
    for name in ("train/b0RFKhbpFJA_30000.wav", "eval/Ys9d-2nhuJCQ.flac", "x/--PJHxphWEs.wav", "x/--mixedClip_0.wav"):
        tone(raw / "audio" / name, seconds=3.0, rate=32_000, channels=2)


def fsd50k(raw: Path) -> None:
    by, nc = "http://creativecommons.org/licenses/by/3.0/", "http://creativecommons.org/licenses/by-nc/3.0/"
    zero = "http://creativecommons.org/publicdomain/zero/1.0/"
    dev = {
        "64760": ("ann", zero),
        "16399": ("ben", nc),
        "21914": ("cat", by),
        "25000": ("dan", by),
        "30000": ("cat", by),
    }
    text(
        raw / "FSD50K.ground_truth" / "dev.csv",
        "fname,labels,mids,split",
        '64760,"Bark,Dog,Domestic_animals_and_pets,Animal","/m/05tny_,/m/0bt9lr",train',
        '16399,"Vehicle_horn_and_car_horn_and_honking,Vehicle",/m/0912c9,train',
        '21914,"Walk_and_footsteps",/m/07pbtc8,val',
        '25000,"Siren,Screaming",x,train',
        '30000,"Thunder",x,train',
    )
    text(raw / "FSD50K.ground_truth" / "eval.csv", "fname,labels,mids", '37199,"Electric_guitar,Guitar,Music",/m/02sgy')
    about = {name: {"title": "t", "uploader": who, "license": url} for name, (who, url) in dev.items()}
    for part, body in (("dev", about), ("eval", {"37199": {"uploader": "eve", "license": by}})):
        path = raw / "FSD50K.metadata" / f"{part}_clips_info_FSD50K.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(body))
        for name in body:
            tone(raw / f"FSD50K.{part}_audio" / f"{name}.wav", rate=44_100)


def esc50(raw: Path) -> None:
    rows = [
        ("1-100032-A-0.wav", 1, 0, "dog", True, 100032),
        ("3-98869-A-38.wav", 3, 38, "glass_breaking", False, 98869),
    ]
    rows.append(("5-9032-A-0.wav", 5, 0, "dog", True, 9032))
    lines = [f"{name},{fold},{target},{what},{esc10},{src},A" for name, fold, target, what, esc10, src in rows]
    root = raw / "ESC-50-master"
    text(root / "meta" / "esc50.csv", "filename,fold,target,category,esc10,src_file,take", *lines)
    for row in rows:
        tone(root / "audio" / row[0], rate=44_100)


def urbansound8k(raw: Path) -> None:
    rows = ["100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark", "102105-3-0-0.wav,102105,0,0.9,1,2,3,gun_shot"]
    rows.append("100648-1-0-0.wav,100648,4.8,5.3,2,10,1,car_horn")
    rows.append("100648-1-1-0.wav,100648,5.9,6.3,2,9,1,car_horn")  # a recording of fold 10
    root = raw / "UrbanSound8K"
    text(root / "metadata/UrbanSound8K.csv", "slice_file_name,fsID,start,end,salience,fold,classID,class", *rows)
    for row in rows:
        tone(root / "audio" / f"fold{row.split(',')[5]}" / row.split(",")[0], rate=48_000, channels=2)


def fma(raw: Path) -> None:
    columns = [("album", "information"), ("artist", "id"), ("set", "split"), ("set", "subset"), ("track", "genre_top")]
    columns.append(("track", "license"))
    lines = [",".join(["", *(g for g, _ in columns)]), ",".join(["", *(c for _, c in columns)]), "track_id,,,,,,"]
    lines += [
        '2,"<p>two',
        'lines</p>",1,training,small,Hip-Hop,Attribution-NonCommercial-ShareAlike 3.0 International',
        "5,,2,training,small,Rock,Attribution",
        "141,,6,validation,small,Folk,Attribution-ShareAlike",
        "1048,,7,test,small,,Attribution",
        "1049,,7,training,small,Rock,Attribution",  # an artist of test
        "20,,3,training,large,Pop,Attribution",
    ]
    text(raw / "fma_metadata" / "tracks.csv", *lines)
    for track in (2, 5, 141, 1048, 1049):
        tone(raw / "fma_small" / f"{track // 1000:03d}" / f"{track:06d}.mp3", rate=44_100, channels=2, seconds=1.0)


def musan(raw: Path) -> None:
    text(raw / "musan/music/fma/ANNOTATIONS", *(f"music-fma-{k:04d} pop,electronic Y artist_{k}" for k in range(12)))
    for k in range(12):
        tone(raw / f"musan/music/fma/music-fma-{k:04d}.wav", 200 + k)
        tone(raw / f"musan/noise/free-sound/noise-free-sound-{k:04d}.wav", 300 + k)
        tone(raw / f"musan/speech/librivox/speech-librivox-{k:04d}.wav", 400 + k)


def wham(raw: Path) -> None:
    for part, name in (
        ("tr", "40na010x_1.9857_01xo031a_-1.9857"),
        ("cv", "40ga0106_0.4_407c0214_-0.4"),
        ("tt", "440c0204"),
    ):
        tone(raw / "wham_noise" / part / f"{name}.wav", channels=2)
        head = "utterance_id,noise_file_location,L to R Width (cm),Reverberation Level"
        text(raw / "wham_noise/metadata" / f"noise_meta_{part}.csv", head, f"{name}.wav,13,15 cm,l")


def dns_noise(raw: Path) -> None:
    names = [f"door_Freesound_validated_{425390 + k}_0" for k in range(8)]
    names += [f"fan_Freesound_validated_{361354 + k}_1" for k in range(8)] + ["0HmXmVgPSVQ", "-6pcgdLfb_A"]
    for name in names:
        tone(raw / "datasets_fullband" / "noise_fullband" / f"{name}.wav", rate=48_000)


def ravdess(raw: Path) -> None:
    body = tone(raw / "Actor_01" / "any.wav", seconds=0.1, rate=48_000).read_bytes()
    (raw / "Actor_01" / "any.wav").unlink()
    for actor in ACTORS:
        for feeling in range(1, 9):
            for strength in (1,) if feeling == 1 else (1, 2):
                for said in ("01-01", "01-02", "02-01", "02-02"):
                    name = f"03-01-{feeling:02d}-{strength:02d}-{said}-{actor:02d}.wav"
                    (raw / f"Actor_{actor:02d}").mkdir(exist_ok=True)
                    (raw / f"Actor_{actor:02d}" / name).write_bytes(body)


def crema_d(raw: Path) -> None:
    names = ["1001_DFA_ANG_XX", "1001_IEO_HAP_LO", "1091_WSI_SAD_XX"]
    text(raw / "SentenceFilenames.csv", '"Stimulus_Number","Filename"', *(f'"{k}","{n}"' for k, n in enumerate(names)))
    for name in names:
        tone(raw / "AudioWAV" / f"{name}.wav")


def fluent(raw: Path) -> None:
    root = raw / "fluent_speech_commands_dataset"
    for split, person, said in (
        ("train", "2BqVo8kVB2Skwgyb", "Turn on the lights in the kitchen,activate,lights,kitchen"),
        ("valid", "4BrX8aDqK2cLZRYl", "Play the music,activate,music,none"),
        ("test", "zZezMeg5XvcbRdg3", "Switch language,change language,none,none"),
    ):
        path = f"wavs/speakers/{person}/0a3129c0-4474-11e9-a9a5-5dbec3b8816a.wav"
        head = ",path,speakerId,transcription,action,object,location"
        text(root / "data" / f"{split}_data.csv", head, f"0,{path},{person},{said}")
        tone(root / path)


def picovoice(raw: Path) -> None:
    names = [f"{k:02d}75d273-51bb-47cb-b323-4437bd0de029.wav" for k in range(30)]
    slots = {"coffeeDrink": "mocha", "sugarAmount": " brown sugar"}
    path = raw / "data" / "label" / "label.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({name: {"intent": "orderDrink", "slots": slots} for name in names}))
    for name in names:
        tone(raw / "data" / "speech" / "clean" / name)


LAYOUTS: dict[str, Layout] = {
    "librispeech": Layout(
        librispeech,
        "LibriSpeech/train-clean-100/19/198/19-198-0001.flac",
        "LibriSpeech/dev-clean/84/121123/84-121123.trans.txt",
        "84-121123-0009",
        6,
    ),
    "common_voice": Layout(
        common_voice,
        "cv-corpus-17.0-2024-03-15/de/clips/common_voice_de_5116.mp3",
        "cv-corpus-17.0-2024-03-15/de/train.tsv",
        "only\ttwo",
        3,
    ),
    "gigaspeech": Layout(gigaspeech, "audio/podcast/P0000/POD0000000001.opus", count=2),
    "voxpopuli": Layout(
        voxpopuli,
        "transcribed_data/en/2013/20131007-0900-PLENARY-19-en_20131007-21:26:04_28200.ogg",
        "transcribed_data/en/asr_train.tsv",
        "broken line",
        3,
    ),
    "aishell": Layout(
        aishell,
        "data_aishell/wav/train/S0002/BAC009S0002W0122.wav",
        "data_aishell/transcript/aishell_transcript_v0.8.txt",
        "BAC009S0002W0999",
        3,
    ),
    "covost2": Layout(covost2, "fr/clips/common_voice_fr_1.mp3", "fr/covost_v2.fr_en.tsv", "x.mp3\tHello\tnowhere", 3),
    "audioset": Layout(
        audioset,
        "audio/x/--PJHxphWEs.wav",
        "audioset_train_strong.tsv",
        "b0RFKhbpFJA_30000\tlate\t2.0\t/m/05tny_",
        3,
        missing_is_fine=True,
    ),
    "fsd50k": Layout(fsd50k, "FSD50K.dev_audio/64760.wav", "FSD50K.ground_truth/dev.csv", "77,Bark,x", 4),
    "esc50": Layout(
        esc50,
        "ESC-50-master/audio/3-98869-A-38.wav",
        "ESC-50-master/meta/esc50.csv",
        "../../etc/passwd,1,0,dog,True,1,A",
        3,
    ),
    "urbansound8k": Layout(
        urbansound8k,
        "UrbanSound8K/audio/fold5/100032-3-0-0.wav",
        "UrbanSound8K/metadata/UrbanSound8K.csv",
        "7-1-0-0.wav,7,0,1,1,11,3,dog_bark",
        3,
    ),
    "fma": Layout(fma, "fma_small/000/000005.mp3", "fma_metadata/tracks.csv", "six,values", 4),
    "musan": Layout(musan, "musan/music/fma/music-fma-0001.wav", "musan/music/fma/ANNOTATIONS", "x y", 36),
    "wham": Layout(wham, "wham_noise/tr/40na010x_1.9857_01xo031a_-1.9857.wav", count=3),
    "dns_noise": Layout(
        dns_noise,
        "datasets_fullband/noise_fullband/door_Freesound_validated_425391_0.wav",
        count=18,
        missing_is_fine=True,
    ),
    "ravdess": Layout(ravdess, "Actor_03/03-01-05-02-01-01-03.wav", count=1440),
    "crema_d": Layout(crema_d, "AudioWAV/1001_DFA_ANG_XX.wav", "SentenceFilenames.csv", '"9"', 3),
    "fluent_speech_commands": Layout(
        fluent,
        "fluent_speech_commands_dataset/wavs/speakers/2BqVo8kVB2Skwgyb/0a3129c0-4474-11e9-a9a5-5dbec3b8816a.wav",
        "fluent_speech_commands_dataset/data/train_data.csv",
        "1,/etc/passwd,x,Turn on,activate,lights,none",
        3,
    ),
    "picovoice_s2i": Layout(picovoice, "data/speech/clean/0375d273-51bb-47cb-b323-4437bd0de029.wav", count=30),
}
