"""A chef to ask: it looks in its book, questions become prompts, and what an engine generates becomes answers."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Final, NamedTuple, Self, TypedDict, Unpack, overload

from koki.answers.check import check
from koki.book.lookup import look_up
from koki.book.reading import Reading
from koki.book.store import Book
from koki.book.understand import understand
from koki.dialogue.certain import certain_answer
from koki.dialogue.pages import asked_after_reading, reading_texts
from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import EmptyQuestion, QuestionTooLong
from koki.inference.answer import Answer
from koki.inference.engine import MAX_NEW_TOKENS, Engine, Generated, Sampling
from koki.inference.engines import Loaded, is_gguf, load_engine, load_engines, require_engine, run_of_gguf
from koki.inference.streaming import AnswerStream, Ask, AsyncAnswerStream
from koki.inference.strict import generate_strictly
from koki.runs.finished import FinishedRun, read_run
from koki.runs.names import BOOK, METADATA
from koki.tokens.template import ChatTemplate

Turn = tuple[str, str]
"""A question and its answer."""


_READS_UNTRAINED: Final = 100_000_000  # parameters
_NOTHING_READ: Final = Reading("other")


class AskOptions(TypedDict, total=False):
    """What may go with a question, see `Chef.ask`."""

    history: Sequence[Turn]
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int | None
    book: bool | None
    strict: bool
    instructions: str


class _Asked(NamedTuple):
    """A question, its prompt, and what is read in that."""

    question: str
    prompt: list[int]
    reading: Reading | None


class Chef:
    """A chef to ask.

    Args:
        engine: generates the answers.
        template: of the engine's model, with the system prompt.
        book: what it reads before it answers; without one it answers from memory.
        reads: whether it reads its book where nobody says whether to.

    >>> from koki import Chef
    >>> chef = Chef.load("runs/warung")
    >>> print(chef.ask("Resep soto ayam dong!").answer)
    Berikut resep Soto Ayam: ...

    Watch an answer come; who leaves the loop stops it:

    >>> stream = chef.stream("Resep rawon?")
    >>> for piece in stream:
    ...     print(piece, end="", flush=True)
    >>> stream.answer.stopped
    True

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

    def __init__(self, engine: Engine, template: ChatTemplate, book: Book | None = None, *, reads: bool = True) -> None:
        self._engine = engine
        self._template = template
        self._book = book
        self._reads = reads

    @classmethod
    def load(cls, run: str | Path | FinishedRun, *, engine: str | None = None, base_only: bool = False) -> Self:
        """Load a run folder, ``owner/name`` of a run on the hub, a GGUF file of a run, or a folder of whole weights.

        Those may be of any Qwen2 or Qwen3 model.

        Args:
            engine: ``transformers`` or ``llama.cpp``; without it, transformers where there is a GPU, else llama.cpp.
                That one's file is made once, in the folder ``gguf`` of the run.
            base_only: without the adapter: the base, told that it is a chef, to see what training was good for.

        Raises:
            ConfigError: there is no such engine, or it cannot run what it is asked to.
            RunError: the folder is not a finished run, or its base is not what it was trained on.
            ModelError: its base model or its tokenizer cannot be loaded.
            CheckpointError: its adapter cannot be loaded.
            BookError: its book cannot be read.
        """
        require_engine(engine)
        found = _find(run)
        return cls._made_of(found, load_engine(found.to_load, engine, base_only=base_only))

    @classmethod
    def load_several(cls, runs: Sequence[str | Path | FinishedRun], *, engine: str | None = None) -> list[Self]:
        """Load several, each as `load` does; llama.cpp holds the weights of a base that several were trained on once.

        Raises:
            as `load`.
        """
        require_engine(engine)
        found = list(map(_find, runs))
        return list(map(cls._made_of, found, load_engines([one.to_load for one in found], engine)))

    @classmethod
    def _made_of(cls, found: "_Found", loaded: Loaded) -> Self:
        book = _book_in(found.run.folder if found.run else found.path)
        return cls(*loaded, book, reads=found.run is not None and can_read(found.run))

    def reading_in(self, book: Book | None) -> Self:
        """The same chef with another book, or with none."""
        return type(self)(self._engine, self._template, book, reads=self._reads)

    @property
    def engine(self) -> str:
        """What generates its answers, see `Engine.name`."""
        return self._engine.name

    @property
    def context(self) -> int:
        """Tokens that the model reads: the conversation so far and the answer."""
        return self._engine.context

    @property
    def at_once(self) -> int:
        """Answers that its engine generates side by side, whoever asks; further ones wait."""
        return self._engine.at_once

    @property
    def book(self) -> Book | None:
        """What it looks things up in."""
        return self._book

    @overload
    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        on_text: Callable[[str], object] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
        book: bool | None = None,
        strict: bool = False,
        instructions: str = "",
    ) -> Answer: ...

    @overload
    def ask(
        self,
        question: list[str] | tuple[str, ...],
        *,
        on_answer: Callable[[Answer], object] | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
        book: bool | None = None,
        strict: bool = False,
        instructions: str = "",
    ) -> list[Answer]: ...

    def ask(
        self,
        question: str | list[str] | tuple[str, ...],
        *,
        history: Sequence[Turn] = (),
        on_text: Callable[[str], object] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        on_answer: Callable[[Answer], object] | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
        book: bool | None = None,
        strict: bool = False,
        instructions: str = "",
    ) -> Answer | list[Answer]:
        """Answer one question, or a list of them in order.

        Args:
            question: any text; control tokens in it are text.
            history: earlier turns of the conversation, the oldest first. What does not fit in the context beside an
                answer of ``max_new_tokens``, or of half the context if that is less, is forgotten, whole turns, the
                oldest first.
            on_text: called with each piece of the answer, a word or so, as soon as it is there; where several threads
                ask the same chef, perhaps in another one of them.
            is_cancelled: called after each token that does not end the answer; True ends it there.
            on_answer: called with each answer to a list, as soon as it is there; short questions come first.
            max_new_tokens: where an answer that does not end is cut off; at the end of the context if that comes
                first, past which a model talks nonsense.
            temperature: 0 is greedy; above 0, tokens are drawn at random.
            top_p: drawn from the likeliest that together have this probability.
            seed: of what is drawn; without one, the transformers engine draws from torch's global generator, llama.cpp
                another way each time.
            book: whether it looks in its book first, where it has one; else it answers from memory. Without a word, it
                looks where it was trained to read or its model is large enough to, and always where it is strict.
            strict: where it is sure which page was meant, the lists of ingredients and steps are the page's own, put in
                by program; the model says the rest.
            instructions: what stands behind the chef's own system prompt.

        Raises:
            EmptyQuestion: a question has no words.
            QuestionTooLong: a question does not fit in the context.
            TypeError: several questions with what goes with one.
        """
        reads = (self._reads or strict) if book is None else book
        sampling = Sampling(temperature, top_p, seed)
        if not isinstance(question, str):
            if history or on_text or is_cancelled:
                raise TypeError("history, on_text and is_cancelled go with one question, not with several")
            answers = partial(self._answers, max_new_tokens=max_new_tokens, sampling=sampling, strict=strict)
            asked_all = [self._prepare(it, (), max_new_tokens, reads, instructions) for it in question]
            return self._ask_all(asked_all, answers, on_answer or (lambda _: None))
        asked = self._prepare(question, history, max_new_tokens, reads, instructions)
        if (certain := certain_answer(question)) is not None:
            if on_text is not None:
                on_text(certain)
            return _without_model(question, certain)
        ((_, answer),) = self._answers(
            [asked],
            max_new_tokens=max_new_tokens,
            sampling=sampling,
            strict=strict,
            on_text=None if on_text is None else lambda _, text: on_text(text),
            is_cancelled=None if is_cancelled is None else lambda _: is_cancelled(),
        )
        return answer

    def stream(self, question: str, **options: Unpack[AskOptions]) -> AnswerStream:
        """Answer one question in another thread: the pieces of the answer, to be looped over as they come.

        Who leaves the loop, or drops the stream, stops the generation at its next token. After the loop, `answer` of
        the stream is what `ask` returns. The options and errors are those of `ask`; an error comes with the
        first piece.
        """
        return AnswerStream(self._asking(question, options), self._threads)

    def astream(self, question: str, **options: Unpack[AskOptions]) -> AsyncAnswerStream:
        """As `stream`, in an event loop: ``async for piece in chef.astream(question)``."""
        return AsyncAnswerStream(self._asking(question, options), self._threads)

    async def aask(self, question: str, **options: Unpack[AskOptions]) -> Answer:
        """As `ask`, in an event loop, which goes on meanwhile; a task that is cancelled stops the generation."""
        return await self.astream(question, **options).answer()

    def _asking(self, question: str, options: AskOptions) -> Ask:
        def ask(*, on_text: Callable[[str], object], is_cancelled: Callable[[], bool]) -> Answer:
            return self.ask(question, on_text=on_text, is_cancelled=is_cancelled, **options)

        return ask

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """As many as answers come side by side; further ones wait for theirs."""
        return ThreadPoolExecutor(self.at_once, thread_name_prefix="koki-answer")

    def _ask_all(
        self,
        asked: Sequence[_Asked],
        answer_all: Callable[[Sequence[_Asked]], Iterator[tuple[int, Answer]]],
        on_answer: Callable[[Answer], object],
    ) -> list[Answer]:
        answers: dict[int, Answer] = {}
        for number, it in enumerate(asked):
            if (certain := certain_answer(it.question)) is not None:
                answers[number] = _without_model(it.question, certain)
                on_answer(answers[number])
        left = [number for number in range(len(asked)) if number not in answers]
        for place, answer in answer_all([asked[number] for number in left]):
            answers[left[place]] = answer
            on_answer(answer)
        return [answers[number] for number in range(len(asked))]

    def _answers(
        self,
        asked: Sequence[_Asked],
        *,
        max_new_tokens: int,
        sampling: Sampling,
        strict: bool,
        on_text: Callable[[int, str], object] | None = None,
        is_cancelled: Callable[[int], bool] | None = None,
    ) -> Iterator[tuple[int, Answer]]:
        """The place of each question and its answer, in the order in which they are there."""
        generate = self._engine.generate
        if strict:
            readings = [it.reading or _NOTHING_READ for it in asked]
            generate = partial(generate_strictly, self._engine, self._encode, readings=readings)
        for place, generated in generate(
            [it.prompt for it in asked],
            max_new_tokens=max_new_tokens,
            sampling=sampling,
            on_text=on_text,
            is_cancelled=is_cancelled,
        ):
            yield place, _answer(asked[place], generated)

    def _encode(self, text: str) -> list[int]:
        return self._template.encode([text])[0]

    def _prepare(
        self, question: str, history: Sequence[Turn], max_new_tokens: int, book: bool, instructions: str = ""
    ) -> _Asked:
        """The prompt, with what is read, and with as much of the history as leaves room for an answer."""
        text = _as_text(question.strip())
        if not text:
            raise EmptyQuestion
        room = min(max_new_tokens, self.context // 2)
        reading = self._look_up(text, history) if book and self._book is not None else None
        prompt_of = partial(self._template.prompt, instructions=_as_text(instructions.strip()))
        asked, read, prompt = _read(prompt_of, text, reading, self.context - room)
        if len(prompt) >= self.context:
            raise QuestionTooLong(text, len(prompt), self.context)
        turns: list[Turn] = []
        left = self.context - room - len(prompt)
        for earlier in reversed(history):  # the newest first, and none that the context has no room for
            turn = (_as_text(earlier[0]), _as_text(earlier[1]))
            left -= self._template.length_of_turn(*turn)
            if left < 0:
                break
            turns.insert(0, turn)
        if turns:
            prompt = prompt_of(asked, turns, read)
        return _Asked(question, prompt, reading if read else None)

    def _look_up(self, question: str, history: Sequence[Turn]) -> Reading:
        assert self._book is not None
        return look_up(understand(question, self._book, history), self._book)


def _read(
    prompt_of: Callable[..., list[int]], question: str, reading: Reading | None, most: int
) -> tuple[str, str, list[int]]:
    """The question as it is asked, what is read before it, as much as fits in ``most`` tokens, and the prompt."""
    words = load_phrasebook()
    asked = asked_after_reading(question, words)
    for read in reading_texts(reading, question, words) if reading else ():
        prompt = prompt_of(asked, read=read)
        if len(prompt) <= most:
            return asked, read, prompt
    return question, "", prompt_of(question)


def can_read(run: FinishedRun) -> bool:
    """Whether the chef of a run answers better with its book open: it was trained to read, or its model is large.

    A real model of 0.5 B reads untrained; one of a few million parameters does not.
    """
    parameters = run.card["training"].get("parameters", _READS_UNTRAINED)
    return bool(run.settings.get("data.book_share", 0) or parameters >= _READS_UNTRAINED)


class _Found(NamedTuple):
    """What a chef is loaded from, and the run that it belongs to, if any."""

    path: Path
    run: FinishedRun | None

    @property
    def to_load(self) -> Path | FinishedRun:
        """Of a GGUF file the file itself; a run is read once."""
        return self.path if is_gguf(self.path) else self.run or self.path


def _find(run: str | Path | FinishedRun) -> _Found:
    if isinstance(run, FinishedRun):
        return _Found(run.folder, run)
    path = Path(run).expanduser()
    return _Found(path, _run_of(path))


def _run_of(path: Path) -> FinishedRun | None:
    """The run in a folder, or that a GGUF file was made of; None of whole weights without a card."""
    if is_gguf(path):
        return run_of_gguf(path)
    is_whole_weights = (path / "config.json").is_file() and not (path / METADATA).is_file()
    return None if is_whole_weights else read_run(path)


def _book_in(folder: Path) -> Book | None:
    return Book.open(folder / BOOK) if (folder / BOOK).is_file() else None


def _answer(asked: _Asked, generated: Generated) -> Answer:
    said, reading = generated.text.strip(), asked.reading
    checked = check(said, reading, asked.question) if reading else None
    return Answer(
        asked.question,
        said,
        generated.ended_by,
        generated.tokens,
        generated.seconds,
        reading,
        checked,
        len(asked.prompt),
    )


def _without_model(question: str, answer: str) -> Answer:
    return Answer(question, answer, "stop_token", tokens=0, seconds=0.0)


def _as_text(text: str) -> str:
    """Bytes of a command line or terminal that are no UTF-8, which Python carries as lone surrogates, become "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
