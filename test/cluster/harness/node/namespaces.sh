#!/usr/bin/env bash
# namespaces.sh FOLDER ADDRESS : run inside the node's fresh namespaces. Gives them a network that leads nowhere and
# file systems of their own wherever a kubelet or a container runtime writes outside its folder.
set -euo pipefail
folder=$1 address=$2

ip link set lo up
ip address add "$address/32" dev lo
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1
# Service addresses need some route before kube-proxy's rules can rewrite them; nothing is ever sent along it.
ip link add services type bridge
ip address add 10.251.0.1/24 dev services
ip link set services up
ip route add 10.96.0.0/16 dev services

for path in /run /var/lib /var/log; do mount -t tmpfs node "$path"; done
mkdir -p /run/lock /run/netns
# A kubelet sets these for the whole machine; it leaves alone what already reads as it wants.
tunable() { # name, value
  echo "$2" > "$folder/tunables/${1##*/}"
  mount --bind "$folder/tunables/${1##*/}" "/proc/sys/$1"
}
mkdir -p "$folder/tunables"
tunable vm/overcommit_memory 1
tunable vm/panic_on_oom 0
tunable kernel/panic 10
tunable kernel/panic_on_oops 1
tunable kernel/keys/root_maxkeys 1000000
tunable kernel/keys/root_maxbytes 25000000
