"""From a model's weights to one file that llama.cpp opens: GGUF.

of_run.py           the files of a run: found, or made once
write.py            the file: what it says of the model, then its tensors, one at a time
adapter.py          a run's adapter alone, as a file that llama.cpp puts on the base
hyperparameters.py  the shape of the model, in llama.cpp's words
vocabulary.py       the tokenizer, in llama.cpp's words
chat_template.py    a chat template with a system prompt in it
"""
