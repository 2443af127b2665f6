"""From a model and batches to a run folder."""
