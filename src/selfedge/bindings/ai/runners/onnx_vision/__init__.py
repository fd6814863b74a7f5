"""Image classification and object detection on onnxruntime."""
