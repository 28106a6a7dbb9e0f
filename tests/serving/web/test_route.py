"""The page's routes: headers, what is served and what is not."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import soundfile
from fastapi import FastAPI
from starlette.testclient import TestClient

from serving.web import route


@pytest.fixture
def client() -> TestClient:
    app = FastAPI(openapi_url=None)
    app.include_router(route.router(None))
    return TestClient(app)


def test_every_file_has_its_type_and_the_strict_headers(client: TestClient) -> None:
    paths = ["/", *(f"/web/{p.name}" for p in route.STATIC.iterdir()), "/demo.wav", "/demo-tools.json", "/web/none.js"]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == (404 if "none" in path else 200), path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert client.get("/web/main.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/").headers["content-type"].startswith("text/html")


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline() -> None:
    for path in route.STATIC.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), path
        assert "innerHTML" not in text, path
    page = (route.STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", page)
    for name in re.findall(r'(?:src|href)="web/([^"]+)"', page):
        assert (route.STATIC / name).is_file()


@pytest.mark.parametrize(
    "path", ["/web/..%2froute.py", "/web/../route.py", "/web/%2e%2e/route.py", "/web/", "/web/route.py", "/web//etc"]
)
def test_no_path_leaves_the_folder(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_known_file_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/web/main.js")
    again = client.get("/web/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/web/main.js", headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.head("/").status_code == 200


def test_demo_is_the_recording_as_wav(client: TestClient) -> None:
    audio, rate_hz = soundfile.read(io.BytesIO(client.get("/demo.wav").content))
    assert (rate_hz, len(audio)) == (16_000, 50 * 16_000)


def test_an_installation_without_the_demo_says_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(route, "demo_file", lambda name: None)
    answer = client.get("/demo.wav")
    assert answer.status_code == 404
    assert "house.flac" in answer.text
    assert client.get("/demo-tools.json").status_code == 404
