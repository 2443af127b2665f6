"""From a configuration to what a run trains on: its recipes, their split, conversations and tokens.

build.py          the way from top to bottom: files checked and read, recipes split, conversations made into tokens
conversations.py  all conversations of a data set, those of each recipe, tip and refusal together
token_cache.py    the training data that was made before: found, or kept for the next time
cache.py          a folder on disk of arrays and facts, each entry whole or not there
preview.py        the conversations of one recipe, as the model will see them
export.py         the conversations for other trainers, as JSON Lines
"""
