"""The rules of HTTP caching (RFC 9110, RFC 9111), pure, for a shared cache."""
