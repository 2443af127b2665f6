"""A finished run folder as a chef that answers."""

import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, overload

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase, TextStreamer

from koki.config import ModelConfig
from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import QuestionTooLong, RunError
from koki.model.base import load_base
from koki.model.device import detect_device
from koki.model.lora import load_adapter
from koki.model.source import BaseSource, find_base, load_tokenizer, set_pad_token
from koki.runs.finished import FinishedRun, read_run
from koki.tokens.template import ChatTemplate

Turn = tuple[str, str]
"""A question and its answer."""

Ending = Literal["stop_token", "max_new_tokens", "context", "control_token"]
"""Why an answer is over: the model ended it itself, it ran into the limit, the model can read no further, or it broke
off with a control token that ends no answer."""

# Answers that are generated side by side: more make `mini` hardly faster and need more memory.
_AT_ONCE = 32
# Where the model's configuration does not say how much it reads.
_CONTEXT = 2048


@dataclass(frozen=True, slots=True)
class Answer:
    """What the chef said.

    Attributes:
        tokens: of the answer, the token that ended it included.
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
    """A chef to ask, made from a run folder.

    >>> from koki import Chef
    >>> chef = Chef.load("runs/warung")
    >>> print(chef.ask("Resep soto ayam dong!").answer)
    Berikut resep Soto Ayam: ...

    Watch it think:

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

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, template: ChatTemplate) -> None:
        set_pad_token(tokenizer, template.stop_id)
        self._model = model.eval()
        # What the base advises is not followed: under Qwen2.5's penalty for repetition a recipe could not name an
        # ingredient a second time, and greedy would not be greedy.
        self._model.generation_config = GenerationConfig()
        self._tokenizer = tokenizer
        self._template = template
        # whatever control token comes, the answer is over; only one of them ends it well
        others = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._ends = [template.stop_id, *sorted(others - {template.stop_id})]

    @classmethod
    def load(cls, run: str | Path | FinishedRun, *, base_only: bool = False) -> Self:
        """Load a run folder, or a folder of whole weights (a merged run, or any Qwen2 or Qwen3 model).

        An adapter is merged into its base, unless the base is quantised.

        Args:
            base_only: without the adapter: the base, told that it is a chef, to see what training was good for.

        Raises:
            RunError: the folder is not a finished run, or its base is not what it was trained on.
            ModelError: its base model cannot be loaded.
        """
        folder = run.folder if isinstance(run, FinishedRun) else Path(run).expanduser()
        if (folder / "config.json").is_file():
            config = ModelConfig(name=str(folder.resolve()))
            return cls._from_base(find_base(config), config, config.name, load_phrasebook().system.prompt)
        finished = run if isinstance(run, FinishedRun) else read_run(folder)
        config, system = finished.model_config(), finished.card["system_prompt"]
        source = find_base(config)
        _require_same_base(finished, source)
        if base_only:
            return cls._from_base(source, config, str(folder), system)
        tokenizer = load_tokenizer(str(folder))
        template = ChatTemplate(tokenizer, system)
        base = load_base(source, config, detect_device("auto"))
        model: Any = load_adapter(base, folder, trainable=False)
        # one matrix instead of three a projection: answers come about twice as fast
        return cls(model if config.quantization else model.merge_and_unload(), tokenizer, template)

    @classmethod
    def _from_base(cls, source: BaseSource, config: ModelConfig, tokenizer_folder: str, system: str) -> Self:
        tokenizer = load_tokenizer(tokenizer_folder)
        model = load_base(source, config, detect_device("auto"))
        return cls(model, tokenizer, ChatTemplate(tokenizer, system))

    @property
    def context(self) -> int:
        """Tokens that the model reads: the conversation so far and the answer."""
        return int(getattr(self._model.config, "max_position_embeddings", _CONTEXT))

    @overload
    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        on_text: Callable[[str], object] | None = None,
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
            on_answer: called with each answer to a list, as soon as it is there; short questions come first.
            max_new_tokens: where an answer that does not end is cut off; at the end of the context if that comes
                first, past which a model talks nonsense.
            temperature: 0 is greedy; above 0 is drawn from torch's global generator.

        Raises:
            QuestionTooLong: a question does not fit in the context.
            TypeError: several questions with what goes with one.
        """
        if not isinstance(question, str):
            if history or on_text:
                raise TypeError("history and on_text go with one question, not with several")
            return self._ask_all(question, self._generation(max_new_tokens, temperature), on_answer or (lambda _: None))
        prompt = self._prompt(question, history, min(max_new_tokens, self.context // 2))
        streamer = None if on_text is None else _Streamer(self._tokenizer, on_text)
        return self._generate([question], [prompt], self._generation(max_new_tokens, temperature), streamer)[0]

    def _ask_all(
        self, questions: Sequence[str], generation: GenerationConfig, on_answer: Callable[[Answer], object]
    ) -> list[Answer]:
        prompts = [self._prompt(question) for question in questions]
        by_length = sorted(range(len(questions)), key=lambda number: len(prompts[number]))
        answers: dict[int, Answer] = {}
        for start in range(0, len(by_length), _AT_ONCE):
            numbers = by_length[start : start + _AT_ONCE]
            together = self._generate(
                [questions[number] for number in numbers], [prompts[number] for number in numbers], generation
            )
            for number, answer in zip(numbers, together, strict=True):
                answers[number] = answer
                on_answer(answer)
        return [answers[number] for number in range(len(questions))]

    def _prompt(self, question: str, history: Sequence[Turn] = (), room: int = 0) -> list[int]:
        """The prompt, with as much of the history as leaves ``room`` for an answer."""
        turns = [(_as_text(asked), _as_text(answered)) for asked, answered in history]
        for start in range(len(turns) + 1):
            prompt = self._template.prompt(_as_text(question.strip()), turns[start:])
            if len(prompt) + room <= self.context:
                return prompt
        if len(prompt) >= self.context:
            raise QuestionTooLong(question.strip(), len(prompt), self.context)
        return prompt

    def _generate(
        self,
        questions: Sequence[str],
        prompts: Sequence[list[int]],
        generation: GenerationConfig,
        streamer: TextStreamer | None = None,
    ) -> list[Answer]:
        """Answer prompts side by side, padded on the left to the longest."""
        started = time.perf_counter()
        rooms = [self.context - len(prompt) for prompt in prompts]
        generation = copy(generation)
        generation.max_new_tokens = min(generation.max_new_tokens, max(rooms))
        shape = (len(prompts), max(map(len, prompts)))
        ids, mask = torch.full(shape, int(self._tokenizer.pad_token_id)), torch.zeros(shape, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, -len(prompt) :] = torch.tensor(prompt)
            mask[row, -len(prompt) :] = 1
        device = self._model.device
        with torch.inference_mode():
            output = self._model.generate(
                ids.to(device),
                attention_mask=mask.to(device),
                generation_config=generation,
                streamer=streamer,
            )
        seconds = round((time.perf_counter() - started) / len(prompts), 3)
        return [
            self._answer(question, row, room, seconds)
            for question, row, room in zip(questions, output[:, shape[1] :].tolist(), rooms, strict=True)
        ]

    def _answer(self, question: str, generated: list[int], room: int, seconds: float) -> Answer:
        """The answer in generated ids, which go on, where others of the batch did, with padding or out of the room."""
        ids = generated[:room]
        ids = ids[: next((place for place, token in enumerate(ids, start=1) if token in self._ends), room)]
        return Answer(
            question=question,
            answer=str(self._tokenizer.decode(ids, skip_special_tokens=True)).strip(),
            ended_by=self._ending(ids, room),
            tokens=len(ids),
            seconds=seconds,
        )

    def _ending(self, ids: list[int], room: int) -> Ending:
        if ids[-1] == self._template.stop_id:
            return "stop_token"
        if ids[-1] in self._ends:
            return "control_token"
        return "context" if len(ids) == room else "max_new_tokens"  # where both are reached, more tokens help nobody

    def _generation(self, max_new_tokens: int, temperature: float) -> GenerationConfig:
        """Greedy, or drawn from the whole distribution at a temperature."""
        drawn = (
            {"do_sample": True, "temperature": float(temperature), "top_k": 0}
            if temperature > 0
            else {"do_sample": False}
        )
        return GenerationConfig(
            max_new_tokens=max_new_tokens,
            eos_token_id=self._ends,
            pad_token_id=self._tokenizer.pad_token_id,
            **drawn,
        )


class _Streamer(TextStreamer):
    """Passes whole words on as they come."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, on_text: Callable[[str], object]) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._on_text = on_text

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: ARG002
        """Called by transformers."""
        if text:
            self._on_text(text)


def _as_text(text: str) -> str:
    """Bytes of a command line or terminal that are no UTF-8, which Python carries as lone surrogates, become "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _require_same_base(run: FinishedRun, source: BaseSource) -> None:
    """An adapter says nothing sensible on another base. The hub's change when a file beside the weights does."""
    trained_on = run.card["base_model"]["revision"]
    if Path(source.location).is_dir() and source.revision != trained_on:
        raise RunError(
            f"{run.folder} was trained on another {source.name} than the one in {source.location}: "
            f"{trained_on}, not {source.revision}.",
            f"Train again, or use the base it was trained on, with Koki {run.card['koki_version']}.",
        )
