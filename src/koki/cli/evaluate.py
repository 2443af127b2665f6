"""`koki evaluate`: the scorecard of a finished run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import err, out, print_json
from koki.cli.report import write_report_or_warn
from koki.inference.engine import MAX_NEW_TOKENS

if TYPE_CHECKING:
    from koki.evaluation.scorecard import OwnScorecard, Scorecard

EXAMPLES: Final = (
    "koki evaluate runs/warung --compare base",
    "koki evaluate runs/warung --added resep.csv --json",
    "koki evaluate runs/warung/gguf/warung-q8_0.gguf",
)


def evaluate(
    run: options.RunOrName,
    count: Annotated[
        int | None,
        typer.Option("--questions-per-capability", metavar="N", min=1, help="In each group; without it, 60."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of the questions that are drawn; without it, that of the run.")
    ] = None,
    compare: Annotated[
        str | None, typer.Option("--compare", metavar="RUN", help="Ask another run the same; base is the base alone.")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", metavar="FILE", help="Ask your own instead: a .tsv; see the README.")
    ] = None,
    groups: Annotated[
        list[str] | None, typer.Option("--groups", metavar="NAME", help="Only these, such as recall or added-book.")
    ] = None,
    added: Annotated[
        Path | None,
        typer.Option("--added", metavar="FILE", help="Recipes that a copy of its book gets for the exam."),
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Where the recipes of the run are now, if they were moved.")
    ] = None,
    engine: options.Engine = None,
    max_new_tokens: options.MaxNewTokens = MAX_NEW_TOKENS,
    as_json: options.Json = False,
) -> None:
    """Ask the chef of a finished run, or of its GGUF file, what it was taught, and score its answers with intervals."""
    from koki.evaluation.evaluate import evaluate as evaluate_run
    from koki.evaluation.evaluate import evaluate_own
    from koki.evaluation.scorecard import run_of
    from koki.runs.pulled import run_folder

    if questions and (data or added):
        hint = "--data" if data else "--added"
        raise typer.BadParameter("your own questions are asked without the recipes.", param_hint=hint)
    if questions and groups:
        raise typer.BadParameter("your own questions are in no group.", param_hint="--groups")
    if questions and count:
        raise typer.BadParameter("all of your own questions are asked.", param_hint="--questions-per-capability")
    if questions and seed is not None:
        raise typer.BadParameter("your own questions are not drawn.", param_hint="--seed")

    run = run_folder(run)
    with err.status("Reading the recipes ...") as status:

        def show(done: int, total: int) -> None:
            status.update(f"{done:,} of {total:,} answers ...")

        card: Scorecard | OwnScorecard
        if questions:
            card = evaluate_own(
                run, questions, compare=compare, engine=engine, max_new_tokens=max_new_tokens, on_answer=show
            )
        else:
            card = evaluate_run(
                run,
                questions_per_capability=count or 60,
                seed=seed,
                data=data or (),
                added=added,
                groups=groups or (),
                compare=compare,
                engine=engine,
                max_new_tokens=max_new_tokens,
                on_answer=show,
            )
    if as_json:
        print_json(card.as_dict())
    else:
        out.print(card.render())
    err.print(f"Written to {card.save(run)}", highlight=False, markup=False, soft_wrap=True)
    if not questions and (folder := run_of(run)):
        write_report_or_warn(folder, err)
