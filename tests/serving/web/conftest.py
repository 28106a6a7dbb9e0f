"""One headless Chromium for all tests of the page. Its microphone hears 1.2 s of quiet, 1.2 s of a loud tone, again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving.web.cdp import chromium, find_chromium
from tests.serving.web.live import tone_wav


@pytest.fixture(scope="package")
def devtools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the browser's DevTools socket."""
    if find_chromium() is None:
        pytest.skip("needs chromium (apt install chromium, or set SOUNDFLOW_CHROMIUM to its path)")
    folder = tmp_path_factory.mktemp("chromium")
    wav = tone_wav(folder / "microphone.wav", 48_000, [(1.2, 440, 0.003), (1.2, 1000, 0.5)])
    with chromium(folder, wav) as url:
        yield url
