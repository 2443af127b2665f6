"""A chef to ask: questions become prompts, and what an engine generates becomes answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, overload

from koki.dialogue.certain import certain_answer
from koki.errors import EmptyQuestion, QuestionTooLong
from koki.inference.engine import Ending, Engine, Generated
from koki.inference.engines import load_engine
from koki.runs.finished import FinishedRun
from koki.tokens.template import ChatTemplate

Turn = tuple[str, str]
"""A question and its answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the chef said.

    Attributes:
        answer: without blanks at its ends.
        ended_by: why it is over, see `koki.inference.engine.Ending`.
        tokens: of the answer, the token that ended it included; 0 where no model was asked (`koki.dialogue.certain`).
        seconds: of generation; answers that are generated side by side share the time evenly.
    """

    question: str
    answer: str
    ended_by: Ending
    tokens: int
    seconds: float

    @property
    def stopped(self) -> bool:
        """Whether the model ended the answer itself."""
        return self.ended_by == "stop_token"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "question": self.question,
            "answer": self.answer,
            "stopped": self.stopped,
            "ended_by": self.ended_by,
            "tokens": self.tokens,
            "seconds": self.seconds,
        }


class Chef:
    """A chef to ask.

    Args:
        engine: generates the answers.
        template: of the engine's model, with the system prompt.

    >>> from koki import Chef
    >>> chef = Chef.load("runs/warung")
    >>> print(chef.ask("Resep soto ayam dong!").answer)
    Berikut resep Soto Ayam: ...

    Watch an answer come:

    >>> answer = chef.ask("Resep rawon?", on_text=lambda text: print(text, end="", flush=True))

    Ask many at once, which takes a fraction of the time; the answers are those of asking one by one (on a GPU, in half
    precision, a near tie may turn):

    >>> answers = chef.ask(["Punya tempe, bisa dibikin apa ya?", "Bahan rendang apa aja?"])
    >>> [answer.stopped for answer in answers]  # did each end by itself?
    [True, True]

    Go on talking:

    >>> first = chef.ask("Punya tempe, bisa dibikin apa ya?")
    >>> chef.ask("Kalau tanpa santan?", history=[(first.question, first.answer)])

    It answers the same question with the same words; ``temperature=0.7`` lets it vary them.
    """

    def __init__(self, engine: Engine, template: ChatTemplate) -> None:
        self._engine = engine
        self._template = template

    @classmethod
    def load(cls, run: str | Path | FinishedRun, *, engine: str | None = None, base_only: bool = False) -> Self:
        """Load a run folder, a GGUF file of a run, or a folder of whole weights (any Qwen2 or Qwen3 model).

        Args:
            engine: ``transformers`` or ``llama.cpp``; without it, transformers where there is a GPU, else llama.cpp.
                That one's file is made once, in the folder ``gguf`` of the run.
            base_only: without the adapter: the base, told that it is a chef, to see what training was good for.

        Raises:
            ConfigError: there is no such engine, or it cannot run what it is asked to.
            RunError: the folder is not a finished run, or its base is not what it was trained on.
            ModelError: its base model or its tokenizer cannot be loaded.
            CheckpointError: its adapter cannot be loaded.
        """
        return cls(*load_engine(run, engine, base_only=base_only))

    @property
    def engine(self) -> str:
        """What generates its answers, see `Engine.name`."""
        return self._engine.name

    @property
    def context(self) -> int:
        """Tokens that the model reads: the conversation so far and the answer."""
        return self._engine.context

    @overload
    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        on_text: Callable[[str], object] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        max_new_tokens: int = 512,
        temperature: float = 0.0,
    ) -> Answer: ...

    @overload
    def ask(
        self,
        question: list[str] | tuple[str, ...],
        *,
        on_answer: Callable[[Answer], object] | None = None,
        max_new_tokens: int = 512,
        temperature: float = 0.0,
    ) -> list[Answer]: ...

    def ask(
        self,
        question: str | list[str] | tuple[str, ...],
        *,
        history: Sequence[Turn] = (),
        on_text: Callable[[str], object] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        on_answer: Callable[[Answer], object] | None = None,
        max_new_tokens: int = 512,
        temperature: float = 0.0,
    ) -> Answer | list[Answer]:
        """Answer one question, or a list of them in order.

        Args:
            question: any text; control tokens in it are text.
            history: earlier turns of the conversation, the oldest first. What does not fit in the context beside an
                answer of ``max_new_tokens``, or of half the context if that is less, is forgotten, whole turns, the
                oldest first.
            on_text: called with each piece of the answer, a word or so, as soon as it is there.
            is_cancelled: called after each token that does not end the answer; True ends it there.
            on_answer: called with each answer to a list, as soon as it is there; short questions come first.
            max_new_tokens: where an answer that does not end is cut off; at the end of the context if that comes
                first, past which a model talks nonsense.
            temperature: 0 is greedy; above 0, tokens are drawn at random, by the transformers engine from torch's
                global generator, by llama.cpp another way each time.

        Raises:
            EmptyQuestion: a question has no words.
            QuestionTooLong: a question does not fit in the context.
            TypeError: several questions with what goes with one.
        """
        if not isinstance(question, str):
            if history or on_text or is_cancelled:
                raise TypeError("history, on_text and is_cancelled go with one question, not with several")
            return self._ask_all(question, max_new_tokens, temperature, on_answer or (lambda _: None))
        prompt = self._prompt(question, history, min(max_new_tokens, self.context // 2))
        if (certain := certain_answer(question)) is not None:
            if on_text is not None:
                on_text(certain)
            return _without_model(question, certain)
        ((_, generated),) = self._engine.generate(
            [prompt],
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            on_text=None if on_text is None else lambda _, text: on_text(text),
            is_cancelled=None if is_cancelled is None else lambda _: is_cancelled(),
        )
        return _answer(question, generated)

    def _ask_all(
        self, questions: Sequence[str], max_new_tokens: int, temperature: float, on_answer: Callable[[Answer], object]
    ) -> list[Answer]:
        prompts = [self._prompt(question) for question in questions]
        answers: dict[int, Answer] = {}
        for number, question in enumerate(questions):
            if (certain := certain_answer(question)) is not None:
                answers[number] = _without_model(question, certain)
                on_answer(answers[number])
        left = [number for number in range(len(questions)) if number not in answers]
        generating = self._engine.generate(
            [prompts[number] for number in left], max_new_tokens=max_new_tokens, temperature=temperature
        )
        for place, generated in generating:
            number = left[place]
            answers[number] = _answer(questions[number], generated)
            on_answer(answers[number])
        return [answers[number] for number in range(len(questions))]

    def _prompt(self, question: str, history: Sequence[Turn] = (), room: int = 1) -> list[int]:
        """The prompt, with as much of the history as leaves ``room`` for an answer."""
        question = _as_text(question.strip())
        if not question:
            raise EmptyQuestion
        prompt = self._template.prompt(question)
        if len(prompt) >= self.context:
            raise QuestionTooLong(question, len(prompt), self.context)
        turns: list[Turn] = []
        left = self.context - room - len(prompt)
        for asked, answered in reversed(history):  # the newest first, and none that the context has no room for
            turn = (_as_text(asked), _as_text(answered))
            left -= self._template.length_of_turn(*turn)
            if left < 0:
                break
            turns.insert(0, turn)
        return self._template.prompt(question, turns)


def _answer(question: str, generated: Generated) -> Answer:
    return Answer(question, generated.text.strip(), generated.ended_by, generated.tokens, generated.seconds)


def _without_model(question: str, answer: str) -> Answer:
    return Answer(question, answer, "stop_token", tokens=0, seconds=0.0)


def _as_text(text: str) -> str:
    """Bytes of a command line or terminal that are no UTF-8, which Python carries as lone surrogates, become "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
