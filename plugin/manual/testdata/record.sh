#!/usr/bin/env bash
# OSToy with its own S3 bucket in project demo, as printed by: kubectl ostoy-s3 install --mode manual
#
# Run all of it (bash FILE), or one step after the other in a bash of its own. It
# takes kubectl, and aws where there is a step for the role. It can be run again. It ends
# with code 4 if something is not what it was when this was printed.
set -euo pipefail

refuse() {
  printf '%s\n' "$1" "stopped here; what the steps before this one did stays" >&2
  exit 4
}


# 1. The inventory
# What belongs to the install, on record before the first of it is made: status and uninstall go by it.

kubectl apply --server-side --field-manager=ostoy-s3 --force-conflicts --namespace=demo -f - <<'EOF'
---
apiVersion: v1
data:
  objects: all
kind: ConfigMap
metadata:
  name: ostoy-s3
  namespace: demo
EOF


# 2. Look whether it works

kubectl get route.route.openshift.io/ostoy-route -o 'jsonpath=https://{.spec.host}{"\n"}' --namespace=demo
