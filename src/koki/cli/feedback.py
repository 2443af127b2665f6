"""`koki feedback`: what people said of answers, made into recipes and questions."""

from pathlib import Path
from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import print_json, print_line
from koki.language import _

EXPORT_EXAMPLES: Final = (
    "koki feedback export runs/warung",
    "koki feedback export runs/warung --recipes koreksi.jsonl",
)


def export(
    run: options.Run,
    recipes: Annotated[Path, typer.Option("--recipes", help="Corrected recipes, for koki book add.")] = Path(
        "feedback-recipes.jsonl"
    ),
    questions: Annotated[
        Path, typer.Option("--questions", help="Questions and what is right, for koki evaluate --questions.")
    ] = Path("feedback-questions.tsv"),
    as_json: options.Json = False,
) -> None:
    """Make recipes for the book, and questions for an exam, of what koki serve --feedback kept."""
    from dataclasses import asdict

    from koki.runs.card import read_card
    from koki.serving.feedback import export

    read_card(run)
    made = export(run, recipes, questions)
    if as_json:
        print_json(asdict(made))
        return
    print_line(
        _(
            "Corrected recipes in {file}: {count:,} (koki book add {run} {file})",
            file=recipes,
            count=made.recipes,
            run=run,
        )
    )
    print_line(
        _(
            "Questions in {file}: {count:,} (koki evaluate {run} --questions {file})",
            file=questions,
            count=made.questions,
            run=run,
        )
    )
    if made.without:
        print_line(
            _(
                "Answers that are wrong, without what is right, of which nothing was made: {count:,}",
                count=made.without,
            )
        )
    if made.damaged:
        print_line(_("Lines that are no feedback: {count:,}", count=made.damaged))
