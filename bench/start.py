"""Cold start of the demo to its first page, and memory of an idle `reminder run`: python -m bench.start."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from bench.kit import memory


def answered(url: str, seconds: float = 60) -> float:
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return time.perf_counter() - begun
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise SystemExit(f"{url} did not answer")


def measure(command: list[str], url: str, **env: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "reminder", *command],
            env=os.environ | {"REMINDER_DATA_DIR": folder} | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            seconds = answered(url)
            time.sleep(5)
            return seconds, memory(process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def main() -> None:
    seconds, memory = measure(["demo", "--no-open", "--port", "18371"], "http://127.0.0.1:18371/")
    print(f"demo: first page after {seconds:.1f} s, {memory:.0f} MB with office, both providers and phones")
    seconds, memory = measure(["run"], "http://127.0.0.1:18372/livez", REMINDER_WEB__PORT="18372")
    print(f"run: alive after {seconds:.1f} s, {memory:.0f} MB idle, no channel configured")


if __name__ == "__main__":
    main()
