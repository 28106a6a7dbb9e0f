"""A small client of Chromium's DevTools protocol, for tests of the page: no driver, no new dependency."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import websockets

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--mute-audio",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


def find_chromium() -> str | None:
    """Path of a Chromium, or None. `SOUNDFLOW_CHROMIUM` names one of its own."""
    wanted = os.environ.get("SOUNDFLOW_CHROMIUM")
    return wanted or next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def chromium(folder: Path, microphone: Path) -> Iterator[str]:
    """A browser whose microphone hears a WAV, again and again -> the URL of its DevTools socket."""
    binary = find_chromium()
    assert binary is not None
    profile = folder / "profile"
    command = [binary, *FLAGS, f"--user-data-dir={profile}", f"--use-file-for-fake-audio-capture={microphone}"]
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen([*command, "about:blank"], stdout=log, stderr=log, start_new_session=True)
    try:
        yield _devtools(profile / "DevToolsActivePort", process, folder / "chromium.log")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def _devtools(port_file: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(200):
        if process.poll() is not None:
            break
        if port_file.exists() and (lines := port_file.read_text().split()):
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/version", timeout=5) as answer:
                return str(json.load(answer)["webSocketDebuggerUrl"])
        time.sleep(0.1)
    raise RuntimeError(f"chromium did not start: {log.read_text(errors='replace')[-2000:]}")


class Page:
    """One tab in a browser context of its own. `problems`: console errors, exceptions and policy violations."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session = ""
        self.problems: list[str] = []

    async def read(self) -> None:
        """Runs beside the test and takes what the browser says."""
        async for text in self._socket:
            message = json.loads(text)
            if (waiter := self._waiting.pop(message.get("id"), None)) is not None:
                waiter.set_result(message)
            else:
                self._event(message.get("method", ""), message.get("params", {}))

    def _event(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append(f"exception: {details.get('exception', {}).get('description', details['text'])}")
        elif method == "Runtime.consoleAPICalled" and params["type"] in {"error", "warning", "assert"}:
            self.problems.append(f"console: {[a.get('value', a.get('description')) for a in params['args']]}")
        elif method == "Log.entryAdded" and params["entry"]["level"] in {"error", "warning"}:
            self.problems.append(f"log: {params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Audits.issueAdded" and params["issue"]["code"] == "ContentSecurityPolicyIssue":
            self.problems.append(f"policy: {params['issue']['details']}")

    async def send(self, method: str, browser: bool = False, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        waiter: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiter
        body = {"id": number, "method": method, "params": params}
        await self._socket.send(json.dumps(body if browser else {**body, "sessionId": self._session}))
        async with asyncio.timeout(10):
            message = await waiter
        assert "error" not in message, f"{method}: {message['error']}"
        result: dict[str, Any] = message["result"]
        return result

    async def attach(self) -> None:
        context = (await self.send("Target.createBrowserContext", browser=True))["browserContextId"]
        target = await self.send("Target.createTarget", browser=True, url="about:blank", browserContextId=context)
        found = await self.send("Target.attachToTarget", browser=True, targetId=target["targetId"], flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Audits", "DOM", "Accessibility"):
            await self.send(f"{domain}.enable")

    async def goto(self, url: str, before: str = "") -> None:
        """Open a page; `before` is a script that runs ahead of its own."""
        if before:
            await self.send("Page.addScriptToEvaluateOnNewDocument", source=before)
        await self.send("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def js(self, expression: str) -> Any:
        """The value of an expression; a promise is awaited."""
        found = await self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=False
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, expression: str, timeout: float = 10.0) -> Any:
        """Wait until an expression is true in the page -> its value."""
        end = time.monotonic() + timeout
        while not (value := await self.js(expression)):
            if time.monotonic() > end:
                text = await self.js("document.body.innerText")
                raise AssertionError(f"never true: {expression}\n{self.problems}\n{text}")
            await asyncio.sleep(0.05)
        return value

    async def text(self, selector: str) -> str:
        return str(await self.js(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    async def click(self, selector: str) -> None:
        """A real click of the mouse into the middle of an element."""
        middle = "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2];"
        found = f"const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
        at = await self.js(f"(() => {{ {found} {middle} }})()")
        for kind in ("mousePressed", "mouseReleased"):
            await self.send(
                "Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left", clickCount=1, buttons=1
            )

    async def key(self, name: str) -> None:
        """Press and release a key: Tab, Enter, Space, Escape, ArrowLeft ..."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36}
        codes |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        text = {"text": "\r"} if name == "Enter" else {"text": " "} if name == " " else {}
        code = "Space" if name == " " else name
        common = {"key": name, "code": code, "windowsVirtualKeyCode": codes[name]}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    async def choose_file(self, selector: str, path: Path) -> None:
        root = (await self.send("DOM.getDocument"))["root"]["nodeId"]
        node = await self.send("DOM.querySelector", nodeId=root, selector=selector)
        await self.send("DOM.setFileInputFiles", files=[str(path)], nodeId=node["nodeId"])

    async def look(self, width: int, height: int, dark: bool, path: Path | None = None) -> None:
        """Set size and theme, and take a picture where a path is given."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.send("Emulation.setEmulatedMedia", features=theme)
        if path is not None:
            await asyncio.sleep(0.3)
            shot = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
            path.write_bytes(base64.b64decode(shot["data"]))

    async def accessible(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(role, name, properties) of every node that assistive software sees."""
        nodes = (await self.send("Accessibility.getFullAXTree"))["nodes"]
        return [
            (
                node["role"]["value"],
                node.get("name", {}).get("value", ""),
                {p["name"]: p["value"].get("value") for p in node.get("properties", [])},
            )
            for node in nodes
            if not node.get("ignored") and "role" in node
        ]


@asynccontextmanager
async def open_page(devtools: str) -> AsyncIterator[Page]:
    """A fresh tab, closed with its context at the end."""
    async with websockets.connect(devtools, max_size=1 << 26) as socket:
        page = Page(socket)
        reader = asyncio.ensure_future(page.read())
        try:
            await page.attach()
            yield page
        finally:
            with suppress(AssertionError, TimeoutError, websockets.ConnectionClosed):
                target = (await page.send("Target.getTargetInfo"))["targetInfo"]
                await page.send(
                    "Target.disposeBrowserContext", browser=True, browserContextId=target["browserContextId"]
                )
            reader.cancel()
            with suppress(asyncio.CancelledError, websockets.ConnectionClosed):
                await reader
