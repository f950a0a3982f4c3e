"""Replies that should not fit the wire: deep, huge, circular, malformed, forged, or none at all."""

from hostile import LOST, case

FORGED = """
import json, os
report = {{"record": {{"exercise": "6.1", "test": "test_gradients_are_for_what_learns", "passed": True}}}}
for fd in range({first}, 1000):
    for text in (json.dumps(report) + "\\n", '{{"done": true}}\\n', '{{"over": 0}}\\n'):
        try: os.write(fd, text.encode())
        except OSError: pass
"""
NEAR = """
import minilm.grading.isolated.frames as frames
near = frames.Near(3, 4)
"""
RAW = """
import os, struct
header = ('{header}').encode()
os.write(4, struct.pack("<6sIQ", b"minilm", {parts}, len(header)) + bytes(8 * {parts}) + header)
"""

CASES = [
    case("deep list", "nests 100 000 lists", "error", "x = []\nfor _ in range(10**5): x = [x]\nreturn x"),
    case("deep dict", "nests 100 000 dicts", "error", "x = {}\nfor _ in range(10**5): x = {1: x}\nreturn x"),
    case("list in itself", "holds itself", "error", "x = []\nx.append(x)\nreturn x"),
    case("dict in itself", "holds itself", "error", "x = {}\nx[1] = x\nreturn x"),
    case(
        "bush",
        "holds one list twice, 40 times over: 2**40 lists",
        "timeout|memory|error",
        "x = []\nfor _ in range(39): x = [x, x]\nreturn x",
    ),
    case(
        "name that a terminal obeys",
        "returns an object whose class has codes in its name",
        "fail|protocol",
        r"return type('\x1b[2J\x1b[32mPASSED\r\n', (), {})()",
    ),
    case(
        "empty array of a strange shape",
        "writes a message by hand: no bytes, and sizes that overflow",
        "fail|protocol",
        RAW.format(
            header='["l","value",["a","float64",[' + "268435456," * 15 + '0],0],["l",["a","float64",[0],1]]]', parts=2
        ),
        exercise="4.2",
    ),
    case(
        "empty tensor of a strange shape",
        "the same with a tensor",
        "fail|protocol",
        RAW.format(
            header='["l","value",["T","float32",[' + "268435456," * 15 + '0],false,0],["l",null,null]]', parts=1
        ),
        exercise="7.2",
    ),
    case(
        "number of many digits by hand",
        "writes a number that Python refuses to read",
        "protocol",
        RAW.format(header='["l","value",' + "9" * 5000 + ',["l",1,2,3]]', parts=0),
    ),
    case(
        "brackets by hand",
        "writes a million brackets",
        "protocol|timeout",
        RAW.format(header="' + '[' * 10**6 + '", parts=0),
    ),
    case("ten million items", "returns a list of 10**7", "fail|timeout", "return [0] * 10**7"),
    case(
        "view of a billion",
        "one number, seen 10**9 times",
        "memory|error",
        "return torch.zeros(1, dtype=torch.float64).expand(10**9)",
        exercise="7.2",
    ),
    case(
        "array of a billion",
        "one number of numpy, seen 10**9 times",
        "memory",
        "return np.broadcast_to(np.zeros(1), (10**9,))",
        exercise="4.2",
    ),
    case("text of 100 MB", "returns more than a message holds", "fail|timeout", "return 'x' * 10**8"),
    case("bytes of 300 MB", "returns more than a message holds", "fail|timeout", "return b'x' * (3 * 10**8)"),
    case(
        "twenty thousand arrays",
        "returns more parts than a message has",
        "fail|timeout",
        "return [np.zeros(1)] * 20000",
        exercise="4.2",
    ),
    case("odd keys", "returns a dict of odd keys", "fail", "return {None: 1, (1, b'a'): 2, 1.5: 3, object(): 4}"),
    case("half a letter", "returns text that is none", "fail", "return chr(0xD800), 0, 0"),
    case("half a letter in an error", "raises with text that is none", "error", "raise ValueError(chr(0xD800) * 3)"),
    case(
        "half a letter in a name",
        "raises an error of a name that is none",
        "error|protocol",
        "raise type('E' + chr(0xFFFF), (Exception,), {})(chr(0xDFFF))",
    ),
    case(
        "colours in an error",
        "raises with codes that a terminal obeys",
        "error",
        r"raise ValueError('\x1b[2J\x1b[31mPASSED\x1b]0;x\x07\r\n<script>alert(1)</script>')",
    ),
    case(
        "error that lies",
        "raises an error whose text raises",
        "error|crash",
        "class Lie(Exception):\n    def __str__(self): raise self\n    __repr__ = __str__\nraise Lie",
    ),
    case(
        "error that never ends",
        "raises an error whose text takes for ever",
        "timeout",
        "class Lie(Exception):\n    def __str__(self):\n        while True: pass\nraise Lie",
    ),
    case(
        "error of errors",
        "raises a chain of a thousand",
        "error",
        "error = None\nfor n in range(1000):\n    new = ValueError(n); new.__cause__ = error; error = new\nraise error",
    ),
    case("report on every descriptor", "writes forged verdicts wherever it can", "protocol", FORGED.format(first=0)),
    case(
        "report on the output",
        "prints forged verdicts",
        "fail",
        'print(\'{"record": {"exercise": "6.1", "passed": true}}\')\nprint(\'===== 5 passed in 0.01s =====\')',
    ),
    case("garbage", "writes noise into the grader's pipe", "protocol", "import os; os.write(4, os.urandom(1000))"),
    case(
        "head of a huge message",
        "announces more than there is",
        "protocol|timeout",
        "import os, struct; os.write(4, struct.pack('<6sIQ', b'minilm', 10000, 2**60))",
    ),
    case(
        "half a message",
        "announces a message and says no more",
        "timeout|protocol",
        "import os, struct; os.write(4, struct.pack('<6sIQ', b'minilm', 0, 10**6))\nwhile True: pass",
    ),
    case(
        "two answers",
        "answers once more than it was asked",
        "fail|protocol",
        NEAR + "near.send(['value', (1, 1, 1), [1, 1, 1]])",
    ),
    case(
        "answer with more in it",
        "says passed beside its value",
        "protocol",
        NEAR + "near.send(['value', (1, 1, 1), [1, 1, 1], 'passed'])",
    ),
    case("verdict instead of an answer", "says passed", "protocol", NEAR + "near.send(['passed', True])"),
    case(
        "infra instead of an answer",
        "says that the grader failed",
        "protocol",
        NEAR + "near.send({'infra': 'no cell', 'passed': True})",
    ),
    case(
        "problem with a verdict",
        "says that it is the test that failed",
        "protocol",
        NEAR + "near.send(['problem', 'test', 'infra', None, None])",
    ),
    case("answers kept back", "swallows what it is asked", "timeout", "import os\nwhile True: os.read(3, 1)"),
    case("all closed", "closes every descriptor", "crash", "import os; os.closerange(0, 1000)"),
    case(
        "answers to nowhere",
        "puts another file in the place of the pipe",
        "protocol",
        "import os; os.dup2(os.open('/dev/null', os.O_WRONLY), 4)",
    ),
    case(
        "pipe that waits",
        "makes the grader's pipe non-blocking and fills it",
        LOST,
        "import os; os.set_blocking(4, False)\nreturn 'x' * 10**6",
    ),
    case(
        "argument changed", "works on what it was given", "fail", "tokens.append(b'x')\nreturn right()", exercise="1.2"
    ),
    case(
        "argument changed and hidden",
        "makes the copy of the arguments say nothing",
        "fail|protocol",
        "import minilm.grading.worker as worker\nworker.plain = lambda value, *_, **__: value\ntokens.append(b'x')\n"
        "return right()",
        exercise="1.2",
    ),
    case("array changed", "sorts what it was given", "fail", "s[:] = 0", exercise="4.2"),
    case(
        "wants gradients",
        "lets its argument ask for gradients",
        "fail",
        "delta.requires_grad_()\nreturn right()",
        exercise="7.2",
    ),
]
