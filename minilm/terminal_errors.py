"""What the `minilm` command says when something goes wrong: one sentence on stderr, and an exit code.

Mistakes that the user can mend (UserError, a path, an unknown option, too little memory) end with 2, Ctrl-C with 130.
A bug keeps its traceback.

What this file does not do: know the commands (cli.py).
"""

import sys

import typer

from .errors import UserError


def run(app):
    """Run a typer app; whatever goes wrong that the user can mend ends with one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a model may write letters that this terminal does not have
    try:
        check_words(sys.argv[1:])
        if sys.argv[1:2] != ["doctor"]:  # which is there to tell what is wrong
            check_versions()
        if app(standalone_mode=False) == 130:  # newer versions of typer return it after Ctrl-C, older ones raise Abort
            raise KeyboardInterrupt
    except UserError as error:
        stop(f"error: {error}", 2)
    except (KeyboardInterrupt, typer.Abort):
        trains = sys.argv[1:2] in (["pretrain"], ["finetune"], ["demo"])
        again = "; the run goes on from its last checkpoint when you give the same command again" if trains else ""
        stop(f"stopped{again}", 130)
    except OSError as error:  # a folder that may not even be looked into, for one
        stop(
            f"error: {error.filename or 'the system'}: {error.strerror or error}; check the path and its permissions", 2
        )
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        stop("error: there is not enough memory for this; choose a smaller --batch, --context or --preset", 2)
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer raises for an unknown command or option has it
            raise
        command = error.ctx.command_path if getattr(error, "ctx", None) else "minilm"
        if message := error.format_message():  # `minilm` alone has printed its help, and there is nothing to add
            stop(f"error: {message.rstrip('.')}; see {command} --help", 2)


def out_of_memory(error):
    """Whether this is how Python or torch (on a CPU, on another device) says that memory is short."""
    return isinstance(error, MemoryError) or any(
        sign in str(error) for sign in ("can't allocate memory", "not enough memory", "out of memory")
    )


def check_words(words):
    """UserError for a word that is not UTF-8: it could be neither encoded as a prompt nor recorded as a name."""
    for word in words:
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            shown = word.encode("utf-8", "replace").decode()
            raise UserError(f"{shown!r} is not UTF-8; write it in UTF-8, or rename the file") from None


def check_versions():
    """Fail with a sentence, not with a stack of imports, where Python or torch do not fit."""
    if sys.version_info < (3, 11):  # noqa: UP036 - pip can be made to install it there all the same
        raise UserError(
            f"minilm needs Python 3.11 or newer, this is {sys.version.split()[0]}; make .venv with a newer one"
        )
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("torch")
    except PackageNotFoundError:
        raise UserError("torch is not installed in this Python; run `make setup`, then use .venv/bin/minilm") from None
    if tuple(int(part) for part in found.split("+")[0].split(".")[:2]) < (2, 6):
        raise UserError(f"torch {found} is too old; run `make setup` to install the version minilm is tested with")


def stop(sentence, code):
    print(sentence, file=sys.stderr)
    sys.exit(code)
