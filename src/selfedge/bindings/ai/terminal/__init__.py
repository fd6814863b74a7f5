"""What `selfedge ai` does: asks models, a node's or its own, and shows the answers."""
