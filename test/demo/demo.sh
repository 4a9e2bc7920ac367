#!/usr/bin/env bash
# The demo: a cluster without the ACK S3 controller gets it together with a first
# app; then what a learner sees who may do nothing outside their own project; then
# everything goes again.
# `make demo` starts a sandbox around it, with kubectl and the plugin on the
# PATH, and stops it afterwards. Any step that fails ends it with an error.
set -euo pipefail

first=ostoy-first
project=ostoy-demo
bucket=$project-bucket
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

admin=$KUBECONFIG

say() { printf '\n\n# %s\n' "$*"; }
run() { printf '$ %s\n\n' "$*"; "$@"; }

go -C "$here/.." build -o "$scratch/look" ./demo/look
PATH=$scratch:$PATH

say "A cluster admin: the cluster has no ACK S3 controller, so it comes with the first app"
run kubectl ostoy-s3 install --with-controller --bucket-pattern 'ostoy-*-bucket' "--new-project=$first"

say "The controller, and how it is"
run kubectl ostoy-s3 controller status

say "From here on a learner: no rights outside of their own project"
export KUBECONFIG=$PROJECT_ADMIN_KUBECONFIG

say "A new project with OSToy, its bucket and its role"
run kubectl ostoy-s3 install "--new-project=$project"

say "Again: nothing is left to do"
run kubectl ostoy-s3 install -n "$project" 2>&1 | tee "$scratch/again"
grep -q "nothing to change" "$scratch/again" || { echo "the second run changed something" >&2; exit 1; }

say "Is everything as it should be? A learner may not see all of it"
run kubectl ostoy-s3 check -n "$project"

say "What is installed, and how it is"
run kubectl ostoy-s3 status -n "$project"

say "What is in the project"
run kubectl get -n "$project" deployments,pods,services,routes.route.openshift.io,pvc,buckets.s3.services.k8s.aws

say "What is in AWS"
role=$(kubectl get serviceaccount ostoy-sa -n "$project" -o 'jsonpath={.metadata.annotations.eks\.amazonaws\.com/role-arn}')
run look "$bucket" "$role"

say "Verify the app's access to its bucket and that other access is refused"
run kubectl ostoy-s3 verify -n "$project"

say "What render prints is what was installed: kubectl sees no difference"
printf '$ kubectl ostoy-s3 render -n %s | kubectl diff --server-side -f -\n' "$project"
kubectl ostoy-s3 render -n "$project" >"$scratch/manifests.yaml"
kubectl diff --server-side -f "$scratch/manifests.yaml"
echo "no difference in $(grep -c '^kind:' "$scratch/manifests.yaml") objects"

say "The project goes, the bucket and its data stay"
run kubectl --kubeconfig "$admin" delete namespace "$project" --timeout=120s
run look "$bucket"

say "The admin again: the controller stays while anybody has a Bucket"
export KUBECONFIG=$admin
printf '$ kubectl ostoy-s3 controller uninstall\n\n'
if kubectl ostoy-s3 controller uninstall; then
    echo "the controller was removed under a Bucket" >&2
    exit 1
fi

say "The first app goes, then the controller"
run kubectl ostoy-s3 uninstall -n "$first" --delete-data --yes --delete-namespace
run kubectl ostoy-s3 controller uninstall

say "Done"
