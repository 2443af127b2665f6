"""From a run, or from its data, to the formats that other tools read."""
