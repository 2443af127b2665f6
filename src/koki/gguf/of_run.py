"""The GGUF files of a run, in its folder ``gguf``: made when they are first wanted, and again when the run has changed.

``export.json`` says of each what it was made of, and what is known of it.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from koki import files
from koki.errors import RunError
from koki.formatting import gigabytes
from koki.language import _
from koki.model.names import SETTINGS, WEIGHTS
from koki.runs.finished import FinishedRun, base_of
from koki.runs.names import GGUF
from koki.tokens.file_tokenizer import FILES_OF_A_TOKENIZER
from koki.user_cache import sha256_of

RECORD: Final = "export.json"

LONGEST_RECORD: Final = 10_000_000  # bytes; a file's entry has about 2,000
# Raised when a later version of Koki makes another file of the same run.
_VERSION: Final = 1


def gguf_of_run(
    run: FinishedRun,
    file_type: str,
    *,
    folder: Path | None = None,
    base_only: bool = False,
    on_making: Callable[[Path, int], object] = lambda _, __: None,
) -> Path:
    """The GGUF file of a run, which is made where it is missing, or was made of something else.

    Args:
        file_type: one of `koki.gguf.write.TYPES`.
        folder: where it lies; without it, that of the run.
        base_only: of the base, without the adapter.
        on_making: called with the file that will be made, and its size in bytes, before that is begun.

    Raises:
        RunError: the base is not what the run was trained on, or the file cannot be written.
        ModelError, CheckpointError: the base or the adapter cannot be read, or llama.cpp cannot run such a model.
    """
    folder = folder or run.folder / GGUF
    made_of = _made_of(run, file_type, base_only=base_only)
    if there := _made_before(folder, made_of):
        return there
    path = folder / f"{'base' if base_only else run.folder.resolve().name}-{file_type}.gguf"
    with _put_into_place(path) as new:
        context = _write(run, file_type, new, path, base_only=base_only, on_making=on_making)
    about = {"type": file_type, "made_of": made_of, "bytes": path.stat().st_size, "context": context}
    write_record(folder, path.name, about)
    return path


def adapter_of_run(run: FinishedRun, *, folder: Path | None = None) -> Path:
    """The adapter of a run alone as a GGUF file, made as `gguf_of_run` makes its files, for llama.cpp's ``--lora``.

    Raises:
        RunError, ModelError, CheckpointError: as `gguf_of_run`.
    """
    from koki.gguf.adapter import write_adapter

    folder = folder or run.folder / GGUF
    made_of = _made_of(run, "adapter", base_only=False)
    if there := _made_before(folder, made_of):
        return there
    require_space(folder, 2 * (run.folder / WEIGHTS).stat().st_size, _("the adapter"))
    name = run.folder.resolve().name
    path = folder / f"{name}-adapter.gguf"
    with _put_into_place(path) as new:
        write_adapter(new, base_of(run), run.folder, f"Koki {name}")
    about = {"type": "adapter", "made_of": made_of, "bytes": path.stat().st_size, "base": run.card["base_model"]}
    write_record(folder, path.name, about)
    return path


def _made_before(folder: Path, made_of: str) -> Path | None:
    """The whole file in a folder that was made of this; under another name where the folder had one."""
    for name, entry in read_record(folder).items():
        there = folder / name
        if entry.get("made_of") == made_of and there.is_file() and there.stat().st_size == entry.get("bytes"):
            return there
    return None


@contextmanager
def _put_into_place(path: Path) -> Iterator[Path]:
    """Where a file is to be written: it is at its place, on the disk, once the block has ended without an error."""
    with files.failing_as(RunError, path):
        path.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=path.parent) as beside:
            new = Path(beside) / path.name
            yield new
            files.flush_tree(new.parent)
            new.replace(path)


def read_record(folder: Path) -> dict[str, dict[str, Any]]:
    """What is known of each file in a folder of exports; nothing where that cannot be read."""
    try:
        record = json.loads(files.read_bytes(folder / RECORD, LONGEST_RECORD))["files"]
        return TypeAdapter(dict[str, dict[str, Any]]).validate_python(record)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def write_record(folder: Path, name: str, entry: dict[str, Any]) -> None:
    """Keep what is known of a file; entries of files that are gone go too."""
    there = {other: known for other, known in read_record(folder).items() if (folder / other).is_file()}
    files.write_json(folder / RECORD, {"files": there | {name: entry}})


def _made_of(run: FinishedRun, file_type: str, *, base_only: bool) -> str:
    """A digest of everything that decides the bytes of a file; the base's is that of its commit or its files."""
    names = FILES_OF_A_TOKENIZER if base_only else (SETTINGS, WEIGHTS, *FILES_OF_A_TOKENIZER)
    there = [run.folder / name for name in names if (run.folder / name).is_file()]
    digests = {file.name: digest for file, digest in zip(there, sha256_of(there), strict=True)}
    base, system = run.card["base_model"]["revision"], run.card["system_prompt"]
    return hashlib.sha256(json.dumps([_VERSION, file_type, digests, base, system]).encode()).hexdigest()


def _write(
    run: FinishedRun,
    file_type: str,
    new: Path,
    path: Path,
    *,
    base_only: bool,
    on_making: Callable[[Path, int], object],
) -> int:
    """Write the file; returns the tokens that its model reads."""
    # they bring torch along, which a chef whose file is there need not have
    from koki.gguf.hyperparameters import context_of
    from koki.gguf.write import About, size_of_gguf, write_gguf
    from koki.model.merged import MergedWeights
    from koki.model.source import licence_of, load_tokenizer
    from koki.tokens.template import ChatTemplate

    source, tokenizer = base_of(run), load_tokenizer(run.folder)
    about = About(f"Koki {run.folder.resolve().name}", licence_of(source))
    with MergedWeights(source, None if base_only else run.folder) as weights:
        size = size_of_gguf(weights, source.config, file_type)
        require_space(path.parent, size, _("the model as a GGUF file"))
        on_making(path, size)
        template = ChatTemplate(tokenizer, run.card["system_prompt"])
        write_gguf(new, weights, source, tokenizer, template, file_type=file_type, about=about)
    return context_of(source.config)


def require_space(folder: Path, needed: int, what: str) -> None:
    """Check that the disk has room for what will be written to a folder, which need not be there yet.

    Args:
        needed: bytes.
        what: needs them.

    Raises:
        RunError: it has not.
    """
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise RunError(
            _(
                "{folder} needs {needed} for {what}; {free} are free.",
                folder=folder,
                needed=gigabytes(needed),
                what=what,
                free=gigabytes(free),
            ),
            _("Make room."),
        )
