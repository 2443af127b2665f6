"""`koki plan`: what a run would take."""

from typing import Final

from koki.cli import options
from koki.cli.printing import out, print_json

EXAMPLES: Final = (
    "koki plan --data resep.csv --model 0.5b",
    "koki plan --model mini --preset fast --json",
)


def plan(
    config: options.Config = None,
    data: options.Data = None,
    columns: options.Columns = None,
    items: options.Items = None,
    sheet: options.Sheet = None,
    model: options.Model = None,
    preset: options.Preset = None,
    assignments: options.Set = None,
    max_steps: options.MaxSteps = None,
    as_json: options.Json = False,
) -> None:
    """Say what a run would take on this machine: steps, time, memory and disk. Nothing is trained or written."""
    from koki.config import load_config

    flags = {**options.data_flags(data, columns, items, sheet, model), "training.max_steps": max_steps}
    settings = load_config(config, preset=preset, settings=options.settings(flags, assignments))

    from koki.pipeline import plan as plan_run  # takes seconds, so only after the settings have been checked

    planned = plan_run(settings)
    if as_json:
        print_json(planned.as_dict())
    else:
        out.print(planned.render())
