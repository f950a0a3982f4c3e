"""`python -m minilm` is `minilm`, for places where scripts are not on the path (torchrun, some Windows set-ups)."""

from .cli import main

main()
