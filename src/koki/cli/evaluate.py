"""`koki evaluate`: the scorecard of a finished run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from koki.cli import options
from koki.cli.printing import err, out, print_json, print_line
from koki.cli.report import write_report_or_warn
from koki.inference.engine import MAX_NEW_TOKENS
from koki.language import N_, _

if TYPE_CHECKING:
    from koki.evaluation.scorecard import OwnScorecard, Scorecard

_NOT_MET: Final = 3
"""The exit code where a requirement is not met; 1 is an error, 2 a wrong option."""

_BESIDE_OWN_QUESTIONS: Final = {
    "--data": N_("your own questions are asked without the recipes."),
    "--added": N_("your own questions are asked without the recipes."),
    "--groups": N_("your own questions are in no group."),
    "--questions-per-capability": N_("all of your own questions are asked."),
    "--seed": N_("your own questions are not drawn."),
}

EXAMPLES: Final = (
    "koki evaluate runs/warung --compare base",
    'koki evaluate runs/warung --require "right_dish>=0.95" --json',
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
        Path | None,
        typer.Option("--questions", metavar="FILE", help="Ask your own instead: a .tsv; see docs/evaluation.md."),
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
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar="MEASURE>=NUMBER",
            help="Also >, <=, <; of all that have the measure, or GROUP.CAPABILITY.MEASURE. Exits with 3 if not met.",
        ),
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

    given = (data, added, groups, count, seed)
    for (option, why_not), value in zip(_BESIDE_OWN_QUESTIONS.items(), given, strict=True):
        if questions and value is not None:
            raise typer.BadParameter(_(why_not), param_hint=option)

    run = run_folder(run)
    with err.status(_("Reading the recipes ...")) as status:

        def show(done: int, total: int) -> None:
            status.update(_("{done:,} of {total:,} answers ...", done=done, total=total))

        card: Scorecard | OwnScorecard
        if questions:
            card = evaluate_own(
                run,
                questions,
                require=require or (),
                compare=compare,
                engine=engine,
                max_new_tokens=max_new_tokens,
                on_answer=show,
            )
        else:
            card = evaluate_run(
                run,
                questions_per_capability=count or 60,
                seed=seed,
                data=data or (),
                added=added,
                groups=groups or (),
                require=require or (),
                compare=compare,
                engine=engine,
                max_new_tokens=max_new_tokens,
                on_answer=show,
            )
    if as_json:
        print_json(card.as_dict())
    else:
        out.print(card.render())
    reached = card.reached()
    for one in reached:  # standard output is the JSON's
        (err if as_json else out).print(Text(str(one), style="green" if one.met else "bold red"), soft_wrap=True)
    print_line(_("Written to {path}", path=card.save(run)), err)
    if not questions and (folder := run_of(run)):
        write_report_or_warn(folder, err)
    if not all(one.met for one in reached):
        raise typer.Exit(_NOT_MET)
