"""Renders the chat template of somebody else's tokenizer, in bounded time and memory, and with no way to reach out.

A chat template is a program. transformers runs it in Jinja's sandbox, which keeps it from Python and from the machine
but bounds nothing: loops within loops, ``'x' * 10000000000`` and ``10 ** 10 ** 10`` are all allowed there.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from jinja2 import Environment
from transformers import PreTrainedTokenizerBase

from koki.errors import ModelError

LONGEST_RENDERING: Final = 10.0
"""Seconds that one rendering may take; Qwen's templates take a thousandth of a second."""

# Bytes that one rendering may take.
_MOST_MEMORY: Final = 512_000_000
# Characters that a rendering of a few short messages may have; Qwen's templates make a few hundred.
_LONGEST_TEXT: Final = 1_000_000


def render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[dict[str, str]]) -> str:
    """The text that the tokenizer's chat template makes of a few short messages.

    Args:
        messages: each with ``role`` and ``content``, as `apply_chat_template` takes them.

    Raises:
        ModelError: the template fails, raises a number to a power, or exceeds a limit of time, memory or length.
    """
    try:
        _require_no_powers(tokenizer.get_chat_template())
        with _within_seconds(LONGEST_RENDERING), _within_memory(_MOST_MEMORY):
            rendered = str(tokenizer.apply_chat_template(list(messages), tokenize=False))
        if len(rendered) > _LONGEST_TEXT:
            raise ValueError(f"it makes {len(rendered):,} characters of a few short messages")
        return rendered
    except Exception as error:  # a template is a program, and can fail in any way
        raise ModelError(
            f"The chat template cannot be used: {error}", "Use an instruct model of the Qwen2 or Qwen3 family."
        ) from error


def _require_no_powers(template: str) -> None:
    """Check that a template has no power in it: none needs one, and ``10**10**10`` takes hours that nothing can stop.

    Raises:
        ValueError: it has one.
    """
    if any(kind == "operator" and text == "**" for _, kind, text in Environment().lex(template)):
        raise ValueError("it raises a number to a power")


@contextmanager
def _within_memory(most: int) -> Iterator[None]:
    """Let a chat template take no more than so many bytes: ``'x' * 10000000000`` asks for all of them at once.

    The limit holds for the whole process, for the milliseconds that a template takes. Only Linux says how much memory
    is in use; elsewhere there is no limit.

    Raises:
        ValueError: the template asked for more.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    in_use = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    before = soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limits = [limit for limit in (soft, hard, in_use + most) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    except MemoryError as error:
        raise ValueError(f"it takes more than {most / 1e6:,.0f} MB of memory") from error
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def _within_seconds(seconds: float) -> Iterator[None]:
    """Stop a chat template that does not come to an end.

    Raises:
        TimeoutError: from within the template, once its time is over.
    """
    until = time.monotonic() + seconds

    def watch(frame: FrameType, *_: object) -> Callable[..., Any] | None:
        if time.monotonic() > until:
            raise TimeoutError(f"it does not end within {seconds:g} seconds")
        return watch if frame.f_code.co_filename == "<template>" else None  # line by line only what Jinja compiled

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        yield
    finally:
        sys.settrace(before)
