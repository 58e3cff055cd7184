"""Prints the words of a text as a shell splits them, each with a NUL behind it."""

import shlex
import sys

try:
    words = shlex.split(sys.argv[1])
except ValueError as error:
    sys.stderr.write(f"assay: the action's args can't be told apart: {error}\n")
    sys.exit(2)
sys.stdout.write("".join(word + "\0" for word in words))
