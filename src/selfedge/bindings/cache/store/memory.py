"""Hot responses, kept in memory."""

from collections import OrderedDict

from selfedge.bindings.cache.store.entry import Content


class Memory:
    """Contents by slot number; at most `capacity_bytes`, least recently used go."""

    def __init__(self, *, capacity_bytes: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._contents: OrderedDict[int, Content] = OrderedDict()
        self.size_bytes = 0

    def get(self, number: int) -> Content | None:
        """Return the content of slot `number`; it counts as used now."""
        content = self._contents.get(number)
        if content is not None:
            self._contents.move_to_end(number)
        return content

    def put(self, number: int, content: Content) -> None:
        """Keep `content`, which replaces nothing: numbers are used once."""
        if number in self._contents:
            return
        self._contents[number] = content
        self.size_bytes += weight(content)
        while self.size_bytes > self._capacity_bytes:
            self.size_bytes -= weight(self._contents.popitem(last=False)[1])

    def drop(self, number: int) -> None:
        """Forget slot `number`, if it is here."""
        content = self._contents.pop(number, None)
        if content is not None:
            self.size_bytes -= weight(content)


def weight(content: Content) -> int:
    """Return about how many bytes of memory `content` takes."""
    return len(content.body) + len(content.fields) + 512
