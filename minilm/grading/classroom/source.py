"""From the bytes of a file to the bytes that Python gets: UTF-8, without a mark at its head, lines ending in \\n.

A file that names another character set in its first lines, as Python allows, is converted, and its line then says
utf-8: whoever reads the file later needs to know one character set only.

What this file does not do: read a file, or look at what its code says.
"""

import codecs
import io
import re
import tokenize

from .shelves import Refused, shown

CODING = re.compile(r"(?m)\A((?:[ \t\f]*(?:#.*)?\n)??[ \t\f]*#.*?coding[:=][ \t]*)([-\w.]+)")  # as PEP 263 has it
ASCII = bytes(range(32, 127))
CIPHERS = ("idna", "unicode-escape", "raw-unicode-escape")  # these keep ASCII as it is, and are none the less
BEFORE_UTF8 = ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))


def utf8(data):
    """The bytes as UTF-8; Refused when they are no text.

    >>> utf8(codecs.BOM_UTF8 + b"x = 1\\r\\n")
    b'x = 1\\n'
    """
    for mark, name in BEFORE_UTF8:
        if data.startswith(mark):
            raise Refused(f"is saved as {name}; save it as UTF-8")
    lines = unix(data)
    try:
        name, _ = tokenize.detect_encoding(io.BytesIO(lines).readline)  # two lines, and no code is run
    except SyntaxError as error:
        raise Refused(f"cannot be read as text ({shown(error.msg)}); save it as UTF-8") from None
    plain = lines.removeprefix(codecs.BOM_UTF8)
    try:
        if name in ("utf-8", "utf-8-sig"):
            plain.decode("utf-8")
            return plain
        return CODING.sub(r"\1utf-8", _decoded(plain, name), count=1).encode("utf-8")
    except (UnicodeError, LookupError):
        what = "UTF-8" if name in ("utf-8", "utf-8-sig") else f"the {shown(name)} that its first lines announce"
        raise Refused(f"is not {what}; save it as UTF-8") from None


def unix(data):
    """Lines that end in \\r\\n or \\r, ending in \\n."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _decoded(data, name):
    """The text, in a character set whose ASCII is ASCII: some of Python's codecs are ciphers, and slow ones too."""
    if codecs.lookup(name).name.replace("_", "-") in CIPHERS or ASCII.decode(name) != ASCII.decode("ascii"):
        raise LookupError(name)
    return data.decode(name)
