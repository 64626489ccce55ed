#!/usr/bin/env bash
# Everything that has to hold: installation, format, lint, types, layers, tests. Needs what start_app.sh needs; the browser
# tests need Debian's chromium, which is installed here where that can be done, and are skipped, loudly, where not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install_chromium() {
    if [[ -x /usr/bin/chromium ]]; then
        return
    fi
    if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; then
            return
        fi
    fi
    printf '\n*** chromium is missing and could not be installed: THE BROWSER TESTS WILL BE SKIPPED ***\n\n' >&2
}

bash start_app.sh --install-only
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
install_chromium

export PATH="$PWD/.venv/bin:$PATH"
ruff format --check .
ruff check .
mypy
lint-imports
# A thread for each process. A file's tests stay together: they share what is dear to make.
OMP_NUM_THREADS=1 pytest --numprocesses=auto --dist=loadfile --durations=15 -ra

# From nothing to a lip model that listens: 19 minutes on two cores, so it runs only where its code is not that
# with which it passed last. Commit the file that this changes together with the code.
# In the same order whatever the language of the machine.
trained=$(LC_ALL=C; cat heygem/{training,demo,nets,speech}/*.py | sha256sum | cut -d ' ' -f 1)
if [[ $(cat tests/training/quick_passed.sha256) != "$trained" ]]; then
    TRAIN_QUICK=1 pytest tests/training/test_default.py -k quick
    printf '%s\n' "$trained" >tests/training/quick_passed.sha256
fi
