"""What the libraries that Koki uses print and log, turned down."""

import logging
import os
import warnings

import transformers

from koki.hub import quiet_hub


def quiet_libraries() -> None:
    """Turn off transformers' progress bars and FutureWarnings, and what the libraries log below errors."""
    # all tokenising is done before the data loader forks its workers, so threads are safe
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    transformers.logging.set_verbosity_error()
    quiet_hub()
    # transformers 5 keeps renaming arguments; the old names work in every version that Koki supports
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|accelerate")
    transformers.logging.disable_progress_bar()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it logs a line for every layer of every step in 8 bits
