"""Serves the web page: `/`, its files under `/web/`, the demo recording and the demo devices.

All files are read once, into memory; a path that is not among them is 404, so that no path can leave the folder. Every
answer carries a Content-Security-Policy that allows this origin only, and nosniff.
"""

from __future__ import annotations

import hashlib
import io
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

STATIC: Final = Path(__file__).parent / "static"
TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent; `tag` is its ETag."""

    body: bytes
    media_type: str
    tag: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> Asset:
        return cls(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:20]}"')

    def answer(self, request: Request) -> Response:
        """200 with the body, or 304 where the browser has it."""
        headers = {**HEADERS, "ETag": self.tag}
        if self.tag in [t.strip() for t in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        return Response(self.body, media_type=self.media_type, headers=headers)


def demo_file(name: str) -> Path | None:
    """A file of the repository's demo folder, or where the wheel puts it; None where it was not shipped."""
    for folder in (Path(__file__).parents[2] / "demo", Path(sys.prefix) / "share" / "soundflow" / "demo"):
        if (folder / name).is_file():
            return folder / name
    return None


@cache
def _demo_wav(path: Path) -> Asset:
    """house.flac as 16-bit WAV, decoded once (1.6 MB)."""
    import soundfile

    samples, rate_hz = soundfile.read(path, dtype="int16")
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, subtype="PCM_16", format="WAV")
    return Asset.of(out.getvalue(), "audio/wav")


def _missing(name: str) -> Response:
    return PlainTextResponse(
        f"demo/{name} is not part of this installation: take it from the SoundFlow repository, or choose a file.",
        status_code=404,
        headers=HEADERS,
    )


def router(config: object | None = None) -> APIRouter:
    """The page's routes. `config` is taken for the shape that all routers share; nothing of it is needed."""
    assets = {
        path.name: Asset.of(path.read_bytes(), TYPES[path.suffix])
        for path in sorted(STATIC.iterdir())
        if path.suffix in TYPES
    }
    routes = APIRouter(include_in_schema=False)
    verbs = ["GET", "HEAD"]

    @routes.api_route("/", methods=verbs)
    def index(request: Request) -> Response:
        return assets["index.html"].answer(request)

    @routes.api_route("/web/{name}", methods=verbs)
    def file(name: str, request: Request) -> Response:
        if (asset := assets.get(name)) is None:
            return PlainTextResponse("no such file", status_code=404, headers=HEADERS)
        return asset.answer(request)

    @routes.api_route("/demo.wav", methods=verbs)
    def demo(request: Request) -> Response:
        path = demo_file("house.flac")
        return _missing("house.flac") if path is None else _demo_wav(path).answer(request)

    @routes.api_route("/demo-tools.json", methods=verbs)
    def tools(request: Request) -> Response:
        path = demo_file("tools.json")
        if path is None:
            return _missing("tools.json")
        return Asset.of(path.read_bytes(), "application/json").answer(request)

    return routes
