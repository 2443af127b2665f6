"""The engine that runs a GGUF file with llama.cpp, on the processor."""

import secrets
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Condition
from typing import Any, Final, Self

import xllamacpp
from tokenizers import Tokenizer

from koki.errors import ModelError
from koki.inference.engine import GREEDY, Generated, Sampling
from koki.inference.growing_answer import GrowingAnswer, endings_of
from koki.language import _

# Answers that are generated side by side: more are hardly faster on a processor.
_AT_ONCE: Final = 8
# Tokens that all of them share, prompts included, and the most that one may have: 25 MB of memory with `mini`, 100 MB
# with a model of 0.5 billion parameters, 300 MB with 3 billion.
_MOST_CONTEXT: Final = 8_192
# Bytes of a file whose matrices are so small that to wake a second thread takes longer than its share of the work.
_ONE_THREAD_BELOW: Final = 64_000_000
# MB of what was read before and may come again, beside the memory of `_MOST_CONTEXT`; llama.cpp would take up to 8 GB.
_KEPT_PROMPTS: Final = 64
_SILENT: Final = 0


class LlamaCppEngine:
    """An `Engine` whose answers are yielded as soon as each has ended; several threads may ask at once.

    Args:
        file: GGUF.
        context: tokens that the model reads, of which llama.cpp gets 8,192 at most.
        tokenizer: of the model.
        stop_id: the token that ends an answer.
        exact: hold keys and values in float32 and add up in the order of plain attention, so that a file in float32
            answers as transformers does; slower.
        adapters: GGUF files of adapters on the file's model, see `with_adapter`; the engine itself answers without.

    Raises:
        ModelError: llama.cpp cannot open a file.
    """

    def __init__(
        self,
        file: Path,
        context: int,
        tokenizer: Tokenizer,
        stop_id: int,
        *,
        exact: bool = False,
        adapters: Sequence[Path] = (),
    ) -> None:
        self._tokenizer = tokenizer
        self._endings = endings_of(tokenizer, stop_id)
        self._files = [file.name]
        self._context = min(context, _MOST_CONTEXT)
        self._memory = _Memory(_MOST_CONTEXT)
        self._scales: list[dict[str, float]] = []  # of the adapters; of those that are not named it is 0
        self._server = _open(file, exact=exact, adapters=adapters)

    def with_adapter(self, number: int, file: Path) -> Self:
        """The same model with one of its adapters; it shares the weights and the memory for tokens.

        Args:
            number: of the adapter among those that it was opened with.
            file: of the adapter.
        """
        other = copy(self)
        other._files = [*self._files, file.name]
        other._scales = [{"id": number, "scale": 1.0}]
        return other

    @property
    def name(self) -> str:
        """What it is called, with the name of the file."""
        return f"llama.cpp, {' with '.join(self._files)}"

    @property
    def context(self) -> int:
        """Tokens that the model reads: a prompt and its answer."""
        return self._context

    @property
    def at_once(self) -> int:
        """Answers that it generates side by side."""
        return _AT_ONCE

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        max_new_tokens: int,
        sampling: Sampling = GREEDY,
        on_text: Callable[[int, str], object] | None = None,
        is_cancelled: Callable[[int], bool] | None = None,
    ) -> Generator[tuple[int, Generated], None, None]:
        """See `Engine.generate`. Random tokens are drawn by llama.cpp."""
        rows = [
            _Row(
                number,
                prompt,
                GrowingAnswer(
                    self._tokenizer,
                    self._endings,
                    max_new_tokens=max_new_tokens,
                    room=self.context - len(prompt),
                    on_text=partial(on_text, number) if on_text else None,
                    is_cancelled=partial(is_cancelled, number) if is_cancelled else None,
                ),
            )
            for number, prompt in enumerate(prompts)
        ]
        news: SimpleQueue[_News] = SimpleQueue()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for row in sorted(rows, key=lambda row: len(row.prompt)):
                    pool.submit(self._ask, row, sampling, news.put)
                yield from _gather(news, len(rows))
            finally:
                for row in rows:
                    row.is_over = True
                pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, row: "_Row", sampling: Sampling, tell: Callable[["_News"], object]) -> None:
        """Have one answer generated, in a thread of its own: the tokens are told as they come, and the end."""
        request = {
            "prompt": [int(number) for number in row.prompt],
            "max_tokens": row.answer.limit,
            "stream": True,
            "return_tokens": True,
            "verbose": True,  # or it returns no tokens
            "lora": self._scales,
            **_samplers(sampling),
        }

        told = 0

        def on_chunk(chunk: dict[str, Any]) -> bool:
            nonlocal told
            if "error" in chunk:
                tell((row, ModelError(f"llama.cpp: {chunk['error']['message']}")))
            else:
                tell((row, self._tokens(chunk["__verbose"], told)))
                told = chunk["__verbose"]["tokens_predicted"]
            return row.is_over

        try:
            with self._memory.room_for(len(row.prompt) + row.answer.limit):
                if not row.is_over and (refused := self._server.handle_completions(request, on_chunk)):
                    on_chunk(refused)
        except Exception as error:  # who asked is in another thread
            tell((row, error))
        tell((row, None))

    def _tokens(self, said: dict[str, Any], told: int) -> list[int]:
        """The tokens that a chunk brings.

        Of those that make one character together, llama.cpp says the last only, with the text of all.

        Args:
            told: how many were told before.
        """
        last: list[int] = said["tokens"]
        if said["tokens_predicted"] - told <= 1:
            return last
        text: list[int] = self._tokenizer.encode(said["content"], add_special_tokens=False).ids
        return text + [token for token in last if token in self._endings]


class _Memory:
    """The memory for tokens, of which each answer that is generated has a part.

    Args:
        tokens: how many there is memory for.
    """

    def __init__(self, tokens: int) -> None:
        self._free = tokens
        self._freed = Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def room_for(self, tokens: int) -> Iterator[None]:
        """Wait until the memory for so many tokens is free, and keep it meanwhile; who came first goes first.

        Else a long question might wait for ever while short ones come and go.
        """
        ticket = object()
        with self._freed:
            self._waiting.append(ticket)
            self._freed.wait_for(lambda: self._waiting[0] is ticket and self._free >= tokens)
            self._waiting.popleft()
            self._free -= tokens
            self._freed.notify_all()
        try:
            yield
        finally:
            with self._freed:
                self._free += tokens
                self._freed.notify_all()


class _Row:
    """A prompt on its way to an answer.

    Attributes:
        is_over: nobody wants more tokens.
        seconds: of generation so far.
    """

    def __init__(self, number: int, prompt: Sequence[int], answer: GrowingAnswer) -> None:
        self.number = number
        self.prompt = prompt
        self.answer = answer
        self.is_over = False
        self.seconds = 0.0


_News = tuple[_Row, "list[int] | Exception | None"]
"""What the thread of a row tells: the next tokens, why there are none, or that this was all."""

# Another seed means to llama.cpp that it shall choose one.
_SEEDS: Final = 2**32 - 1


def _samplers(sampling: Sampling) -> dict[str, Any]:
    """What llama.cpp is told of how to choose; the temperature comes before the cut, as in transformers."""
    if sampling.temperature == 0:
        return {"samplers": ["top_k"], "top_k": 1, "temperature": 0}
    told: dict[str, Any] = {"samplers": ["temperature", "top_p"]}
    told |= {"temperature": sampling.temperature, "top_p": sampling.top_p}
    return told if sampling.seed is None else told | {"seed": sampling.seed % _SEEDS}


def _gather(news: "SimpleQueue[_News]", count: int) -> Generator[tuple[int, Generated], None, None]:
    """Hand the tokens of all rows to their answers, in this thread, and yield each answer that is complete.

    Raises:
        Exception: what went wrong in the thread of a row.
    """
    before, left = time.perf_counter(), count
    while left:
        row, told = news.get()
        now = time.perf_counter()
        row.seconds, before = row.seconds + now - before, now
        if isinstance(told, Exception):
            raise told
        for token in told or ():
            row.answer.take(token)
        if row.answer.ended_by is not None:
            row.is_over = True
        if told is None:
            left -= 1
            row.answer.end()
            yield row.number, row.answer.generated(row.seconds)


def _open(file: Path, *, exact: bool, adapters: Sequence[Path]) -> Any:
    """A server of llama.cpp in this process, which nobody but this process can reach.

    Raises:
        ModelError: it cannot open the file.
    """
    settings = server_settings(file, exact=exact)
    settings.n_ctx = _MOST_CONTEXT
    settings.n_parallel = _AT_ONCE
    settings.lora_adapters = list(map(_adapter, adapters))
    settings.lora_init_without_apply = True
    # what was read is kept without a word of the adapter that read it
    settings.cache_ram_mib = 0 if adapters else _KEPT_PROMPTS
    settings.kv_unified = True  # one answer may take what others leave
    settings.fit_params = False
    # What repeats twelve tokens of the prompt or the answer is likely to go on as they did: the next 48 are checked in
    # one step. The text is the same; a recipe read out of a page comes 2.5 times as fast with 0.5 billion parameters.
    settings.speculative.types = [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
    settings.ui = False
    settings.endpoint_slots = False
    if file.stat().st_size < _ONE_THREAD_BELOW:
        settings.cpuparams.n_threads = 1
    settings.api_keys = [secrets.token_urlsafe()]  # it listens, whether one wants it or not
    with tempfile.TemporaryDirectory(prefix="koki-") as private:
        if sys.platform != "win32":
            settings.hostnames = [f"{private}/s.sock"]  # which is gone with its folder
        return start_server(settings)


def _adapter(file: Path) -> Any:
    adapter = xllamacpp.CommonAdapterLoraInfo()
    adapter.path, adapter.scale = str(file), 1.0
    return adapter


def server_settings(file: Path, *, exact: bool) -> Any:
    """The settings of every server of llama.cpp that Koki starts: silent, on the processor.

    Args:
        exact: see `LlamaCppEngine`.
    """
    settings = xllamacpp.CommonParams()
    settings.model.path = str(file)
    settings.n_gpu_layers = 0
    settings.warmup = False
    settings.verbosity = _SILENT
    if exact:
        settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return settings


def start_server(settings: Any) -> Any:
    """A server that has begun to work.

    Raises:
        ModelError: it cannot open its file.
    """
    try:
        server = xllamacpp.Server(settings)
    except RuntimeError as error:
        file = settings.model.path
        raise ModelError(
            _("llama.cpp cannot open {file}: {error}", file=file, error=error), _("Is the file complete?")
        ) from error
    # one that is closed before its loop has begun waits for it for ever, and all of Python with it
    server.handle_completions({"prompt": [0], "max_tokens": 1})
    return server
