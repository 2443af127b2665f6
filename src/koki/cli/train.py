"""`koki train`: fine-tune a model, or go on from a checkpoint."""

import os
import shlex
import sys
from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import out, print_line
from koki.cli.report import write_report_or_warn
from koki.language import _
from koki.terminal import outlive_reader

EXAMPLES: Final = (
    "koki train --data resep.csv --model 0.5b --output runs/warung",
    "koki train --model mini --preset fast --save-every-minutes 10",
    "koki train --data 'data/*.csv' --set training.learning_rate=1e-4 --fresh",
)


def train(
    config: options.Config = None,
    data: options.Data = None,
    columns: options.Columns = None,
    items: options.Items = None,
    sheet: options.Sheet = None,
    model: options.Model = None,
    output: Annotated[str | None, typer.Option("--output", help="Run folder.")] = None,
    preset: options.Preset = None,
    assignments: options.Set = None,
    max_steps: options.MaxSteps = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of everything that is drawn.")] = None,
    save_minutes: Annotated[
        float | None,
        typer.Option("--save-every-minutes", help="Save by the clock too, for a machine that may vanish."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; an earlier run is kept under another name.")
    ] = False,
) -> None:
    """Fine-tune a model on recipes, or go on from the newest checkpoint in the run folder."""
    from koki.config import load_config

    flags = {
        **options.data_flags(data, columns, items, sheet, model),
        "output": output,
        "training.max_steps": max_steps,
        "training.save_minutes": save_minutes,
        "seed": seed,
    }
    settings = load_config(config, preset=preset, settings=options.settings(flags, assignments))

    from koki.pipeline import train as run_pipeline  # takes seconds, so only after the settings have been checked

    outlive_reader(out)
    result = run_pipeline(settings, out, fresh=fresh)
    if result.stopped_by is not None:
        out.print(_("Stopped at step {steps} with a checkpoint. This goes on from there:", steps=result.steps))
        is_launched = "TORCHELASTIC_RUN_ID" in os.environ
        going_on = [argument for argument in sys.argv[1:] if argument != "--fresh"]
        command = f"{'torchrun ... -m ' if is_launched else ''}koki {shlex.join(going_on)}"
        print_line(f"  {command}")
        if is_launched:
            out.print(_("torchrun calls this a failure and ends with 1, as it does whenever a process is stopped."))
        raise typer.Exit(128 + result.stopped_by)
    if not result.was_finished:
        done = _("Done: {steps:,} steps, {loss}.", steps=result.steps, loss=result.loss)
        out.print(f"\n{done}", highlight=False, soft_wrap=True)
        write_report_or_warn(result.folder, out)
    question = f'koki ask {result.folder} "{result.example_question}"'
    ask = question if result.example_question else f"koki chat {result.folder}"
    print_line(_("Ask it:  {command}", command=ask))
