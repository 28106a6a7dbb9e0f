"""Talk to a running SoundFlow server from a terminal: microphone or file in, words, sounds, replies and acts out."""

from serving.talk.command import talk

__all__ = ["talk"]
