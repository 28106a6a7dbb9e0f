"""OpenAI Live at /v1/live/sessions: no turns; the model decides when it speaks."""
