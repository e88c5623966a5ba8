"""What goes wrong, in parts: where, what, what was expected, and what was found."""


class Error(Exception):
    """Files, or what they allow. str() is one line; fields stand between backquotes in it."""

    def __init__(self, text: str, where: str = "", what: str = "", expected: str = "", found: str = "") -> None:
        super().__init__(text)
        self.where = where
        self.what = what
        self.expected = expected
        self.found = found


class UsageError(Error, ValueError):
    """A request that can't be: an unknown name, arguments that don't go together."""
