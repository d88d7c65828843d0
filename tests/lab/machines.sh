#!/bin/bash
# machines.sh start HOST SCRIPT [WORD=VALUE…] | stop HOST… | cut HOST | heal HOST
#
# Real Linux kernels as processes (user-mode Linux), plugged into the switch of hosts.sh; HOST is u0, u1, ….
# SCRIPT runs inside as root. / is this machine's root, read-only; /mnt/out is $BASE/machines/HOST and can be written.
set -e
. "$(dirname "$0")/noted.sh"
FOLDER=$BASE/machines/$2

on_switch() { nsenter -t "$(host_pid sw)" -n ip "$@"; }

start() { # start HOST SCRIPT [WORD=VALUE…]
    local host=$1 script=$2 memory=$BASE
    shift 2
    mkdir -p "$FOLDER" "$BASE/umid" /lib/modules # an image without modules has no such folder to mount them on
    rm -f "$FOLDER/console"
    # its memory is a file: on a tmpfs where that is large enough
    [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -lt 2000000 ] 2>/dev/null || memory=/dev/shm
    on_switch tuntap add dev "t$host" mode tap 2>/dev/null || true
    on_switch link set "t$host" master br0 up
    [ -f "$BASE/registers.so" ] || gcc -O1 -shared -fPIC -o "$BASE/registers.so" "$HERE/machine_registers.c" -ldl
    LD_PRELOAD=$BASE/registers.so TMPDIR=$memory setsid nsenter -t "$(host_pid sw)" -n linux.uml umid="$host" uml_dir="$BASE/umid/" \
        mem=384M root=/dev/root rootfstype=hostfs rootflags=/ ro quiet init="$HERE/machine_init.sh" \
        "vec0:transport=tap,ifname=t$host,depth=64,gro=1" "lab_host=$host" "lab_ip=$(address "$host")" \
        "lab_run=$HERE/$script" "lab_base=$BASE" "lab_server=$(address u0)" "$@" \
        con=null con0=null,fd:1 </dev/null > "$FOLDER/console" 2>&1 &
    started $! "machine-$host"
    until_so 60 grep -q '^ready\|run ended\|panic' "$FOLDER/console"
    grep -q ^ready "$FOLDER/console"
}

stop_machines() { # a machine is many processes, all in the session that setsid made
    local pid what host
    while read -r pid what; do # again and again: one that is killed may have begun another just before
        for host in "$@"; do
            [ "$what" != "machine-$host" ] || until_so 30 bash -c "pkill -KILL -s $pid; ! pgrep -s $pid"
        done
    done < "$PIDS"
    for host in "$@"; do
        sed -i "/ machine-$host\$/d" "$PIDS"
        rm -rf "$BASE/umid/$host"
    done
}

case $1 in
    start) shift; start "$@" ;;
    stop) shift; stop_machines "$@" ;;
    cut) on_switch link set "t$2" nomaster ;; # off the switch; the card itself stays up
    heal) on_switch link set "t$2" master br0 ;;
esac
