"""From a configuration to what a run trains on: its recipes, their split, conversations and tokens; and its book.

recipes.py                 recipe files checked, read and cleaned; some recipes held out
conversations.py           all conversations of a data set, those of each recipe, tip and refusal together
build.py                   conversations -> tokens, made here or found in the cache
token_cache.py             the training data that was made before: found, or kept for the next time
cache.py                   a folder on disk of arrays and facts, each entry whole or not there
book.py                    the book of a run: its recipes and tips in one file, to be looked up
preview.py                 the conversations of one recipe, as the model will see them
training_conversations.py  the conversations as texts, for programs
export.py                  the conversations for other trainers, as JSON Lines
"""
