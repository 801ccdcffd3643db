"""The dummy sound server behind the rig: jackd, one of its own per rig."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from improvbox.audio.source import RATE_HZ
from improvbox.errors import DeviceError, MissingDriverError

JACK_PERIOD_FRAMES = 64  # ALSA periods in front of it are multiples of this
CLIENT_PATIENCE_MS = 5000  # a client that a stalled machine holds up is not thrown out


class Server:
    """jackd with its dummy driver. The kernel ends it when this process ends, even by SIGKILL."""

    def __init__(self, name: str, realtime: bool, log: Path) -> None:
        self.name, self.realtime, self._log = name, realtime, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program, tied = shutil.which("jackd"), shutil.which("setpriv")
        if program is None:
            raise MissingDriverError("jackd is not installed; apt-get install jackd2 libasound2-plugins")
        command = [tied, "--pdeathsig", "TERM", "--"] if tied else []
        command += [program, "-n", self.name, *(["-R", "-P80"] if self.realtime else ["-r"])]
        # -S, synchronous: a cycle waits for every client. Asynchronous mode loses cycles and slips the guitar.
        command += ["-S", "-t", str(CLIENT_PATIENCE_MS), "-d", "dummy"]
        command += ["-r", str(RATE_HZ), "-p", str(JACK_PERIOD_FRAMES), "-C", "0", "-P", "0"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(3.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def check(self) -> None:
        """Raises DeviceError with the last words of a server that ended."""
        if self._process is not None and self._process.poll() is not None:
            words = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
            raise DeviceError(f"jackd ended with {self._process.returncode}: {words[-1] if words else 'no message'}")
