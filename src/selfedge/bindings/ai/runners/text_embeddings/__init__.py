"""Sentence embeddings by BERT-like encoders on onnxruntime."""
