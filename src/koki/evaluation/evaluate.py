"""A run folder -> its scorecard: find the recipes again, ask, judge."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from koki.book.naming import names_of
from koki.config import RunConfig, load_config
from koki.data.recipes import Recipes
from koki.errors import DataError, RecipeFileNotFound
from koki.evaluation.asked import Asked
from koki.evaluation.cookbook import Cookbook
from koki.evaluation.judge import judge, marks
from koki.evaluation.own_questions import read_questions, verdict
from koki.evaluation.questions import Examiner
from koki.evaluation.scorecard import Caveat, OwnScorecard, Scorecard, Scored
from koki.files import published_name
from koki.gguf.of_run import read_record
from koki.inference.chef import Answer, Chef
from koki.inference.engines import is_gguf, run_of_gguf
from koki.libraries import quiet_libraries
from koki.model.source import load_tokenizer
from koki.recipes.recipe import Recipe
from koki.runs.finished import FinishedRun, read_run
from koki.tokens.template import ChatTemplate

BASE: Final = "base"
"""Stands for the run's base model without the adapter, in a comparison."""

OnAnswer = Callable[[int, int], object]
"""Called after each answer: how many there are, and how many there will be."""


@dataclass(frozen=True, slots=True)
class Exam:
    """What the chef of a run is asked.

    Attributes:
        train, held_out: the recipes of the run, as it split them.
        seed: of the questions.
        notes: caveats about the recipes.
    """

    questions: Sequence[Asked]
    train: Sequence[Recipe]
    held_out: Sequence[Recipe]
    seed: int
    notes: Sequence[str]

    def cookbook(self) -> Cookbook:
        """What the answers are judged by."""
        return Cookbook([*self.train, *self.held_out], names_of(self.train) | names_of(self.held_out))


def exam_of(run: FinishedRun, count: int, *, seed: int | None = None, data: Sequence[str] = ()) -> Exam:
    """Find the recipes of a run again, and draw questions; the arguments are those of `evaluate`.

    Raises:
        DataError: the recipes that the run was trained on cannot be found.
        ModelError: its tokenizer cannot be loaded.
    """
    config = _config_of(run, data)
    train, held_out, notes = _recipes_of(run, config)
    tokenizer = load_tokenizer(str(run.folder))
    template = ChatTemplate(tokenizer, run.card["system_prompt"])
    seed = config.seed if seed is None else seed
    questions = Examiner(train, held_out, config, template, len(tokenizer), seed).draw(count)
    return Exam(questions, train, held_out, seed, notes)


def evaluate(
    run: Path,
    *,
    count: int = 12,
    seed: int | None = None,
    data: Sequence[str] = (),
    compare: str | None = None,
    engine: str | None = None,
    max_new_tokens: int = 512,
    on_answer: OnAnswer = lambda _, __: None,
) -> Scorecard:
    """Ask a chef what it was taught, and judge its answers.

    Args:
        run: a finished run folder, or a GGUF file of one.
        count: questions of each capability in each group (`koki.evaluation.asked.GROUPS`).
        seed: of the questions; without one, that of the run. Settings that were chosen by some questions are judged by
            those of another seed.
        data: where the recipes of the run are now, if they were moved.
        compare: another run folder, or `BASE`, whose chef is asked the same.
        engine: of both, see `Chef.load`.
        on_answer: see `OnAnswer`.

    Raises:
        RunError: a folder is not a finished run.
        DataError: the recipes that the run was trained on cannot be found.
    """
    quiet_libraries()
    is_file = is_gguf(run)
    finished = run_of_gguf(run) if is_file else read_run(run)
    exam = exam_of(finished, count, seed=seed, data=data)
    cookbook = exam.cookbook()
    texts = [asked.question for asked in exam.questions]
    count_up = _counter(len(texts), compare, on_answer)

    def scored(chef: Chef) -> list[Scored]:
        answers = chef.ask(texts, on_answer=count_up, max_new_tokens=max_new_tokens)
        return _judged(exam.questions, answers, cookbook)

    about = {
        "koki_version": finished.card["koki_version"],
        "recipes": len(exam.train),
        "recipes_held_out": len(exam.held_out),
        "questions_per_capability": count,
        "seed": exam.seed,
        "max_new_tokens": max_new_tokens,
    }
    if is_file:
        about["file"] = read_record(run.parent).get(run.name, {}) | {"name": run.name}
    other = None
    if compare:
        other = Scorecard(published_name(compare), {}, exam.seed, scored(_other_chef(finished, compare, engine)))
    chef = Chef.load(run, engine=engine)
    return Scorecard(published_name(run), about | {"engine": chef.engine}, exam.seed, scored(chef), other, exam.notes)


def evaluate_own(
    run: Path,
    file: Path,
    *,
    compare: str | None = None,
    engine: str | None = None,
    max_new_tokens: int = 512,
    on_answer: OnAnswer = lambda _, __: None,
) -> OwnScorecard:
    """Ask a chef people's own questions, and judge the answers by the words that they must and must not have.

    Args:
        run: a finished run folder, or any folder that `Chef.load` takes.
        file: the questions, in the format of `koki.evaluation.own_questions`.
        compare, engine, on_answer: as `evaluate`.

    Raises:
        RunError: a folder is not a finished run.
        DataError: the file cannot be used.
    """
    quiet_libraries()
    questions = read_questions(file)
    texts = [question.question for question in questions]
    count_up = _counter(len(texts), compare, on_answer)

    def scorecard(name: str, chef: Chef, about: dict[str, Any], other: OwnScorecard | None) -> OwnScorecard:
        answers = chef.ask(texts, on_answer=count_up, max_new_tokens=max_new_tokens)
        verdicts = [verdict(*pair) for pair in zip(questions, answers, strict=True)]
        return OwnScorecard(name, about, RunConfig().seed, verdicts, other)

    about = {"questions": str(file), "max_new_tokens": max_new_tokens}
    other = scorecard(published_name(compare), _other_chef(run, compare, engine), {}, None) if compare else None
    return scorecard(published_name(run), Chef.load(run, engine=engine), about, other)


def _counter(questions: int, compare: str | None, on_answer: OnAnswer) -> Callable[[Answer], object]:
    """A function to call after each answer of one chef, or of two, which reports how many there are by then."""
    total, done = questions * (2 if compare else 1), itertools.count(1)
    return lambda _: on_answer(next(done), total)


def _judged(questions: Sequence[Asked], answers: Sequence[Answer], cookbook: Cookbook) -> list[Scored]:
    return [
        Scored(asked, answer, judge(asked, answer, cookbook), marks(asked, answer, cookbook))
        for asked, answer in zip(questions, answers, strict=True)
    ]


def _other_chef(run: Path | FinishedRun, compare: str, engine: str | None) -> Chef:
    return Chef.load(run, engine=engine, base_only=True) if compare == BASE else Chef.load(compare, engine=engine)


def _config_of(run: FinishedRun, data: Sequence[str]) -> RunConfig:
    """The run's settings, with its recipes where they are now."""
    return load_config(flags=run.settings | ({"data.files": list(data)} if data else {}))


def _recipes_of(run: FinishedRun, config: RunConfig) -> tuple[list[Recipe], list[Recipe], list[str]]:
    """The recipes trained on, those held out, and caveats about them."""
    try:
        data = Recipes(config)
        recipes, report = data.read
    except RecipeFileNotFound as error:
        raise DataError(
            f"The recipes that {run.folder} was trained on cannot be found: {error.what}",
            "Say where they are now: --data FILE, several times if there were several.",
        ) from error
    train, held_out = data.split
    notes: list[str] = []
    if {file.sha256 for file in report.files} != {file["sha256"] for file in run.card["data"]["files"]}:
        notes.append(Caveat.OTHER_FILES)
    if not held_out:
        fraction = config.data.validation_fraction
        notes.append(f"{Caveat.NONE_HELD_OUT}: data.validation_fraction was {fraction} of {len(recipes):,} recipes.")
    elif config.model.name == "mini" and not config.data.files:
        notes.append(Caveat.MINI_KNOWS_ALL)
    return train, held_out, notes
