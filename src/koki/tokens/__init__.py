"""From a conversation to token ids and labels, and to batches of them.

file_tokenizer.py  a tokenizer read without transformers, and text as its ids come
template.py        what a tokenizer's chat template puts around a question and an answer, and how texts become ids
sandbox.py         renders a chat template, which is somebody else's program, in a process of its own
rendering.py       what that process does, within limits
words.py           encodes texts by way of their words, each of which is encoded once
store.py           pieces of text as token ids: each encoded once, all of them in one flat array
part.py            the conversations of some groups that fit, as arrays, in memory or in a file
fitter.py          finds the longest version of each conversation that fits in the token limit
fit_report.py      what became of the conversations at the token limit
dataset.py         all parts together; an example is put together when it is asked for
batches.py         which conversation comes when, and micro-batches without padding
examples.py        the same as a run trains on them, with questions typed anew each epoch

How a conversation lies in the arrays of a data set is drawn in ``docs/design.md``.
"""
