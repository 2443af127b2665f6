"""From a file of recipes to the first batch: how long it takes, how much memory, and how both grow with the rows.

    python benchmarks/data_speed.py recipes/*.csv --rows 10000 --rows 100000 --rows 1000000 --model mini --sample 2000

The rows are varied from those of the files (vary.py), or from the recipes that ship. For each number of rows, in a
process of its own: Koki reads them, builds the data set (composes, tokenises and keeps it in a cache of the
benchmark's own) and makes the first batch; then another process does the same from that cache. `KOKI_WORKERS` is how
many processes work.

Processor seconds are those of all processes, where nothing else is said. Seconds a thousand rows and their growth,
which is 1 where the time is linear, leave out the loading of libraries: it is the same for any number of rows. Peak
memory is that of the process itself (VmHWM) and that of the largest of its helpers, looked at every 0.2 s, with what
processes share (RSS) and without (USS).

What more cores would bring is simulated, not measured: "simulated, 16 workers" is the parent's own busy time (its
processor seconds) + the processor seconds of its helpers / 16. It needs KOKI_WORKERS=2 or more, for one worker is the
parent itself, and it leaves out what 16 processes on one machine take from each other: memory bandwidth and turbo.

Beside it, a sample of the smallest data set is tokenised as it is usually done, `datasets.map` over
`apply_chat_template(..., tokenize=True)`, and the ids are compared (`--sample 0`: all of it). Its time for the larger
ones is extrapolated from the sample.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

import vary
from koki.config import RunConfig, load_config
from koki.data.recipes import shipped_recipes
from measuring import RESULTS, Clock, measured_apart, memory, report

STAGES: Final = ("libraries", "reading", "building", "first batch")
WORKERS: Final = 16
"""For which the time is simulated."""

_ALL: Final = "all"

Result = dict[str, Any]


def main() -> None:
    """Measure, print, write."""
    options = parse_options()
    results: list[Result] = []
    peer: Result = {}
    for rows in sorted(options.rows):
        file = vary.kept(options.folder, options.files, rows, options.seed)
        settings = {"model.name": options.model, "data.files": [str(file)], "data.validation_fraction": 0}
        config = load_config(settings=settings)
        with tempfile.TemporaryDirectory(dir=options.folder) as cache:
            os.environ["KOKI_CACHE"] = cache
            result = measured_apart(time_koki, config)
            result["disk"] = sum(file.stat().st_size for file in Path(cache).rglob("*") if file.is_file())
            results.append(result | {"cached": measured_apart(time_cached, config)})
            print(f"{rows:,} rows: {results[-1]}", file=sys.stderr, flush=True)
            peer = peer or measured_apart(time_datasets, config, options.sample)
    workers = os.environ.get("KOKI_WORKERS", "as many as pay")
    about = f"{len(options.files)} file(s), tokenizer of {options.model}, workers: {workers}"
    growth = [growth_row(result, results[0], peer) for result in results]
    everything = {"koki": results, "datasets.map": peer}
    report("data_speed", f"From rows varied from {about}, to the first batch", GROWTH, growth, everything)
    stages = [stage_row(result, stage) for result in results for stage in (*STAGES, _ALL)]
    report("data_speed_stages", "Each stage: its parent process and the helpers", PARTS, stages, results)
    print(verdict(results[0], peer))


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, default=[shipped_recipes()], help="CSV files of recipes")
    parser.add_argument("--rows", type=int, action="append", help="how many to vary from them; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="of the varied rows")
    parser.add_argument("--model", default="mini", help="whose tokenizer: mini, a folder or a hub id")
    parser.add_argument("--sample", type=int, default=2000, help="conversations that datasets.map gets; 0 is all")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="for the varied rows and the cache")
    options = parser.parse_args()
    options.rows = options.rows or [1_000, 4_000]
    return options


# -------------------------------------------------------------------------------------------------------- tables

GROWTH: Final = (
    "rows",
    "kept",
    "conversations",
    "CPU s",
    "wall s",
    "CPU s a 1,000 rows",
    "growth",
    "peak MB",
    "largest helper, RSS MB",
    "USS MB",
    "cache MB",
    "cached, CPU s",
    "wall s",
    "datasets.map, CPU s (extrapolated)",
)
PARTS: Final = ("rows", "stage", "wall s", "parent CPU s", "helpers CPU s", f"simulated, {WORKERS} workers, s")


def growth_row(result: Result, smallest: Result, peer: Result) -> list[str]:
    """What the table of growth says of a number of rows."""
    a_row = seconds_a_row(result)
    cached = result["cached"]["seconds"]
    return [
        f"{result['rows']:,}",
        f"{result['kept']:,}",
        f"{result['conversations']:,}",
        f"{total(result, 'cpu'):,.2f}",
        f"{total(result, 'wall'):,.2f}",
        f"{1000 * a_row:.2f}",
        f"{a_row / seconds_a_row(smallest):.2f}",
        *(f"{number / 1e6:,.0f}" for number in (result["peak"], *result["helper"].values(), result["disk"])),
        f"{cached['cpu']:.2f}",
        f"{cached['wall']:.2f}",
        "-"
        if "skipped" in peer
        else f"{peer['seconds']['cpu'] / peer['conversations'] * result['conversations']:,.0f}",
    ]


def stage_row(result: Result, stage: str) -> list[str]:
    """What the table of stages says of one, or of all together."""
    seconds = result["seconds"].get(stage) or {clock: total(result, clock) for clock in ("wall", "own", "helpers")}
    simulated = seconds["own"] + seconds["helpers"] / WORKERS
    figures = (seconds["wall"], seconds["own"], seconds["helpers"], simulated)
    return [f"{result['rows']:,}", stage, *(f"{figure:,.2f}" for figure in figures)]


def total(result: Result, clock: str) -> float:
    """The seconds of all stages together."""
    return float(sum(seconds[clock] for seconds in result["seconds"].values()))


def seconds_a_row(result: Result) -> float:
    """Processor seconds, without those that loading the libraries takes."""
    seconds: float = total(result, "cpu") - result["seconds"]["libraries"]["cpu"]
    return seconds / int(result["rows"])


def verdict(result: Result, peer: Result) -> str:
    """How much faster than `datasets.map` a conversation is tokenised, and whether the ids are the same."""
    if "skipped" in peer:
        return f"datasets.map is skipped: {peer['skipped']}"
    theirs = peer["seconds"]["cpu"] / peer["conversations"]
    ours = result["seconds"]["building"]["cpu"] / result["conversations"]
    return (
        f"Microseconds of processor time a conversation: datasets.map {theirs * 1e6:,.0f}, Koki {ours * 1e6:,.0f} "
        f"({theirs / ours:.0f} times faster), which has composed and kept it too.\n"
        f"Of {peer['conversations']:,} conversations {peer['different']:,} have other ids."
    )


# ---------------------------------------------------------------------------------------------------- what is timed


def time_koki(config: RunConfig) -> Result:
    """The seconds of each stage and what came of the rows."""
    clock = Clock()
    from rich.console import Console

    from koki.data.build import tokenize
    from koki.data.recipes import RecipesOfRun

    tokenizer, template = load_template(config)
    seconds = {"libraries": clock.read()}
    clock = Clock()
    recipes = RecipesOfRun(config)
    found = recipes.read.report
    seconds["reading"] = clock.read()
    print(f"read: {seconds['reading']}", file=sys.stderr, flush=True)
    clock = Clock()
    dataset = tokenize(recipes, template, len(tokenizer), Console(quiet=True)).dataset
    seconds["building"] = clock.read()
    print(f"built: {seconds['building']}", file=sys.stderr, flush=True)
    clock = Clock()
    make_first_batch(dataset, config)
    seconds["first batch"] = clock.read()
    counts = {"rows": found.rows_read, "kept": found.rows_kept, "conversations": len(dataset)}
    return {**counts, "seconds": seconds, "peak": memory()[1]}


def time_cached(config: RunConfig) -> Result:
    """All seconds, where `time_koki` was here before."""
    clock = Clock()
    from koki.data.build import build_dataset

    make_first_batch(build_dataset(config), config)
    return {"seconds": clock.read(), "peak": memory()[1]}


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


def time_datasets(config: RunConfig, sample: int) -> Result:
    """Seconds of `datasets.map` over `apply_chat_template`, and how many conversations get other ids than Koki's."""
    if importlib.util.find_spec("datasets") is None:
        return {"skipped": "datasets is not installed"}
    from datasets import Dataset, disable_progress_bars

    from koki.data.build import build_dataset
    from koki.model.source import find_base, load_tokenizer

    disable_progress_bars()
    dataset = build_dataset(config)
    tokenizer = load_tokenizer(find_base(config.model).location)
    numbers = np.random.default_rng(config.seed).permutation(len(dataset))[: sample or None].tolist()
    rows = Dataset.from_list([{"messages": messages(dataset.system, *dataset.texts(number))} for number in numbers])
    clock = Clock()
    tokenised = rows.map(lambda row: tokenizer.apply_chat_template(row["messages"], tokenize=True, return_dict=True))
    seconds = clock.read()
    different = sum(
        row["input_ids"] != dataset[number]["input_ids"].tolist()
        for row, number in zip(tokenised, numbers, strict=True)
    )
    return {"conversations": len(numbers), "seconds": seconds, "different": different}


def messages(system: str, question: str, answer: str) -> Sequence[dict[str, str]]:
    """A conversation as chat templates take it."""
    contents = {"system": system, "user": question, "assistant": answer}
    return [{"role": role, "content": content} for role, content in contents.items()]


if __name__ == "__main__":
    main()
