"""From a finished run to what other programs open.

gguf_folder.py  a GGUF file of a run, with all that goes with it
merged.py       whole weights, with all that goes with them
modelfile.py    how Ollama runs a GGUF file: its Modelfile
card.py         the README.md of an exported folder; its text is in card.md.jinja
folder.py       the folder that an export is written to
"""
