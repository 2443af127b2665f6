"""Every dish that a chef learned, asked for as people do on a phone: how often it gives that dish.

Usage: python benchmarks/phone_typing.py RUN [--seed S] [--max-new-tokens N]

The forms are those of ``typing_forms.toml``. A typing error is one letter of the name dropped, doubled, swapped with
the next, or hit on the key beside; it is drawn here, by rules of its own, so a chef has not met it other than by
chance. An answer is judged as `koki evaluate` judges that to a simple question. It takes minutes on 2 cores.
"""

import argparse
import random
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from koki.book.naming import names_of
from koki.config import RunConfig, load_config
from koki.data.recipes import RecipesOfRun
from koki.dialogue.compose import Composer
from koki.dialogue.forms import trained
from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.shelf import shelf_of
from koki.evaluation.asked import Asked
from koki.evaluation.capabilities.capability import Scores
from koki.evaluation.cookbook import Cookbook
from koki.evaluation.judge import judge
from koki.inference.chef import Chef
from koki.recipes.recipe import Recipe
from koki.runs.finished import read_run

_FORMS: Final[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("typing_forms.toml").read_text("utf-8"))


def with_one_error(name: str, draw: random.Random) -> str:
    """The name with one letter wrong, which is not the first: most people see that."""
    while True:
        place = draw.randrange(1, len(name))
        before, letter, after = name[:place], name[place], name[place + 1 :]
        beside = [key for keys in _FORMS["keys"]["rows"] for key in _beside(letter, keys)]
        wrong = draw.choice([before + after, before + 2 * letter + after, before + after[:1] + letter + after[1:]])
        if beside and draw.random() < 1 / 4:
            wrong = before + draw.choice(beside) + after
        if letter.isalpha() and wrong != name:
            return wrong


def _beside(letter: str, keys: str) -> str:
    place = keys.find(letter)
    return keys[max(0, place - 1) : place] + keys[place + 1 : place + 2] if place >= 0 else ""


def asked_for(recipe: Recipe, name: str, composer: Composer, draw: random.Random) -> list[Asked]:
    """The dish in each form."""
    book = load_phrasebook()
    forms = [form.answers for form in (*trained(book.standard), *trained(book.simple))]
    answers = dict(zip(forms, composer.compose(recipe, name), strict=False))
    references = {part: "\n\n".join(segment.text for segment in answers[part].answer) for part in answers}
    small = name.lower()
    words = {"dish": name, "small": small, "Slip": with_one_error(name, draw), "slip": with_one_error(small, draw)}
    asked = ((form["question"].format(**words), references[form["answers"]]) for form in _FORMS["form"])
    return [Asked("", "typing", "simple question", *question, recipe, ()) for question in asked]


def scores(run: Path, seed: int, max_new_tokens: int) -> list[list[Scores]]:
    """Of each form, the scores for all dishes."""
    settings: RunConfig = load_config(settings=read_run(run).settings)
    recipes: Sequence[Recipe] = RecipesOfRun(settings).split[0]
    book, draw = load_phrasebook(), random.Random(seed)
    names = names_of(recipes)
    composer = Composer(book, (), shelf_of(recipes, names), settings.seed)
    questions = [one for it in recipes for one in asked_for(it, names[it.id], composer, draw)]
    answers = Chef.load(run).ask([one.question for one in questions], max_new_tokens=max_new_tokens)
    cookbook = Cookbook(recipes, names)
    judged = [judge(one, answer, cookbook) for one, answer in zip(questions, answers, strict=True)]
    forms = len(_FORMS["form"])
    return [judged[number::forms] for number in range(forms)]


def main() -> None:
    """Print a line for each form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument("--max-new-tokens", type=int, default=512)
    options = parser.parse_args()
    for form, found in zip(_FORMS["form"], scores(options.run, options.seed, options.max_new_tokens), strict=True):
        right = [one["right_dish"] or 0.0 for one in found]
        print(f"{form['question']:22} right dish {sum(right) / len(right):.3f} of {len(right)}")


if __name__ == "__main__":
    main()
