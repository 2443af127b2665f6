"""Answers whose lists are the book's own, put in by program; the model says what stands around them.

The model speaks until a list of ingredients or steps would begin. There the lists of the page are put in, which it need
not generate, and it goes on behind them.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from koki.answers.check import page_given
from koki.answers.opening import says_missing
from koki.answers.said import list_at, read_answer
from koki.book.reading import Page, Reading
from koki.dialogue.book_answers import BookAnswers, body
from koki.dialogue.phrasebook import load_phrasebook
from koki.inference.engine import GREEDY, Engine, Generated, Sampling

_WITH_LISTS: Final = frozenset({"recipe", "ingredients", "steps", "recommendation", "inquiry"})


def is_sure(reading: Reading) -> bool:
    """Whether an answer should have lists, and it is sure which page they stand on."""
    return reading.wanted in _WITH_LISTS and len(reading.pages) == 1


class _Draft:
    """An answer that has the lists of a page put in.

    Attributes:
        opening: what the model said before its own list would have begun; a book's opening where it began none, as it
            does who says that the book lacks the dish, names another dish than was read, or says of what is missing
            what is not so.
        lists: of the page of the dish that the opening names.
        spent: what the opening took.
    """

    def __init__(self, reading: Reading, generated: Generated) -> None:
        at = list_at(generated.text)
        said = "" if at is None else generated.text[:at].strip()
        page = _page_opened(said, reading)
        self.opening = said if page and said else _book_opening(reading)
        self.lists = lists_of(page or reading.pages[0], reading)
        self.spent = generated

    @property
    def text(self) -> str:
        return f"{self.opening}\n\n{self.lists}"

    def ends_at(self, closing: str) -> int | None:
        """Where what the model says behind the lists begins a list anew, which ends the answer."""
        before = f"{self.opening}\n\n"
        at = list_at(before + closing)
        return None if at is None else max(0, at - len(before))

    def ended(self, closing: Generated | None = None) -> Generated:
        """The whole answer; without a closing the lists end it."""
        if closing is None:
            return replace(self.spent, text=self.text, ended_by="stop_token")
        at = self.ends_at(closing.text)
        rest = closing.text[:at].strip()
        return Generated(
            f"{self.text}\n\n{rest}" if rest else self.text,
            closing.ended_by if at is None else "stop_token",
            self.spent.tokens + closing.tokens,
            round(self.spent.seconds + closing.seconds, 3),
        )


def generate_strictly(
    engine: Engine,
    encode: Callable[[str], list[int]],
    prompts: Sequence[Sequence[int]],
    readings: Sequence[Reading],
    *,
    max_new_tokens: int,
    sampling: Sampling = GREEDY,
    on_text: Callable[[int, str], object] | None = None,
    is_cancelled: Callable[[int], bool] | None = None,
) -> Generator[tuple[int, Generated], None, None]:
    """As `Engine.generate`, with the lists of a page that is sure put in; the other answers are the model's alone.

    Args:
        encode: the ids of a text that goes on behind a prompt.
        readings: what was read for each prompt.
        on_text: gets an opening when it is whole, then the lists, then the rest.
    """
    tell, stops = on_text or (lambda _, __: None), is_cancelled or (lambda _: False)
    said = {number: "" for number, reading in enumerate(readings) if is_sure(reading)}

    def hear(number: int, piece: str) -> None:
        if number in said:  # told when it is whole
            said[number] += piece
        else:
            tell(number, piece)

    drafts: dict[int, _Draft] = {}
    for number, generated in engine.generate(
        prompts,
        max_new_tokens=max_new_tokens,
        sampling=sampling,
        on_text=hear,
        is_cancelled=lambda number: stops(number) or list_at(said.get(number, "")) is not None,
    ):
        if number in said and (generated.ended_by == "stop_token" or list_at(generated.text) is not None):
            drafts[number] = _Draft(readings[number], generated)
            tell(number, drafts[number].text)
            continue
        if number in said:
            tell(number, generated.text)
        yield number, generated
    yield from _closed(engine, encode, prompts, drafts, max_new_tokens, sampling, tell, stops)


def _closed(
    engine: Engine,
    encode: Callable[[str], list[int]],
    prompts: Sequence[Sequence[int]],
    drafts: Mapping[int, _Draft],
    max_new_tokens: int,
    sampling: Sampling,
    tell: Callable[[int, str], object],
    stops: Callable[[int], bool],
) -> Iterator[tuple[int, Generated]]:
    """Let the model go on behind the lists, in as far as there is room; what it says is told when it is whole."""
    so_far = {number: [*prompts[number], *encode(f"{draft.text}\n\n")] for number, draft in drafts.items()}
    going_on = [number for number, ids in so_far.items() if len(ids) < engine.context and not stops(number)]
    yield from ((number, draft.ended()) for number, draft in drafts.items() if number not in going_on)
    said = dict.fromkeys(going_on, "")

    def hear(place: int, piece: str) -> None:
        said[going_on[place]] += piece

    def is_over(place: int) -> bool:
        number = going_on[place]
        return stops(number) or drafts[number].ends_at(said[number]) is not None

    for place, closing in engine.generate(
        [so_far[number] for number in going_on],
        max_new_tokens=max_new_tokens,
        sampling=sampling,
        on_text=hear,
        is_cancelled=is_over,
    ):
        draft = drafts[going_on[place]]
        ended = draft.ended(closing)
        tell(going_on[place], ended.text.removeprefix(draft.text))
        yield going_on[place], ended


def lists_of(page: Page, reading: Reading) -> str:
    """The lists of a page that are wanted, as they stand in an answer."""
    return "\n\n".join(segment.text for segment in body(page, reading.part, load_phrasebook()))


def _page_opened(opening: str, reading: Reading) -> Page | None:
    """The page whose recipe an opening leads to; None where what it says is not so."""
    said = read_answer(opening)
    if said.ingredients or said.steps:  # under a heading that is no opening
        return None
    page = page_given(said, reading)
    is_wrong = page and reading.wanted == "recommendation" and not says_missing(opening, page.missing)
    return None if is_wrong else page


def _book_opening(reading: Reading) -> str:
    answers = BookAnswers(load_phrasebook())
    if reading.wanted == "recommendation":
        return answers.recommended(reading)[0][0].text
    if reading.wanted == "inquiry":
        return answers.inquired(reading)[0][0].text
    return answers.requested(reading.pages[0], reading.part)[0].text
