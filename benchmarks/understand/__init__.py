"""Understanding: multiple choice (MMAU's format) by likelihood and by text, and VoiceBench's spoken questions.

questions / voicebench -> Items -> runner.answer (ask: the LALM's own path) -> instances.jsonl -> choices / opened
"""
