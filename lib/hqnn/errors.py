"""The exceptions of this package: one for the reader, one for the training loop."""


class HqnnError(Exception):
    """Something the user can put right.

    The message is one sentence: it names the culprit and gives the way out. The command line prints it
    without a stack trace and exits with status 2. Bad arguments to library functions raise `ValueError`
    or `TypeError` as usual.
    """


class NonFiniteError(ValueError):
    """A layer was given NaN or infinity. During training that is divergence, and the loop says so."""
