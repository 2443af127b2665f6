"""A chat in the terminal. What it says is in ``chat.toml``."""

import re
import sys
import tomllib
from collections.abc import Callable
from importlib.resources import files
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.control import Control
from rich.segment import ControlType

from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import KokiError, QuestionTooLong
from koki.inference.answer import Answer
from koki.inference.chef import Chef, Turn
from koki.inference.engine import MAX_NEW_TOKENS
from koki.terminal import harmless

_SAYS: Final = tomllib.loads(files(__package__).joinpath("chat.toml").read_text(encoding="utf-8"))
_BETWEEN: Final = re.compile("|".join(map(re.escape, _SAYS["ingredients"]["between"])))
_LEAVE: Final = frozenset(_SAYS["leave"]["words"])

# A turn of a conversation takes at least so many tokens, the template's included: of those that a context cannot hold,
# none need be kept.
_SHORTEST_TURN: Final = 8
_ERASE_LINE: Final = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))


def read_line(prompt: str) -> str:
    """Return the next line of standard input.

    A line from a pipe, which no terminal has shown, is printed after the prompt.

    Raises:
        EOFError: there is none, or standard input is closed.
    """
    if sys.stdin is None:  # Python sets it to None where it is closed
        raise EOFError
    line = input(prompt)
    if not sys.stdin.isatty():
        print(harmless(line), flush=True)  # noqa: T201
    return line


class Chat:
    """One conversation with a chef.

    Args:
        console: where it is printed.
        read: gives the next line, prompted for with its argument, and raises EOFError after the last.
        max_new_tokens, temperature, book, strict: as `Chef.ask`.
    """

    def __init__(
        self,
        chef: Chef,
        console: Console,
        read: Callable[[str], str] = read_line,
        *,
        max_new_tokens: int = MAX_NEW_TOKENS,
        temperature: float = 0.0,
        book: bool | None = None,
        strict: bool = False,
    ) -> None:
        self._chef = chef
        self._console = console
        self._read = read
        self._max_new_tokens = max_new_tokens
        self._temperature = temperature
        self._book, self._strict = book, strict
        self.history: list[Turn] = []

    def run(self) -> None:
        """Talk until there are no more lines, or one says to leave. Ctrl+C stops an answer, or clears what is typed."""
        self._say(_SAYS["welcome"])
        self._say(_SAYS["caution"])
        while (line := self._next_line()) is not None and not _leaves(line):
            try:
                self._take(line)
            except KeyboardInterrupt:
                self._console.print()
            except QuestionTooLong as error:
                self._say(_SAYS["too_long"].format(tokens=error.tokens, context=error.context))
            except KokiError as error:
                self._say(str(error))
        self._say(_SAYS["goodbye"])

    def _next_line(self) -> str | None:
        """What is typed; None at the end of it."""
        while True:
            try:
                return self._read(_SAYS["prompt"]).strip()
            except KeyboardInterrupt:
                self._console.control(_ERASE_LINE)  # or there would stand a prompt that nobody answered
            except EOFError:
                self._console.print()
                return None

    def _take(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        match command.lower() if command.startswith("/") else command:
            case "":
                return
            case "/help":
                self._say(_SAYS["help"].strip())
            case "/reset":
                self.history.clear()
                self._say(_SAYS["reset"])
            case "/bahan":
                names = [name.strip() for name in _BETWEEN.split(rest) if name.strip()]
                if names:
                    self._answer(what_to_cook_with(names))
                else:
                    self._say(_SAYS["no_ingredients"])
            case _ if command.startswith("/"):
                self._say(_SAYS["unknown"].format(command=command))
            case _:
                self._answer(line)

    def _answer(self, question: str) -> None:
        """Stream the answer. One that was stopped belongs to the conversation as far as it was said."""
        said: list[str] = []
        shown = WordByWord(self._console)

        def show(text: str) -> None:
            said.append(text)
            shown.add(text)

        try:
            answer = self._chef.ask(
                question,
                history=self.history,
                on_text=show,
                max_new_tokens=self._max_new_tokens,
                temperature=self._temperature,
                book=self._book,
                strict=self._strict,
            )
        except KeyboardInterrupt:
            why = _SAYS["unfinished"]["cancelled"]
        else:
            why = answer.where_it_stands if answer.stopped else self._why_unfinished(answer)
        finally:
            shown.end()
        self._console.print()
        if why:
            self._say(why)
        if text := "".join(said).strip():
            self.history.append((question, text))
            del self.history[: -(self._chef.context // _SHORTEST_TURN)]

    def _why_unfinished(self, answer: Answer) -> str:
        why: str = _SAYS["unfinished"][answer.ended_by]
        return why.format(max_new_tokens=self._max_new_tokens, context=self._chef.context)

    def _say(self, text: str) -> None:
        as_it_is = not self._console.is_terminal
        self._console.print(text, style="dim", highlight=False, markup=False, soft_wrap=as_it_is)


class WordByWord:
    """A text that comes in pieces, printed a word at a time, so that no word is broken at the edge of a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._column = 0
        self._blanks, self._word = "", ""  # what has come and is not yet printed, in this order

    def add(self, text: str) -> None:
        """Print the words of the next piece that are whole; a word is once something follows it."""
        for part in re.findall(r"\S+|\n|[^\S\n]+", text):
            if not part.isspace():
                self._word += part
                continue
            self._print_word()
            if part == "\n":
                self._print("\n")
                self._column = 0
            else:
                self._blanks += part

    def end(self) -> None:
        """Print what is left."""
        self._print_word()

    def _print_word(self) -> None:
        if not self._word:
            self._blanks = ""  # at the end of a line
            return
        width = cell_len(harmless(self._blanks + self._word))
        if self._console.is_terminal and self._column and self._column + width > self._console.width:
            self._blanks, width, self._column = "\n", cell_len(harmless(self._word)), 0
        self._print(self._blanks + self._word)
        self._column += width
        self._blanks = self._word = ""

    def _print(self, text: str) -> None:
        self._console.print(text, end="", highlight=False, markup=False, soft_wrap=True)


def _leaves(line: str) -> bool:
    return line.rstrip(".!").lower() in _LEAVE


def what_to_cook_with(names: list[str]) -> str:
    """The question what to cook with these ingredients, in a form that the chef was trained on."""
    book = load_phrasebook()
    if len(names) == 1:
        return book.inquiry[0].question.format(ingredient=names[0])
    form = next(form for form in book.recommendation if form.several)
    return form.question.format(ingredients=book.joining.join(names))
