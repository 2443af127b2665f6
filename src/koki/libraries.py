"""What the libraries that Koki uses print and log, turned down."""

import logging
import os
import warnings

import transformers
from huggingface_hub.constants import HF_HUB_DISABLE_PROGRESS_BARS
from huggingface_hub.utils import logging as hub_logging
from huggingface_hub.utils.tqdm import disable_progress_bars

from koki.notices import are_printed


def quiet_libraries() -> None:
    """Turn off transformers' progress bars and FutureWarnings, and what the libraries log below errors.

    The bars of downloads are shown to whoever uses the command line, or wants them: ``HF_HUB_DISABLE_PROGRESS_BARS=0``.
    """
    # all tokenising is done before the data loader forks its workers, so threads are safe
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    transformers.logging.set_verbosity_error()
    hub_logging.set_verbosity_error()  # its retries would bury the error that says how to go on
    # transformers 5 keeps renaming arguments; the old names work in every version that Koki supports
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|accelerate")
    transformers.logging.disable_progress_bar()
    if HF_HUB_DISABLE_PROGRESS_BARS is None and not are_printed():
        disable_progress_bars()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it logs a line for every layer of every step in 8 bits
