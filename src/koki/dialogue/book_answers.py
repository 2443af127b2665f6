"""What is said of what was read, by rule: the answers that a chef is trained to give with its book open."""

from collections.abc import Iterable, Sequence
from typing import Final

from koki.book.reading import Page, Reading
from koki.dialogue.conversation import Segment
from koki.dialogue.forms import say
from koki.dialogue.layout import list_ingredients, list_steps
from koki.dialogue.pages import companion_line, recipe_blocks, suggestion_line
from koki.dialogue.phrasebook import Answers, Phrasebook

Answer = tuple[Segment, ...]

# Of the phrasebook's sentences always the first: which one is said does not depend on a draw that the model cannot see.
_FIRST: Final = 0


class BookAnswers:
    """Fills the phrasebook's frames with what was read."""

    def __init__(self, phrasebook: Phrasebook) -> None:
        self._words = phrasebook
        self._frames = phrasebook.frames
        self._courtesy = Segment(phrasebook.frames.closing.courtesy[_FIRST], "courtesy")

    def requested(self, page: Page, answers: Answers) -> Answer:
        """The recipe, its ingredients or its steps."""
        opening = say(self._frames.requested(answers).opening[_FIRST], dish=page.name)
        return (Segment(opening), *body(page, answers, self._words), self._courtesy)

    def recommended(self, reading: Reading) -> tuple[Answer, Answer]:
        """The best dish for what is at hand, what is missing, its recipe and further dishes; and without the recipe."""
        frame, (best, *_) = self._frames.recommendation, reading.pages
        used = self._words.joining.join(best.at_hand)
        opening = say(frame.opening[_FIRST], dish=best.name, ingredients=used)
        rest = frame.complete[_FIRST]
        if best.missing:
            rest = say(frame.missing[_FIRST], missing=self._words.joining.join(best.missing))
        lines = (suggestion_line(page, self._words) for page in reading.others)
        end = (*further(self._frames.others.recommendation[_FIRST], lines), self._courtesy)
        whole = (Segment(f"{opening} {rest} {frame.recipe[_FIRST]}"), *body(best, "recipe", self._words), *end)
        return whole, (Segment(f"{opening} {rest} {say(frame.offer[_FIRST], dish=best.name)}"), *end)

    def inquired(self, reading: Reading) -> tuple[Answer, Answer]:
        """A dish with an ingredient, its recipe and further dishes; and without the recipe."""
        frame, (best, *_), (ingredient,) = self._frames.inquiry, reading.pages, reading.ingredients
        opening = say(frame.opening[_FIRST], dish=best.name, ingredient=ingredient)
        heading = say(self._frames.others.inquiry[_FIRST], ingredient=ingredient)
        lines = (companion_line(page, ingredient, self._words) for page in reading.others)
        end = (*further(heading, lines), self._courtesy)
        whole = (Segment(f"{opening} {frame.recipe[_FIRST]}"), *body(best, "recipe", self._words), *end)
        return whole, (Segment(f"{opening} {say(frame.offer[_FIRST], dish=best.name)}"), *end)

    def absent(self, dish: str, nearest: Sequence[str]) -> Answer:
        """That the book does not have the dish, and what is nearest."""
        frame = self._frames.absent
        said = say(frame.opening, dish=dish)
        if nearest:
            said = f"{said} {say(frame.nearest, dishes=self._words.joining.join(nearest))}"
        return (Segment(said),)


def body(page: Page, part: Answers, words: Phrasebook) -> Answer:
    """The lists of a page; a part alone has its heading in the opening, but for one that is made several times."""
    if part == "ingredients" and page.times == 1:
        return (Segment(list_ingredients(page.ingredients)),)
    if part == "steps":
        return (Segment(list_steps(page.recipe.steps)),)
    return tuple(map(Segment, recipe_blocks(page, part, words)))


def further(heading: str, lines: Iterable[str]) -> Answer:
    """Further dishes under a heading; nothing where there are none."""
    dishes = list(lines)
    return (Segment("\n".join([heading, *dishes]), "extra"),) if dishes else ()
