"""Code that runs in a Python of its own, which has imported nothing yet."""

import subprocess
import sys


def output_of(code: str) -> str:
    """Output of code that must not fail, without the white space around it."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
