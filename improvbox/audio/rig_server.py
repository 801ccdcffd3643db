"""The sound server behind the rig: jackd, one of its own per rig, with its dummy driver or on a card to be heard."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from improvbox.audio.source import RATE_HZ
from improvbox.errors import DeviceError, MissingDriverError

JACK_PERIOD_FRAMES = 64  # ALSA periods in front of it are multiples of this
CLIENT_PATIENCE_MS = 5000  # a client that a stalled machine holds up is not thrown out


class Server:
    """jackd. The kernel ends it when this process ends, even by SIGKILL."""

    def __init__(self, name: str, realtime: bool, log: Path, card: str = "") -> None:
        """card: the ALSA card id to play on; '': no card, the dummy driver."""
        self.name, self.realtime, self.card, self._log = name, realtime, card, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program, tied = shutil.which("jackd"), shutil.which("setpriv")
        if program is None:
            raise MissingDriverError("jackd is not installed; apt-get install jackd2 libasound2-plugins")
        command = [tied, "--pdeathsig", "TERM", "--"] if tied else []
        command += [program, "-n", self.name, *(["-R", "-P80"] if self.realtime else ["-r"])]
        # -S, synchronous: a cycle waits for every client. Asynchronous mode loses cycles and slips the guitar.
        command += ["-S", "-t", str(CLIENT_PATIENCE_MS), "-d", *self._driver()]
        command += ["-r", str(RATE_HZ), "-p", str(JACK_PERIOD_FRAMES)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _driver(self) -> list[str]:
        return ["alsa", "-P", f"hw:CARD={self.card}", "-n", "3"] if self.card else ["dummy", "-C", "0", "-P", "2"]

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
