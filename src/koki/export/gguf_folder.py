"""A run as a GGUF file, in a folder with all that goes with it: Ollama's Modelfile, the run card, a README."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from koki import files
from koki.errors import ConfigError, ProofError
from koki.export.card import card_of_gguf
from koki.export.folder import gone_if_it_fails, require_known, require_ours
from koki.export.modelfile import modelfile
from koki.export.proof import prove
from koki.gguf.of_run import adapter_of_run, gguf_of_run, read_record, write_record
from koki.gguf.write import TYPES
from koki.language import N_, _
from koki.libraries import quiet_libraries
from koki.model.source import licence_of, load_tokenizer
from koki.runs.finished import FinishedRun, base_of, read_run
from koki.runs.names import GGUF, METADATA, MODEL_CARD
from koki.tokens.file_tokenizer import FILES_OF_A_TOKENIZER
from koki.tokens.template import ChatTemplate

_MODELFILE: Final = "Modelfile"
_KIND: Final = "files"


def export_gguf(
    run: str | Path | FinishedRun,
    type: str = "q8_0",  # noqa: A002  # as `koki export gguf` calls it
    *,
    folder: str | Path | None = None,
    on_making: Callable[[Path, int], object] = lambda _, __: None,
    on_proving: Callable[[], object] = lambda: None,
) -> Path:
    """Write a run as a GGUF file, proven, with a Modelfile, the run card and a README beside it.

    Args:
        run: a finished run, or its folder.
        type: q8_0, f16, bf16, f32, q5_0 or q4_0.
        folder: where they lie; without it, the folder ``gguf`` of the run.
        on_making: called with the file and its size in bytes, before it is made.
        on_proving: called before it is compared with the run.

    Returns:
        The file. What was compared is under ``proof`` of its entry in ``export.json``.

    Raises:
        ProofError: the file does not say what the run says; it is removed.
        ConfigError: there is no such type, or the folder is something else.
        RunError: the base is not what the run was trained on, or it cannot be written.
        ModelError, CheckpointError: base or adapter cannot be read, or llama.cpp cannot run such a model.
    """
    quiet_libraries()
    _require_type(type)
    run = run if isinstance(run, FinishedRun) else read_run(Path(run).expanduser())
    where = Path(folder).expanduser() if folder else run.folder / GGUF
    require_ours(where, _KIND)
    with gone_if_it_fails(where):
        path = gguf_of_run(run, type, folder=where, on_making=on_making)
        _prove(run, path, type, on_proving)
        tokenizer, context = load_tokenizer(run.folder), read_record(where)[path.name]["context"]
        system = run.card["system_prompt"]
        stop = str(tokenizer.convert_ids_to_tokens(ChatTemplate(tokenizer, system).stop_id))
        files.write_text(where / _MODELFILE, modelfile(path.name, tokenizer, system, stop=stop, context=context))
        _write_what_goes_with_it(run, where, path)
    return path


def _prove(run: FinishedRun, path: Path, file_type: str, on_proving: Callable[[], object]) -> None:
    """Compare a file with its run, unless that was done before, and keep what was found."""
    entry = read_record(path.parent)[path.name]
    if "template" in entry.get("proof", {}):
        return
    on_proving()
    try:
        proof = prove(run, path, file_type)
    except ProofError:
        path.unlink()
        raise
    write_record(path.parent, path.name, entry | {"proof": proof})


def export_adapter(run: FinishedRun, *, folder: Path | None = None) -> Path:
    """Write the adapter of a run alone as a GGUF file, for llama.cpp's ``--lora``.

    Returns:
        The file.

    Raises:
        as `export_gguf`.
    """
    quiet_libraries()
    where = folder or run.folder / GGUF
    require_ours(where, _KIND)
    with gone_if_it_fails(where):
        return adapter_of_run(run, folder=where)


def _require_type(file_type: str) -> None:
    """Check the name of a type.

    Raises:
        ConfigError: it is none of them.
    """
    if "_k" in file_type.lower():
        raise ConfigError(
            _(
                "Koki does not write {file_type} itself; Ollama and llama.cpp make it of a file in f16.",
                file_type=file_type,
            ),
            _("Export with --type f16: the two commands are printed."),
        )
    require_known(file_type, TYPES, N_("There is no type {name!r}."))


def _write_what_goes_with_it(run: FinishedRun, folder: Path, path: Path) -> None:
    """The README, and what the run's own folder has already: its card and its tokenizer."""
    files.write_text(
        folder / MODEL_CARD,
        card_of_gguf(run, licence_of(base_of(run)), path.name, read_record(folder)[path.name]["proof"]),
    )
    if folder.resolve() == (run.folder / GGUF).resolve():
        return
    files.write_json(folder / METADATA, run.card)
    for name in FILES_OF_A_TOKENIZER:
        if (run.folder / name).is_file():
            shutil.copyfile(run.folder / name, folder / name)
