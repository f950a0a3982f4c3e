"""The one exception for mistakes that the person at the keyboard can mend.

What this file does not do: wrap programming errors. A bug keeps its traceback.
"""


class UserError(Exception):
    """Bad input or a missing piece, told in one sentence: what is wrong, where, and what to do.

    The command line prints the sentence and exits with 2, without a traceback; a notebook shows it
    as an ordinary exception.
    """
