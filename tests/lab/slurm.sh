#!/usr/bin/env bash
# A real Slurm of one machine from unpacked Debian packages: nothing is installed, no systemd, loopback only.
#
#   slurm.sh up DIR [PACKAGES]   slurmctld, munged and a slurmd for each of $NODES; prints what to put into the environment
#   slurm.sh down DIR            ends them, by the process ids that `up` wrote down, and removes nothing
#
# DIR should be short: it holds a socket. PACKAGES is where the packages are kept unpacked (DIR without it).
# $NODES node names (2), $CPUS of each (2), $PORT the first of NODES + 1 ports (26817), $MINUTES the longest job (60).
set -euo pipefail

packages="slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge libmunge2 libhwloc15 libfreeipmi17 libhttp-parser2.9
    libjwt0 librrd8 libipmimonitoring6 libpmix2 liblua5.4-0"
verb=$1
dir=$(mkdir -p "$2" && cd "$2" && pwd)
kept=$(mkdir -p "${3:-$dir}" && cd "${3:-$dir}" && pwd)
nodes=${NODES:-2} cpus=${CPUS:-2} port=${PORT:-26817} minutes=${MINUTES:-60}

ends() {  # PID: whether it is gone, or a zombie of somebody's
    ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null
}

down() {
    [ -f "$dir/pids" ] || return 0
    local pid
    for number in TERM KILL; do
        while read -r pid; do ends "$pid" || kill -s "$number" "$pid" 2>/dev/null || true; done < <(tac "$dir/pids")
        for _ in $(seq 50); do
            local left=0
            while read -r pid; do ends "$pid" || left=1; done < "$dir/pids"
            [ $left = 0 ] && break 2
            sleep 0.1
        done
    done
    rm -f "$dir/pids"
}

unpack() {
    [ -f "$kept/unpacked" ] && return 0
    cd "$kept"
    # shellcheck disable=SC2086
    apt-get download -qq $packages 2>"$kept/apt.log" || { apt-get update -qq && apt-get download -qq $packages; }
    for package in ./*.deb; do dpkg -x "$package" root; done
    touch unpacked
    cd "$dir"
}

settings() {
    local host user lib
    host=$(hostname -s) user=$(id -un) lib=$kept/root/usr/lib/x86_64-linux-gnu
    cat <<C
ClusterName=lab
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$dir/munge.sock
CredType=cred/munge
SlurmUser=$user
SlurmdUser=$user
SlurmctldPort=$port
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
PluginDir=$lib/slurm-wlm
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/ctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/log/ctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=15
InactiveLimit=0
MailProg=/bin/true
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=200000,bf_interval=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
C
    for i in $(seq "$nodes"); do
        echo "NodeName=lab$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + i)) CPUs=$cpus RealMemory=2000 State=UNKNOWN"
    done
    echo "PartitionName=debug Nodes=ALL Default=YES MaxTime=$minutes State=UP"
}

up() {
    down
    unpack
    cd "$dir"
    mkdir -p state log
    local lib=$kept/root/usr/lib/x86_64-linux-gnu
    export LD_LIBRARY_PATH=$lib:$lib/slurm-wlm PATH=$kept/root/usr/bin:$kept/root/usr/sbin:$PATH
    export SLURM_CONF=$dir/slurm.conf
    [ -f munge.key ] || (umask 077 && head -c 1024 /dev/urandom >munge.key)
    settings >slurm.conf
    : >pids
    setsid munged --foreground --force --key-file="$dir/munge.key" --socket="$dir/munge.sock" \
        --pid-file="$dir/munge.pid" --log-file="$dir/log/munge.log" --seed-file="$dir/munge.seed" \
        </dev/null >>log/munge.out 2>&1 &
    echo $! >>pids
    for _ in $(seq 100); do [ -S munge.sock ] && break; sleep 0.05; done
    setsid slurmctld-wlm -c -D -f slurm.conf </dev/null >>log/ctld.out 2>&1 &
    echo $! >>pids
    for i in $(seq "$nodes"); do
        mkdir -p "spool.lab$i"
        setsid slurmd-wlm -D -N "lab$i" -f slurm.conf -d "$kept/root/usr/sbin/slurmstepd-wlm" \
            </dev/null >>"log/slurmd.lab$i.out" 2>&1 &
        echo $! >>pids
    done
    for _ in $(seq 240); do
        [ "$(sinfo -h -N -o %T 2>/dev/null | grep -c '^idle$')" = "$nodes" ] && break
        sleep 0.25
    done
    [ "$(sinfo -h -N -o %T | grep -c '^idle$')" = "$nodes" ] || { sinfo >&2; tail -n 5 log/* >&2; down; exit 1; }
    printf 'SLURM_CONF=%s\nLD_LIBRARY_PATH=%s\nPATH=%s\n' "$SLURM_CONF" "$LD_LIBRARY_PATH" "$kept/root/usr/bin"
}

case $verb in
up) up ;;
down) down ;;
*) sed -n '2,9p' "$0" >&2 && exit 2 ;;
esac
