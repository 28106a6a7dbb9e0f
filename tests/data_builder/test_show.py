"""The picture of a sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data_builder.schema import Sample
from data_builder.show import ACT, SPEAK, draw
from tests.data_builder import made_samples as made


@pytest.mark.parametrize("sample", [made.short(), made.long(), made.quiet()], ids=["4 s", "60 s", "quiet"])
def test_a_sample_is_drawn(sample: Sample, tmp_path: Path) -> None:
    from matplotlib import image

    draw(sample.to_dict(), made.pcm(sample), tmp_path / "a.png")
    picture = image.imread(tmp_path / "a.png")
    assert 900 < picture.shape[1] < 2400
    assert picture.shape[0] > 400
    pixels = (picture[..., :3] * 255).round().astype(int)
    for kind, colour in (("speak", SPEAK), ("act", ACT)):
        wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        there = bool((pixels == wanted).all(axis=2).sum() > 60)
        assert there or all(r.kind != kind for r in sample.responses)


def test_odd_texts_and_bare_samples(tmp_path: Path) -> None:
    bare = Sample("x", 0, "train", "silence", "", True, 10 * 6_400)
    draw(bare.to_dict(), np.zeros(64_000, dtype=np.int16), tmp_path / "bare.png")
    odd = made.short()
    odd.instruction = "costs $5 and $6 \\frac{1} 你好 " + "w" * 500
    odd.responses[0].text = "$" * 90
    odd.speech = [made.say("s5", "", 0.2, 0.9, "", heard="")]
    draw(odd.to_dict(), made.pcm(odd), tmp_path / "odd.png")
    assert (tmp_path / "odd.png").stat().st_size > 10_000
