"""CoVoST 2: sentences of Common Voice 4 with a translation. The label holds it: "TRANSLATION:de ...".

Official splits with the published extension ("train_covost"); a speaker of dev or test never comes to train.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import get, remote
from data_builder.corpora.manifest import table
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, unfinished
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

PREFIX: Final = "TRANSLATION:"
PAIRS: Final = ("de_en", "es_en", "fr_en", "it_en", "zh-CN_en", "en_de", "en_zh-CN")
COLUMNS: Final = ("path", "translation", "split")
SPOKEN: Final = ("path", "sentence", "client_id")
SPLITS: Final = {"train": "train", "train_covost": "train", "dev": "dev", "dev_covost": "dev"} | {
    "test": "dev",
    "test_covost": "dev",
}


def clips(raw: Path) -> Iterator[Entry]:
    """LANG/covost_v2.SRC_TGT.tsv beside Common Voice's LANG/validated.tsv and LANG/clips/, or the .tsv in `raw`."""
    tables = sorted(raw.glob("covost_v2.*_*.tsv")) + sorted(raw.glob("*/covost_v2.*_*.tsv"))
    tables = [path for path in tables if re.fullmatch(r"covost_v2\.[A-Za-z-]+_[A-Za-z-]+\.tsv", path.name)]
    if not tables:
        raise DataError(f"expected covost_v2.SRC_TGT.tsv, got none{unfinished(raw)}", str(raw))
    for path in tables:
        source, target = path.name.removeprefix("covost_v2.").removesuffix(".tsv").split("_")
        spoken = next((f for f in (path.parent, raw / source) if (f / "validated.tsv").is_file()), None)
        if spoken is None or not (spoken / "clips").is_dir():
            raise DataError(
                f"expected Common Voice 4 of {source} (validated.tsv and clips/) in {raw / source}, got none: CoVoST"
                " holds the translations only",
                str(path),
            )
        yield from _pair(path, spoken, source, target)


def _pair(path: Path, spoken: Path, source: str, target: str) -> Iterator[Entry]:
    said: dict[str, tuple[str, str]] = {}
    for item in table(spoken / "validated.tsv", SPOKEN, tabs=True):
        if not isinstance(item, Bad):
            said[item[1]["path"]] = (item[1]["sentence"], item[1]["client_id"])
    held: set[str] = set()
    for late in (False, True):  # dev and test first: their speakers are held out
        for item in table(path, COLUMNS, tabs=True):
            if isinstance(item, Bad):
                if not late:
                    yield item
                continue
            where, row = item
            split = SPLITS.get(row["split"])
            if split is None or (split == "train") != late:
                if split is None and not late:
                    yield Bad(where, f"expected a split ({', '.join(SPLITS)}), got {row['split'][:40]!r}")
                continue
            sentence, person = said.get(row["path"], ("", ""))
            if not sentence:
                yield Bad(where, f"expected {row['path'][:80]!r} in validated.tsv, got none")
                continue
            if late and person in held:
                yield Bad(where, "expected a speaker of train, got one of dev or test")
                continue
            if not late:
                held.add(person)
            yield Clip(
                audio=spoken / "clips" / row["path"],
                key=f"{source}_{target}/{row['path'].rsplit('.', 1)[0]}",
                split=split,
                kind="speech",
                label=f"{PREFIX}{target.partition('-')[0]} {plain(row['translation'])}",
                text=plain(sentence),
                speaker=f"cv_{person[:32]}",
                language=source.partition("-")[0],
            )


def plain(text: str) -> str:
    """Without the backslashes that the tables write before some signs."""
    return re.sub(r"\\(.)", r"\1", text)


def download_covost2(folder: Path, only: Sequence[str] = ()) -> None:
    """The translations; the speech is Common Voice 4 (2019-12-10), which `common_voice` tells how to get."""
    get(RECIPE, folder, only)


def prepare_covost2(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="covost2",
    title="CoVoST 2",
    licence="unclear: CC0 by the repository, CC BY-NC 4.0 by its LICENSE file and the hub",
    open=False,
    gives="speech with words and a translation to or from English",
    size="10 to 50 MB a pair, and Common Voice 4",
    citation="C. Wang et al., CoVoST 2 and Massively Multilingual Speech Translation, Interspeech 2021",
    homepage="https://github.com/facebookresearch/covost",
    layout="https://github.com/facebookresearch/covost (README, get_covost_splits.py: columns and splits)",
    download=download_covost2,
    prepare=prepare_covost2,
    files=remote("https://dl.fbaipublicfiles.com/covost/", [f"covost_v2.{pair}.tsv.tar.gz" for pair in PAIRS]),
)
