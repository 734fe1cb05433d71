"""The commands of `phiscale`, one module each: `add_parser` states what it takes, `run` does it.

What a command needs is imported when it runs, so that `phiscale --help` is quick.
"""
