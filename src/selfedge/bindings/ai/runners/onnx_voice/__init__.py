"""Voices in Piper's format: phonemes in, sound out.

`voice.py` reads a voice's description, `phonemes.py` writes a text as phonemes,
`runner.py` speaks.
"""
