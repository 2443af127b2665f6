"""From a run folder to a scorecard: does it answer with the right recipe?

evaluate.py       a run folder -> questions, answers, scores -> report/scorecard.json
added.csv         forty dishes that no chef of the recipes that ship has met
asked.py          a question, and the groups of questions: recall, typing, understanding, generalisation
capabilities/     each capability with its measures, its judge and how its questions are drawn; the tuple of all
questions.py      what a run's chef is asked: questions of each capability in each group
own_questions.py  people's own questions, from a file of tab-separated values
words.py          the Indonesian that an answer is judged by
cookbook.py       what is true: the recipes under their names, and what has which ingredient
metrics.py        loops, language, reasons and refusals in an answer; pure functions
mentions.py       whether a text mentions a term, and speaks for it
judge.py          a question, its answer and the cookbook -> scores, and the ingredients marked
intervals.py      means and shares with 95 % intervals, alone and paired
requirements.py   what the means should be, and what was reached of it
scorecard.py      scores -> tables for a terminal, JSON for everything else
"""
