"""Chapter 0, welcome: once round the loop.

One small function, to see how working with this course feels: edit this file, save it, check it, earn points. It is a
useful one: the bits of surprise are how every model of this course will be measured.
"""

import math


def surprise(p: float) -> float:
    """Exercise 0.1: how surprising an event is, in bits.

    Something that had probability p happens. If p is 1, that is no surprise: 0 bits. If it was as likely as a fair coin
    showing heads, it is 1 bit; as likely as n heads in a row, n bits.

    Arguments: p: the probability of what happened, above 0 and at most 1.
    Returns: the surprise in bits, a float.
    Source: Shannon, "A mathematical theory of communication" (1948).

    >>> surprise(0.25)
    2.0
    """
    # BEGIN SOLUTION 0.1: bits of surprise
    return math.log2(1 / p)
    # END SOLUTION
