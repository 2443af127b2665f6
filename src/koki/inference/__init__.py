"""From a run folder to answers."""
