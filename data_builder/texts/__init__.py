"""The words of the corpus, all written for this project: replies, instructions, questions, device requests, side talk."""
