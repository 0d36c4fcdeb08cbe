#!/usr/bin/env bash
# build.sh control-plane|kwok|node|stores|kinds : prints the folder that holds the group's programs, building those that are missing.
# Sources are Go modules pinned by the go.mod and go.sum beside this file. The folder is named after a hash of its
# recipe, so a changed pin builds anew; a lock lets any number of callers ask at once while only one builds.
set -euo pipefail
recipe=$(cd "$(dirname "$0")" && pwd)
group=${1:?which group: control-plane, kwok, node, stores or kinds}
export CGO_ENABLED=0

kubernetes=$(sed -n 's|^require k8s.io/kubernetes v||p' "$recipe/control-plane/go.mod")
minor=${kubernetes#*.}
version=k8s.io/component-base/version
stamped="-s -w -X $version.gitVersion=v$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*}"
containerd=$(sed -n 's|^\tgithub.com/containerd/containerd/v2 v\([^ ]*\).*|\1|p' "$recipe/node/go.mod")

case $group in
  control-plane) programs='etcd kube-apiserver kube-controller-manager kube-scheduler' inputs='control-plane' ;;
  kwok) programs='kwok kwok-stages.yaml' inputs='kwok' ;;
  node) programs='kubelet kube-proxy containerd containerd-shim-runc-v2 ctr pause' inputs='control-plane node' ;;
  stores) programs='s3-server' inputs='stores' ;;
  kinds) programs='monitoring-kinds.yaml' inputs='kinds' ;;
  *) echo "unknown group $group: use control-plane, kwok, node, stores or kinds" >&2; exit 2 ;;
esac

missing() { for p in $programs; do [ -e "$out/$p" ] || echo "$p"; done; }
compile() { # module folder, package, further flags
  local module=$1 package=$2; shift 2
  (cd "$recipe/$module" && go build -trimpath -o "$out/.$program.part" "$@" "$package")
}
stages() { # kwok's own stages for fast pods and for nodes with leases, as one file
  local from; from=$(cd "$recipe/kwok" && go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
  for file in "$from"/node/fast/node-initialize.yaml "$from"/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml "$from"/pod/fast/pod-*.yaml; do
    echo ---; cat "$file"
  done > "$out/.$program.part"
}
build() {
  case $program in
    etcd) compile control-plane go.etcd.io/etcd/server/v3 -ldflags '-s -w' ;;
    kube-* | kubelet) compile control-plane "k8s.io/kubernetes/cmd/$program" -ldflags "$stamped" ;;
    kwok) compile kwok sigs.k8s.io/kwok/cmd/kwok -ldflags '-s -w' ;;
    kwok-stages.yaml) stages ;;
    pause) compile node ./pause -ldflags '-s -w' ;;
    *) compile node "github.com/containerd/containerd/v2/cmd/$program" -tags no_btrfs,no_devmapper \
        -ldflags "-s -w -X github.com/containerd/containerd/v2/version.Version=$containerd" ;;
  esac
  mv "$out/.$program.part" "$out/$program"   # appears whole or not at all
}

# Apart from build, whose text is part of every group's hash.
build_kinds() { # the definitions of the Prometheus operator that a chart of ours uses, from its types by its own generator
  local made=$out/.definitions types=github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1
  (cd "$recipe/kinds" && go tool controller-gen crd:allowDangerousTypes=true "paths=$types" "output:crd:dir=$made")
  cat "$made"/monitoring.coreos.com_{podmonitors,prometheusrules,servicemonitors}.yaml > "$out/.$program.part"
  rm -r "$made"; mv "$out/.$program.part" "$out/$program"
}
build_store() { compile stores "./$program" -ldflags '-s -w'; mv "$out/.$program.part" "$out/$program"; }

pins() { cd "$recipe" && for input in $inputs; do find "$input" -type f | LC_ALL=C sort | xargs cat; done; }
hash=$({ declare -f compile stages build; echo "$stamped"; pins; } | sha256sum)
cache=${LAYERCACHE_TEST_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/layercache/test-cluster}
out=$cache/$group-${hash:0:12}

if [ -n "$(missing)" ]; then
  command -v go >/dev/null || { echo 'the Go toolchain (1.26) is missing and the programs are not in the cache' >&2; exit 3; }
  mkdir -p "$out"
  exec 9> "$cache/lock"
  flock -n 9 || { echo "waiting for another build of the test cluster ($cache/lock)" >&2; flock 9; }
  todo=$(missing)
  [ -z "$todo" ] || echo "BUILDING the Kubernetes test cluster, group $group:" $todo '- once, up to ten minutes on two cores;' "kept in $out" >&2
  for program in $todo; do
    echo "  building $program" >&2
    case $group in stores) build_store ;; kinds) build_kinds ;; *) build ;; esac
  done
fi
echo "$out"
