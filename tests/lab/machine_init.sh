#!/bin/bash
# The init of a machine of machines.sh: folders it may write to, its network, then the script that makes it what it is.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/home
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
for folder in /run /mnt /var/tmp; do mount -t tmpfs tmpfs $folder; done
for word in $(cat /proc/cmdline); do
    case $word in lab_*=*) export "${word?}" ;; esac
done
mkdir -p /mnt/out /run/home /run/tmp /run/lab /run/sshd
mount -t hostfs -o "$lab_base/machines/$lab_host" none /mnt/out
mount --bind /usr/lib/uml/modules /lib/modules
hostname "$lab_host"
ip link set lo up
ip addr add "$lab_ip/24" dev vec0
ip link set vec0 up
bash "$lab_run"
echo "$lab_host: run ended"
sync
echo o > /proc/sysrq-trigger
sleep 100
