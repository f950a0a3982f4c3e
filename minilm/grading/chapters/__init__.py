"""One file per chapter that is written; each declares CHAPTER (see registry.py)."""
