# On machine u1, u2, …: the export of u0 on /mnt/q (with the options of lab_options), and sshd, by hosts.sh's keys.
modprobe nfsv4
modprobe nfsv3
mkdir -p /mnt/q
mount -t nfs -o "$lab_options,nolock" "$lab_server:$lab_export" /mnt/q || exit 1
mount --bind "$lab_base/hosts/etc_hosts" /etc/hosts
[ ! -f /root/.bashrc ] || mount --bind /dev/null /root/.bashrc # what people have there takes seconds, at every command
sed "s/^ListenAddress .*/ListenAddress $lab_ip/" "$lab_base/hosts/ctl/sshd_config" > /run/sshd_config
/usr/sbin/sshd -f /run/sshd_config || exit 1
until (: > "/dev/tcp/$lab_ip/22") 2>/dev/null; do sleep .1; done # it listens only after it has left for the background
echo ready
while :; do sleep 1000; done
