#!/usr/bin/env bash
# One command on a fresh machine: virtual environment, requirements, weights where they can be had, then the server,
# started again if it dies. Needs bash and Python 3.11 or 3.12 with venv.
#
#   bash start_app.sh [--no-download] [--install-only]
#
#   --no-download   do not try to fetch missing weights
#   --install-only  stop after the installation
#
# Settings: HEYGEM_HOST, HEYGEM_PORT, HEYGEM_MODELS_DIR, HEYGEM_OUTPUTS_DIR, HEYGEM_LOG_FILE ... (see README.md).
# An address that others reach is refused, because nobody has to sign in, unless HEYGEM_ALLOW_PUBLIC=yes.
# Exit status: 0 after Ctrl-C or SIGTERM; 2 where a setting is wrong; else the server's own after too many crashes.
set -euo pipefail

# CUDA 13, which the pinned torch is built for, needs this driver or a newer one.
CUDA13_DRIVER=580
DOWNLOAD_LIMIT_S=1800
CRASHES_ALLOWED=5
CRASH_WINDOW_S=300
# The server ends itself with this status where only a new process can go on: the GPU failed, or a job stood still. The
# queue counts the attempts of each job, so this ends by itself unless every job does it.
FRESH_PROCESS=75
FRESH_ALLOWED=20
FRESH_WINDOW_S=3600
FIRST_PAUSE_S=1
DRIVER_LIMIT_S=20
# What the server gives a running job (HEYGEM_STOP_GRACE_S), and a margin.
STOP_LIMIT_S=40
[[ ! ${HEYGEM_STOP_GRACE_S:-} =~ ^([0-9]{1,6})(\.[0-9]*)?$ ]] || STOP_LIMIT_S=$((10#${BASH_REMATCH[1]} + 20))

say() { printf '%s\n%s\n' "$1" "$2" >&2; }

SUITABLE='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 13))'

find_python() {
    local candidate
    for candidate in python3.11 python3.12 python3 python; do
        if "$candidate" -c "$SUITABLE" 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "没有找到带 venv 的 Python 3.11 或 3.12，请先安装（Debian/Ubuntu：apt install python3 python3-venv）。" \
        "No Python 3.11 or 3.12 with venv was found; install one (Debian/Ubuntu: apt install python3 python3-venv)."
    return 1
}

# Major version of the NVIDIA driver; nothing where there is none.
driver_version() {
    local answer="" status=0
    command -v nvidia-smi >/dev/null || return 0
    # Not `timeout`: it waits for what it killed, and a driver that hangs lets nobody be killed.
    read -r -t "$DRIVER_LIMIT_S" answer < <(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null) || status=$?
    if ((status > 128)); then
        say "NVIDIA 驱动没有响应，按没有显卡处理。" "The NVIDIA driver does not answer; going on as if there were no GPU."
    fi
    sed -n 's/^\([0-9]\{1,\}\)\..*/\1/p' <<<"$answer"
}

choose_requirements() {
    local driver
    driver=$(driver_version)
    if [[ -z $driver ]]; then
        printf 'requirements-cpu.txt\n'
    elif ((driver < CUDA13_DRIVER)); then
        say "NVIDIA 驱动 $driver 低于 CUDA 13 所需的 $CUDA13_DRIVER，改装 CUDA 12 版本的 torch。" \
            "The NVIDIA driver $driver is older than the $CUDA13_DRIVER that CUDA 13 needs: installing torch for CUDA 12."
        printf 'requirements-cuda12.txt\n'
    else
        printf 'requirements.txt\n'
    fi
}

# What .venv has to hold, in one line: a second start compares it and leaves pip alone.
fingerprint() {
    { printf '%s\n' "$1"; cat "$1" requirements.txt requirements-base.txt; } | sha256sum | cut -d ' ' -f 1
}

# One installation at a time: a second start would take what the first one has made so far for the rest of one that was
# killed. The folder itself is the lock, which ends with whoever holds it. Where there is no flock (util-linux), or the disk
# knows none, there is no lock.
take_turn() {
    local status=0
    command -v flock >/dev/null || return 0
    exec {turn}<.
    flock -n "$turn" 2>/dev/null || status=$?
    if ((status == 1)); then
        say "另一个安装正在进行，等它结束……" "Another installation is under way; waiting for it ..."
        flock "$turn"
    fi
}

end_turn() {
    [[ -z ${turn:-} ]] || exec {turn}<&- # or the server would hold it
}

install() {
    local requirements wanted
    requirements=$(choose_requirements)
    wanted=$(fingerprint "$requirements")
    take_turn
    if [[ -e .venv/.installing ]] || [[ $(cat .venv/.installed 2>/dev/null) != "$wanted" ]] || ! .venv/bin/python -c '' 2>/dev/null; then
        fill_venv "$requirements"
        printf '%s\n' "$wanted" >.venv/.installed
        rm -f .venv/.installing
    fi
    end_turn
}

# Install what a file of requirements names into .venv.
fill_venv() {
    local python
    local -a quiet=()
    # A broken environment, one of another Python, or one whose installation was killed half-way, is made anew; an older one
    # is brought up to date.
    if [[ -e .venv/.installing ]] || ! .venv/bin/python -c "$SUITABLE" 2>/dev/null || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        python=$(find_python)
        say "正在创建 .venv（$("$python" -V)）……" "Making .venv ($("$python" -V)) ..."
        "$python" -m venv --clear .venv
    fi
    say "正在安装 $1，首次需要几分钟……" "Installing $1; the first time takes some minutes ..."
    rm -f .venv/.installed
    touch .venv/.installing
    [[ -t 1 ]] || quiet=(--quiet) # somebody who watches wants to see that it goes on
    if ! .venv/bin/python -m pip install "${quiet[@]}" --disable-pip-version-check -r "$1"; then
        rm -f .venv/.installing
        say "安装失败，原因见上。" "The installation failed; the reason is above."
        return 1
    fi
}

download_weights() {
    if ! timeout --foreground --kill-after=5 "$DOWNLOAD_LIMIT_S" .venv/bin/python -m heygem models download; then
        say "部分权重没有下载，先用已有的模型运行；列表：.venv/bin/python -m heygem models list" \
            "Some weights were not fetched; going on with what is here. See: .venv/bin/python -m heygem models list"
    fi
}

# Run a command, and run it again when it dies. Ends when the command succeeds, says that a restart is no use (2), or is
# told to stop; gives up after CRASHES_ALLOWED crashes within CRASH_WINDOW_S seconds, or after FRESH_ALLOWED wishes for a
# fresh process within FRESH_WINDOW_S, which are granted at once.
supervise() {
    local child=0 stopping="" status pause=$FIRST_PAUSE_S
    local -a crashes=() wishes=() end_with_us=()
    # If this script is killed, the server is told to end: nobody would start it again, and it would hold the port. Where
    # there is no setpriv (util-linux), it goes on.
    if setpriv --pdeathsig TERM true 2>/dev/null; then
        end_with_us=(setpriv --pdeathsig TERM)
    fi
    trap 'stopping=yes; stop_child "$child" &' INT TERM HUP
    while true; do
        "${end_with_us[@]}" "$@" &
        child=$!
        # The signal may have come before there was a child to stop.
        [[ -z $stopping ]] || stop_child "$child" &
        status=0
        wait "$child" || status=$?
        # A signal ends `wait` before the child has ended.
        while kill -0 "$child" 2>/dev/null; do
            status=0
            wait "$child" || status=$?
        done
        if [[ -n $stopping ]]; then
            trap - INT TERM HUP
            return "$status"
        fi
        case $status in
            0 | 2 | 130 | 143) return "$status" ;;
            "$FRESH_PROCESS")
                keep_recent wishes "$FRESH_WINDOW_S"
                if ((${#wishes[@]} >= FRESH_ALLOWED)); then
                    give_up "${#wishes[@]}" "$FRESH_WINDOW_S" "$status"
                    return "$status"
                fi
                say "服务需要新的进程（退出码 $status），立即重启。" "The server needs a fresh process (exit status $status); again at once."
                continue
                ;;
        esac
        keep_recent crashes "$CRASH_WINDOW_S"
        if ((${#crashes[@]} >= CRASHES_ALLOWED)); then
            give_up "${#crashes[@]}" "$CRASH_WINDOW_S" "$status"
            return "$status"
        fi
        ((${#crashes[@]} > 1)) || pause=$FIRST_PAUSE_S
        say "服务意外退出（退出码 $status），$pause 秒后重启。" "The server died (exit status $status); again in $pause s."
        sleep "$pause" &
        child=$!
        [[ -z $stopping ]] || kill "$child"
        wait "$child" || true
        if [[ -n $stopping ]]; then
            return 0
        fi
        pause=$((pause * 2))
    done
}

# Add this moment to the array of moments of that name, and drop those that are older than so many seconds.
keep_recent() {
    local -n moments=$1
    local moment
    local -a recent=()
    for moment in "${moments[@]}" "$SECONDS"; do
        ((SECONDS - moment > $2)) || recent+=("$moment")
    done
    moments=("${recent[@]}")
}

give_up() {
    say "服务在 $2 秒内崩溃了 $1 次，不再重启（退出码 $3），详情见日志。" \
        "The server crashed $1 times within $2 s; giving up (exit status $3). See the log."
}

# Ask a process to end, and end it if it does not.
stop_child() {
    local waited=0
    kill -TERM "$1" 2>/dev/null || return 0
    while kill -0 "$1" 2>/dev/null; do
        if ((waited++ >= STOP_LIMIT_S)); then
            kill -KILL "$1" 2>/dev/null || true
            return 0
        fi
        sleep 1
    done
}

main() {
    local download=yes install_only=""
    while (($#)); do
        case $1 in
            --no-download) download="" ;;
            --install-only) install_only=yes ;;
            -h | --help)
                sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
                return 0
                ;;
            *)
                say "没有 $1 这个选项，见 --help。" "There is no option $1; see --help."
                return 2
                ;;
        esac
        shift
    done
    cd "$(dirname "${BASH_SOURCE[0]}")"
    install
    [[ -z $install_only ]] || return 0
    [[ -z $download ]] || download_weights
    supervise .venv/bin/python app.py
}

# Sourced, this file only defines its functions.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    main "$@"
fi
