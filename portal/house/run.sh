#!/bin/sh
# Find a Python that really works (3.12 to 3.14) and hand over to `python -m portal.house`.
# Candidates are executed, not looked at: pyenv's shims stand on PATH and fail when no version is chosen.
set -u
cd "$(dirname "$0")/../.." || exit 1

works() {
    "$1" -c 'import ensurepip, ssl, sys, venv; sys.exit(not (3, 12) <= sys.version_info < (3, 15))' >/dev/null 2>&1
}

pyenv_roots() {
    [ -n "${PYENV_ROOT:-}" ] && echo "$PYENV_ROOT"
    [ -n "${HOME:-}" ] && echo "$HOME/.pyenv"
    # HOME may be an empty folder while pyenv lives in the account's own home, or wherever its shims are.
    account=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6)
    [ -n "$account" ] && echo "$account/.pyenv"
    for name in pyenv python3; do
        found=$(command -v "$name" 2>/dev/null) || continue
        case "$found" in */shims/*) echo "${found%/shims/*}" ;; */bin/pyenv) echo "${found%/bin/pyenv}" ;; esac
    done
    command -v pyenv >/dev/null 2>&1 && pyenv root 2>/dev/null
}

candidates() {
    [ -n "${CROSSING_PYTHON:-}" ] && echo "$CROSSING_PYTHON"
    echo .venv/bin/python
    for name in python3.14 python3.13 python3.12 python3 python; do
        command -v "$name" 2>/dev/null
    done
    pyenv_roots | sort -u | while read -r root; do
        for minor in 14 13 12; do
            ls -d "$root"/versions/3.$minor*/bin/python 2>/dev/null
        done
    done
    for minor in 14 13 12; do
        ls -d /usr/local/bin/python3.$minor /opt/python*/bin/python3.$minor /opt/homebrew/bin/python3.$minor 2>/dev/null
        [ -n "${HOME:-}" ] && ls -d "$HOME"/.local/share/uv/python/cpython-3.$minor*/bin/python3 2>/dev/null
    done
}

if [ -n "${CROSSING_PYTHON:-}" ] && ! works "$CROSSING_PYTHON"; then
    echo "crossing: CROSSING_PYTHON=$CROSSING_PYTHON does not run as Python 3.12 to 3.14 with venv: correct it, or unset it to search for one." >&2
    exit 1
fi
found=$(candidates | while read -r python; do
    if works "$python"; then
        echo "$python"
        break
    fi
done)

if [ -z "$found" ]; then
    version=$(python3 -c 'import sys; print("Python %d.%d is" % sys.version_info[:2])' 2>/dev/null) || version="no working Python is"
    echo "crossing: Python 3.12, 3.13 or 3.14 with venv is needed, but $version here: install one (Debian: apt-get install python3 python3-venv; or pyenv install 3.13), or name it in CROSSING_PYTHON." >&2
    exit 1
fi
exec "$found" -m portal.house "$@"
