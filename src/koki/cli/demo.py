"""`koki demo`: a chef from what ships with Koki."""

from typing import Annotated, Final

import typer

from koki.cli.ask import say_where_it_stands
from koki.cli.printing import out, print_line
from koki.cli.report import write_report_or_warn
from koki.language import _
from koki.terminal import outlive_reader

EXAMPLES: Final = (
    "koki demo",
    "koki demo --output runs/another",
)

# One question of each kind, about dishes among the recipes that ship, and for one that is not.
_QUESTIONS: Final = (
    "Tolong berikan resep Rendang Daging.",
    "cara bikin tempe mendoan gimana?",
    "Saya punya ayam, santan dan serai. Bisa dimasak jadi apa?",
    "Enaknya udang dimasak apa?",
    "Gimana caranya supaya santan tidak pecah?",
    "Resep pizza dong!",
)


def demo(
    output: Annotated[str, typer.Option("--output", help="Run folder.")] = "runs/demo",
) -> None:
    """Fine-tune the base that ships on the recipes that ship, and ask it one question of each kind, its book open."""
    from koki.config import load_config
    from koki.inference.chef import Chef
    from koki.pipeline import train as run_pipeline

    outlive_reader(out)
    result = run_pipeline(load_config(preset="laptop", settings={"output": output}), out)
    if result.stopped_by is not None:
        out.print(
            _("Stopped at step {steps} with a checkpoint. The same command goes on from there.", steps=result.steps)
        )
        raise typer.Exit(128 + result.stopped_by)
    chef = Chef.load(result.folder)
    for question in _QUESTIONS:
        answer = chef.ask(question)
        out.print(f"\n[bold]{question}[/]", highlight=False)
        print_line(answer.answer)
        say_where_it_stands(answer)
        ended = (
            _("{tokens} tokens, ended by itself", tokens=answer.tokens)
            if answer.stopped
            else _("{tokens} tokens, cut off", tokens=answer.tokens)
        )
        out.print(f"[dim]({ended})[/]")
    said = _("The run folder is {folder}; {loss}.", folder=result.folder, loss=result.loss)
    out.print(f"\n{said}", highlight=False, soft_wrap=True)
    if not result.was_finished:
        write_report_or_warn(result.folder, out)
    out.print(_("Next:"))
    for command in (
        f'koki ask {result.folder} "Resep soto ayam dong!"',
        f"koki book add {result.folder} resep.csv",
        "koki preview",
        "koki check resep.csv",
        "koki train --data resep.csv --model 0.5b --output runs/warung",
    ):
        out.print(f"  {command}", highlight=False, soft_wrap=True)
