"""The command line: a short function a verb; what is heavy is imported inside it."""

import contextlib
import io
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

import koki
from koki import options
from koki.errors import ConfigError, DataError, KokiError
from koki.terminal import outlive_reader

if TYPE_CHECKING:
    from koki.evaluation.scorecard import OwnScorecard, Scorecard

app = typer.Typer(
    name="koki",
    help="Turn a CSV of Indonesian recipes into a chef that answers in Indonesian.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

data_app = typer.Typer(help="Work with the conversations themselves.", no_args_is_help=True)
app.add_typer(data_app, name="data")

out = Console()
err = Console(stderr=True)

# One question of each kind, about dishes among the recipes that ship.
DEMO_QUESTIONS = (
    "Tolong berikan resep Rendang Daging.",
    "cara bikin tempe mendoan gimana?",
    "Saya punya ayam, santan dan serai. Bisa dimasak jadi apa?",
    "Enaknya udang dimasak apa?",
    "Gimana caranya supaya santan tidak pecah?",
)

_MOST_BYTES = 100_000_000  # of lines to take apart or to answer: a million ingredient lines have 30


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"koki {koki.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def koki_itself(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Turn a CSV of Indonesian recipes into a chef that answers in Indonesian."""


@app.command()
def train(
    config: options.Config = None,
    data: options.Data = None,
    columns: options.Columns = None,
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
        **options.data_flags(data, columns, model),
        "output": output,
        "training.max_steps": max_steps,
        "training.save_minutes": save_minutes,
        "seed": seed,
    }
    resolved = load_config(preset=preset, file=config, flags=flags, assignments=assignments or ())

    from koki.pipeline import train as run_pipeline  # takes seconds: after what may be wrong with the settings

    outlive_reader(out)
    result = run_pipeline(resolved, out, fresh=fresh)
    if result.stopped_by is not None:
        out.print(f"Stopped at step {result.steps} with a checkpoint. This goes on from there:")
        launcher = "torchrun ... -m " if "TORCHELASTIC_RUN_ID" in os.environ else ""
        going_on = [argument for argument in sys.argv[1:] if argument != "--fresh"]
        out.print(f"  {launcher}koki {shlex.join(going_on)}", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(128 + result.stopped_by)
    out.print(f"\nDone: {result.steps} steps, loss {result.losses[0]:.3f} to {result.losses[-1]:.3f}.")
    _write_report(result.folder, out)
    out.print(f'Ask it:  koki ask {result.folder} "Resep soto ayam dong!"', highlight=False, soft_wrap=True)


@app.command()
def plan(
    config: options.Config = None,
    data: options.Data = None,
    columns: options.Columns = None,
    model: options.Model = None,
    preset: options.Preset = None,
    assignments: options.Set = None,
    max_steps: options.MaxSteps = None,
    as_json: options.Json = False,
) -> None:
    """Say what a run would take on this machine: steps, time, memory and disk. Nothing is trained or written."""
    from koki.config import load_config

    flags = {**options.data_flags(data, columns, model), "training.max_steps": max_steps}
    resolved = load_config(preset=preset, file=config, flags=flags, assignments=assignments or ())

    from koki.pipeline import plan_run

    planned = plan_run(resolved)
    if as_json:
        _print_json(planned.as_dict())
    else:
        out.print(planned.render())


@app.command()
def ask(
    run: options.Run,
    question: Annotated[
        str | None, typer.Argument(help="What to ask, in Indonesian; without it, questions are read from a pipe.")
    ] = None,
    as_json: options.Json = False,
    max_new_tokens: options.MaxNewTokens = 512,
    temperature: options.Temperature = 0.0,
) -> None:
    """Ask the chef of a finished run: one question, or those from a pipe, one a line."""
    if question is None and sys.stdin and sys.stdin.isatty():
        raise typer.BadParameter('no question. koki ask RUN "Resep soto?", or koki chat RUN to talk.')
    if question is not None and not question.strip():
        raise typer.BadParameter('an empty question. koki ask RUN "Resep soto?"')
    questions = [line for line in _lines("-") if line.strip()] if question is None else [question]

    from collections import Counter

    from koki.inference.chef import Chef
    from koki.libraries import quiet_libraries

    quiet_libraries()
    chef = Chef.load(run)
    answers = chef.ask(questions, max_new_tokens=max_new_tokens, temperature=temperature)
    if as_json:
        for answer in answers:
            _print_json(answer.as_dict(), indent=2 if question else None)
        return
    for answer in answers:
        if question is None:
            out.print(answer.question, style="bold", highlight=False, markup=False, soft_wrap=True)
        out.print(answer.answer, highlight=False, markup=False, soft_wrap=True, end="\n" if question else "\n\n")
    unfinished = {
        "max_new_tokens": f"cut off after {max_new_tokens} tokens: --max-new-tokens allows more",
        "context": f"cut off where question and answer fill the {chef.context:,} tokens that the model reads: "
        "a shorter question leaves more room",
        "control_token": "broken off with a control token",
    }
    for ending, count in Counter(answer.ended_by for answer in answers if not answer.stopped).items():
        which = "" if question else f"{count} of {len(answers)} answers "
        err.print(f"({which}{unfinished[ending]})", highlight=False, soft_wrap=True)


@app.command()
def chat(
    run: options.Run,
    max_new_tokens: options.MaxNewTokens = 512,
    temperature: options.Temperature = 0.0,
) -> None:
    """Talk with the chef of a finished run. /help says how; Ctrl+C stops an answer, Ctrl+D leaves."""
    from koki.inference.chat import Chat
    from koki.inference.chef import Chef
    from koki.libraries import quiet_libraries

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # input() then knows the arrow keys

    quiet_libraries()
    Chat(Chef.load(run), out, max_new_tokens=max_new_tokens, temperature=temperature).run()


@app.command()
def evaluate(
    run: options.Run,
    count: Annotated[
        int | None,
        typer.Option("--questions-per-capability", metavar="N", min=1, help="In each group; without it, 12."),
    ] = None,
    compare: Annotated[
        str | None, typer.Option("--compare", metavar="RUN", help="Ask another run the same; base is the base alone.")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", metavar="FILE", help="Ask your own instead: a .tsv; see the README.")
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="Where the recipes of the run are now, if they were moved.")
    ] = None,
    max_new_tokens: options.MaxNewTokens = 512,
    as_json: options.Json = False,
) -> None:
    """Ask the chef of a finished run what it was taught, and score its answers with 95 % intervals."""
    from koki.evaluation.evaluate import evaluate as evaluate_run
    from koki.evaluation.evaluate import evaluate_own

    if questions and data:
        raise typer.BadParameter("your own questions are asked without the recipes.", param_hint="--data")
    if questions and count:
        raise typer.BadParameter("all of your own questions are asked.", param_hint="--questions-per-capability")

    with err.status("Reading the recipes ...") as status:

        def show(done: int, total: int) -> None:
            status.update(f"{done:,} of {total:,} answers ...")

        card: Scorecard | OwnScorecard
        if questions:
            card = evaluate_own(run, questions, compare=compare, max_new_tokens=max_new_tokens, on_answer=show)
        else:
            files = [str(file) for file in data or ()]
            card = evaluate_run(
                run, count=count or 12, data=files, compare=compare, max_new_tokens=max_new_tokens, on_answer=show
            )
    if as_json:
        _print_json(card.as_dict())
    else:
        out.print(card.render())
    err.print(f"Written to {card.save(run)}", highlight=False, markup=False, soft_wrap=True)
    if not questions:
        _write_report(run, err)


@app.command()
def report(
    run: options.Run,
    language: Annotated[
        str | None, typer.Option("--language", help="en or id; without it, that of the report that is there, or en.")
    ] = None,
) -> None:
    """Write the report and the model card of a finished run anew, from what is in its folder."""
    from koki.report.words import LANGUAGES

    known = next((name for name in LANGUAGES if name == language), None)
    if language is not None and known is None:
        raise ConfigError(f"There is no report in language {language!r}.", f"Languages: {', '.join(LANGUAGES)}.")

    from koki.report.write import write_report

    out.print(f"Report: {write_report(run, known)}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Recipe files, or patterns in quotes: 'data/*.csv'.")],
    columns: options.Columns = None,
    output: Annotated[Path | None, typer.Option("--output", help="CSV file to write the dropped rows to.")] = None,
    as_json: options.Json = False,
) -> None:
    """Say what the reader finds in recipe files: columns, rows kept and dropped, and why."""
    from koki.recipes.table import read_recipes

    _, report = read_recipes(files, options.column_names(columns))
    if as_json:
        _print_json(report.as_dict())
    else:
        out.print(report.render())
    if output:
        report.save_dropped(output)
        said = f"Dropped rows written to {output}: {len(report.dropped):,}"
        err.print(said, highlight=False, markup=False, soft_wrap=True)


@app.command()
def preview(
    data: options.Data = None,
    columns: options.Columns = None,
    model: Annotated[str, typer.Option("--model", help="Whose tokenizer and chat template.")] = "mini",
    recipe: Annotated[int, typer.Option("--recipe", min=1, help="Which recipe, counted from 1.")] = 1,
    assignments: options.Set = None,
    as_json: options.Json = False,
) -> None:
    """Show the conversations of a recipe as the model will see them, the supervised tokens marked."""
    from koki.config import load_config
    from koki.data.preview import preview_recipe

    resolved = load_config(flags=options.data_flags(data, columns, model), assignments=assignments or ())
    shown = preview_recipe(resolved, recipe)
    if as_json:
        _print_json(shown.as_dict())
    else:
        out.print(shown.render(), soft_wrap=True)


@app.command()
def parse(
    file: Annotated[str, typer.Argument(help="A file of ingredient lines; - is standard input.")],
    as_json: options.Json = False,
) -> None:
    """Take ingredient lines apart: quantity, unit, name, preparation."""
    from koki.ingredients.parse import parse_ingredient

    for line in _lines(file):
        ingredient = parse_ingredient(line)
        if as_json:
            _print_json(ingredient.as_dict(), indent=None)
        else:
            out.print(_describe(ingredient.as_dict()), highlight=False, markup=False, soft_wrap=True)


@app.command("config")
def show_config(
    config: options.Config = None,
    preset: options.Preset = None,
    assignments: options.Set = None,
) -> None:
    """Print the configuration as YAML, with a comment on where each default comes from."""
    from koki.config import load_config, to_yaml

    print(to_yaml(load_config(preset=preset, file=config, assignments=assignments or ())), end="")  # noqa: T201


@data_app.command()
def export(
    form: Annotated[str, typer.Option("--format", help="messages, sharegpt, alpaca or prompt-completion.")],
    output: Annotated[Path, typer.Option("--output", help="JSON Lines file to write.")],
    data: options.Data = None,
    columns: options.Columns = None,
    model: Annotated[str, typer.Option("--model", help="Whose tokenizer decides what fits.")] = "mini",
    assignments: options.Set = None,
) -> None:
    """Write the conversations for other trainers, as they are trained on here."""
    from koki.config import load_config
    from koki.data.build import build_dataset
    from koki.data.export import FORMATS, export_conversations

    if form not in FORMATS:
        raise ConfigError(f"There is no format {form!r}.", f"Formats: {', '.join(FORMATS)}.")
    flags = options.data_flags(data, columns, model)
    dataset = build_dataset(load_config(flags=flags, assignments=assignments or ()))
    out.print(dataset.report.render())
    exported = export_conversations(dataset, form, output)
    if exported.taken_apart:
        said = f"{exported.taken_apart:,} of them hold what looks like control tokens; a space keeps these text"
        out.print(said, highlight=False)
    out.print(f"{exported.conversations:,} conversations in {output}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def demo(
    output: Annotated[str, typer.Option("--output", help="Run folder.")] = "runs/demo",
) -> None:
    """Fine-tune the base that ships on the recipes that ship, and ask it one question of each kind."""
    from koki.config import load_config
    from koki.inference.chef import Chef
    from koki.pipeline import train as run_pipeline

    outlive_reader(out)
    result = run_pipeline(load_config(preset="demo", flags={"output": output}), out)
    if result.stopped_by is not None:
        out.print(f"Stopped at step {result.steps} with a checkpoint. The same command goes on from there.")
        raise typer.Exit(128 + result.stopped_by)
    chef = Chef.load(result.folder)
    for question in DEMO_QUESTIONS:
        answer = chef.ask(question)
        out.print(f"\n[bold]{question}[/]", highlight=False)
        out.print(answer.answer, highlight=False, markup=False, soft_wrap=True)
        out.print(f"[dim]({answer.tokens} tokens, {'ended by itself' if answer.stopped else 'cut off'})[/]")
    out.print(f"\nLoss {result.losses[0]:.3f} to {result.losses[-1]:.3f}. The run folder is {result.folder}.")
    _write_report(result.folder, out)
    out.print("Next:")
    for command in (
        f'koki ask {result.folder} "Resep soto ayam dong!"',
        "koki preview",
        "koki check resep.csv",
        "koki train --data resep.csv --model 0.5b --output runs/warung",
    ):
        out.print(f"  {command}", highlight=False, soft_wrap=True)


def _write_report(run: Path, console: Console) -> None:
    """After a run or its evaluation, neither of which may be lost to it."""
    if console.quiet:  # in all processes but the first, which alone writes
        return
    from koki.report.write import write_report

    try:
        said = f"Report: {write_report(run)}"
    except Exception as error:  # whatever it is: what hours have made is there and stays
        said = f"Warning: {error}" if isinstance(error, KokiError) else f"Warning: no report: {error!r}"
    console.print(said, highlight=False, markup=False, soft_wrap=True)


def _print_json(content: Any, indent: int | None = 2) -> None:
    escaped = not (sys.stdout and sys.stdout.encoding.lower().startswith("utf"))  # where a letter could not be printed
    print(json.dumps(content, ensure_ascii=escaped, indent=indent))  # noqa: T201


def _lines(file: str) -> list[str]:
    """The lines of a file or of standard input, without their ends."""
    from koki import files

    try:
        raw = _standard_input() if file == "-" else files.read_bytes(file, _MOST_BYTES)
    except FileNotFoundError:
        raise DataError(f"File {file} is not there.", "One ingredient line a line; - reads standard input.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise DataError(f"File {file} cannot be read: {error}.") from error
    return raw.decode("utf-8", "replace").splitlines()


def _standard_input() -> bytes:
    if sys.stdin is None:  # Python's word for one that was closed
        raise DataError("Standard input is closed.", "Pipe lines into it, or name a file.")
    raw = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise DataError(f"Standard input has more than {_MOST_BYTES:,} bytes.", "Split it.")
    return raw


def _describe(parsed: dict[str, Any]) -> str:
    if parsed["heading"]:
        return f"{parsed['raw']}  ->  heading"
    parts = [f"{key} {value}" for key, value in parsed.items() if key not in ("raw", "heading") and value]
    return f"{parsed['raw']}  ->  {', '.join(parts)}"


def _know_more_than_ascii() -> None:
    """Begin again in Python's UTF-8 mode where the locale knows ASCII alone and Python was told not to mend that.

    Otherwise the settings, questions and file names of the command line would be halves of letters.
    """
    if sys.getfilesystemencoding() == "ascii":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def main() -> None:
    """Run the command line; an error of Koki's is printed without a traceback."""
    _know_more_than_ascii()
    debug = "--debug" in sys.argv  # wherever it stands: people add it at the end of what failed
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it was closed
            stream.reconfigure(errors="backslashreplace")  # under LANG=C, or for a file name that is no text
    try:
        app()
    except (KokiError, OSError, MemoryError) as error:
        if debug:
            raise
        otherwise = str(error) or "There is not enough memory."
        what, how = (error.what, error.how) if isinstance(error, KokiError) else (otherwise, "")
        err.print(f"[bold red]Error[/] {escape(what)}", highlight=False, soft_wrap=True)
        if how:
            err.print(how, highlight=False, markup=False, soft_wrap=True)
        sys.exit(1)
