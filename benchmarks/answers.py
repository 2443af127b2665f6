"""How fast the two engines answer, side by side: one question after the other, 8 and 32 at once.

    python benchmarks/answers.py runs/demo runs/warung

The questions are of all capabilities, about the recipes that ship. Every measurement is made in a process of its own,
the engines in turn; the last line is how many times as fast llama.cpp is, of the measurements made in the same turn.
"""

import argparse
import random
import time
from itertools import chain, repeat
from pathlib import Path
from typing import Final

from koki.inference.chef import Chef
from measuring import measured, memory, report, spread

_ENGINES: Final = ("transformers", "llama.cpp")
_AT_ONCE: Final = (8, 32)
COLUMNS: Final = ("load s", "first piece s", "one by one, tokens/s", *(f"{n} at once" for n in _AT_ONCE), "peak MB")
_SPEEDS: Final = slice(2, 5)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--one-by-one", type=int, default=4, help="questions that are asked one after the other")
    parser.add_argument("--max-new-tokens", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    questions = measured(drawn, options.one_by_one + sum(_AT_ONCE))
    for run in options.runs:
        turns = [
            [measured(answered, run, engine, questions, options.max_new_tokens) for engine in _ENGINES]
            for _ in range(options.repeats)
        ]
        rows = [
            [name, *(spread(column, ",.3g") for column in zip(*single, strict=True))]
            for name, single in zip(_ENGINES, zip(*turns, strict=True), strict=True)
        ]
        times = [[fast / slow for slow, fast in zip(*(one[_SPEEDS] for one in turn), strict=True)] for turn in turns]
        ratio = [spread(column, ".1f") for column in zip(*times, strict=True)]
        title = f"{run} x {options.repeats} repeats"
        report(f"answers-{Path(run).name}", title, ("engine", *COLUMNS), [*rows, ["times", "", "", *ratio, ""]], turns)


def answered(run: str, engine: str, questions: list[str], max_new_tokens: int) -> tuple[float, ...]:
    """As `COLUMNS`."""
    started = time.perf_counter()
    chef = Chef.load(run, engine=engine)
    loaded = time.perf_counter() - started
    first: list[float] = []
    asked = time.perf_counter()
    chef.ask(questions[0], on_text=lambda _: first.append(time.perf_counter() - asked), max_new_tokens=max_new_tokens)
    rest = iter(questions)
    alone = len(questions) - sum(_AT_ONCE)
    parts = chain(repeat(1, alone), _AT_ONCE)
    speeds: dict[int, list[tuple[int, float]]] = {}
    for count in parts:
        asked = time.perf_counter()
        answers = chef.ask([next(rest) for _ in range(count)], max_new_tokens=max_new_tokens)
        took = time.perf_counter() - asked
        speeds.setdefault(count, []).append((sum(answer.tokens for answer in answers), took))
    tokens_per_second = [sum(tokens for tokens, _ in one) / sum(took for _, took in one) for one in speeds.values()]
    return loaded, first[0], *tokens_per_second, memory()[1] / 1e6


def drawn(count: int) -> list[str]:
    """Questions, the same ones each time."""
    # they bring torch along, which would be counted as memory of both engines
    from koki.config import ModelConfig, RunConfig
    from koki.data.recipes import recipe_files
    from koki.evaluation.questions import Examiner
    from koki.model.source import find_base, load_tokenizer
    from koki.recipes.table import read_recipes
    from koki.tokens.template import ChatTemplate

    config = RunConfig()
    tokenizer = load_tokenizer(find_base(ModelConfig(name="mini")).location)
    recipes = read_recipes(*recipe_files(config))
    examiner = Examiner(recipes, [], config, ChatTemplate(tokenizer, "Kamu Koki."), len(tokenizer), config.seed)
    # six capabilities in three groups, of which some hold fewer
    questions = [asked.question for asked in examiner.draw(-(-count // 8))]
    return random.Random(config.seed).sample(questions, count)


if __name__ == "__main__":
    main()
