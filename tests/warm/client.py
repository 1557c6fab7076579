"""Has a module run by the server, and ends as the module ends.

It imports modules in C only: nothing else starts in a few hundredths of a second.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import posix
import select
import sys

_HANDED_ON = (_signal.SIGHUP, _signal.SIGINT, _signal.SIGQUIT, _signal.SIGTERM)


def main() -> None:
    """Send what the run is given, and wait for its end."""
    address, module, *words = sys.argv[1:]
    umask = posix.umask(0)
    posix.umask(umask)
    encoding = (sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
    parts = [
        posix.getcwdb(),
        b"%d" % umask,
        b"%d" % len(words),
        *(each.encode(*encoding) for each in (module, *words)),
        *(b"%b=%b" % each for each in posix.environ.items()),
    ]
    text = b"\0".join(parts)
    server = _socket.socket(_socket.AF_UNIX)
    server.connect(address)
    # A signal waits until it is known whom to hand it on to.
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _HANDED_ON)
    own = b"".join(each.to_bytes(4, sys.byteorder) for each in (0, 1, 2))
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, own)
    server.sendmsg([len(text).to_bytes(8)], [rights])
    server.sendall(text)
    program = _hear(server)
    if not program:
        # Python reads these variables when it starts.
        how = (module,) if module == "-c" else ("-m", module)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
        posix.execv(sys.executable, [sys.executable, *how, *words])
    # A signal that comes just before a wait would not end it: this one is always seen.
    came, written = posix.pipe()
    posix.set_blocking(written, False)
    _signal.set_wakeup_fd(written)
    for each in _HANDED_ON:
        if _signal.getsignal(each) != _signal.SIG_IGN:
            _signal.signal(each, lambda *_: None)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
    files = [server.fileno(), came]
    while server.fileno() not in select.select(files, [], [])[0]:
        for number in posix.read(came, 1):
            _send(program, number)
    code = _hear(server)
    if code < 0:
        if -code not in {_signal.SIGKILL, _signal.SIGSTOP}:
            _signal.signal(-code, _signal.SIG_DFL)
        posix.kill(posix.getpid(), -code)
    sys.exit(code)


def _hear(server: _socket.socket) -> int:
    told = server.recv(4)
    if not told:
        sys.exit("the server of tests has ended")
    return int.from_bytes(told, signed=True)


def _send(program: int, number: int) -> None:
    try:  # noqa: SIM105 - contextlib is slow to import
        posix.kill(program, number)
    except ProcessLookupError:
        pass


main()
