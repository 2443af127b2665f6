"""Renders the chat template of somebody else's tokenizer in a process of its own, which ends when it takes too much.

A chat template is a program. transformers runs it in Jinja's sandbox, which keeps it from Python and from the machine
but bounds nothing: loops within loops, ``'x' * 10000000000`` and ``10 ** 10 ** 10`` are all allowed there. So it is
rendered by `koki.tokens.rendering` in another process, and nothing has to be watched or limited in this one.
"""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from koki.errors import ModelError
from koki.language import _

if TYPE_CHECKING:  # it takes a second to import
    from transformers import PreTrainedTokenizerBase

    from koki.tokens.file_tokenizer import FileTokenizer

# Seconds of processor time that a rendering may take; Qwen's templates take a thousandth of a second.
_LONGEST_RENDERING: Final = 10
# Jinja is imported there alone: a chef that is asked one question need not wait for it twice.
_RUN: Final = "from koki.tokens.rendering import main; main({seconds})"
# By the clock, for a machine that is busy with other things, or one that does not limit the time of a process.
_LONGEST_WAIT: Final = 3 * _LONGEST_RENDERING


def render(
    tokenizer: "PreTrainedTokenizerBase | FileTokenizer",
    conversations: Sequence[Sequence[dict[str, str]]],
    *,
    before_answer: bool = False,
) -> tuple[str, ...]:
    """The texts that the tokenizer's chat template makes of a few short conversations, as `apply_chat_template` does.

    Args:
        conversations: messages, each with ``role`` and ``content``.
        before_answer: each goes on to where an answer starts that is given without thinking.

    Raises:
        ModelError: the template fails, or exceeds a limit of time, memory or length.
    """
    try:
        job = {
            "template": tokenizer.get_chat_template(),
            "special_tokens": tokenizer.special_tokens_map,
            "conversations": conversations,
            "before_answer": before_answer,
        }
        return _rendered(json.dumps(job, default=str))
    except Exception as error:  # a template is a program, and can fail in any way
        raise ModelError(
            _("The chat template cannot be used: {error}", error=error),
            _("Use an instruct model of the Qwen2 or Qwen3 family."),
        ) from error


@lru_cache(maxsize=16)  # a run asks several times for the same
def _rendered(job: str) -> tuple[str, ...]:
    """What `koki.tokens.rendering.main` answers to a job.

    Raises:
        ValueError, OSError: the template fails or exceeds a limit, or no process can be started.
    """
    too_long = _("it does not end within {seconds} seconds", seconds=_LONGEST_RENDERING)
    try:
        child = subprocess.run(
            _python(_RUN.format(seconds=_LONGEST_RENDERING)),
            input=job.encode(),
            capture_output=True,
            timeout=_LONGEST_WAIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(too_long) from None
    if not child.stdout:  # the system ended it
        last = child.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ValueError(" ".join(last) or too_long)
    answer = json.loads(child.stdout)
    if "error" in answer:
        raise ValueError(answer["error"])
    return tuple(answer["texts"])


def _python(code: str) -> list[str]:
    """The command that runs code in a new process of this Python, which finds the modules that this one finds.

    Neither the current folder nor a ``sitecustomize`` of the user's has a part in it.
    """
    name = "python.exe" if sys.platform == "win32" else "python"
    program = sys.executable or str(Path(sysconfig.get_path("scripts"), name))  # a program around Python may have none
    places = [str(place) for place in sys.path if str(place)]
    return [program, "-P", "-S", "-c", f"import sys; sys.path[:] = sys.argv[1:]; {code}", *places]
