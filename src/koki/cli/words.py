"""Help and the errors of wrong commands in the language of the user, whose texts are Typer's own or given to it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import typer
from typer.core import TyperGroup

from koki.errors import ConfigError
from koki.language import LANGUAGES, N_, OF_PYDANTIC, _, choose, chosen, of_locale, retold

OPTION: Final = "--language"
_VARIABLE: Final = "KOKI_LANGUAGE"

EXAMPLES: Final = N_("Examples")
"""The heading above the examples of a verb."""

_HELP: Final = N_("Show this message and exit.")
_USAGE: Final = N_("Usage: ")

# What Typer has as constants.
_FIXED: Final = (
    N_("Arguments"),
    N_("Options"),
    N_("Commands"),
    N_("Error"),
    N_("Aborted."),
    N_("[default: {}]"),
    N_("[env var: {}]"),
    N_("[required]"),
    N_("(deprecated) "),
    N_("Try [blue]'{command_path} {help_option}'[/] for help."),
)
# What stands in the line of usage for what may follow.
_FOLLOWING: Final = (N_("[OPTIONS]"), N_("COMMAND [ARGS]..."))

# What it says of a wrong command. The slots of some are filled with others.
_SAID: Final = (
    N_("Invalid value for {parameter}: {what}"),
    N_("Invalid value: {what}"),
    N_("{what} (Possible options: {options})"),
    N_("{what}. Did you mean {names}?"),
    N_("{what} Did you mean {names}?"),
    N_("No such option: {option}"),
    N_("No such command {name}"),
    N_("Missing command."),
    N_("Missing argument {name}."),
    N_("Missing option {name}."),
    N_("Option {option} requires an argument."),
    N_("Option {option} does not take a value."),
    N_("Got unexpected extra argument(s) ({arguments})"),
    N_("Got unexpected extra argument ({arguments})"),
    N_("Got unexpected extra arguments ({arguments})"),
    N_("Value {value} is not a valid {kind}."),
    N_("{value} is not a valid {kind}."),
    N_("{value} is not in the range {range}."),
    N_("{value} is not one of {choices}."),
    N_("integer"),
    N_("float"),
    N_("int"),
)
_UsageError: Any = typer.BadParameter.__base__


def choose_language(arguments: list[str]) -> list[str]:
    """Choose the language that the command line names, else the environment, else the locale.

    Returns:
        The arguments with ``--language`` before the verb, wherever it stood: people add it where they miss it.

    Raises:
        ConfigError: there is no such language.
    """
    choose(of_locale())
    before, named = _taken_out(arguments)
    name = os.environ.get(_VARIABLE) or None if named is None else named
    known = next((language for language in LANGUAGES if language == name), None)
    if known is not None:
        choose(known)
    elif name is not None:
        what = _("There is no language {name!r}.", name=name)
        raise ConfigError(what, _("Languages: {languages}.", languages=", ".join(LANGUAGES)))
    return before if named is None else [OPTION, named, *before]


def _taken_out(arguments: list[str]) -> tuple[list[str], str | None]:
    """The arguments without the option, and its value, which is empty where none follows; None without the option."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for place, argument in enumerate(arguments[:end]):
        name, equals, value = argument.partition("=")
        if name == OPTION:
            after = place + (1 if equals else 2)
            return arguments[:place] + arguments[after:], value if equals else "".join(arguments[place + 1 : after])
    return arguments, None


class TranslatedGroup(TyperGroup):
    """Verbs, of whose wrong use is told in the chosen language."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """As Typer's; the arguments of the whole are wrong here."""
        with _told_again():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """As Typer's; those of a verb are wrong here."""
        with _told_again():
            return super().invoke(ctx)


@contextmanager
def _told_again() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        told = error.format_message()
        said = retold(told, *_SAID, *OF_PYDANTIC)
        if said == told:
            raise
        raise _UsageError(said, error.ctx) from error


def translate(command: Any) -> None:
    """Put all that a command, and those below it, show as help into the chosen language."""
    from typer import rich_utils

    if chosen() == "en":
        return
    for name, text in list(vars(rich_utils).items()):
        if text in _FIXED:
            setattr(rich_utils, name, _(text))
    _translate(command)


def _translate(command: Any) -> None:
    for owner, attribute in texts_of(command):
        setattr(owner, attribute, _(getattr(owner, attribute)))
    command.epilog = (command.epilog or "").replace(EXAMPLES, _(EXAMPLES), 1) or None
    command.format_usage = partial(_format_usage, command)
    command.get_help_option = partial(_help_option, command.get_help_option)
    for inner in getattr(command, "commands", {}).values():
        _translate(inner)


def texts_of(command: Any) -> Iterator[tuple[Any, str]]:
    """Where a command keeps its own texts: the objects, and the names of their attributes."""
    places = [(command, "help"), (command, "options_metavar"), (command, "subcommand_metavar")]
    places += [(parameter, "help") for parameter in command.params]
    return ((owner, name) for owner, name in places if getattr(owner, name, None))


def _format_usage(command: Any, ctx: Any, formatter: Any) -> None:
    formatter.write_usage(ctx.command_path, " ".join(command.collect_usage_pieces(ctx)), _(_USAGE))


def _help_option(made: Any, ctx: Any) -> Any:
    option = made(ctx)
    if option is not None:
        option.help = _(_HELP)
    return option
