"""A port for a server that another process will open: free now, and given to nobody by chance meanwhile."""

import itertools
import os
import socket

_LOWEST, _HIGHEST = 20_000, 32_000
"""Below what the system hands out to connections (32,768 on Linux, 49,152 on macOS)."""

_numbers = itertools.count(os.getpid() * 131)


def free_port() -> int:
    """No two calls of a process get the same one within twelve thousand."""
    while True:
        port = _LOWEST + next(_numbers) % (_HIGHEST - _LOWEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
