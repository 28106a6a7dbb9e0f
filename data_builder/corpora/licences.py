"""What a Creative Commons licence allows, and shares held out by hash where a corpus has no official split."""

from __future__ import annotations

import hashlib
import re
from typing import Final

DEV_PERCENT: Final = 10
_NAMES: Final = {
    "publicdomain": "Public domain",
    "zero": "CC0",
    "sampling+": "CC Sampling+",
    "nc-sampling+": "CC NC-Sampling+",
}


def of_url(url: str) -> tuple[str, bool]:
    """Name of a licence by its creativecommons.org address, and whether clips under it may be mixed and given away.

    By, by-sa, zero and public domain may; non-commercial, no-derivatives, sampling and unknown ones may not.
    """
    found = re.search(r"creativecommons\.org/(?:licenses|publicdomain)/([a-z+-]+)/?(\d\.\d)?", url.strip().lower())
    if not found:
        return url.strip() or "unknown", False
    code, version = found.group(1), found.group(2) or ""
    name = _NAMES.get(code, f"CC {code.upper()}")
    return f"{name} {version}".strip(), code in ("by", "by-sa", "zero", "publicdomain", "mark")


def of_words(words: str) -> tuple[str, bool]:
    """The same for a licence in words, such as "Attribution-NonCommercial-ShareAlike 3.0 International"."""
    plain = words.strip().lower()
    closed = ("noncommercial", "non-commercial", "noderiv", "no deriv", "no-deriv", "sampling", "limited", "restrict")
    allowed = plain.startswith(("attribution", "creative commons attribution", "cc by", "public domain", "cc0"))
    allowed = allowed or "cc0" in plain or "public domain" in plain
    return words.strip() or "unknown", allowed and not any(word in plain for word in closed)


def share(key: str, percent: int = DEV_PERCENT, salt: str = "dev") -> str:
    """dev for `percent` % of all keys (people, recordings), train for the rest; always the same."""
    digest = hashlib.sha256(f"{salt}:{key}".encode()).digest()
    return "dev" if int.from_bytes(digest[:8], "big") % 100 < percent else "train"
