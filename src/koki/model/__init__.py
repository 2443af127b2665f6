"""From a name to a model that is ready to train.

hub.py          a base on the hub: which of its files are wanted when, and whether the cache has them all
source.py       where a base comes from, its revision and configuration; its tokenizer
device.py       the device of this machine, and the precisions that follow from it
base.py         the base's weights: loaded, and prepared for training
attention.py    attention within each example of a row
lora.py         the LoRA adapter: new, loaded, saved
names.py        the names of an adapter's files
merged.py       base and adapter merged, one tensor at a time
lora_linear.py  the LoRA branch of a linear layer as one autograd function
mini/           the base that ships
"""
