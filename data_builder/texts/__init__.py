"""The words of the corpus, all written for this project: replies, instructions, questions, requests, side talk."""
