"""Downloads that are cut, refused, changed or full: resumed where it can be, and told plainly where it cannot."""

from __future__ import annotations

import email.message
import hashlib
import io
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from data_builder.corpora.get import get
from data_builder.corpora.http import TRIES, fetch
from data_builder.corpora.recipe import Recipe, RemoteFile
from soundflow.errors import DataError
from tests.data_builder.corpora.test_unpack import tar_of

BODY = bytes(range(256)) * 40
MD5 = f"md5:{hashlib.md5(BODY).hexdigest()}"
FILE = RemoteFile("https://example.org/a/corpus.bin?download=1", len(BODY), MD5)


class Reply(io.BytesIO):
    def __init__(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        super().__init__(body)
        self.status, self.headers = status, email.message.Message()
        for name, value in headers.items():
            self.headers[name] = value


class Server:
    """Answers with at most `cut` bytes at a time; `fail` gives what is raised in place of the first answers."""

    def __init__(self, body: bytes = BODY, cut: int = 0, ranges: bool = True, fail: tuple[Any, ...] = ()) -> None:
        self.body, self.cut, self.ranges, self.fail, self.asked = body, cut, ranges, list(fail), []
        self.tag = '"v1"'

    def __call__(self, request: urllib.request.Request, timeout_s: float) -> Reply:
        asked = request.get_header("Range")
        self.asked.append(asked)
        if self.fail:
            raise self.fail.pop(0)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        if start and request.get_header("If-range") not in (None, self.tag):
            start = 0
        if start >= len(self.body):
            raise error(416, {"Content-Range": f"bytes */{len(self.body)}"})
        rest = self.body[start:]
        headers = {"Content-Length": str(len(rest)), "ETag": self.tag}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
        return Reply(rest[: self.cut] if self.cut else rest, 206 if start else 200, headers)


def error(code: int, headers: dict[str, str] | None = None) -> urllib.error.HTTPError:
    message = email.message.Message()
    for name, value in (headers or {}).items():
        message[name] = value
    return urllib.error.HTTPError("https://example.org", code, "no", message, io.BytesIO())


def no_sleep(seconds: float) -> None:
    assert 0 < seconds <= 30


def test_a_whole_file_is_fetched_once(tmp_path: Path) -> None:
    server = Server()
    path = fetch(FILE, tmp_path, open_url=server, sleep=no_sleep)
    assert path == tmp_path / "corpus.bin"
    assert path.read_bytes() == BODY
    assert fetch(FILE, tmp_path, open_url=server, sleep=no_sleep) == path
    assert server.asked == [None]
    assert [p.name for p in tmp_path.iterdir()] == ["corpus.bin"]


def test_a_connection_that_is_cut_is_gone_on_with(tmp_path: Path) -> None:
    server = Server(cut=3000)
    fetch(FILE, tmp_path, open_url=server, sleep=no_sleep)
    assert (tmp_path / "corpus.bin").read_bytes() == BODY
    assert server.asked == [None, "bytes=3000-", "bytes=6000-", "bytes=9000-"]


def test_a_part_of_an_earlier_run_is_used(tmp_path: Path) -> None:
    (tmp_path / "corpus.bin.part").write_bytes(BODY[:5000])
    server = Server()
    fetch(FILE, tmp_path, open_url=server, sleep=no_sleep)
    assert server.asked == ["bytes=5000-"]
    assert (tmp_path / "corpus.bin").read_bytes() == BODY


def test_a_server_without_ranges_and_a_file_that_changed_start_anew(tmp_path: Path) -> None:
    (tmp_path / "corpus.bin.part").write_bytes(b"x" * 5000)
    fetch(FILE, tmp_path, open_url=Server(ranges=False), sleep=no_sleep)
    assert (tmp_path / "corpus.bin").read_bytes() == BODY
    other = tmp_path / "other"
    other.mkdir()
    (other / "corpus.bin.part").write_bytes(b"x" * 5000)
    (other / "corpus.bin.part.tag").write_text('"v0"')
    fetch(FILE, other, open_url=Server(), sleep=no_sleep)
    assert (other / "corpus.bin").read_bytes() == BODY


def test_passing_faults_are_tried_again_and_others_not(tmp_path: Path) -> None:
    server = Server(fail=(error(503), TimeoutError("slow"), urllib.error.URLError("reset")))
    fetch(FILE, tmp_path, open_url=server, sleep=no_sleep)
    assert len(server.asked) == 4
    gone = Server(fail=(error(404),) * 9)
    with pytest.raises(DataError, match=r"404.*by hand and put it at"):
        fetch(FILE, tmp_path / "b", open_url=gone, sleep=no_sleep)
    assert len(gone.asked) == 1


def test_no_network_says_what_to_fetch_and_where_to_put_it(tmp_path: Path) -> None:
    server = Server(fail=(urllib.error.URLError(OSError("Name or service not known")),) * 20)
    (tmp_path / "corpus.bin.part").write_bytes(BODY[:100])
    with pytest.raises(DataError) as caught:
        fetch(FILE, tmp_path, open_url=server, sleep=no_sleep)
    told = str(caught.value)
    assert FILE.url in told
    assert f"put it at {tmp_path / 'corpus.bin'}" in told
    assert "100 bytes are kept" in told
    assert "Name or service not known" in told
    assert len(server.asked) == TRIES
    assert (tmp_path / "corpus.bin.part").read_bytes() == BODY[:100]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (RemoteFile("https://e.org/f", len(BODY), f"sha256:{'0' * 64}"), "sha256 0000"),
        (RemoteFile("https://e.org/f", len(BODY) - 1), "the server has one of"),
        (RemoteFile("https://e.org/f", len(BODY) + 1), "the server has one of"),
    ],
)
def test_another_size_or_checksum_is_refused(tmp_path: Path, file: RemoteFile, told: str) -> None:
    with pytest.raises(DataError, match=told):
        fetch(file, tmp_path, open_url=Server(), sleep=no_sleep)
    assert not (tmp_path / "f").exists()


def test_a_file_put_there_by_hand_is_checked_for_its_size(tmp_path: Path) -> None:
    (tmp_path / "corpus.bin").write_bytes(b"half")
    with pytest.raises(DataError, match=r"expected 10240 bytes, got 4"):
        fetch(FILE, tmp_path, open_url=Server(), sleep=no_sleep)


def test_only_http_is_spoken(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="http or https"):
        fetch(RemoteFile("file:///etc/passwd"), tmp_path)


@contextmanager
def local(body: bytes) -> Iterator[str]:
    """A real server on this machine that knows ranges and breaks its first answer off half way."""
    state = {"first": True}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(body) - start))
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            self.wfile.write(body[start : len(body) // 2] if state["first"] else body[start:])
            state["first"] = False

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def made(files: tuple[RemoteFile, ...]) -> Recipe:
    def nothing(*args: Any) -> Any:
        raise AssertionError

    return Recipe("fake", "", "CC0", True, "", "", "", "", "", nothing, nothing, files)


def test_a_recipe_is_fetched_and_unpacked_over_a_real_connection(tmp_path: Path) -> None:
    raw = tar_of([("corpus/a.txt", b"one"), ("../evil", b"two")], "w:gz")
    with local(raw) as base:
        recipe = made((RemoteFile(f"{base}/corpus.tar.gz", len(raw)),))
        get(recipe, tmp_path / "dl")
        (tmp_path / "dl" / "corpus" / "a.txt").write_bytes(b"touched")
        get(recipe, tmp_path / "dl")  # unpacked once only
    assert (tmp_path / "dl" / "corpus" / "a.txt").read_bytes() == b"touched"
    assert "../evil" in (tmp_path / "dl" / "quarantine.jsonl").read_text()
    assert not (tmp_path / "evil").exists()


def test_a_recipe_tells_all_that_is_still_to_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: RemoteFile, folder: Path, progress: Callable[..., None]) -> Path:
        raise DataError(f"{file.url} could not be fetched")

    monkeypatch.setattr("data_builder.corpora.get.fetch", refuse)
    recipe = made((RemoteFile("https://e.org/a.zip"), RemoteFile("https://e.org/b.zip"), RemoteFile("https://e.org/c")))
    with pytest.raises(DataError, match=r"a\.zip could not.*Still to come: https://e.org/b.zip -> .*, https://e.org/c"):
        get(recipe, tmp_path)
    with pytest.raises(DataError, match="expected a part of fake"):
        get(recipe, tmp_path, ("nothing",))


def test_a_damaged_archive_is_named_and_not_marked_as_done(tmp_path: Path) -> None:
    raw = tar_of([("corpus/a.txt", b"one" * 1000), ("corpus/b.txt", b"two" * 1000)])
    (tmp_path / "corpus.tar").write_bytes(raw[:2500])
    with pytest.raises(DataError, match=r"corpus\.tar.*Remove the archive"):
        get(made((RemoteFile("https://e.org/corpus.tar"),)), tmp_path)
    assert not (tmp_path / "corpus.tar.unpacked").exists()
