#!/bin/sh
# Name what a machine lacks before anything is installed: everything at once, with the package that brings it.
# Usage: preflight.sh [python]
python=${1:-python3}
missing=0

lack() {
    echo "missing: $1" >&2
    missing=1
}

if ! command -v "$python" >/dev/null 2>&1; then
    lack "$python (Python 3.11 or newer; Debian and Ubuntu: apt install python3 python3-venv)"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    lack "Python 3.11 or newer ($python is $("$python" -c 'import platform; print(platform.python_version())')); name another one: make PYTHON=python3.12 …"
else
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        lack "the venv module of $python (Debian and Ubuntu: apt install python3-venv)"
    fi
    if ! "$python" -c 'import ctypes; ctypes.CDLL("libcurl.so.4")' 2>/dev/null; then
        lack "libcurl.so.4, which the embedded mongod needs (Debian: apt install libcurl4; Ubuntu 24.04: libcurl4t64)"
    fi
fi

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
    lack "Linux on x86_64: the embedded servers are built for nothing else"
fi

if [ "$missing" -ne 0 ]; then
    echo "Nothing was installed. Run make again when it is there." >&2
    exit 1
fi
