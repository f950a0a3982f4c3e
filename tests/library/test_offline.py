"""After set-up nothing needs a network: every command in a process in which no socket can be opened."""

import subprocess
import sys

import pytest
from terminal import ENVIRONMENT

# Every way to a network in Python ends in one of these. The last lines of BLOCK show that the block holds.
BLOCK = """
import socket, sys

def refuse(*arguments, **options):
    raise SystemExit(f"the network was used: {arguments[1:]}")

for name in ("connect", "connect_ex", "sendto", "bind"):
    setattr(socket.socket, name, refuse)
for name in ("create_connection", "getaddrinfo", "gethostbyname", "create_server"):
    setattr(socket, name, refuse)

import urllib.request
try:
    urllib.request.urlopen("http://127.0.0.1:9/")
except SystemExit:
    pass
else:
    sys.exit("the block does not hold")

import terminal

def minilm(*words):
    sys.argv = ["minilm", *words]
    terminal.cli.main()
    print("done:", *words[:1])
"""


def run(code, folder):
    command = [sys.executable, "-c", BLOCK + code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_every_command_runs_without_a_network(tmp_path, my_text):
    out = run(
        f"""
terminal.enter_small_world(setattr)
little = ("--precision", "float32", "--batch", "2", "--steps", "3")
minilm("pretrain", "--preset", "nano", "--context", "32", "--vocab", "300", "--data", {f"file:{my_text}"!r}, "--out",
"base", *little)
minilm("finetune", "--data", "synthetic:copy", "--model", "base", "--out", "lora", *little)
minilm("merge", "--adapter", "lora", "--model", "base", "--out", "merged")
minilm("generate", "tree", "--model", "merged", "--tokens", "5")
minilm("eval", "--data", "synthetic:copy", "--model", "base", "--adapter", "lora")
minilm("export", "hf", "--to", "hf", "--model", "base", "--adapter", "lora")
minilm("import", "hf", "--from", "hf", "--out", "back")
minilm("demo", "--preset", "nano", "--minutes", "0.003", "--precision", "float32", "--data", {f"file:{my_text}"!r},
"--out", "demo")
minilm("grade", "0.1")
minilm("bundle", "--out", "course.zip")
minilm("experiment")
minilm("doctor")
""",
        tmp_path,
    )
    ran = ("pretrain", "finetune", "merge", "generate", "eval", "export", "import", "demo")
    for command in (*ran, "grade", "bundle", "experiment", "doctor"):
        assert f"done: {command}\n" in out
    assert (tmp_path / "demo" / "report.md").is_file()


def test_every_text_and_the_shipped_base_are_there_without_a_network(tmp_path):
    out = run(
        """
import minilm as m
for spec in ("shakespeare", "play:hamlet", "pydocs", "synthetic:sums"):
    assert m.load(spec).train
model, tokenizer = m.load_base()
from minilm.generate import generate
print(generate(model, tokenizer, "ROMEO:", tokens=5))
minilm("fetch")
""",
        tmp_path,
    )
    assert "ROMEO:" in out and "done: fetch" in out


def test_the_block_of_this_test_would_notice_a_connection(tmp_path):
    with pytest.raises(AssertionError, match="the network was used"):
        run("socket.create_connection(('127.0.0.1', 9))", tmp_path)
