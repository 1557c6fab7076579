"""Has a module run by the server, and ends as the module ends."""

import array
import json
import os
import signal
import socket
import sys


def main() -> None:
    """Send what the run is given, and wait for its end."""
    address, module, *words = sys.argv[1:]
    umask = os.umask(0)
    os.umask(umask)
    request = {
        "module": module,
        "words": words,
        "folder": os.getcwd(),  # noqa: PTH109 - pathlib is slow to import
        "umask": umask,
        "variables": dict(os.environ),
    }
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        text = json.dumps(request).encode()
        files = array.array("i", [0, 1, 2])
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, files)
        server.sendmsg([len(text).to_bytes(8)], [rights])
        server.sendall(text)
        status = server.recv(8)
    if status == b"other":
        # Python reads these variables when it starts.
        os.execv(sys.executable, [sys.executable, "-m", module, *words])  # noqa: S606
    code = int(status or b"1")
    if code < 0:
        if -code not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


main()
