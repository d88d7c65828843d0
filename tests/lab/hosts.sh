#!/bin/bash
# hosts.sh up N | down | login HOST [COMMAND…] | exec HOST COMMAND… | pid HOST | cut HOST | heal HOST | freeze HOST | thaw HOST | crash HOST | boot HOST
#
# N "hosts" h1…hN beside `srv` and `ctl`, on a switch of their own. Each is a set of namespaces (net, mount, pid, uts,
# ipc) with an address, host name, /proc, /run, /mnt and sshd (port 22, by key). What one of them mounts no other sees.
# The switch is a bridge in a namespace that has no other link: nothing leads out.
set -e
. "$(dirname "$0")/noted.sh"

enter() { # enter HOST COMMAND…
    local pid
    pid=$(host_pid "$1")
    shift
    nsenter -t "$pid" -n -m -p -u -i --wd=/ "$@"
}

on_switch() { nsenter -t "$(host_pid sw)" -n ip "$@"; }

make_host() {
    local host=$1 outer pid
    mkdir -p "$HOSTS/$host"
    rm -f "$HOSTS/$host/up"
    # unshare ignores SIGTERM; --kill-child takes the namespace's init, and so the whole host, with it
    setsid unshare --fork --kill-child=KILL --pid --mount-proc --mount --uts --net --ipc bash -c "
        hostname $host
        ip link set lo up
        for folder in /run /mnt; do mount -t tmpfs $host \$folder; done
        mkdir -p /run/sshd /run/lock /run/home /run/tmp /run/lab
        [ ! -f /root/.bashrc ] || mount --bind /dev/null /root/.bashrc
        echo up > $HOSTS/$host/up
        while :; do sleep 3600 & wait \$!; done" </dev/null >"$HOSTS/$host/init.log" 2>&1 &
    outer=$!
    started $outer hosts
    until_so 10 test -s "$HOSTS/$host/up"
    pid=$(pgrep -P $outer)
    echo "$pid" > "$HOSTS/$host/pid"
    [ "$host" = sw ] || plug_in "$host" "$pid"
}

plug_in() {
    local host=$1 pid=$2 ip
    ip=$(address "$host")
    ip link add "v$host" netns "$(host_pid sw)" type veth peer name eth0 netns "$pid"
    on_switch link set "v$host" master br0 up
    # a card number that stays: else the others' tables lead to the old card after a crash
    nsenter -t "$pid" -n ip link set eth0 address "02:00:00:00:00:$(printf %02x "${ip##*.}")"
    nsenter -t "$pid" -n ip addr add "$ip/24" dev eth0
    nsenter -t "$pid" -n ip link set eth0 up
}

serve_ssh() {
    local host=$1 folder=$HOSTS/$1
    [ -f "$folder/hostkey" ] || ssh-keygen -q -t ed25519 -N '' -f "$folder/hostkey"
    cat > "$folder/sshd_config" <<C
Port 22
ListenAddress $(address "$host")
HostKey $folder/hostkey
PidFile /run/sshd.pid
AuthorizedKeysFile $HOSTS/authorized_keys
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
UseDNS no
MaxSessions 100
MaxStartups 100
Subsystem sftp internal-sftp
C
    enter "$host" mount --bind "$HOSTS/etc_hosts" /etc/hosts
    enter "$host" /usr/sbin/sshd -f "$folder/sshd_config" -E "$folder/sshd.log"
}

up() {
    local names="srv ctl" host
    for host in $(seq "$1"); do names="$names h$host"; done
    mkdir -p "$HOSTS"
    [ -f "$HOSTS/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$HOSTS/key"
    cp "$HOSTS/key.pub" "$HOSTS/authorized_keys"
    {
        echo "127.0.0.1 localhost"
        for host in $names u0 u1 u2 u3; do echo "$(address "$host") $host"; done
    } > "$HOSTS/etc_hosts"
    make_host sw
    on_switch link add br0 type bridge
    on_switch link set br0 up
    for host in $names; do make_host "$host"; done
    for host in $names; do serve_ssh "$host"; done
    for host in $names; do echo "$(address "$host"),$host $(cut -d' ' -f1,2 "$HOSTS/$host/hostkey.pub")"; done > "$HOSTS/known_hosts"
    for host in $names; do until_so 10 nsenter -t "$(host_pid ctl)" -n bash -c "</dev/tcp/$(address "$host")/22"; done
}

login() { # login HOST [COMMAND…]: as an administrator there, with this checkout's park and a spool on the shared folder
    local host=$1 bin
    shift
    bin=$(cd "$HERE/../../.venv/bin" && pwd)
    [ $# -gt 0 ] || set -- bash --norc
    enter "$host" env HOME=/run/home TMPDIR=/run/tmp PATH="$bin:$PATH" PARK_SPOOL=/mnt/q/spool PS1="$host:\w# " BASE="$BASE" \
        sh -c 'mkdir -p ~/.ssh; cp -n "$BASE/hosts/known_hosts" ~/.ssh/; cd /mnt/q; exec "$@"' sh "$@"
}

processes() { pgrep --ns "$(host_pid "$1")" --nslist pid | grep -vx "$(host_pid "$1")"; } # but the host's init

case $1 in
    up) up "${2:-3}" ;;
    exec) shift; enter "$@" ;;
    login) shift; login "$@" ;;
    pid) host_pid "$2" ;;
    processes) processes "$2" ;;
    cut) on_switch link set "v$2" down ;; # the cable is pulled: packets vanish, nobody is told
    heal) on_switch link set "v$2" up ;;
    freeze) for pid in $(processes "$2"); do kill -STOP "$pid" || true; done ;;
    thaw) for pid in $(processes "$2"); do kill -CONT "$pid" || true; done ;;
    crash) # every process of that host dies at once
        kill -9 "$(host_pid "$2")"
        until_so 10 bash -c "! kill -0 $(host_pid "$2")" ;;
    boot) # after a crash: the same name, address and keys again
        on_switch link del "v$2" 2>/dev/null || true
        make_host "$2"
        serve_ssh "$2" ;;
    down) stop hosts; rm -f "$HOSTS"/*/pid ;;
    *) sed -n '2,7p' "$0"; exit 2 ;;
esac
