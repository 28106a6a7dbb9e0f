"""The dataset card: README.md with the YAML head of the Hugging Face hub, made out of what a build holds.

Keys of the head: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from data_builder.stats import Stats, build_index
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import ConfigError

CHARTS: Final = "statistics.png"
SHARDS: Final = "shard-*.tar"
PARQUET: Final = "data/*.parquet"  # of data_builder.export, which `datasets` reads without a guess
SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_CC: Final = re.compile(r"CC[ -](BY(?:-NC)?(?:-SA|-ND)?)[ -]([1-4]\.[05])", re.IGNORECASE)
_NAMED: Final = {
    "CC0": ("cc0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "CC0 1.0": ("cc0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "Apache-2.0": ("apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "MIT": ("mit", "https://opensource.org/license/mit"),
    "ODbL 1.0 / DbCL 1.0": ("odbl", "https://opendatacommons.org/licenses/odbl/1-0/"),
}
_TASKS: Final = ("audio-text-to-text", "audio-classification", "automatic-speech-recognition")
_TAGS: Final = ("audio", "streaming", "audio-interaction", "sound-events", "speech", "webdataset", "croissant")


@dataclass(frozen=True, slots=True)
class Facts:
    """What only the caller knows of a build. `url`, `date` (ISO) and `citation` may be left empty.

    `commit`: of the builder, or its version.
    """

    name: str
    command: str
    commit: str
    title: str = "SoundFlow streaming audio dialogues"
    version: str = "2.0.0"
    url: str = ""
    date: str = ""
    creator: str = "The SoundFlow authors"
    citation: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise ConfigError(f"name: expected letters, digits, '.', '_' and '-'; got {self.name!r}")


def licence_id(text: str) -> tuple[str, str]:
    """(id on the hub, URL) of a licence as the corpora state it; ("other", "") where it is none of the hub's.

    A remark in brackets behind the name does not change the licence; any other words do.
    """
    bare = re.sub(r"\s*\([^)]*\)\s*$", "", text).strip()
    if bare in _NAMED:
        return _NAMED[bare]
    if found := _CC.fullmatch(bare):
        kind, version = found[1].lower(), found[2]
        return f"cc-{kind}-{version}", f"https://creativecommons.org/licenses/{kind}/{version}/"
    return "other", ""


def licences(stats: Stats) -> list[str]:
    """Every licence of an item or a background, by the time of its items."""
    return sorted({*stats.licences, *stats.licensed}, key=lambda n: (-stats.licences[n], n))


def front_matter(stats: Stats, index: Mapping[str, Any], facts: Facts, files: str = SHARDS) -> dict[str, Any]:
    """The YAML head. One licence is named by its id; a mixture is `other`, with a link to the list of recordings.

    `files`: pattern of what `datasets` is to load.
    """
    ids = {licence_id(name)[0] for name in licences(stats) if name and name != "synthetic"}
    head: dict[str, Any] = {"pretty_name": facts.title, "license": ids.pop() if len(ids) == 1 else "other"}
    if head["license"] == "other":
        head |= {"license_name": "one-a-recording", "license_link": "attribution.csv"}
    head["language"] = sorted(stats.languages) or ["en"]
    head["task_categories"] = list(_TASKS)
    head["size_categories"] = [_size(stats.total.dialogues)]
    head["tags"] = [*_TAGS, *(["synthetic"] if stats.speech["synthetic"] else [])]
    head["annotations_creators"] = ["machine-generated"]
    head["configs"] = [{"config_name": "default", "data_files": [{"split": index["split"], "path": files}]}]
    return head


def _size(number: int) -> str:
    return next((name for most, name in SIZES if number < most), "10M<n<100M")


def card(
    stats: Stats,
    index: Mapping[str, Any],
    facts: Facts,
    about: Mapping[str, str] | None = None,
    picture: str = "",
    files: str = SHARDS,
) -> str:
    """Text of README.md. `about`: sub-task -> one line on what it is; `picture`: file name of the charts."""
    head = yaml.safe_dump(front_matter(stats, index, facts, files), sort_keys=False, allow_unicode=True, width=100)
    parts = [
        f"---\n{head}---",
        f"# {facts.title} ({facts.name})",
        _what(stats, index),
        _made(index, facts),
        _layout(),
        _subtasks(stats, about or {}),
        _numbers(stats, picture),
        _licences(stats),
        _limits(stats),
        _use(),
        _removal(),
        _cite(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _what(stats: Stats, index: Mapping[str, Any]) -> str:
    t = stats.total
    return (
        f"{t.dialogues:,} streams of audio ({t.hours:.2f} hours, split `{index['split']}`) for training a model that "
        "listens all the time and decides every 400 ms whether to stay silent, to speak or to act. A stream is a "
        f"dialogue of {stats.shortest:.0f} to {stats.longest:.0f} s on one sample clock: sounds and speech "
        "with onset and offset, and for each response the chunk in which it is due. "
        f"{t.silent / max(1, t.dialogues):.1%} of the streams hold nothing that is to be answered."
    )


def _made(index: Mapping[str, Any], facts: Facts) -> str:
    return (
        "## How it was made\n\n"
        f"With SoundFlow's corpus builder (`{facts.commit}`), seed {index['seed']}:\n\n"
        f"```\n{facts.command}\n```\n\n"
        "The same command over the same recordings gives the same bytes on any number of workers; `index.json` lists "
        "the sha256 of every shard. Scenes are drawn from templates, recordings are cut, levelled and laid on the "
        "clock, then put through a room, a microphone and a channel. Labels follow from the construction: nobody "
        "annotated the mixed audio."
    )


def _layout() -> str:
    return (
        "## Files\n\n"
        "- `shard-NNNNNN.tar`: WebDataset shards; `ID.flac` (16 kHz, mono, 16 bit) and `ID.json` for each stream\n"
        "- `index.json`: split, seed, streams, and the sha256 of each shard\n"
        "- `attribution.csv`: a row for each recording: source, dataset, speaker, licence, split, streams, seconds\n"
        "- `croissant.json`: fields and files in Croissant 1.0; `labels.jsonl`: the labels without the audio\n\n"
        "Times in the JSON are samples at 16 kHz. `responses[].due_chunk` is floor((end of the evidence + 120 to "
        "240 ms) / chunk), for whole utterances after their endpoint (another 880 ms)."
    )


def _subtasks(stats: Stats, about: Mapping[str, str]) -> str:
    rows = ["## Sub-tasks", ""]
    extra = " what it is |" if about else ""
    rows += [f"| sub-task | ability | dialogues | hours | without a response | spoken | acts |{extra}"]
    rows += ["|---|---|--:|--:|--:|--:|--:|" + ("---|" if about else "")]
    for name, t in sorted(stats.subtasks.items(), key=lambda i: (i[1].ability, i[0])):
        share = t.silent / max(1, t.dialogues)
        said = f" {_cell(about.get(name, ''))} |" if about else ""
        rows.append(
            f"| {_cell(name)} | {_cell(t.ability)} | {t.dialogues:,} | {t.hours:.2f} | {share:.0%} | {t.speak:,} "
            f"| {t.act:,} |{said}"
        )
    return "\n".join(rows)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _numbers(stats: Stats, picture: str) -> str:
    t, gaps, delays = stats.total, stats.gaps, stats.delays
    made = sum(s.made for s in stats.speakers.values())
    silent = t.chunks - t.due
    lines = [
        "## Statistics",
        "",
        f"- decisions: {silent:,} silent, {t.speak:,} speak, {t.act:,} act ({silent / max(1, t.due):.1f} silent chunks "
        "for one with a response)",
        f"- gaps between items: median {gaps.quantile(0.5):.2f} s, 5th to 95th percentile {gaps.quantile(0.05):.2f} to "
        f"{gaps.quantile(0.95):.2f} s (below zero: overlap)",
        f"- start of the due chunk after the end of the evidence: median {delays.quantile(0.5):.2f} s; by clock: "
        + (", ".join(f"{k} {v:,}" for k, v in sorted(stats.clocks.items())) or "none"),
        f"- speech: {sum(stats.speech.values()) / SR / 3600:.2f} h, {stats.real_share:.1%} of it real; "
        f"{len(stats.speakers) - made} real speakers, {made} synthetic voices",
        "- languages: " + (_hours(stats.languages) or "none"),
        "- roles of the speech: " + (_hours(stats.roles) or "none"),
        f"- sounds: {sum(map(sum, stats.events.values())):,} of {len(stats.events)} labels, "
        f"{sum(v[0] for v in stats.events.values()):,} of them answered",
        f"- streams with an instruction: {stats.instructed:,}; places: {len(stats.places)}",
    ]
    if picture:
        lines += ["", f"![hours, gaps, delays, decisions, speakers and licences]({picture})"]
    return "\n".join(lines)


def _hours(counter: Mapping[str, int]) -> str:
    order = sorted(counter.items(), key=lambda i: (-i[1], i[0]))
    return ", ".join(f"{k} {v / SR / 3600:.2f} h" for k, v in order)


def _licences(stats: Stats) -> str:
    rows = [
        "## Licences",
        "",
        "Every recording keeps its own licence; a stream is under those of all its recordings.",
        "",
    ]
    rows += ["| licence | hours of items | streams that hold such a recording |", "|---|--:|--:|"]
    names = licences(stats)
    for name in names:
        link = licence_id(name)[1]
        said = f"[{_cell(name)}]({link})" if link else _cell(name)
        rows.append(f"| {said} | {stats.licences[name] / SR / 3600:.2f} | {stats.licensed[name]:,} |")
    closed = [n for n in names if re.search(r"\bNC\b|non-?commercial", n, re.IGNORECASE)]
    if closed:
        rows += ["", f"**Not for commercial use**, because of: {', '.join(sorted(closed))}."]
    if any("SA" in n.upper().replace("-", " ").split() for n in names):
        rows += ["", "Share-alike licences are among them: a mix that holds such a recording is passed on under it."]
    rows += [
        "",
        "Items are sounds and utterances; backgrounds count in the last column alone. Each recording is a row of",
    ]
    rows += ["`attribution.csv`."]
    return "\n".join(rows)


def _limits(stats: Stats) -> str:
    made = 1 - stats.real_share if sum(stats.speech.values()) else 0.0
    return "\n".join(
        [
            "## Known limits",
            "",
            f"- {made:.0%} of the speech is spoken by synthesis engines. A model that hears only those learns a narrow "
            "idea of a voice; the share is stated so that it can be held against real recordings.",
            "- English synthetic utterances were checked by a recogniser, others by nobody. Emotions of synthetic "
            "voices are settings of rate, pitch and loudness, not acting.",
            "- Labels were checked by a program (`soundflow data check`), not by listeners. Labels of recordings are "
            "those of their corpora, with their mistakes.",
            "- Rooms, microphones, codecs and packet loss are simulated.",
            "- Which sounds deserve an answer is a policy for a quiet home; other places need another one.",
            "- Answers are short texts from templates, not a model of conversation.",
        ]
    )


def _use() -> str:
    return (
        "## Intended use\n\n"
        "Training and testing of streaming models that decide when to answer: transcription and translation while "
        "somebody speaks, sound events, instructions on a live stream, proactive alerts, device calls, addressee "
        "detection. It is not meant for recognising or imitating persons, for covert listening, nor as the only "
        "evidence that an alarm will be noticed: it is no safety device."
    )


def _removal() -> str:
    return (
        "## To have a recording removed\n\n"
        "Its name is in `attribution.csv`, column `source`; a voice is in column `speaker`. "
        "`soundflow data remove DIR NAME` takes out every stream that holds it and remembers it; building again in "
        "that folder makes up the hours without it. Who has no copy to build "
        "from writes to the maintainers with the name."
    )


def _cite(facts: Facts) -> str:
    if facts.citation:
        return f"## Citation\n\n```bibtex\n{facts.citation.strip()}\n```"
    lines = [f"  title = {{{facts.title}}}", f"  author = {{{{{facts.creator}}}}}"]
    lines += [f"  year = {{{facts.date[:4]}}}"] if facts.date else []
    lines += [f"  url = {{{facts.url}}}"] if facts.url else []
    lines += [f"  note = {{{facts.name}, version {facts.version}, built by {facts.commit}}}"]
    body = "@misc{" + re.sub(r"\W", "_", facts.name) + ",\n" + ",\n".join(lines) + "\n}"
    return f"## Citation\n\n```bibtex\n{body}\n```\n\nPlease cite the corpora in `attribution.csv` as well."


def write(folder: Path, stats: Stats, facts: Facts, about: Mapping[str, str] | None = None) -> Path:
    """Write `folder`/README.md, after the charts and exports that it names. Raises DataError without index.json."""
    index = build_index(folder)
    picture = CHARTS if (folder / CHARTS).is_file() else ""
    files = PARQUET if any(folder.glob(PARQUET)) else SHARDS
    out = folder / "README.md"
    part = out.with_name(out.name + ".part")
    part.write_text(card(stats, index, facts, about, picture, files), encoding="utf-8")
    os.replace(part, out)
    return out
