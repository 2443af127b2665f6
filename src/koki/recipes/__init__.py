"""From a recipe file to `Recipe` objects and a report of what was found in it.

table.py          files -> recipes: validate, de-duplicate
    formats.py      a CSV, JSON Lines or Parquet file -> a table of the wanted columns
    columns.py      which column is which; the names are in columns.toml
    decoding.py     paths -> bytes -> text -> records
    cleaning.py     a field -> clean title, ingredient lines, steps; its words are in cleaning.toml
    near_duplicates.py  which recipes are one dish in the same words, up to small edits
    report.py       what was read, what was dropped, and why
recipe.py         Recipe, what all this makes
split.py          the recipes to train on and those held out
"""
