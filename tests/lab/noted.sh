# Sourced by the other scripts: where a lab lies, and which processes it started.
# BASE: everything a lab makes lies under it. NET: the first three numbers of its addresses; no route leads anywhere.
BASE=${BASE:-${TMPDIR:-/tmp}/park-lab}
NET=${NET:-10.77.0}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
HOSTS=$BASE/hosts
PIDS=$BASE/pids # "PID WHAT" a line; nothing else is ever stopped
mkdir -p "$BASE"
touch "$PIDS"

started() { echo "$1 $2" >> "$PIDS"; } # started PID WHAT

stop() { # stop WHAT: ends only the processes noted under that name
    local pid what
    while read -r pid what; do
        [ "$what" != "$1" ] || kill -9 "$pid" 2>/dev/null || true # it may have crashed before
    done < "$PIDS"
    sed -i "/ $1\$/d" "$PIDS"
}

until_so() { # until_so SECONDS COMMAND…: tries twenty times a second
    local left=$(($1 * 20))
    shift
    while ! "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || { echo "gave up on: $*" >&2; return 1; }
        sleep .05
    done
}

host_pid() { cat "$HOSTS/$1/pid"; } # the process that is the host's init, as this machine numbers it

address() { # address HOST
    case $1 in
        srv) echo "$NET.10" ;;
        ctl) echo "$NET.100" ;;
        u*) echo "$NET.$((20 + ${1#u}))" ;;
        h*) echo "$NET.${1#h}" ;;
    esac
}
