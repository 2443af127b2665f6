"""From a `Recipe` to the conversations that teach it."""
