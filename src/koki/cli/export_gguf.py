"""`koki export gguf`: a run as a GGUF file, and how to run that."""

import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

from koki.cli import options
from koki.cli.printing import print_line
from koki.errors import ConfigError
from koki.language import _

EXAMPLES: Final = (
    "koki export gguf runs/warung",
    "koki export gguf runs/warung --type f16 --output warung-gguf",
    "koki export gguf runs/warung --adapter",
)
# What Ollama and llama-quantize make K-quants of without rounding twice.
_NOT_ROUNDED: Final = ("f16", "bf16", "f32")


def export_gguf(
    run: options.RunOrName,
    file_type: Annotated[
        str | None,
        typer.Option("--type", help="q8_0, f16, bf16, f32, q5_0 or q4_0; default: q8_0, half of f16."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Folder to write; default: RUN/gguf.")] = None,
    adapter: Annotated[bool, typer.Option("--adapter", help="The adapter alone, for llama.cpp's --lora.")] = False,
) -> None:
    """Write a run as one file for Ollama, llama.cpp and LM Studio, with a Modelfile beside it."""
    if adapter and file_type:
        raise ConfigError(_("An adapter has no --type: its pairs are small and stay in f32."), _("Leave --type out."))

    from koki.export.gguf_folder import export_adapter
    from koki.export.gguf_folder import export_gguf as export
    from koki.formatting import gigabytes
    from koki.runs.finished import read_run

    if adapter:
        path = export_adapter(read_run(run), folder=output)
        print_line(f"{path} ({gigabytes(path.stat().st_size)})")
        print_line(f"llama.cpp: llama-cli -m BASE.gguf --lora {shlex.quote(str(path))}")
        return
    path = export(
        run,
        file_type or "q8_0",
        folder=output,
        on_making=lambda file, size: print_line(_("Writing {file}: {size} ...", file=file, size=gigabytes(size))),
        on_proving=lambda: print_line(_("Comparing it with the run: template, tokens, answers ...")),
    )
    print_line(_("{path} ({size}), with a Modelfile beside it", path=path, size=gigabytes(path.stat().st_size)))
    _print_how_to_run(path, file_type or "q8_0", run.resolve().name)


def _print_how_to_run(path: Path, file_type: str, run: str) -> None:
    from koki.export.modelfile import ollama_name

    name, file, folder = ollama_name(run), shlex.quote(str(path)), shlex.quote(str(path.parent))
    print_line(f"Ollama:    cd {folder} && ollama create {name} -f Modelfile")
    print_line(f"           ollama run {name}")
    print_line(f"llama.cpp: llama-cli -m {file} --temp 0")
    if file_type not in _NOT_ROUNDED:
        return
    smaller = shlex.quote(str(path.with_name(f"{path.stem.removesuffix(file_type)}q4_k_m.gguf")))
    print_line(_("Smaller, with K-quants, which Ollama and llama.cpp make of this file:"))
    if file_type != "bf16":
        print_line(f"           ollama create {name} --quantize q4_K_M -f Modelfile")
    print_line(f"           llama-quantize {file} {smaller} Q4_K_M")
