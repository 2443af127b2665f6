"""Recipes as they are looked up.

words.py      the words in which dishes and ingredients are named, read from words.toml and checked
titles.py     a title as it was posted -> the dish as one names it in a sentence
kitchen.py    an ingredient as a recipe names it -> what it is called in a kitchen
naming.py     a name for each recipe that no other recipe has
pantry.py     which recipes have an ingredient, what can be cooked with what is at hand; its words are in pantry.toml
postings.py   which recipes have a thing, as arrays in a book's file
index.py      the ingredients of a book's recipes, in its file: what a pantry has in memory
grams.py      the names of a book's dishes that are like a text
store.py      the book: recipes and tips in one SQLite file
wordlists.py  what words of questions and of dishes' names are; they are in understand.toml
question.py   a question, word by word, and what follows of it without a book
dish_names.py which dish a name that was said may be
understand.py what a question asks of the book
lookup.py     what was understood -> the pages that a chef reads
reading.py    what a chef reads before it answers
"""
