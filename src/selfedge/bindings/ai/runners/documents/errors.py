"""Why a document cannot be read."""


class Unreadable(Exception):
    """The document asks too much, or is locked; the text says what, and the limit."""
