"""The libraries that Koki stands on, kept quiet."""

import logging
import os
import warnings

import transformers
from huggingface_hub.utils import logging as hub_logging


def quiet_libraries() -> None:
    """Keep the libraries from talking over Koki."""
    # all tokenising is done before the data loader forks its workers, so threads are safe
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    transformers.logging.set_verbosity_error()
    hub_logging.set_verbosity_error()  # its retries would bury the error that says how to go on
    # transformers 5 renames arguments as it goes; the old names serve the whole range that Koki supports
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|accelerate")
    transformers.logging.disable_progress_bar()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # a line for every layer of every step in 8 bits
