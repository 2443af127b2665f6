"""What the process does that `koki.tokens.sandbox` starts: it limits itself, and renders a chat template.

It imports little, since somebody waits for it: transformers would take seconds, Jinja takes a tenth of one. What a
template may use is what transformers gives it, held to it by a test.
"""

import json
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from jinja2 import Environment, nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

# Bytes that the process may take.
_MOST_MEMORY: Final = 512_000_000
# Characters that a rendering of a few short messages may have; Qwen's templates make a few hundred.
_LONGEST_TEXT: Final = 1_000_000


def main(longest: int) -> None:
    """Render the template of the job on standard input, and write the texts or an error to standard output, as JSON.

    Args:
        longest: seconds of processor time that it may take.
    """
    job = json.load(sys.stdin)
    datetime.now()  # reads the time zone
    _limit_this_process(longest)
    try:
        answer: dict[str, Any] = {"texts": _render(**job)}
    except MemoryError:
        answer = {"error": f"it takes more than {_MOST_MEMORY / 1e6:,.0f} MB of memory"}
    except Exception as error:  # a template is a program, and can fail in any way
        answer = {"error": str(error) or type(error).__name__}
    json.dump(answer, sys.stdout)


def environment() -> Environment:
    """What a chat template is rendered in, with all that transformers lets it use."""
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    made.filters["tojson"] = _to_json
    made.globals |= {
        "dict": _Dict(),
        "namespace": _Namespace,
        "raise_exception": _raise,
        "strftime_now": lambda form: datetime.now().strftime(form),
    }
    return made


def _render(
    template: str,
    special_tokens: dict[str, Any],
    conversations: list[list[dict[str, str]]],
    *,
    before_answer: bool,
) -> list[str]:
    """The text of each conversation.

    Raises:
        Exception: the template's own, or a ValueError for a text that is too long.
    """
    compiled = environment().from_string(template)
    others = {"tools": None, "documents": None, "add_generation_prompt": before_answer}
    if before_answer:
        others["enable_thinking"] = False  # Qwen3's
    texts = [compiled.render(messages=messages, **others, **special_tokens) for messages in conversations]
    longest = max(map(len, texts))
    if longest > _LONGEST_TEXT:
        raise ValueError(f"it makes {longest:,} characters of a few short messages")
    return texts


def _limit_this_process(longest: int) -> None:
    """Let the system end this process when it takes too much. Windows cannot; there it is killed by the clock alone."""
    if sys.platform == "win32":
        return
    import resource

    limits = {
        resource.RLIMIT_AS: _MOST_MEMORY,  # only Linux keeps to it
        resource.RLIMIT_CPU: longest,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        with suppress(ValueError, OSError):  # macOS refuses what it cannot keep to
            hard = resource.getrlimit(kind)[1]
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (least, least))


class _Generation(Extension):
    """``{% generation %} ... {% endgeneration %}`` marks an answer; the text is what stands in it."""

    tags = {"generation"}  # noqa: RUF012  # so is Jinja's

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_as_it_is"), [], [], body).set_lineno(line)

    def _as_it_is(self, caller: Any) -> Any:
        return caller()


class _Namespace(Namespace):
    """Jinja's namespace without names that start with an underscore: through them, Python could be reached."""

    def __init__(self, /, *args: Any, **values: Any) -> None:
        for name in dict(*args, **values):
            _require_public(name)
        super().__init__(*args, **values)

    def __setitem__(self, name: str, value: Any) -> None:
        _require_public(name)
        super().__setitem__(name, value)


class _Dict:
    """Makes dictionaries without being a class of Python's, whose methods change what a template must not change."""

    def __call__(self, *args: Any, **values: Any) -> dict[Any, Any]:
        return dict(*args, **values)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args)


def _require_public(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace takes no name that starts with an underscore: {name!r}")


def _raise(message: str) -> None:
    raise TemplateError(message)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Jinja's own filter would escape what HTML escapes."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
