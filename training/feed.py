"""The batches of a stage: endless, and a function of seed, stage and place alone, so that a run can go on anywhere."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from soundflow.errors import ConfigError
from training import mixture
from training.augment import perturbed, without_embedding
from training.dataset import Item, batches, epoch
from training.features import Features
from training.sequence import SequenceBuilder, TokenSequence
from training.stages import Stage
from training.tag_streams import TagStreams

Batch = list[TokenSequence]


class Feed:
    """Draws a stage's epochs. `data`: folder of features -> its streams."""

    def __init__(
        self,
        stage: Stage,
        data: Mapping[str, Sequence[Item]],
        builder: SequenceBuilder,
        labels: Sequence[str],
        seed: int,
    ) -> None:
        self.stage, self.builder, self.seed = stage, builder, f"{seed}/{stage.name}"
        own = {folder: data[folder] for folder in stage.train}
        self.pools = mixture.pools(own, stage.mixture, stage.leave_out)
        every = [item for items in own.values() for item in items]
        self.made = TagStreams(labels, every) if stage.tag_streams else None
        if self.made and not self.made.quiet:
            raise ConfigError(f"stage {stage.name!r}: tag_streams: quiet streams were expected in {stage.train}")

    def epoch(self, number: int) -> list[Batch]:
        """All batches of one epoch, in their order."""
        stage, rng = self.stage, random.Random(f"{self.seed}/{number}")
        drawn = mixture.drawn(self.pools, stage.mixture, stage.streams, self.seed, number)
        items: list[Item] = [(sample, self.heard(features, rng)) for sample, features in drawn]
        items += [self.made.draw(rng, n) for n in range(stage.tag_streams)] if self.made else []
        sequences = epoch(items, self.builder, rng, self.builder.longest, ask=stage.ask)
        return list(batches(sequences, stage.tokens_per_batch, rng))

    def stream(self, number: int, position: int) -> Iterator[tuple[int, int, Batch]]:
        """Batches from `position` of epoch `number` on: (epoch and position of the next one, batch)."""
        while True:
            made = self.epoch(number)
            for at in range(position, len(made)):
                last = at + 1 == len(made)
                yield (number + 1, 0, made[at]) if last else (number, at + 1, made[at])
            number, position = number + 1, 0

    def heard(self, features: Features, rng: random.Random) -> Features:
        """The features as this epoch hears them: as they are, perturbed, or without the sound embedding."""
        if rng.random() < self.stage.embedding_dropout:
            return without_embedding(features)
        if rng.random() < self.stage.perturb:
            return perturbed(features, np.random.default_rng(rng.getrandbits(32)))
        return features
