"""`koki chat`: a conversation with a finished run."""

import contextlib
from typing import Final

from koki.cli import options
from koki.cli.printing import out
from koki.inference.engine import MAX_NEW_TOKENS

EXAMPLES: Final = (
    "koki chat runs/warung",
    "koki chat runs/warung --temperature 0.7 --max-new-tokens 300",
)


def chat(
    run: options.RunOrName,
    max_new_tokens: options.MaxNewTokens = MAX_NEW_TOKENS,
    temperature: options.Temperature = 0.0,
    engine: options.Engine = None,
    book: options.Book = None,
    strict: options.Strict = False,
) -> None:
    """Talk with the chef of a finished run. /help says how; Ctrl+C stops an answer; keluar, exit or Ctrl+D leaves."""
    from koki.inference.chat import Chat
    from koki.inference.chef import Chef

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # input() then knows the arrow keys

    chef = Chef.load(run, engine=engine)
    Chat(chef, out, max_new_tokens=max_new_tokens, temperature=temperature, book=book, strict=strict).run()
