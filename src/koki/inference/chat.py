"""A chat in the terminal. What it says is in ``chat.toml``."""

import re
import sys
import tomllib
from collections.abc import Callable
from importlib.resources import files
from typing import Final

from rich.console import Console

from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import KokiError, QuestionTooLong
from koki.inference.chef import Answer, Chef, Turn

_SAYS: Final = tomllib.loads(files(__package__).joinpath("chat.toml").read_text(encoding="utf-8"))
_BETWEEN: Final = re.compile("|".join(map(re.escape, _SAYS["ingredients"]["between"])))


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
        print(line, flush=True)  # noqa: T201
    return line


class Chat:
    """One conversation with a chef.

    Args:
        console: where it is printed.
        read: gives the next line, prompted for with its argument, and raises EOFError after the last.
        max_new_tokens, temperature: as `Chef.ask`.
    """

    def __init__(
        self,
        chef: Chef,
        console: Console,
        read: Callable[[str], str] = read_line,
        *,
        max_new_tokens: int = 512,
        temperature: float = 0.0,
    ) -> None:
        self._chef = chef
        self._console = console
        self._read = read
        self._max_new_tokens = max_new_tokens
        self._temperature = temperature
        self.history: list[Turn] = []

    def run(self) -> None:
        """Talk until there are no more lines. Ctrl+C stops an answer, or clears the line that is being typed."""
        self._say(_SAYS["welcome"])
        while True:
            try:
                self._take(self._read(_SAYS["prompt"]).strip())
            except KeyboardInterrupt:
                self._console.print()
            except QuestionTooLong as error:
                self._say(_SAYS["too_long"].format(tokens=error.tokens, context=error.context))
            except KokiError as error:
                self._say(str(error))
            except EOFError:
                break
        self._say(f"\n{_SAYS['goodbye']}")

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

        def show(text: str) -> None:
            said.append(text)
            self._console.print(text, end="", highlight=False, markup=False, soft_wrap=True)

        try:
            answer = self._chef.ask(
                question,
                history=self.history,
                on_text=show,
                max_new_tokens=self._max_new_tokens,
                temperature=self._temperature,
            )
        except KeyboardInterrupt:
            self._say(f" {_SAYS['stopped']}")
        else:
            self._say("" if answer.stopped else f" {self._why_unfinished(answer)}")
        if text := "".join(said).strip():
            self.history.append((question, text))

    def _why_unfinished(self, answer: Answer) -> str:
        why: str = _SAYS["unfinished"][answer.ended_by]
        return why.format(max_new_tokens=self._max_new_tokens, context=self._chef.context)

    def _say(self, text: str) -> None:
        self._console.print(text, style="dim", highlight=False, markup=False, soft_wrap=True)


def what_to_cook_with(names: list[str]) -> str:
    """The question what to cook with these ingredients, in a form that the chef was trained on."""
    book = load_phrasebook()
    if len(names) == 1:
        return book.inquiry[0].question.format(ingredient=names[0])
    form = next(form for form in book.recommendation if form.several)
    return form.question.format(ingredients=book.joining.join(names))
