"""Translation and summaries: an encoder reads a text, a decoder writes another.

A folder as `optimum-cli export onnx` writes it: `encoder_model.onnx`,
`decoder_model.onnx`, `decoder_with_past_model.onnx` (optional, much faster),
`tokenizer.json`, `config.json` and, optional, `generation_config.json`.

`folder.py` reads the settings, `decoder.py` asks the networks for the next token,
`search.py` chooses tokens, `runner.py` does all of it.
"""
