"""`koki data build`: what a run trains on, made before the run."""

from pathlib import Path
from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import err, out, print_line
from koki.errors import ConfigError
from koki.language import _

EXAMPLES: Final = (
    "koki data build --data resep.csv --model 0.5b",
    "koki data build --data resep.csv --output bagian --shard 1/8",
    "koki data build --data resep.csv --output bagian --merge",
)


def build(
    config: options.Config = None,
    data: options.Data = None,
    columns: options.Columns = None,
    items: options.Items = None,
    sheet: options.Sheet = None,
    model: options.Model = None,
    preset: options.Preset = None,
    assignments: options.Set = None,
    output: Annotated[Path | None, typer.Option("--output", help="Folder for the parts of all shards.")] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="I/N", help="Make only the parts of shard I of N, from 1 on.")
    ] = None,
    merge: Annotated[bool, typer.Option("--merge", help="Join the parts that all shards have made.")] = False,
) -> None:
    """Make what a run trains on, so that `koki train` with the same settings finds it; on one machine or on several."""
    from koki.config import load_config

    if (output is None) != (shard is None and not merge) or (shard is not None and merge):
        raise ConfigError(
            _("--output belongs to --shard or --merge, and one of these to it."),
            _("Example: --output parts --shard 1/8 on each machine with its number, then --output parts --merge"),
        )
    flags = options.data_flags(data, columns, items, sheet, model)
    settings = load_config(config, preset=preset, settings=options.settings(flags, assignments))

    from koki.data.build import build_dataset
    from koki.data.shards import Shard, build_shard, merge_shards

    if output is not None and shard is not None:
        parts = build_shard(settings, Shard.read(shard), output, err)
        print_line(_("Shard {shard}: {count:,} parts in {output}", shard=shard, count=parts, output=output))
        return
    dataset = build_dataset(settings, err) if output is None else merge_shards(settings, output).dataset
    out.print(dataset.report.render())
    print_line(_("{count:,} conversations, which `koki train` with these settings finds", count=len(dataset)))
