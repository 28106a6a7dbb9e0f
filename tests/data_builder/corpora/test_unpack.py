"""Hostile archives: what is safe comes out, the rest is told, and nothing is ever written outside the target."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_builder.corpora.unpack import TEMPORARY, Limits, Unpacked, unpack
from soundflow.errors import DataError

SMALL = Limits(members=50, member_bytes=1 << 20, total_bytes=4 << 20, ratio=50.0, ratio_after=1 << 16)
BODY = bytes(range(256)) * 9
EVIL = (
    *("../evil", "a/../../evil", "/tmp/sf-evil", "//evil", "C:/evil", "c:evil", "..\\evil", "a\\b", "..", "nul\nline"),
    *(TEMPORARY, "x" * 300, "/".join("d" * 60), "tab\tname"),
)


def tar_of(entries: list[tarfile.TarInfo | tuple[str, bytes]], mode: str = "w") -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                tar.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                tar.addfile(info, io.BytesIO(entry[1]))
    return sink.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def zip_of(entries: list[tuple[str | zipfile.ZipInfo, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression) as book:
        for name, body in entries:
            book.writestr(name, body)
    return sink.getvalue()


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def run(tmp_path: Path, raw: bytes, limits: Limits = SMALL) -> Unpacked:
    """Unpack `raw` into tmp_path/box/target; fails where anything but the target and the archive changed."""
    (tmp_path / "box").mkdir(exist_ok=True)
    archive, target = tmp_path / "box" / "archive", tmp_path / "box" / "target"
    archive.write_bytes(raw)
    (tmp_path / "box" / "precious").write_bytes(b"keep me")
    try:
        return unpack(archive, target, limits)
    finally:
        inside = f"box{'/'}target/"
        others = {k: v for k, v in contents(tmp_path).items() if not k.startswith(inside)}
        assert others == {"box/archive": raw, "box/precious": b"keep me"}
        assert not (target / TEMPORARY).exists()
        assert not any(p.is_symlink() for p in target.rglob("*"))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tars_come_out_whole(tmp_path: Path, mode: str) -> None:
    done = run(tmp_path, tar_of([("a.wav", BODY), ("deep/er/b.txt", b"two"), ("empty", b"")], mode))
    assert contents(tmp_path / "box" / "target") == {"a.wav": BODY, "deep/er/b.txt": b"two", "empty": b""}
    assert done.complete
    assert not done.rejected
    assert [p.name for p in done.files] == ["a.wav", "b.txt", "empty"]


def test_a_zip_comes_out_whole(tmp_path: Path) -> None:
    done = run(tmp_path, zip_of([("ESC/meta/esc50.csv", b"one"), ("ESC/a.wav", BODY), ("ESC/folder/", b"")]))
    assert contents(tmp_path / "box" / "target") == {"ESC/meta/esc50.csv": b"one", "ESC/a.wav": BODY}
    assert done.complete
    assert not done.rejected


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_names_that_lead_elsewhere_are_refused_one_by_one(tmp_path: Path, make: Callable[..., bytes]) -> None:
    done = run(tmp_path, make([("good1", b"1"), *((name, b"evil") for name in EVIL), ("dir/good2", b"2")]))
    kept = contents(tmp_path / "box" / "target")
    assert {"good1": b"1", "dir/good2": b"2"}.items() <= kept.items()
    assert b"evil" not in kept.values()
    assert len(done.rejected) == len(EVIL)
    assert all(member.reason for member in done.rejected)
    assert not Path("/tmp/sf-evil").exists()
    reasons = {member.name: member.reason for member in done.rejected}
    assert all('".."' in reasons[name] for name in ("../evil", "a/../../evil", ".."))


def test_a_nul_in_a_name_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers, info.size = {"path": "a\0b"}, 1
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(b"1"))
    done = run(tmp_path, sink.getvalue())
    assert [r.reason for r in done.rejected] == ["expected a name of visible characters"]


def test_links_devices_and_pipes_are_refused(tmp_path: Path) -> None:
    bad = [
        special("sym", tarfile.SYMTYPE, "../precious"),
        special("symdir", tarfile.SYMTYPE, ".."),
        special("hard", tarfile.LNKTYPE, "../precious"),
        special("hard2", tarfile.LNKTYPE, "good"),
        special("char", tarfile.CHRTYPE),
        special("block", tarfile.BLKTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ]
    done = run(tmp_path, tar_of([("good", b"1"), *bad, ("symdir/through", b"2"), ("last", b"3")]))
    assert contents(tmp_path / "box" / "target") == {"good": b"1", "symdir/through": b"2", "last": b"3"}
    assert [r.name for r in done.rejected] == [info.name for info in bad]


def test_a_zip_with_a_link_or_an_encrypted_member(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("sym")
    link.external_attr = 0o120777 << 16
    raw = bytearray(zip_of([(link, b"../precious"), ("secret", b"123"), ("good", b"1")]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = [i for i in range(len(raw)) if raw[i : i + 4] == signature][1]
        raw[at + offset] |= 1
    done = run(tmp_path, bytes(raw))
    assert contents(tmp_path / "box" / "target") == {"good": b"1"}
    assert [(r.name, r.reason.rsplit(" ", 2)[-2:]) for r in done.rejected] == [
        ("sym", ["a", "link"]),
        ("secret", ["encrypted", "one"]),
    ]


def test_a_link_that_was_there_before_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    target = tmp_path / "target"
    target.mkdir()
    (target / "door").symlink_to(outside)
    (target / "file").symlink_to(outside / "file")
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_of([("door/evil", b"1"), ("door/a/b/evil", b"1"), ("door/folder/", b""), ("file", b"2")]))
    done = unpack(archive, target)
    assert not list(outside.iterdir())
    assert [r.name for r in done.rejected] == ["door/evil", "door/a/b/evil", "door/folder/"]
    assert (target / "file").read_bytes() == b"2"


def test_a_name_twice_and_a_file_as_folder(tmp_path: Path) -> None:
    done = run(tmp_path, tar_of([("a", b"1"), ("./a", b"2"), ("a/b", b"3"), ("d/e", b"4"), ("d", b"5")]))
    assert contents(tmp_path / "box" / "target") == {"a": b"1", "d/e": b"4"}
    assert len(done.rejected) == 3


def test_limits_of_size_count_and_total(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    noise = rng.bytes(5 << 20)
    done = run(tmp_path, tar_of([("big", noise[: (1 << 20) + 1]), ("small", b"1")]))
    assert [r.name for r in done.rejected] == ["big"]
    assert [p.name for p in done.files] == ["small"]
    many = run(tmp_path, tar_of([(f"n{k}", b"") for k in range(60)]))
    assert (len(many.files), many.complete) == (50, False)
    assert "50 members" in many.rejected[-1].reason
    for make in (tar_of, zip_of):
        total = run(tmp_path, make([(f"t{k}", noise[k << 20 : (k + 1) << 20]) for k in range(5)]))
        assert not total.complete
        assert sum(p.stat().st_size for p in total.files) <= SMALL.total_bytes


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_bombs_are_stopped_while_they_are_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    limits = Limits(member_bytes=1 << 40, total_bytes=1 << 40, ratio=50.0, ratio_after=1 << 16)
    done = run(tmp_path, pack(tar_of([("good", b"1"), ("bomb", bytes(64 << 20))])), limits)
    assert [p.name for p in done.files] == ["good"]
    assert "bomb" in done.rejected[-1].reason
    assert not done.complete


def test_a_zip_bomb_is_left_out_and_the_rest_comes(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    body = rng.bytes(400_000)  # so that the archive as a whole is no bomb
    done = run(tmp_path, zip_of([("body", body), ("bomb", bytes(1 << 20)), ("good", b"1")]))
    assert [p.name for p in done.files] == ["body", "good"]
    assert [r.name for r in done.rejected] == ["bomb"]


def test_a_header_that_lies_about_its_size(tmp_path: Path) -> None:
    body = zlib.compress(bytes(100_000))
    for claimed in (10, 5_000_000):
        raw = bytearray(zip_of([("liar", bytes(100_000)), ("good", b"1")]))
        struct.pack_into("<I", raw, 22, claimed)
        at = raw.index(b"PK\x01\x02")
        struct.pack_into("<I", raw, at + 24, claimed)
        done = run(tmp_path, bytes(raw), Limits())
        assert [p.name for p in done.files] == ["good"]
        assert [r.name for r in done.rejected] == ["liar"]
    assert body
    tar = bytearray(tar_of([("first", b"1"), ("liar", b"2")]))
    at = tar.index(b"liar")
    info = tarfile.TarInfo("liar")
    info.size = 1 << 33
    tar[at : at + 512] = info.tobuf(tarfile.GNU_FORMAT)
    done = run(tmp_path, bytes(tar), Limits())
    assert [p.name for p in done.files] == ["first"]
    assert not done.complete


def test_a_header_of_many_bytes_is_not_read_to_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1 << 34
    raw = gzip.compress(tar_of([("good", b"1")])[:1024] + info.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))
    done = run(tmp_path, raw, Limits())
    assert [p.name for p in done.files] == ["good"]
    assert "claims" in done.rejected[-1].reason


@pytest.mark.parametrize("kind", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_cut_at_every_tenth_byte(tmp_path: Path, kind: str) -> None:
    entries: list[tuple[str, bytes]] = [("one", b"1" * 300), ("two/three", BODY[:700]), ("four", b"")]
    raw = zip_of(entries) if kind == "zip" else tar_of(list(entries), kind)  # type: ignore[arg-type]
    step = 10 if len(raw) < 4000 else 100
    for cut in range(0, len(raw), step):
        try:
            done = run(tmp_path, raw[:cut])
        except DataError:
            continue
        whole = {name: body for name, body in entries}
        for path in done.files:
            assert path.read_bytes() == whole[str(path.relative_to(tmp_path / "box" / "target"))]
        if len(done.files) < len(entries):
            assert done.rejected
            assert not done.complete


def test_a_tar_that_ends_between_two_members_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, tar_of([("one", b"1" * 512), ("two", b"2" * 512)])[: 2 * 512])
    assert [p.name for p in done.files] == ["one"]
    assert not done.complete
    assert "end mark" in done.rejected[-1].reason


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raw=st.binary(max_size=3000), magic=st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b"BZh9"])
)
def test_garbage_is_a_data_error_at_most(tmp_path: Path, raw: bytes, magic: bytes) -> None:
    try:
        run(tmp_path, magic + raw)
    except DataError:
        pass


@pytest.mark.parametrize("kind", ["w", "w:gz", "zip"])
def test_flipped_bytes(tmp_path: Path, kind: str) -> None:
    entries = [("one", b"1" * 300), ("two/three", BODY[:700]), ("four", b"x")]
    raw = zip_of(list(entries)) if kind == "zip" else tar_of(list(entries), kind)  # type: ignore[arg-type]
    rng = np.random.default_rng(7)
    for _ in range(120):
        broken = bytearray(raw)
        for at in rng.integers(len(raw), size=int(rng.integers(1, 8))):
            broken[at] = int(rng.integers(256))
        try:
            run(tmp_path, bytes(broken))
        except DataError:
            continue


def test_no_archive_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected an archive"):
        unpack(tmp_path / "none.zip", tmp_path / "t")
    (tmp_path / "page.tar.gz").write_bytes(b"<!DOCTYPE html><html>not found</html>")
    with pytest.raises(DataError, match="expected a tar or zip"):
        unpack(tmp_path / "page.tar.gz", tmp_path / "t")
