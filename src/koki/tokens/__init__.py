"""From a conversation to token ids and labels, and to batches of them."""
