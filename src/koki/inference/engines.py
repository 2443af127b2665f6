"""The engine that runs a chef: which one, and that one loaded."""

import shutil
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from koki.config import ModelConfig
from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import ConfigError, KokiError, ModelError, RunError
from koki.formatting import gigabytes
from koki.gguf.of_run import adapter_of_run, gguf_of_run, read_record
from koki.inference.engine import Engine
from koki.language import _
from koki.notices import LOG
from koki.runs.card import read_card
from koki.runs.finished import FinishedRun, base_of, read_run
from koki.runs.names import METADATA
from koki.terminal import harmless
from koki.tokens.file_tokenizer import read_tokenizer
from koki.tokens.template import ChatTemplate

if TYPE_CHECKING:
    from koki.inference.llama_cpp_engine import LlamaCppEngine

EngineName = Literal["transformers", "llama.cpp"]

Loaded = tuple[Engine, ChatTemplate]
"""An engine, and the chat template of its model with the system prompt."""

# A model of fewer parameters than this is held in 16 bits, a larger one in 8: it then answers half again as fast.
_SMALL: Final = 100_000_000
# A machine without any of these has no GPU that torch for CUDA or ROCm could use; importing torch takes seconds.
_SIGNS_OF_A_GPU: Final = ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg", "/dev/kfd")


def load_engine(run: str | Path | FinishedRun, name: str | None, *, base_only: bool = False) -> Loaded:
    """Load what a chef is made of.

    Args:
        run: a run folder, a GGUF file of a run, or a folder of whole weights.
        name: an `EngineName`; None is transformers where there is a GPU, else llama.cpp, or transformers where that
            cannot run.
        base_only: without the adapter.

    Raises:
        ConfigError: there is no such engine, or it cannot run what it is asked to.
        RunError, ModelError, CheckpointError: see `koki.Chef.load`.
    """
    require_engine(name)
    path = run.folder if isinstance(run, FinishedRun) else Path(run).expanduser()
    if is_gguf(path):
        if name == "transformers":
            raise ConfigError(_("{path} is a GGUF file, which llama.cpp runs.", path=path), _("Leave --engine out."))
        return _llama_cpp(run_of_gguf(path), path)
    if (path / "config.json").is_file():
        if name == "llama.cpp":
            raise ConfigError(
                _("{path} is no run but whole weights, which transformers runs.", path=path), _("Leave --engine out.")
            )
        return _whole_weights(path)
    finished = run if isinstance(run, FinishedRun) else read_run(path)
    if name == "transformers" or (name is None and _has_gpu()):
        return _transformers(finished, base_only=base_only)
    try:
        _require_llama_cpp()  # before the file is made
        return _llama_cpp(finished, _gguf(finished, base_only=base_only))
    except (KokiError, OSError) as error:
        if name is not None:
            raise
        said = _("llama.cpp cannot answer here, transformers does, more slowly: {error}", error=error)
        LOG.warning("%s", harmless(said))
        return _transformers(finished, base_only=base_only)


def load_engines(runs: Sequence[Path | FinishedRun], name: str | None) -> list[Loaded]:
    """Load what several chefs are made of, each as `load_engine` does; runs on one base share it in llama.cpp.

    transformers merges an adapter into its base instead, so there each has its own: answers come twice as fast.

    Raises:
        as `load_engine`.
    """
    is_shared = name == "llama.cpp" or (name is None and not _has_gpu())
    loaded = _sharing_bases(runs) if is_shared else {}
    return [loaded[place] if place in loaded else load_engine(run, name) for place, run in enumerate(runs)]


def _sharing_bases(runs: Sequence[Path | FinishedRun]) -> dict[int, Loaded]:
    """The places of runs whose base another has too, and what their chefs are made of."""
    by_base: defaultdict[str, dict[int, FinishedRun]] = defaultdict(dict)
    for place, run in enumerate(runs):
        if isinstance(run, FinishedRun):
            by_base[run.card["base_model"]["revision"]][place] = run
    loaded: dict[int, Loaded] = {}
    for together in by_base.values():
        if len(together) > 1:
            # where it cannot be, each is loaded alone, and what is wrong is said of that one
            with suppress(KokiError, OSError):
                loaded |= zip(together, _llama_cpp_together(list(together.values())), strict=True)
    return loaded


def require_engine(name: str | None) -> None:
    """Check the name of an engine.

    Raises:
        ConfigError: there is none of that name.
    """
    if name is not None and name not in get_args(EngineName):
        raise ConfigError(
            _("There is no engine {name!r}.", name=name),
            _("Engines: {names}.", names=", ".join(get_args(EngineName))),
        )


def is_gguf(path: Path) -> bool:
    """Whether a path names a GGUF file rather than a folder."""
    return path.suffix == ".gguf"


def run_of_gguf(file: Path) -> FinishedRun:
    """The run that a GGUF file was made of: its card lies beside the file, or in the folder above.

    Raises:
        RunError: there is no such file, or no card.
    """
    if not file.is_file():
        raise RunError(_("There is no file {file}.", file=file), _("`koki export gguf RUN` makes one."))
    folders: Sequence[Path] = (file.absolute().parent, file.absolute().parent.parent)
    found = next((folder for folder in folders if (folder / METADATA).is_file()), None)
    if found is None:
        raise RunError(
            _(
                "{file} lies alone: there is no {metadata} beside it, nor in the folder above.",
                file=file,
                metadata=METADATA,
            ),
            _("Keep the files of an export together."),
        )
    return read_run(found)


def _has_gpu() -> bool:
    if not any(Path(sign).exists() for sign in _SIGNS_OF_A_GPU) and shutil.which("nvidia-smi") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def _gguf(run: FinishedRun, *, base_only: bool) -> Path:
    def say(path: Path, size: int) -> None:
        said = _("Preparing {path} for llama.cpp, once: {size}.", path=path, size=gigabytes(size))
        LOG.warning("%s", harmless(said))

    is_small = run.card["training"].get("parameters", _SMALL) < _SMALL
    return gguf_of_run(run, "f16" if is_small else "q8_0", base_only=base_only, on_making=say)


def _require_llama_cpp() -> None:
    try:
        import xllamacpp  # noqa: F401
    except (ImportError, OSError) as error:  # no wheel for this machine, or one that does not run here
        raise ModelError(_("llama.cpp cannot be used: {error}", error=error), "pip install xllamacpp") from error


def _llama_cpp(run: FinishedRun, file: Path) -> Loaded:
    engine = _llama_cpp_engine(run, file)
    return engine, _template_of(run)


def _llama_cpp_together(runs: Sequence[FinishedRun]) -> list[Loaded]:
    """One base with the adapters of several runs."""
    _require_llama_cpp()  # before the files are made
    adapters = [adapter_of_run(run) for run in runs]
    base = _llama_cpp_engine(runs[0], _gguf(runs[0], base_only=True), adapters)
    return [(base.with_adapter(*one), _template_of(run)) for run, one in zip(runs, enumerate(adapters), strict=True)]


def _llama_cpp_engine(run: FinishedRun, file: Path, adapters: Sequence[Path] = ()) -> "LlamaCppEngine":
    _require_llama_cpp()
    from koki.inference.llama_cpp_engine import LlamaCppEngine

    entry = read_record(file.parent).get(file.name)
    if entry is None:
        raise RunError(
            _("{file} has no entry in the export.json beside it.", file=file),
            _("Export it again: koki export gguf RUN"),
        )
    if entry["type"] == "adapter":
        raise ModelError(
            _("{file} is an adapter, which answers on its base alone.", file=file), _("Ask the run, or the whole file.")
        )
    template = _template_of(run)
    tokenizer, is_exact = read_tokenizer(run.folder).backend_tokenizer, entry["type"] == "f32"
    return LlamaCppEngine(file, entry["context"], tokenizer, template.stop_id, exact=is_exact, adapters=adapters)


def _template_of(run: FinishedRun) -> ChatTemplate:
    return ChatTemplate(read_tokenizer(run.folder), run.card["system_prompt"])


def _transformers(run: FinishedRun, *, base_only: bool) -> Loaded:
    # they bring torch along, which a chef with another engine need not have
    from koki.inference.transformers_engine import TransformersEngine
    from koki.libraries import quiet_libraries
    from koki.model.source import load_tokenizer

    quiet_libraries()
    config, source, tokenizer = run.model_config(), base_of(run), load_tokenizer(run.folder)
    template = ChatTemplate(tokenizer, run.card["system_prompt"])
    engine = TransformersEngine.load(
        source,
        config,
        tokenizer,
        template.stop_id,
        adapter=None if base_only else run.folder,
        precision=_precision_of(run),
    )
    return engine, template


def _precision_of(run: FinishedRun) -> Literal["auto", "best"]:
    """What was trained in bf16 answers in it too, where the machine has it: a base of 0.5 B then twice as fast."""
    return "best" if run.settings.get("training.mixed_precision") in ("best", "bf16") else "auto"


def _whole_weights(folder: Path) -> Loaded:
    from koki.inference.transformers_engine import TransformersEngine
    from koki.libraries import quiet_libraries
    from koki.model.source import find_base, load_tokenizer

    quiet_libraries()
    config = ModelConfig(name=str(folder.resolve()))
    source, tokenizer = find_base(config), load_tokenizer(folder)
    is_export = (folder / METADATA).is_file()
    system = read_card(folder)["system_prompt"] if is_export else load_phrasebook().system.prompt
    template = ChatTemplate(tokenizer, system)
    return TransformersEngine.load(source, config, tokenizer, template.stop_id), template
