"""From a recipe file to `Recipe` objects and a report of what was found in it."""
