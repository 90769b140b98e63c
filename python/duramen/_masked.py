"""What stands for an exception that was masked, on a record in Python form."""


class MaskedTraceback(str):
    """The masked text of an exception, which is a record's ``exc_text``.

    ``parts`` is what structured formatters show of it: class, message and the whole object, each as JSON. Copied to
    another process it is text alone.
    """

    def __new__(cls, text, parts):
        self = super().__new__(cls, text)
        self.parts = parts
        return self

    def __reduce__(self):
        return str, (str(self),)
