# Sourced by deploy/try and deploy/test: checks, installs and remembers, so that a second start takes seconds.
# Needs: bash, a Debian-like system. Nothing here is written outside the checkout except Debian packages.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

fail() {
    printf 'deploy: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '        %s\n' "$line" >&2; done
    exit 1
}

# packages_missing WHEN...: those of deploy/packages.txt that are wanted and not installed, one a line
packages_missing() {
    local name when
    while read -r name when _; do
        case "$name" in '' | '#'*) continue ;; esac
        case " $* " in *" $when "*) ;; *) continue ;; esac
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || echo "$name"
    done <"$root/deploy/packages.txt"
}

why() { awk -v p="$1" '$1 == p { $1 = $2 = ""; print substr($0, 3) }' "$root/deploy/packages.txt"; }

# install_packages WHEN...: with apt, as root or through sudo; without rights a list of what is missing
install_packages() {
    local missing sudo='' list=()
    command -v dpkg-query >/dev/null || fail "this needs Debian, Raspberry Pi OS or a relative: dpkg-query is not there"
    missing=$(packages_missing "$@")
    [ -z "$missing" ] && return
    for p in $missing; do list+=("$p  ($(why "$p"))"); done
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "these Debian packages are missing, and there is neither root nor sudo to install them:" \
            "${list[@]}" "as root: apt-get install --no-install-recommends $(echo $missing)"
        sudo='sudo'
        say "sudo is needed once, to install Debian packages"
    fi
    say "installing: $(echo $missing)"
    { $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$root/.apt.log" 2>&1 || {
        tail -n 4 "$root/.apt.log" >&2
        fail "apt-get could not install these packages (no network, or no rights?); the whole log is in .apt.log:" "${list[@]}"
    }
    rm -f "$root/.apt.log"
}

# python_command: the first Python in the supported range
python_command() {
    local p
    for p in python3 python3.13 python3.12 python3.11; do
        if command -v "$p" >/dev/null && "$p" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$p"
            return
        fi
    done
    fail "no Python 3.11, 3.12 or 3.13 found" "apt-get install python3 python3-venv"
}

# install_project EXTRAS: the virtual environment and the project in it; nothing when neither changed
install_project() {
    local python stamp
    python=$(python_command) || exit 1
    stamp="$("$python" -V) $1 $(cat "$root/pyproject.toml" | sha256sum | cut -c1-16) $root"
    [ -f "$venv/stamp" ] && [ "$(cat "$venv/stamp")" = "$stamp" ] && return
    say "setting up Python in .venv ($("$python" -V)); this takes a minute or two the first time"
    [ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null || rm -rf "$venv"
    "$python" -m venv "$venv" || fail "could not make a virtual environment with $python" "apt-get install python3-venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$root[$1]" >"$root/.pip.log" 2>&1 || {
        grep -v '^WARNING' "$root/.pip.log" | tail -n 6 >&2
        fail "pip could not install the project (no network?); the whole log is in .pip.log" \
            "wanted: the dependencies in pyproject.toml, extras $1"
    }
    rm -f "$root/.pip.log"
    echo "$stamp" >"$venv/stamp"
}
