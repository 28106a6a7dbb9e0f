"""Builds streaming training data: labelled clips in, WebDataset shards of dialogues on one sample clock out."""
