"""The runs that are served, by name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from koki.errors import RunError
from koki.inference.chef import Chef
from koki.inference.engines import is_gguf, run_of_gguf
from koki.language import _
from koki.serving.waiting_line import WaitingLine

# Those who wait hold a question each, some kilobytes; more would wait for minutes.
_MOST_WAITING: Final = 128


@dataclass(slots=True)
class ServedRun:
    """A run that is served.

    Attributes:
        name: by which it is asked.
        folder: its run folder.
        line: those who ask it.
    """

    name: str
    folder: Path
    chef: Chef
    line: WaitingLine = field(init=False)

    def __post_init__(self) -> None:
        self.line = WaitingLine(self.chef.at_once, _MOST_WAITING)


def names_of(runs: Sequence[Path]) -> dict[str, Path]:
    """The names by which runs are asked: those of their folders, or of their GGUF files.

    Raises:
        RunError: two have the same name.
    """
    names = [path.stem if is_gguf(path) else path.expanduser().resolve().name for path in runs]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise RunError(_("Two of the runs are called {twice}.", twice=twice[0]), _("Rename one of the folders."))
    return dict(zip(names, runs, strict=True))


def load_runs(runs: Mapping[str, Path], engine: str | None = None) -> dict[str, ServedRun]:
    """The chefs of runs, ready to be asked.

    Raises:
        KokiError: as `koki.Chef.load`.
    """
    chefs = Chef.load_several(list(runs.values()), engine=engine)
    return {name: ServedRun(name, _folder_of(runs[name]), chef) for name, chef in zip(runs, chefs, strict=True)}


def _folder_of(path: Path) -> Path:
    path = path.expanduser()
    return run_of_gguf(path).folder if is_gguf(path) else path
