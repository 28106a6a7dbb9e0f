"""The page without a mouse, without sight, on a phone and in both themes."""

from __future__ import annotations

import asyncio
import json

import pytest

from serving.handle import Call
from tests.serving.web.browsing import opened, until

LOCK = json.dumps({"door": "back door", "state": "unlocked"})


def test_the_keyboard_alone_is_enough(devtools: str) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.key("Tab")
            assert await page.js("document.activeElement.className") == "skip"
            order: list[str] = []
            while "SUMMARY" not in order and len(order) < 20:
                await page.key("Tab")
                order.append(await page.js("document.activeElement.id || document.activeElement.tagName"))
            wanted = ["INPUT", "start", "strip", "log", "dial", "instruction", "apply", "voice", "SUMMARY"]
            assert [e for e in order if e in wanted] == wanted
            await page.js("document.querySelector('#start').focus()")
            ring = "getComputedStyle(document.activeElement)"
            await page.key("Enter")
            handle = await site.session()
            await until(lambda: handle.heard_s > 2.0)
            assert await page.js(f"{ring}.outlineStyle") == "solid"
            await page.js("document.querySelector('#strip').focus()")
            await page.key("ArrowLeft")
            await page.until("document.querySelector('#strip').getAttribute('aria-valuetext').includes('silent')")
            now = int(await page.js("document.querySelector('#strip').getAttribute('aria-valuenow')"))
            await page.key("Home")
            await page.until("document.querySelector('#strip').getAttribute('aria-valuenow') === '0'")
            assert now > 0
            await page.js("document.querySelector('#start').focus()")
            await page.key(" ")
            await page.until("document.querySelector('#state').dataset.state === 'closed'")

    asyncio.run(run())


def test_assistive_software_finds_roles_and_names(devtools: str) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.click("#start")
            handle = await site.session()
            handle.emit(Call("call_2", "set_lock", LOCK, True))
            await page.until("document.querySelectorAll('.card.pending').length === 1")
            await page.click("summary")
            nodes = await page.accessible()
            found = {(role, name) for role, name, _ in nodes}
            for role, name in (
                ("heading", "SoundFlow"),
                ("radio", "Microphone"),
                ("button", "Stop"),
                ("button", "Mute"),
                ("button", "Confirm"),
                ("button", "Decline"),
                ("slider", "Proactivity"),
                ("slider", "Decision of each chunk, last two minutes"),
                ("textbox", "Instruction"),
                ("textbox", "Token, where the server wants one"),
                ("checkbox", "Speak replies"),
                ("meter", "Level"),
                ("region", "Listen"),
                ("region", "Timeline"),
                ("log", "Timeline"),
            ):
                assert (role, name) in found, (role, name)
            roles = {role for role, _, _ in nodes}
            assert {"main", "banner", "contentinfo", "note", "status"} <= roles
            controls = {"button", "radio", "slider", "textbox", "checkbox", "meter", "log", "region", "heading"}
            assert [(role, name) for role, name, _ in nodes if role in controls and not name.strip()] == []
            live = {name: more.get("live") for role, name, more in nodes if role == "log"}
            assert live == {"Timeline": "polite"}

    asyncio.run(run())


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_it_fits_the_width_and_its_text_has_contrast(devtools: str, dark: bool, width: int) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.look(width, 800, dark)
            await page.click("#start")
            handle = await site.session()
            handle.emit(Call("call_2", "set_lock", LOCK, True))
            handle.hear("A word that is " + "very" * 30 + " long")
            await page.until("document.querySelectorAll('.row').length > 1")
            assert await page.js("document.documentElement.scrollWidth") <= width
            low = await page.js(CONTRAST)
            assert low == []

    asyncio.run(run())


CONTRAST = """(() => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => {
    const [r, g, b] = rgb(c).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if ((rgb(c)[3] ?? 1) === 1) return c;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(18,18,18)' : 'rgb(255,255,255)';
  };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!text || e.closest(':disabled') || !e.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) low.push([e.tagName, e.className, e.textContent.slice(0, 30)]);
  }
  return low;
})()"""
