"""Stable Diffusion (1.x, 2.x, XL) as exported to ONNX folders, in numpy; no torch."""
