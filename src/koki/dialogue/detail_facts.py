"""What a page says of the things that a question names, found by program: an answer copies it from what is read."""

from collections.abc import Iterator, Sequence
from typing import Final

from koki.book.kitchen import general_names
from koki.book.pantry import Thing, thing
from koki.book.question import Question, read, runs_of
from koki.book.reading import Page
from koki.book.wordlists import OF_IT
from koki.dialogue.detail_words import Topic, load_details
from koki.dialogue.phrasebook import Phrasebook
from koki.dialogue.step_facts import doings, uses
from koki.ingredients.lexicon import fold
from koki.ingredients.parse import Ingredient

# Roles of words that ask in which step something is done.
_IN_WHICH_STEP: Final = frozenset({"when", "put", "first", "steps"})
# Roles of words that ask for a kind.
_WHICH: Final = frozenset({"what", "part"})
_MOST_FOODS: Final = 2
_MOST_SAID: Final = 4  # of one food, or of one thing that is done


def topic_of(asked: Question) -> Topic | None:
    """What is asked of a dish, by the words beside the names; None where it is none of the topics."""
    roles, words = asked.roles, asked.words
    if asked.without or "substitute" in roles or asked.asks_what_for:
        return None
    if asked.times is not None:
        return "portions"
    if "heat" in roles:
        return "heat"
    if asked.has_about("lasting"):
        return "time"
    if roles & _IN_WHICH_STEP:
        return "order"
    if roles & _WHICH and "or" not in roles:
        return "which"
    if "count" in roles:
        return "amount"
    return "contains" if any(word.names for word in words) else None


def facts_about(question: str, page: Page, book: Phrasebook) -> list[str]:
    """What a page says of the ingredients that a question names, or of what is done to them, a line each.

    Of an ingredient the lines of the list that have it, their amounts multiplied as the page's are, the kinds of it, or
    the steps that name it, whichever is asked for; that it is not there, where none is. Of what is done, such as
    "direbus", the steps' own words. Nothing where the question names none of it.
    """
    return list(_Facts(Question(question), page, book).lines())


class _Facts:
    def __init__(self, asked: Question, page: Page, book: Phrasebook) -> None:
        self._asked, self._page, self._say, self._topic = asked, page, book.pages, topic_of(asked)
        self._words = load_details().words
        self._foods = self._named(_beside(asked, page.name))[:_MOST_FOODS]

    def _named(self, places: Sequence[int]) -> list[str]:
        """The foods that are named; words side by side are one where that stands in the list of ingredients."""
        found = list[str]()
        for run in runs_of(places):
            foods = self._asked.foods(run)
            whole = " ".join(dict.fromkeys(self._asked.words[at].text for at in run))
            is_one = not (foods and all(map(self._items_of, foods))) and self._items_of(whole)
            found += [whole] if is_one else foods
        return list(dict.fromkeys(found))

    def lines(self) -> Iterator[str]:
        done = [name for word in self._asked.words if (name := self._done_by(word.said))]
        said = [line for name in dict.fromkeys(done) for line in self._of_what_is_done(name)]
        yield from said or (line for food in self._foods for line in self._of_food(food))

    def _of_food(self, food: str) -> Iterator[str]:
        listed = self._items_of(food)
        used = uses(self._page.recipe.steps, food, self._words)[:_MOST_SAID]
        if used and (self._topic == "order" or not listed):
            for number, sentence in used:
                yield self._say.fact_in_step.format(thing=food, dish=self._page.name, number=number, sentence=sentence)
        elif listed:
            form = self._say.facts.get(self._topic, self._say.fact) if self._topic else self._say.fact
            kinds = dict.fromkeys(name for item in listed for name in _names_of(item) if self._is(name, food))
            yield self._fact(form, food, list(kinds) if self._topic == "which" else list(map(self._listed, listed)))
        elif not set(fold(food).split()) <= set(fold(self._page.name).split()):
            yield self._say.fact_lacks.format(thing=food, dish=self._page.name)

    def _items_of(self, food: str) -> list[Ingredient]:
        """The lines that have a food or a kind of it; of "tepung" all sorts of flour."""
        lines = (item for item in self._page.ingredients if not item.heading)
        return [item for item in lines if any(self._is(name, food) for name in _names_of(item))][:_MOST_SAID]

    def _is(self, name: str, food: str) -> bool:
        general = fold(food)
        return _is_of(name, thing(food)) or (general in self._words.general and general in general_names(name))

    def _listed(self, item: Ingredient) -> str:
        return self._say.of_group.format(line=item.raw, group=item.group) if item.group else item.raw

    def _of_what_is_done(self, name: str) -> Iterator[str]:
        """What the steps say of it, with the food that is named if there is such."""
        things = [kind for item in self._page.recipe.ingredients for it in _names_of(item) if (kind := thing(it))]
        done = [it for it in doings(self._page.recipe.steps, things, self._words) if it.done == name]
        wanted = [kind for food in self._foods if (kind := thing(food))]
        of_it = [it for it in done if any(_is_of(it.to, kind) for kind in wanted)]
        if said := list(dict.fromkeys(it.text for it in of_it or done)):
            yield self._fact(self._say.fact, name, said[:_MOST_SAID])

    def _fact(self, form: str, what: str, said: Sequence[str]) -> str:
        return form.format(thing=what, dish=self._page.name, said="; ".join(said))

    def _done_by(self, said: str) -> str | None:
        """What is done, where a word says so: "direbus", "direbusnya"."""
        return next((said[: len(said) - len(end)] for end in ("", *OF_IT) if self._is_done(said, end)), None)

    def _is_done(self, said: str, end: str) -> bool:
        return said.endswith(end) and said[: len(said) - len(end)] in self._words.done


def _beside(asked: Question, dish: str) -> list[int]:
    """The places of the names in a question, without those that name the dish; one word of several does not."""
    words, own = asked.words, [word.text for word in read(dish) if word.names]
    places = [at for at, word in enumerate(words) if word.names]
    for start in range(len(places) - len(own) + 1):
        if [words[at].text for at in places[start : start + len(own)]] == own:
            return places[:start] + places[start + len(own) :]
    named = {at for at in places if words[at].text in own and not words[at].owned}
    return places if len(named) == 1 else [at for at in places if at not in named]


def _names_of(item: Ingredient) -> tuple[str, ...]:
    return (*item.names, *item.alternatives)


def _is_of(name: str, kind: Thing | None) -> bool:
    """Whether a name names a thing, a kind of it, or what it is a kind of."""
    it = thing(name) if name else None
    return it is not None and kind is not None and it.is_related_to(kind)
