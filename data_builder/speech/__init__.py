"""Synthetic speech: engines found on the machine, speakers by split, and utterances that a recogniser understood."""
