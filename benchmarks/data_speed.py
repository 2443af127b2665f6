"""From CSV files to the first batch: how long it takes, how much memory, and how both grow with the rows.

    python benchmarks/data_speed.py recipes/*.csv --model mini --sample 2000

Reading, composing and tokenising are timed apart, for 1/16, 4/16 and all of the rows (every sixteenth row, every
fourth, each), in a process of its own for each; composing and tokenising go on side by side, so only their processor
time can be told apart. Then, in another process, the same from the cache (one of the benchmark's own). Then a sample of
the conversations is tokenised as it is usually done, `datasets.map` over `apply_chat_template(..., tokenize=True)`, and
the ids are compared (`--sample 0`: all of them).

Without files the recipes that ship are read. `--model` names the tokenizer: `mini`, a folder, or a hub id.
"""

import argparse
import csv
import importlib.util
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from koki.config import RunConfig, load_config
from measuring import Clock, helpers_cpu, measured, memory, report

SHARES = (16, 4, 1)
PHASES = ("tokenizer", "reading", "composing", "tokenising", "keeping", "first batch")

_T = TypeVar("_T")


def main() -> None:
    """Measure, print, write."""
    options = parse_options()

    def configured(files: list[str]) -> RunConfig:
        return load_config(settings={"model.name": options.model, "data.files": files, "data.validation_fraction": 0})

    with tempfile.TemporaryDirectory() as folder:
        configs = [configured([thinned(Path(file), share, Path(folder)) for file in options.files]) for share in SHARES]
        os.environ["KOKI_CACHE"] = str(Path(folder) / "cache")
        results = [measured(time_koki, config) for config in configs]
        cached = [measured(time_cached, config) for config in configs]
        peer = measured(time_datasets, configs[0] if options.sample else configs[-1], options.sample)
    phases = (f"{phase}, CPU s" for phase in PHASES)
    both = ("all, CPU s (wall)", "peak MB")
    columns = ("rows", "conversations", *phases, *both, *(f"cached: {column}" for column in both))
    rows = [[*row(result), *totals(again)] for result, again in zip(results, cached, strict=True)]
    title = f"From {len(options.files)} files to the first batch, tokenizer of {options.model}"
    report("data_speed", title, columns, rows, {"growth": results, "cached": cached, "peer": peer})
    print(verdict(results[-1], peer))


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shipped = str(resources.files("koki.recipes") / "samples.csv")
    parser.add_argument("files", nargs="*", default=[shipped], help="CSV files of recipes")
    parser.add_argument("--model", default="mini", help="whose tokenizer")
    parser.add_argument("--sample", type=int, default=2000, help="conversations that datasets.map gets; 0 is all")
    return parser.parse_args()


def thinned(file: Path, share: int, folder: Path) -> str:
    """The file, or a copy with every ``share``-th row."""
    if share == 1:
        return str(file)
    copy = folder / f"{share}-{file.name}"
    with file.open(encoding="utf-8", newline="") as source, copy.open("w", encoding="utf-8", newline="") as target:
        rows = csv.reader(source)
        writer = csv.writer(target)
        writer.writerow(next(rows))
        writer.writerows(islice(rows, 0, None, share))
    return str(copy)


def row(result: dict[str, Any]) -> list[str]:
    """What the table says of a number of rows."""
    return [
        f"{result['rows']:,}",
        f"{result['conversations']:,}",
        *(f"{result['seconds'][phase]:.2f}" for phase in PHASES),
        *totals(result),
    ]


def totals(result: dict[str, Any]) -> list[str]:
    """All phases together, and the highest memory."""
    return [f"{result['all']['cpu']:.2f} ({result['all']['wall']:.2f})", f"{result['peak'] / 1e6:,.0f}"]


def verdict(result: dict[str, Any], peer: dict[str, Any]) -> str:
    """How much faster than `datasets.map` a conversation is tokenised, and whether the ids are the same."""
    if "skipped" in peer:
        return f"datasets.map is skipped: {peer['skipped']}"
    theirs = peer["seconds"]["cpu"] / peer["conversations"]
    tokenising, composing = (
        result["seconds"][phase] / result["conversations"] for phase in ("tokenising", "composing")
    )
    return (
        f"Microseconds of processor time a conversation: datasets.map {theirs * 1e6:,.0f}, "
        f"Koki {tokenising * 1e6:,.0f} ({theirs / tokenising:.0f} times faster), "
        f"with composing {(composing + tokenising) * 1e6:,.0f} "
        f"({theirs / (composing + tokenising):.0f} times).\n"
        f"Of {peer['conversations']:,} conversations {peer['different']:,} have other ids."
    )


def time_koki(config: RunConfig) -> dict[str, Any]:
    """Processor seconds of each phase, both clocks and the peak of the whole way."""
    from koki.book.naming import names_of
    from koki.data.conversations import compose
    from koki.data.recipes import recipe_files
    from koki.data.token_cache import TokenCache, TrainingData
    from koki.dialogue.phrasebook import load_phrasebook
    from koki.dialogue.vocabulary import Vocabulary
    from koki.recipes.table import read_recipes
    from koki.tokens.dataset import ConversationDataset

    whole, composing = Clock(), {"cpu": 0.0}
    seconds, clock = {}, Clock()
    tokenizer, template = load_template(config)
    seconds["tokenizer"], clock = clock.read()["cpu"], Clock()
    recipes = read_recipes(*recipe_files(config), columns=config.data.columns)
    data_report = recipes.report
    seconds["reading"], clock = clock.read()["cpu"], Clock()
    groups = metered(compose(recipes, config), composing)
    dataset = ConversationDataset.of(groups, template, len(tokenizer), config.tokens)
    seconds["composing"] = composing["cpu"]
    seconds["tokenising"], clock = clock.read()["cpu"] - composing["cpu"], Clock()
    vocabulary = Vocabulary.of(recipes, names_of(recipes), load_phrasebook())
    TokenCache(template, config).keep(TrainingData(dataset, data_report, (), {}, vocabulary))
    seconds["keeping"], clock = clock.read()["cpu"], Clock()
    make_first_batch(dataset, config)
    seconds["first batch"] = clock.read()["cpu"]
    return {
        "rows": data_report.rows_read,
        "conversations": len(dataset),
        "seconds": seconds,
        "all": whole.read(),
        "peak": memory()[1],
    }


def time_cached(config: RunConfig) -> dict[str, Any]:
    """Both clocks and the peak, where `time_koki` was here before."""
    from rich.console import Console

    from koki.data.build import tokenize
    from koki.data.conversations import Conversations
    from koki.data.recipes import RecipesOfRun

    clock = Clock()
    tokenizer, template = load_template(config)
    data = tokenize(Conversations(RecipesOfRun(config)), template, len(tokenizer), Console(quiet=True))
    make_first_batch(data.dataset, config)
    return {"conversations": len(data.dataset), "all": clock.read(), "peak": memory()[1]}


def load_template(config: RunConfig) -> tuple[Any, Any]:
    """The tokenizer and its chat template."""
    from koki.data import build
    from koki.libraries import quiet_libraries
    from koki.model.source import find_base

    quiet_libraries()
    return build.load_template(find_base(config.model).folder)


def make_first_batch(dataset: Any, config: RunConfig) -> None:
    """What the first step of a run would get."""
    from koki.tokens.batches import StepCollator, VariationSampler

    sampler = VariationSampler(dataset, "all", config.seed)
    tokens = config.training.tokens_per_micro_batch
    tokens = tokens or config.training.per_device_train_batch_size * config.tokens.max_length
    StepCollator(tokens)([dataset[number] for number in islice(sampler, 8)])


def metered(items: Iterable[_T], seconds: dict[str, float]) -> Iterator[_T]:
    """The items; the processor time of the thread, or the helper, that makes them is added to ``seconds["cpu"]``."""
    iterator = iter(items)
    while True:
        start = time.thread_time() + helpers_cpu()
        try:
            item = next(iterator)
        except StopIteration:
            return
        finally:
            seconds["cpu"] += time.thread_time() + helpers_cpu() - start
        yield item


def time_datasets(config: RunConfig, sample: int) -> dict[str, Any]:
    """Seconds of `datasets.map` over `apply_chat_template`, and how many conversations get other ids than Koki's."""
    if importlib.util.find_spec("datasets") is None:
        return {"skipped": "datasets is not installed"}
    from datasets import Dataset, disable_progress_bars

    from koki.data.build import build_dataset
    from koki.model.source import find_base, load_tokenizer

    disable_progress_bars()
    dataset = build_dataset(config)
    tokenizer = load_tokenizer(find_base(config.model).location)
    every = range(len(dataset))
    numbers = np.random.default_rng(config.seed).permutation(every)[: sample or None].tolist()
    rows = Dataset.from_list([{"messages": messages(dataset.system, *dataset.texts(number))} for number in numbers])
    clock = Clock()
    tokenised = rows.map(lambda row: tokenizer.apply_chat_template(row["messages"], tokenize=True, return_dict=True))
    seconds = clock.read()
    different = sum(
        row["input_ids"] != dataset[number]["input_ids"].tolist()
        for row, number in zip(tokenised, numbers, strict=True)
    )
    return {"conversations": len(numbers), "seconds": seconds, "different": different}


def messages(system: str, question: str, answer: str) -> list[dict[str, str]]:
    """A conversation as chat templates take it."""
    contents = {"system": system, "user": question, "assistant": answer}
    return [{"role": role, "content": content} for role, content in contents.items()]


if __name__ == "__main__":
    main()
