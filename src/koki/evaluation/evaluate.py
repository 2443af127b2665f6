"""A run folder -> its scorecard: find the recipes again, ask, judge."""

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from koki.book.naming import names_of
from koki.book.store import Book
from koki.config import RunConfig, load_config
from koki.data.recipes import RecipesOfRun
from koki.errors import DataError, RecipeFileNotFound
from koki.evaluation.asked import GROUPS, Asked, is_with_book
from koki.evaluation.cookbook import Cookbook
from koki.evaluation.judge import judge, marks
from koki.evaluation.own_questions import read_questions, verdict
from koki.evaluation.questions import Examiner
from koki.evaluation.requirements import Requirement, require_asked
from koki.evaluation.scorecard import (
    PASSED,
    Caveat,
    OwnScorecard,
    Scorecard,
    Scored,
    capabilities_of,
    places,
    places_of,
)
from koki.files import published_name
from koki.gguf.of_run import read_record
from koki.inference.answer import Answer
from koki.inference.chef import Chef
from koki.inference.engine import MAX_NEW_TOKENS
from koki.inference.engines import is_gguf, run_of_gguf
from koki.language import _
from koki.libraries import quiet_libraries
from koki.model.source import load_tokenizer
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes
from koki.runs.finished import FinishedRun, read_run
from koki.runs.names import BOOK
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
        added: recipes that its book gets for the exam; None where it has no book.
        seed: of the questions.
        notes: caveats about the recipes.
    """

    questions: Sequence[Asked]
    train: Sequence[Recipe]
    held_out: Sequence[Recipe]
    added: Sequence[Recipe] | None
    seed: int
    notes: Sequence[str]

    def names(self) -> dict[str, str]:
        """Recipe id -> the name that its questions ask for it by."""
        return names_of(self.train) | names_of(self.held_out) | names_of(self.added or ())

    def cookbook(self) -> Cookbook:
        """What the answers are judged by."""
        return Cookbook([*self.train, *self.held_out, *(self.added or ())], self.names())

    def with_book(self, book: Book) -> list[Asked]:
        """The questions to be asked with the book open: where it calls the dish by the same name."""
        names = self.names()
        named = {page.recipe.id: page.name for page in book.pages()}
        return [
            asked.with_book()
            for asked in self.questions
            if asked.recipe is None or named.get(asked.recipe.id) == names[asked.recipe.id]
        ]


def exam_of(
    run: FinishedRun,
    count: int,
    *,
    seed: int | None = None,
    data: Sequence[str | Path] = (),
    added: str | Path | None = None,
) -> Exam:
    """Find the recipes of a run again, and draw questions; the arguments are those of `evaluate`.

    Raises:
        DataError: the recipes that the run was trained on cannot be found, or those to add cannot be used.
        ModelError: its tokenizer cannot be loaded.
    """
    config = _config_of(run, data)
    train, held_out, notes = _recipes_of(run, config)
    new = _recipes_to_add(config, {recipe.id for recipe in (*train, *held_out)}, added) if _has_book(run) else None
    tokenizer = load_tokenizer(str(run.folder))
    template = ChatTemplate(tokenizer, run.card["system_prompt"])
    seed = config.seed if seed is None else seed
    questions = Examiner(train, held_out, config, template, len(tokenizer), seed, new).draw(count)
    return Exam(questions, train, held_out, new, seed, notes)


def evaluate(
    run: str | Path,
    *,
    questions_per_capability: int = 60,
    seed: int | None = None,
    groups: Sequence[str] = (),
    added: str | Path | None = None,
    require: Sequence[str] = (),
    compare: str | Path | None = None,
    data: Sequence[str | Path] = (),
    engine: str | None = None,
    max_new_tokens: int = MAX_NEW_TOKENS,
    on_answer: OnAnswer | None = None,
) -> Scorecard:
    """Ask a chef what it was taught, from memory and, where it has a book, with that open; and judge its answers.

    Args:
        run: a finished run folder, or a GGUF file of one.
        questions_per_capability: in each group (`koki.evaluation.asked.GROUPS`).
        seed: of the questions; without one, that of the run. Settings that were chosen by some questions are judged by
            those of another seed.
        data: where the recipes of the run are now, if they were moved.
        added: a file of recipes that a copy of its book gets for the exam. Without one, a chef that was trained on the
            recipes that ship gets others that ship beside this module.
        groups: those that are asked; all without them.
        require: what the means should be, as `koki.evaluation.requirements` has it; `Scorecard.reached` says what was.
        compare: another run folder, or `BASE`, whose chef is asked the same, with the same book.
        engine: of both, see `Chef.load`.
        on_answer: see `OnAnswer`.

    Raises:
        ConfigError: a requirement cannot be read, or is about nothing that is asked; nothing was asked then.
        RunError: a folder is not a finished run.
        DataError: the recipes that the run was trained on cannot be found, or those to add cannot be used; or there is
            no question in the groups that are wanted.
    """
    quiet_libraries()
    requirements = [Requirement.read(text, places()) for text in require]
    run = Path(run).expanduser()
    is_file = is_gguf(run)
    finished = run_of_gguf(run) if is_file else read_run(run)
    exam = exam_of(finished, questions_per_capability, seed=seed, data=data, added=added)
    cookbook = exam.cookbook()
    with _book_of(finished, exam) as book:
        asked = [*exam.questions, *(exam.with_book(book) if book else ())]
        asked = [one for one in asked if not groups or one.group in groups]
        if not asked:
            raise DataError(
                _("There is nothing to ask in {groups}.", groups=", ".join(groups)),
                _("Groups: {groups}.", groups=", ".join(GROUPS)),
            )
        require_asked(requirements, places_of(asked))
        count_up = _counter(len(asked), compare, on_answer)

        def scored(chef: Chef) -> list[Scored]:
            return _judged(asked, _answers(chef.reading_in(book), asked, max_new_tokens, count_up), cookbook)

        about = {
            "koki_version": finished.card["koki_version"],
            "recipes": len(exam.train),
            "recipes_held_out": len(exam.held_out),
            "recipes_added": len(exam.added or ()),
            "questions_per_capability": questions_per_capability,
            "seed": exam.seed,
            "max_new_tokens": max_new_tokens,
        }
        if is_file:
            about["file"] = read_record(run.parent).get(run.name, {}) | {"name": run.name}
        other = None
        if compare:
            other = Scorecard(published_name(compare), {}, exam.seed, scored(_other_chef(finished, compare, engine)))
        chef = Chef.load(run if is_file else finished, engine=engine)
        about["engine"] = chef.engine
        return Scorecard(published_name(run), about, exam.seed, scored(chef), other, exam.notes, requirements)


def _answers(
    chef: Chef, asked: Sequence[Asked], max_new_tokens: int, count_up: Callable[[Answer], object]
) -> list[Answer]:
    """The answers in order, from memory or with the book open, as each question's group says."""
    answers: dict[str, Answer] = {}
    for with_book in (False, True):
        part = [one for one in asked if is_with_book(one.group) is with_book]
        texts = [one.question for one in part]
        found = chef.ask(texts, book=with_book, on_answer=count_up, max_new_tokens=max_new_tokens)
        answers |= {one.id: answer for one, answer in zip(part, found, strict=True)}
    return [answers[one.id] for one in asked]


def _has_book(run: FinishedRun) -> bool:
    return (run.folder / BOOK).is_file()


@contextmanager
def _book_of(run: FinishedRun, exam: Exam) -> Iterator[Book | None]:
    """A copy of the book of a run with what is added for the exam; None where it has none."""
    if exam.added is None:
        yield None
        return
    with TemporaryDirectory(prefix="koki-") as folder:
        path = Path(folder) / BOOK
        with Book.open(run.folder / BOOK) as book:
            book.copy(path)
        with Book.open(path, write=True) as book:
            book.add(exam.added)
            yield book


def _recipes_to_add(config: RunConfig, known: Collection[str], file: str | Path | None) -> list[Recipe]:
    """The recipes of a file that are not among those known; without a file, for the recipes that ship, others."""
    if file is None and config.data.files:
        return []
    with as_file(files(__package__) / "added.csv") as ships:
        recipes = read_recipes(file or ships)
    return [recipe for recipe in recipes if recipe.id not in known]


def evaluate_own(
    run: Path,
    file: Path,
    *,
    require: Sequence[str] = (),
    compare: str | None = None,
    engine: str | None = None,
    max_new_tokens: int = MAX_NEW_TOKENS,
    on_answer: OnAnswer | None = None,
) -> OwnScorecard:
    """Ask a chef people's own questions, and judge the answers by the words that they must and must not have.

    Args:
        run: a finished run folder, or any folder that `Chef.load` takes.
        file: the questions, in the format of `koki.evaluation.own_questions`.
        require: as `evaluate`; the measure is `PASSED`, of all questions and of each capability in the file.
        compare, engine, on_answer: as `evaluate`.

    Raises:
        ConfigError: a requirement cannot be read; nothing was asked then.
        RunError: a folder is not a finished run.
        DataError: the file cannot be used.
    """
    quiet_libraries()
    questions = read_questions(file)
    places = [(capability, PASSED) for capability in capabilities_of(questions)]
    requirements = [Requirement.read(text, places) for text in require]
    texts = [question.question for question in questions]
    count_up = _counter(len(texts), compare, on_answer)

    def scorecard(name: str, chef: Chef, about: dict[str, Any], other: OwnScorecard | None) -> OwnScorecard:
        answers = chef.ask(texts, on_answer=count_up, max_new_tokens=max_new_tokens)
        verdicts = [verdict(*pair) for pair in zip(questions, answers, strict=True)]
        return OwnScorecard(name, about, RunConfig().seed, verdicts, other, requirements)

    about = {"questions": str(file), "max_new_tokens": max_new_tokens}
    other = scorecard(published_name(compare), _other_chef(run, compare, engine), {}, None) if compare else None
    return scorecard(published_name(run), Chef.load(run, engine=engine), about, other)


def _counter(questions: int, compare: str | Path | None, on_answer: OnAnswer | None) -> Callable[[Answer], object]:
    """A function to call after each answer of one chef, or of two, which reports how many there are by then."""
    total, done = questions * (2 if compare else 1), itertools.count(1)
    return lambda _: on_answer(next(done), total) if on_answer else None


def _judged(questions: Sequence[Asked], answers: Sequence[Answer], cookbook: Cookbook) -> list[Scored]:
    return [
        Scored(asked, answer, judge(asked, answer, cookbook), marks(asked, answer, cookbook))
        for asked, answer in zip(questions, answers, strict=True)
    ]


def _other_chef(run: Path | FinishedRun, compare: str | Path, engine: str | None) -> Chef:
    return Chef.load(run, engine=engine, base_only=True) if compare == BASE else Chef.load(compare, engine=engine)


def _config_of(run: FinishedRun, data: Sequence[str | Path]) -> RunConfig:
    """The run's settings, with its recipes where they are now."""
    return load_config(settings=run.settings | ({"data.files": list(data)} if data else {}))


def _recipes_of(run: FinishedRun, config: RunConfig) -> tuple[Sequence[Recipe], Sequence[Recipe], list[str]]:
    """The recipes trained on, those held out, and caveats about them."""
    try:
        data = RecipesOfRun(config)
        recipes = data.read
    except RecipeFileNotFound as error:
        raise DataError(
            _("The recipes that {folder} was trained on cannot be found: {what}", folder=run.folder, what=error.what),
            _("Say where they are now: --data FILE, several times if there were several."),
        ) from error
    train, held_out = data.split
    notes: list[str] = []
    if {file.sha256 for file in recipes.report.files} != {file["sha256"] for file in run.card["data"]["files"]}:
        notes.append(Caveat.OTHER_FILES)
    if not held_out:
        fraction = config.data.validation_fraction
        notes.append(Caveat.NONE_HELD_OUT.format(fraction=fraction, recipes=f"{len(recipes):,}"))
    elif config.model.name == "mini" and not config.data.files:
        notes.append(Caveat.MINI_KNOWS_ALL)
    return train, held_out, notes
