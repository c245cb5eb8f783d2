"""The one exception that carries a message meant for the reader."""


class HqnnError(Exception):
    """Something the user can put right.

    The message is one sentence: it names the culprit and gives the way out. The command line prints it
    without a stack trace and exits with status 2. Bad arguments to library functions raise `ValueError`
    or `TypeError` as usual.
    """
