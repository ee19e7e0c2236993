"""Pure Python, no I/O: what an election is, what a ballot may say, what a message looks like, how votes add up."""
