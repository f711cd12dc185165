#!/bin/sh
# Print the path of uv: the one on PATH, else one installed from PyPI under the directory given.
#   usage: find-uv.sh PYTHON DIRECTORY
set -eu

python=$1
home=$2
wanted=uv==0.13.9

if command -v uv; then
    exit 0
fi
if [ -x "$home/bin/uv" ]; then
    echo "$home/bin/uv"
    exit 0
fi

rm -rf "$home"
mkdir -p "$home"
log=$home/install.log
# Debian splits the venv module: without python3-venv it makes environments that lack pip.
if "$python" -m venv "$home/venv" >"$log" 2>&1; then
    installer=$home/venv/bin/python
else
    installer=$python
fi
if ! "$installer" -m pip install --quiet --target "$home" "$wanted" >>"$log" 2>&1; then
    cat "$log" >&2
    echo "Headrace is set up by uv, which is not on PATH and could not be installed by pip." >&2
    echo "Cure, on Debian or Ubuntu: apt install python3-venv   (or put uv on PATH)" >&2
    exit 1
fi
echo "$home/bin/uv"
