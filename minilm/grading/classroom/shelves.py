"""Two kinds of shelf that a submission can stand on: a folder on the disk, and a zip.

Both answer the same two questions, `children(*place)` and `read(*place)`, where a place is the way there, name by name:
("exercises", "ch05_lora.py"). Neither follows a link, unpacks anything to the disk or believes a size that it was told.
What is not to be had is Refused, in words for the learner and the teacher.

What this file does not do: know which names are wanted (intake.py).
"""

import errno
import io
import os
import re
import stat
import zipfile
from collections import Counter
from datetime import UTC, datetime

FILE, FOLDER, LINK, OTHER = "file", "folder", "link", "other"  # other: a pipe, a socket, a device
MOST_BYTES = 1_000_000  # of one file
MOST_MEMBERS = 200  # of one zip
MOST_UNPACKED = 20_000_000  # bytes of one zip, packed or unpacked
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # only these can be unpacked a little at a time
DRIVE = re.compile(r"[A-Za-z]:")
# controls, what turns the direction of a line, and halves of letters
UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Refused(Exception):
    """Why something is not taken: the rest of a sentence that begins with its name."""


class Folder:
    """A folder on the disk."""

    def __init__(self, path):
        self.path = path

    def children(self, *place):
        """name -> kind of everything that lies there, by name."""
        folder = self.path.joinpath(*place)
        return dict(sorted((entry.name, kind(folder / entry.name)) for entry in os.scandir(folder)))

    def read(self, *place, most=MOST_BYTES):
        """The bytes of one file."""
        path = self.path.joinpath(*place)
        for depth in range(len(place) + 1):
            if kind(self.path.joinpath(*place[:depth])) == LINK:
                raise Refused("is a link, which is never followed; hand in the file itself")
        if kind(path) != FILE:
            raise Refused("is not an ordinary file")
        return read_file(path, most)

    def changed(self, *place):
        """When a file was last written."""
        return changed(self.path.joinpath(*place))


class Zip:
    """A zip, read in memory. The whole of it is looked through first: one trick in it, and nothing of it is taken."""

    def __init__(self, path):
        self.path = path
        self.left = MOST_UNPACKED
        data = read_file(path, MOST_UNPACKED)
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(data))
            members = self.archive.infolist()
        except Exception:  # what broken bytes do to zipfile has no list; it is not a reason to stop grading
            raise Refused("is not a zip that can be read; pack it again") from None
        _look_through(members)
        self.members = {_parts(member): member for member in members}
        self.kinds = {place: FOLDER if member.is_dir() else FILE for place, member in self.members.items()}
        for place in list(self.kinds):
            for depth in range(1, len(place)):
                if self.kinds.setdefault(place[:depth], FOLDER) == FILE:
                    raise Refused(f"holds {shown('/'.join(place[:depth]))} as a file and as a folder; pack it again")

    def children(self, *place):
        """name -> kind of everything that lies there, by name."""
        depth = len(place)
        inside = {at[depth]: kind for at, kind in self.kinds.items() if len(at) == depth + 1 and at[:depth] == place}
        return dict(sorted(inside.items()))

    def read(self, *place, most=MOST_BYTES):
        """The bytes of one file, counted while they are unpacked."""
        if self.kinds[place] != FILE:
            raise Refused("is not an ordinary file")
        member = self.members[place]
        if member.compress_type not in PLAIN:
            raise Refused("is packed in an unusual way; pack it again as an ordinary zip")
        try:
            with self.archive.open(member) as file:
                data = file.read(max(min(most, self.left), 0) + 1)
        except Exception:
            raise Refused("is damaged inside the zip; pack it again") from None
        self.left -= len(data)
        if self.left < 0:
            raise Refused(f"is more than the {_size(MOST_UNPACKED)} that a zip may hold")
        return _not_too_large(data, most)

    def changed(self, *place):
        """When the zip was last written: the times inside it are whatever somebody's clock said."""
        return changed(self.path)


def _look_through(members):
    """Refuse a zip that does what no zip of answers does."""
    if len(members) > MOST_MEMBERS:
        raise Refused(f"holds {len(members):,} files, and {MOST_MEMBERS} are the most; hand in the chapters alone")
    if sum(member.file_size for member in members) > MOST_UNPACKED:
        raise Refused(f"unpacks to more than {_size(MOST_UNPACKED)}; hand in the chapters alone")
    for member in members:
        name = member.orig_filename  # as it stands in the zip: `filename` was tidied up
        if problem := _problem(member, name):
            raise Refused(f"holds {shown(name)}, {problem}; nothing of it is taken")
    twice = [place for place, count in Counter(map(_parts, members)).items() if count > 1]
    if twice:
        raise Refused(f"holds {shown('/'.join(twice[0]))} more than once; pack it again")


def _problem(member, name):
    mode = member.external_attr >> 16
    if "\\" in name or "\0" in name or DRIVE.match(name) or name.startswith("/") or ".." in name.split("/"):
        return "a path that leads out of the folder or is no path at all"
    if not _parts(member):
        return "a file without a name"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link" if stat.S_ISLNK(mode) else "which is not an ordinary file"
    return "which is encrypted" if member.flag_bits & 0x41 else ""


def _parts(member):
    return tuple(part for part in member.orig_filename.split("/") if part not in ("", "."))


def kind(path):
    """FILE, FOLDER, LINK or OTHER, without following a link."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return LINK
    return FILE if stat.S_ISREG(mode) else FOLDER if stat.S_ISDIR(mode) else OTHER


def read_file(path, most):
    """The bytes of an ordinary file of at most `most` bytes; Refused for a link, a device, or more."""
    # NOFOLLOW and NONBLOCK: the path may have become a link or a pipe since somebody looked. Windows has neither.
    flags = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
    try:
        handle = os.open(path, os.O_RDONLY | flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Refused("is a link, which is never followed; hand in the file itself") from None
        raise Refused(f"cannot be read ({error.strerror})") from None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Refused("is not an ordinary file")
        return _not_too_large(file.read(most + 1), most)


def _not_too_large(data, most):
    if len(data) > most:
        raise Refused(f"is larger than {_size(most)}")
    return data


def changed(path):
    """When a file was last written, to the second."""
    return datetime.fromtimestamp(int(os.lstat(path).st_mtime), UTC)


def _size(number):
    return f"{number // 1_000_000} MB"


def shown(name):
    """A name that somebody else chose, fit for one line: without what moves a cursor or turns a line round.

    >>> shown("a" * 100)
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'
    """
    name = UNFIT.sub("\ufffd", name)
    return name if len(name) <= 60 else name[:59] + "…"
