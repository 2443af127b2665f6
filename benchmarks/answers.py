"""How long a chef takes for 200 answers, asked side by side as `koki evaluate` does: at most 2 minutes on 2 cores.

    python benchmarks/answers.py runs/demo

The questions are of all capabilities, about the recipes that ship. Without a run folder `mini` alone is asked; its
answers are shorter than those of a chef.
"""

import argparse
import random

from koki.config import ModelConfig, RunConfig
from koki.data.recipes import recipe_files
from koki.evaluation.questions import Examiner
from koki.inference.chef import Chef
from koki.libraries import quiet_libraries
from koki.model.source import find_base, load_tokenizer
from koki.recipes.table import read_recipes
from koki.tokens.template import ChatTemplate
from measuring import Clock, measured, memory, report, spread

COLUMNS = ("answers", "tokens", "ended", "CPU s", "wall s", "tokens/s", "peak MB")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", default=find_base(ModelConfig(name="mini")).location)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    runs = [measured(answered, options.run, options.questions) for _ in range(options.repeats)]
    columns = zip(*runs, strict=True)
    title = f"{options.run} x {options.repeats} repeats"
    report("answers", title, COLUMNS, [[spread(column, ",.0f") for column in columns]], runs)


def answered(run: str, count: int) -> tuple[float, ...]:
    """As `COLUMNS`."""
    quiet_libraries()
    questions = drawn(count)
    chef = Chef.load(run)
    clock = Clock()
    answers = chef.ask(questions)
    seconds = clock.read()
    tokens, ended = sum(one.tokens for one in answers), sum(one.stopped for one in answers)
    peak = memory()[1] / 1e6
    return len(answers), tokens, ended, seconds["cpu"], seconds["wall"], tokens / seconds["wall"], peak


def drawn(count: int) -> list[str]:
    """Questions, the same ones each time."""
    config = RunConfig()
    tokenizer = load_tokenizer(find_base(ModelConfig(name="mini")).location)
    recipes, _ = read_recipes(recipe_files(config))
    examiner = Examiner(recipes, [], config, ChatTemplate(tokenizer, "Kamu Koki."), len(tokenizer), config.seed)
    # six capabilities in three groups, of which some hold fewer
    questions = [asked.question for asked in examiner.draw(-(-count // 8))]
    return random.Random(config.seed).sample(questions, count)


if __name__ == "__main__":
    main()
