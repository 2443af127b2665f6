"""A dish that is not in the book: to be said, and nothing to be invented."""

import re
from collections.abc import Sequence
from typing import Final

from koki.answers.filled import filling
from koki.answers.opening import name_in
from koki.config import DataConfig
from koki.dialogue.book_answers import BookAnswers
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.forms import ask
from koki.dialogue.phrasebook import Phrasebook, load_phrasebook
from koki.evaluation.capabilities.capability import Capability, Case, Measure, Scores
from koki.evaluation.words import WORDS
from koki.language import N_

_ABSENT: Final = re.compile("|".join(rf"\b{words}\b" for words in WORDS["absent"]["said"]))


def _judge(case: Case) -> Scores:
    """Judge by the words that say so; where what is nearest was read, one of that should be named."""
    gives_recipe = bool(case.said.ingredients or case.said.steps)
    says_so = _ABSENT.search(case.text.lower()) is not None
    names_near = name_in(case.text, case.nearest) is not None
    return {
        "said_absent": float(says_so and not gives_recipe),
        "nothing_invented": float(not gives_recipe),
        "names_nearest": float(names_near and not gives_recipe) if case.nearest else None,
    }


def _subjects(group: str, _composer: Composer, _data: DataConfig) -> Sequence[Sequence[Conversation]]:
    """Each dish in each form that asks for one, those that are held out under understanding."""
    if group not in ("recall", "typing", "understanding"):
        return []
    book = load_phrasebook()
    forms = [form for form in (*book.standard, *book.simple) if form.held_out is (group == "understanding")]
    system, answers = book.system.prompt, BookAnswers(book)
    return [
        [Conversation("absent", system, ask(form.question, dish=dish), answers.absent(dish, ())) for form in forms]
        for dish in WORDS["absent"]["dishes"]
    ]


def _names_in(question: str, book: Phrasebook) -> Sequence[str]:
    return [filling(question, [*book.standard, *book.simple])]


ABSENT: Final = Capability(
    name="absent",
    kind="absent",
    measures={
        "said_absent": Measure(
            N_("says it is not there"), "says that there is no such dish in the book, and gives no recipe"
        ),
        "nothing_invented": Measure(N_("nothing invented"), "gives no recipe of a dish that is not there"),
        "names_nearest": Measure(N_("names the nearest"), "names a dish that is near to it and is there"),
    },
    judge=_judge,
    bars={"said_absent": 1.0},
    names_in=_names_in,
    about_recipes=False,
    subjects=_subjects,
    needs_book=True,
    is_promised=False,
)
