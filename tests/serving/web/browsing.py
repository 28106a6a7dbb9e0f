"""The page opened in a browser against a server of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.serving.web.cdp import Page, open_page
from tests.serving.web.live import Site, serve

WATCH = """
  window.streams = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    window.wanted = wanted;
    const stream = await ask(wanted);
    window.streams.push(stream);
    return stream;
  };
  window.sent = [];
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    const event = JSON.parse(text);
    if (event.type !== 'input_audio_buffer.append') window.sent.push(event);
    return send.call(this, text);
  };
"""
"""What is said to the page before its own scripts: keeps streams and sent events for the test to look at."""


@asynccontextmanager
async def opened(devtools: str, strict: bool = True) -> AsyncIterator[tuple[Page, Site]]:
    """The page, loaded; `strict`: whatever the browser complains of fails the test."""
    async with serve() as site, open_page(devtools) as page:
        await page.look(1280, 1000, dark=False)
        await page.goto(site.url, before=WATCH)
        yield page, site
        if strict:
            assert page.problems == []


async def until(condition: object, timeout: float = 8.0) -> None:
    """Wait for something on the server's side."""
    assert callable(condition)
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.02)
