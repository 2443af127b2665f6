r"""From a conversation to token ids and labels, and to batches of them.

template.py    what a tokenizer's chat template puts around a question and an answer, and how texts become ids
sandbox.py     renders a chat template, which is somebody else's program, within limits
words.py       encodes texts by way of their words, each of which is encoded once
store.py       pieces of text as token ids: each encoded once, all of them in one flat array
fitter.py      finds the longest version of each conversation that fits in the token limit
fit_report.py  what became of the conversations at the token limit
dataset.py     the conversations that fit, as arrays; an example is put together when it is asked for
batches.py     which conversation comes when, and micro-batches without padding

How conversations are stored
----------------------------

Many questions share an answer, and many answers a recipe. So texts are cut into *pieces*: a question is one, and so is
each block of an answer between blank lines (or the whole answer, where the tokenizer might merge over a blank line). A
piece is stored as its token ids, and a conversation as the numbers of its pieces. What is the same in every
conversation (head, middle and tail, see ``template.py``) is stored with none.

Three conversations in two groups, with the tokenizer of koki-mini:

    group 0, a recipe   conversation 0, standard   Soto?     Ini dia.\n\nRebus ayam.
                        conversation 1, simple     soto      Ini dia.\n\nRebus ayam.
    group 1, a tip      conversation 2, tip        Garam?    Garam sedikit.

Their texts become six pieces. The column of tokens, read from top to bottom, is the array ``tokens``. The last column,
with the 0 above it, is the array ``token_ends``, so piece p is ``tokens[token_ends[p] : token_ends[p + 1]]``. The array
``digests`` has the BLAKE2b digest of each text, 16 bytes, of which two are shown; by it a text that comes again is
recognised, in this run or in a later one.

    piece  text                       digest  tokens                                    ends: 0
    0      user\nSoto?                7828..  297 266 198 2406 30                             5
    1      user\nsoto                 845a..  297 266 198 82 1397                            10
    2      user\nGaram?               7f20..  297 266 198 5540 30                            15
    3      assistant\nIni dia.\n\n    dffb..  6697 3321 496 198 40 1805 5800 13 302          24
    4      Rebus ayam.                fb3e..  6650 387 13                                    27
    5      assistant\nGaram sedikit.  9294..  6697 3321 496 198 5540 472 13                  34

Of the groups that are fitted together (up to ``GROUPS_AT_ONCE``) the questions come first, each a piece of its own,
then the blocks of the answers, each distinct one once. A piece may be in no conversation, such as a question whose
answer does not fit.

A conversation is the number of its question's piece, then those of its answer's pieces. They lie in the same way: one
array of numbers and one of ends. The array ``group_starts`` says in the same way which conversations are a group's:
group g has those from ``group_starts[g]`` up to, but not including, ``group_starts[g + 1]``. A kind is its place in
``KINDS``.

    conversation            0         1        2
    conversations      |  0 3 4  |  1 3 4  |  2 5  |     numbers of pieces
    conversation_ends  0         3         6       8     places in conversations
    kinds              |    0    |    1    |   4   |     standard, simple, tip
    group_starts       0                   2       3     numbers of conversations

``tokens`` takes two bytes a number where the vocabulary has at most 65,536 entries, else four; ``conversations`` takes
four, ``kinds`` one, all ends eight. These seven arrays, and a few facts (the fit report, the digest of the whole), are
all there is of a data set. The cache keeps them as they are, and a later run maps them into memory.

Conversation 0 as an example, with its labels (-100: the token is not supervised):

    part     text                        ids                                    labels
    head     <|im_start|>system\nKamu..  8190 1377 1027 324 198 .. 8190         -100, all 14
    piece 0  user\nSoto?                 297 266 198 2406 30                    -100 -100 -100 -100 -100
    middle   <|im_end|>\n<|im_start|>    8191 198 8190                          -100 -100 -100
    piece 3  assistant\nIni dia.\n\n     6697 3321 496 198 40 1805 5800 13 302  -100 -100 -100 -100 40 1805 5800 13 302
    piece 4  Rebus ayam.                 6650 387 13                            6650 387 13
    tail     <|im_end|>\n                8191 198                               8191 -100

Who does what:

    Sequences         an array of numbers and one of ends, together: the tokens of pieces, the pieces of conversations
    GrowingSequences  the same while it is filled
    PieceStore        text -> number of its piece, while a data set is made; it encodes what it has not met before
    KnownPieces       digest -> ids, of a data set in the cache: what a PieceStore looks up before it encodes
    WordByWord        what a PieceStore encodes with, where the tokenizer cuts texts into words as Qwen's do
"""
