"""From a finished run to what other programs open.

modelfile.py  how Ollama runs a GGUF file: its Modelfile
"""
