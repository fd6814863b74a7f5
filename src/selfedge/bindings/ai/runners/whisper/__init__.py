"""Speech recognition with Whisper models in the form that CTranslate2 reads.

`features.py` makes the picture that the encoder looks at,
`decoding.py` turns 30 seconds of it into segments, `words.py` finds the words' times,
`runner.py` goes through the whole file.
"""
