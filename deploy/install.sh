#!/bin/sh
# Make the virtual environment from the lock file.  usage: deploy/install.sh PYTHON VENV
set -eu
python=$1 venv=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "rankside: $python is older than 3.11; give a newer one, as in: make PYTHON=python3.12" >&2
  exit 2
}
"$python" -m venv "$venv" || {
  echo "rankside: $python cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2
  exit 2
}
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv==0.13.8"
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r requirements.lock
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -e .
