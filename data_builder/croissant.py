"""croissant.json: the shards and the fields of their samples in Croissant 1.0 (JSON-LD).

Specification: https://docs.mlcommons.org/croissant/docs/croissant-spec.html. The library mlcroissant (1.1) reads no
JSON inside an archive, so the labels also stand beside the shards, as labels.jsonl; `audio` there is the name of the
file in the shards, by which the two are joined.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from data_builder.card import Facts, licence_id, licences
from data_builder.shards import sha256, write_json
from data_builder.stats import Stats, build_index, metas
from soundflow.errors import DataError

LABELS: Final = "labels.jsonl"
CONFORMS: Final = "http://mlcommons.org/croissant/1.0"
_TERMS: Final = (
    "citeAs", "column", "dataBiases", "dataCollection", "equivalentProperty", "extract", "field", "fileProperty",
    "fileObject", "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path",
    "personalSensitiveInformation", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
    "separator", "source", "subField", "transform",
)  # fmt: skip
CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    **{term: f"cr:{term}" for term in _TERMS},
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
_TEXT, _WHOLE, _BOOL, _REAL = "sc:Text", "sc:Integer", "sc:Boolean", "sc:Float"

# name: (type, description); the fields of LISTS are repeated in each sample.
FIELDS: Final[dict[str, tuple[str, str]]] = {
    "split": (_TEXT, "train, cal or dev"),
    "subtask": (_TEXT, "sub-task of the dialogue"),
    "ability": (_TEXT, "ability that the sub-task belongs to"),
    "negative": (_BOOL, "true where nothing in the stream is to be answered"),
    "samples": (_WHOLE, "length in samples at 16 kHz"),
    "chunk": (_WHOLE, "samples of a decision chunk"),
    "instruction": (_TEXT, "what the system was told before the stream, or nothing"),
    "tools": (_TEXT, "name of the tool set that can be called, or nothing"),
}
LISTS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "events": {
        "id": (_TEXT, "id within the stream"),
        "label": (_TEXT, "class of the sound"),
        "onset": (_WHOLE, "first audible sample"),
        "offset": (_WHOLE, "sample after the last audible one"),
        "evidence_end": (_WHOLE, "sample at which enough of it was heard to answer"),
        "gain_db": (_REAL, "gain in the mix, dB"),
        "source": (_TEXT, "recording, as in attribution.csv"),
        "licence": (_TEXT, "licence of the recording"),
        "respond": (_TEXT, "policy for the sound: yes, no or context"),
    },
    "speech": {
        "id": (_TEXT, "id within the stream"),
        "onset": (_WHOLE, "first sample"),
        "offset": (_WHOLE, "sample after the last one"),
        "text": (_TEXT, "words, or nothing where they are not known"),
        "speaker": (_TEXT, "voice"),
        "role": (_TEXT, "user, bystander, television or backchannel"),
        "addressed": (_BOOL, "meant for the system"),
        "language": (_TEXT, "language code"),
        "emotion": (_TEXT, "emotion of the voice"),
        "source": (_TEXT, "recording, as in attribution.csv"),
        "licence": (_TEXT, "licence of the recording"),
    },
    "responses": {
        "kind": (_TEXT, "speak or act"),
        "due_chunk": (_WHOLE, "chunk in which the response is due"),
        "evidence_end": (_WHOLE, "sample at which its evidence is complete"),
        "delay_ms": (_WHOLE, "drawn delay, ms"),
        "clock": (_TEXT, "what completes the evidence: sound, endpoint, clause, end or timer"),
        "trigger": (_TEXT, "id of the event or utterance that is answered"),
        "text": (_TEXT, "what is to be said"),
    },
}


def describe(folder: Path, stats: Stats, facts: Facts) -> dict[str, Any]:
    """The JSON-LD of a finished build. Raises DataError where a shard differs from what index.json says of it."""
    index = build_index(folder)
    body: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": facts.name,
        "conformsTo": CONFORMS,
        "description": (
            f"{facts.title}: {stats.total.dialogues} streams, {stats.total.hours:.2f} hours of 16 kHz mono audio, each "
            "a dialogue on one sample clock with sounds, speech, and the 400 ms chunk in which a response is due."
        ),
        "license": [licence_id(name)[1] or name for name in licences(stats)],
        "url": facts.url or f"urn:soundflow:{facts.name}",
        "version": facts.version,
        "creator": {"@type": "sc:Organization", "name": facts.creator},
        "keywords": ["audio", "streaming", "sound events", "speech", "dialogue"],
        "inLanguage": sorted(stats.languages),
        "isLiveDataset": False,
        "citeAs": facts.citation or f"{facts.title} ({facts.name}), version {facts.version}, built by {facts.commit}",
        "dataCollection": f"Built with: {facts.command} (seed {index['seed']}, {facts.commit})",
        "dataBiases": f"{1 - stats.real_share:.0%} of the speech is synthetic; labels follow from construction.",
        "personalSensitiveInformation": "Voices of speakers of public corpora, listed in attribution.csv.",
        "distribution": [*_files(folder, index)],
        "recordSet": [_records()],
    }
    if facts.date:
        body["datePublished"] = facts.date
    return body


def _files(folder: Path, index: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    names = []
    for shard in index["shards"]:
        path = folder / shard["name"]
        if not path.is_file():
            raise DataError(f"expected the shard that index.json lists, got none at {path}", shard["name"])
        digest = sha256(path)
        if digest != shard["sha256"]:
            raise DataError(f"expected sha256 {shard['sha256']}, got {digest}", str(path))
        names.append(shard["name"])
        yield _file(path, digest, "application/x-tar", f"{shard['streams']} streams as WebDataset")
    for name, kind, what in (
        (LABELS, "application/jsonlines", "the labels of every stream, a line each"),
        ("index.json", "application/json", "split, seed and sha256 of the shards"),
        ("attribution.csv", "text/csv", "source, dataset, speaker and licence of each recording"),
    ):
        if (folder / name).is_file():
            yield _file(folder / name, sha256(folder / name), kind, what)
    # One set of files alone: mlcroissant 1.1 joins nothing to an archive that two of them share.
    yield {
        "@type": "cr:FileSet",
        "@id": "audio",
        "name": "audio",
        "description": "the audio of every stream, in the tar shards",
        "containedIn": [{"@id": name} for name in names],
        "encodingFormat": "audio/flac",
        "includes": "*.flac",
    }


def _file(path: Path, digest: str, kind: str, what: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "description": what,
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": kind,
        "sha256": digest,
    }


def _records() -> dict[str, Any]:
    fields = [
        _field("id", _TEXT, "id of the stream", _column("id")),
        {
            **_field("file", _TEXT, "name of the audio in the shards", _audio("filename")),
            "references": _column("audio"),
        },
        _field(
            "audio",
            "sc:AudioObject",
            "16 kHz mono, 16-bit FLAC",
            _audio("content"),
        ),
    ]
    fields += [_field(name, kind, what, _column(name)) for name, (kind, what) in FIELDS.items()]
    for outer, inner in LISTS.items():
        parts = [
            _field(f"{outer}/{name}", kind, what, _column(outer) | {"transform": {"jsonPath": f"$.{name}"}})
            for name, (kind, what) in inner.items()
        ]
        fields.append({**_named(outer, f"{outer} of the stream"), "repeated": True, "subField": parts})
    return {
        "@type": "cr:RecordSet",
        "@id": "streams",
        "name": "streams",
        "description": "One record a stream",
        "key": {"@id": "streams/id"},
        "field": fields,
    }


def _named(name: str, what: str) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": f"streams/{name}", "name": name.rpartition("/")[2], "description": what}


def _audio(what: str) -> dict[str, Any]:
    return {"fileSet": {"@id": "audio"}, "extract": {"fileProperty": what}}


def _column(name: str) -> dict[str, Any]:
    return {"fileObject": {"@id": LABELS}, "extract": {"column": name}}


def _field(name: str, kind: str, what: str, source: dict[str, Any]) -> dict[str, Any]:
    return {**_named(name, what), "dataType": kind, "source": source}


def write_labels(folder: Path) -> Path:
    """Write `folder`/labels.jsonl: the fields that croissant.json describes, a line a stream."""
    out = folder / LABELS
    part = out.with_name(out.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        for meta in metas(folder):
            row = {"id": meta["id"], "audio": f"{meta['id']}.flac"} | {name: meta[name] for name in FIELDS}
            row |= {outer: [{k: item[k] for k in inner} for item in meta[outer]] for outer, inner in LISTS.items()}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    os.replace(part, out)
    return out


def write(folder: Path, stats: Stats, facts: Facts) -> Path:
    """Write `folder`/labels.jsonl and croissant.json; after attribution.csv, whose sha256 is in it."""
    write_labels(folder)
    out = folder / "croissant.json"
    write_json(out, describe(folder, stats, facts))
    return out
