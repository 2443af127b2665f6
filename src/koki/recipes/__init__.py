"""From recipe files to `Recipe` objects and a report of what was found in them.

table.py            files -> recipes: read, check, drop duplicates
parsing.py          some rows -> recipes, and an account of the others: the work of one process
formats.py          a file of any format -> a table of the wanted columns
workbook.py         Excel and LibreOffice: the rows of a workbook's sheets, measured before they are made
parquet.py          Parquet: the values of its rows, a few at a time
json_documents.py   JSON and web pages: the objects that are recipes
plain_text.py       a document or a chat: title, ingredients, steps; its words are in plain_text.toml
item_rows.py        rows that have one ingredient each -> rows that have a recipe each
file_kinds.py       what a file is that cannot be read, and what to do about it
columns.py          which column is which; the names are in columns.toml
sources.py          paths -> files -> bytes, as a stream of any length
hub_files.py        the files of a data set on the Hugging Face hub
decoding.py         bytes -> text -> lines -> records
values.py           a list or an object, also one written out in a cell -> the text of a field
items.py            a field -> its items: what separates ingredients, and what steps
cleaning.py         a field -> clean title, ingredient lines, steps; its words are in cleaning.toml
near_duplicates.py  which recipes are one dish in the same words, up to small edits
buckets.py          more numbers than memory holds, brought together on disk
unsplit.py          fields whose items were not told apart, and what may separate them
findings.py         why a row gives no recipe, and what is odd about one that may
example.py          one recipe beside the text that it was read from
report.py           what was read, what was dropped, and why
recipe.py           `Recipe`, which all this makes
stored.py           recipes on disk, each read when it is asked for
sequence.py         `Recipes`: those that were read, with the report on their files
digests.py          which recipes are others than those that a run was trained on
split.py            the recipes to train on and those held out
"""
