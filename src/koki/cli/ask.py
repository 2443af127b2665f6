"""`koki ask`: answers of a finished run."""

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final

import typer

from koki.cli import options
from koki.cli.lines import read_lines
from koki.cli.printing import err, out, print_json, print_line
from koki.inference.engine import MAX_NEW_TOKENS
from koki.language import _

if TYPE_CHECKING:
    from koki.inference.answer import Answer
    from koki.inference.engine import Ending

EXAMPLES: Final = (
    'koki ask runs/warung "Resep soto ayam dong!" --strict',
    'koki ask runs/warung "Enaknya udang dimasak apa?" --temperature 0.7',
    "koki ask runs/warung --json < questions.txt",
)


def ask(
    run: options.RunOrName,
    question: Annotated[
        str | None, typer.Argument(help="What to ask, in Indonesian; without it, questions are read from a pipe.")
    ] = None,
    as_json: options.Json = False,
    max_new_tokens: options.MaxNewTokens = MAX_NEW_TOKENS,
    temperature: options.Temperature = 0.0,
    engine: options.Engine = None,
    book: options.Book = None,
    strict: options.Strict = False,
) -> None:
    """Ask the chef of a finished run: one question, or those from a pipe, one a line."""
    if question is None and sys.stdin and sys.stdin.isatty():
        raise typer.BadParameter(_('no question. koki ask RUN "Resep soto?", or koki chat RUN to talk.'))
    if question is not None and not question.strip():
        raise typer.BadParameter(_('an empty question. koki ask RUN "Resep soto?"'))
    questions = [line for line in read_lines("-") if line.strip()] if question is None else [question]

    from koki.inference.chef import Chef

    chef = Chef.load(run, engine=engine)
    answers = chef.ask(questions, max_new_tokens=max_new_tokens, temperature=temperature, book=book, strict=strict)
    if as_json:
        for answer in answers:
            print_json(answer.as_dict(), indent=2 if question else None)
        return
    as_it_is = not out.is_terminal
    for answer in answers:
        if question is None:
            print_line(answer.question, style="bold")
        out.print(answer.answer, highlight=False, markup=False, soft_wrap=as_it_is)
        say_where_it_stands(answer)
        if question is None:
            out.print()
    unfinished = why_unfinished(max_new_tokens, chef.context)
    for ending, count in Counter(answer.ended_by for answer in answers if not answer.stopped).items():
        which = "" if question else _("{count} of {all} answers ", count=count, all=len(answers))
        err.print(f"({which}{unfinished[ending]})", highlight=False, soft_wrap=True)


def say_where_it_stands(answer: "Answer") -> None:
    """Print in one quiet line which recipe an answer was read from, and what in it differs."""
    if line := answer.where_it_stands:
        print_line(f"({line})", err, style="dim")


def why_unfinished(max_new_tokens: int, context: int) -> "dict[Ending, str]":
    """What is said of an answer that did not end by itself, for each way in which it may have ended."""
    return {
        "max_new_tokens": _("cut off after {tokens} tokens: --max-new-tokens allows more", tokens=max_new_tokens),
        "context": _(
            "cut off where question and answer fill the {context:,} tokens that the model reads: "
            "a shorter question leaves more room",
            context=context,
        ),
        "control_token": _("broken off with a control token"),
        "cancelled": _("stopped before its end"),
    }
