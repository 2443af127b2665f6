"""`koki export merged`: a run as whole weights."""

from pathlib import Path
from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import out, print_line
from koki.language import N_, _

EXAMPLES: Final = (
    "koki export merged runs/warung --output warung",
    "koki export merged runs/warung --dtype float16 --output warung",
)


def export_merged(
    run: options.RunOrName,
    output: Annotated[Path, typer.Option("--output", help="Folder to write.")],
    dtype: Annotated[str, typer.Option("--dtype", help="float32, float16 or bfloat16.")] = "float32",
) -> None:
    """Write a run as whole weights for transformers, vLLM, TRL and mlx-lm."""
    from koki.export.merged import export_merged as export
    from koki.formatting import gigabytes
    from koki.libraries import quiet_libraries
    from koki.runs.finished import read_run

    quiet_libraries()
    finished = read_run(run)
    size = export(finished, output, dtype)
    if quantization := finished.settings.get("model.quantization"):
        said = N_("Trained on the base in {quantization}; merged into the base as it is published, not rounded")
        out.print(_(said, quantization=quantization), highlight=False)
    print_line(f"{output} ({gigabytes(size)}, {dtype})")
