"""What is computed."""

from typing import Any

SENTENCE = "The quick brown fox jumps over the lazy dog near the old river bank."
PARAGRAPH = " ".join([SENTENCE] * 8)
QUESTIONS = (
    "How do I reset my password?",
    "Where is my order?",
    "Can I change the delivery address?",
    "What are your opening hours?",
    "Do you ship to Norway?",
    "How long does a refund take?",
    "Is there a student discount?",
    "Why was my card declined?",
    "How can I cancel my subscription?",
    "Does the warranty cover water damage?",
    "Which sizes are in stock?",
    "How do I export my data?",
    "Who can see my profile?",
    "Is gift wrapping available?",
    "Can I pay by invoice?",
    "What does error 42 mean?",
)
"""Of 16 clients, each asks its own."""


def chat(tokens: int) -> dict[str, Any]:
    """Return the inputs of a generation."""
    messages = [
        {"role": "system", "content": "You are a helpful assistant"},
        {"role": "user", "content": "Tell me a long story about a fox."},
    ]
    return {"messages": messages, "max_tokens": tokens, "temperature": 0.6}
