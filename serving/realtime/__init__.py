"""OpenAI Realtime (GA) at /v1/realtime: conversation and transcription sessions."""
