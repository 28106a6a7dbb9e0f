"""The web page of a SoundFlow server: static files, no build step, nothing fetched from elsewhere."""
