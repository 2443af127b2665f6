"""The examples that the trainers are timed on, the same for all of them."""

from itertools import islice

import numpy as np

from koki.config import load_config
from koki.data.build import build_dataset
from koki.tokens.batches import VariationSampler
from koki.tokens.dataset import IGNORED, Example


def mix(warm_up: int, timed: int, vocabulary: int, seed: int) -> list[Example]:
    """Examples of 50 to 512 tokens, 247 in the mean, of which a quarter to a third is a prompt.

    The lengths of each of the two parts are quantiles rather than draws: a short benchmark has the mix of a long one.
    """
    generator = np.random.default_rng(seed)
    drawn = generator.triangular(50, 180, 512, 100_000)
    parts = [np.quantile(drawn, (np.arange(count) + 0.5) / count) for count in (warm_up, timed)]
    examples = []
    for length in np.concatenate([generator.permutation(part) for part in parts]).round().astype(int):
        input_ids = generator.integers(0, vocabulary, length)
        labels = input_ids.copy()
        labels[: int(length * generator.uniform(1 / 4, 1 / 3))] = IGNORED
        examples.append({"input_ids": input_ids, "labels": labels})
    return examples


def recipes(count: int, seed: int) -> list[Example]:
    """The first conversations of a run on the recipes that ship, with the tokens of `mini`."""
    dataset = build_dataset(load_config(preset="laptop"))
    return [dataset[number] for number in islice(VariationSampler(dataset, "all", seed), count)]
