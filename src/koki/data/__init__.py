"""From a configuration to what a run trains on: its recipes, their split, conversations and tokens; and its book.

recipes.py                 recipe files checked, read and cleaned; some recipes held out
survey.py                  what must be known of all recipes: a line on each
collection.py              recipes under their names, and the shelf that their questions are answered from
conversations.py           the conversations about a recipe, and those besides
parts.py                   conversations -> tokens, some recipes at a time, by several processes
build.py                   all that is trained on, made here or found in the cache
shards.py                  the same made by several machines, and joined
token_cache.py             the training data that was made before: found, or kept for the next time
cache.py                   a folder on disk of files and facts, each entry whole or not there
book.py                    the book of a run: its recipes and tips in one file, to be looked up
preview.py                 the conversations of one recipe, as the model will see them
training_conversations.py  the conversations as texts, for programs
export.py                  the conversations for other trainers, as JSON Lines
"""
