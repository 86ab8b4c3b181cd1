"""Run a command that must not outlive who started it: when standard input ends, so does the command.

A script of its own, since even a process that is killed, and can do nothing more, closes the pipe to it.
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run the command line after this file's name; returns its exit code."""
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with_standard_input, args=(command,), daemon=True).start()
    exit_code = command.wait()
    return exit_code if exit_code >= 0 else 128 - exit_code


def _end_with_standard_input(command: "subprocess.Popen[bytes]") -> None:
    os.read(0, 1)  # unbuffered: a buffer's lock would keep Python from ending
    if command.poll() is None:
        # With its worker processes, which would wait for ever. Trainings write whole checkpoints or none.
        os.killpg(command.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
