"""Numbers of the envelope that no single product owns."""

NO_ROUTE = 7003  # "Could not route to …"
BAD_METHOD = 7001  # "Method … not available for that URI"
NO_CREDENTIALS = 9106  # no Authorization header
BAD_CREDENTIALS = 10000  # "Authentication error"
FORBIDDEN = 9109  # the caller may not reach this
BAD_HEADERS = 6003  # "Invalid request headers"
BAD_QUERY = 1001  # a parameter of the query is out of its range
BAD_BODY = 1002  # the body is not what the route takes
BODY_TOO_LARGE = 1003
NOT_READ = 1004  # what is asked for cannot be read now
INTERNAL = 1101  # ours; it is in the log
