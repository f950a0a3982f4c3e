"""What an attack would like to reach, laid out so that it shows whether it did: a course folder, another learner's
file, the course's secret, the records, a server, and a word in the environment.
"""

import glob
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from learned import table

from minilm.grading import course

MARK = "minilm_was_here"  # the name of every file that an attack tries to leave behind
WORD = "MINILM_WORD_OF_THE_TEACHER"  # a variable of the judge's environment
OUTSIDE = ("/", "/tmp", "/var/tmp", "/dev/shm", "/usr", "/etc", "/kit")


@dataclass
class Places:
    """Arguments: folder: an empty folder. It is filled, and a server listens, until `close`."""

    folder: Path

    def __post_init__(self):
        self.root = course.root()
        os.environ[WORD] = "open sesame"
        files = {"secret": "0123456789abcdef" * 4, "records/bob/ch06.json": "{}", "bob/ch06_memory.py": "ANSWER = 42\n"}
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for path in (self.folder, *self.folder.rglob("*")):  # no right of a file's owner is what protects it here
            path.chmod(0o755 if path.is_dir() else 0o644)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.tcp.getsockname()[1]))
        for server in (self.tcp, self.udp):
            server.setblocking(False)
        self.before = self.state()
        self.learned = repr(table("0.1"))

    @property
    def names(self):
        """What stands for what in the source of a case."""
        port = str(self.tcp.getsockname()[1])
        words = {"PORT": port, "MARK": MARK, "WORD": WORD, "TABLE": self.learned}
        return {"ROOT": str(self.root), "FOLDER": str(self.folder), **words}

    def state(self):
        """Name -> (text, time of the last change) of all that lies in the folder."""
        return {
            str(path): (path.read_text() if path.is_file() else "", path.stat().st_mtime_ns)
            for path in sorted(self.folder.rglob("*"))
        }

    def harm(self):
        """What was changed outside of the sandbox, or reached; an empty list when nothing was."""
        found = [] if self.state() == self.before else ["the teacher's folder was changed"]
        folders = [*OUTSIDE, Path.home(), self.root, *(self.root / name for name in ("tests", "solutions", "minilm"))]
        found += [f"{path} was made" for folder in folders for path in glob.glob(f"{folder}/{MARK}*")]
        for server, take in ((self.tcp, self.tcp.accept), (self.udp, lambda: self.udp.recv(100))):
            try:
                take()
                found.append(f"{server.type.name} was reached")
            except BlockingIOError:
                pass
        return found

    def close(self):
        del os.environ[WORD]
        self.tcp.close()
        self.udp.close()
