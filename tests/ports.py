"""Free ports on loopback for the counterparts that a test runs itself."""

import socket
from contextlib import closing


def free_port() -> int:
    """Return a loopback port that is free for UDP and TCP."""
    while True:
        with closing(socket.socket()) as stream, closing(socket.socket(type=socket.SOCK_DGRAM)) as datagram:
            stream.bind(("127.0.0.1", 0))
            port = int(stream.getsockname()[1])
            try:
                datagram.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
