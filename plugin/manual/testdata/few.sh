#!/usr/bin/env bash
# OSToy with its own S3 bucket in project demo, as printed by: oc ostoy-s3 install --mode manual
#
# Run all of it (bash FILE), or one step after the other in a bash of its own. It
# takes oc, and aws where there is a step for the role. It can be run again. It ends
# with code 4 if something is not what it was when this was printed.
#
# Whose the bucket of that name is, if anybody's, was looked at when this was printed.
# It is not looked at again.
set -euo pipefail
export AWS_PROFILE='it'\''s mine'

refuse() {
  printf '%s\n' "$1" "stopped here; what the steps before this one did stays" >&2
  exit 4
}

export AWS_PAGER='' AWS_REGION='us-east-2' AWS_DEFAULT_REGION='us-east-2'

account='123456789012'

caller=$(aws sts get-caller-identity --query Account --output text)
if [ "$caller" != "$account" ]; then
  refuse "the AWS credentials are of account $caller, the role is for account $account"
fi


# 1. The kubeconfig
# The project becomes the one of its context, as --use says.

oc '--context=a b' '--as=$(me)
touch x' config set-context 'a b' --namespace=demo


# 2. The inventory
# What belongs to the install, on record before the first of it is made: status and uninstall go by it.
# A record that already says what was done, from an earlier run of this, stays as it is.

done='{"objects":"some of them"}'
record=$(oc '--context=a b' '--as=$(me)
touch x' get configmap/ostoy-s3 --ignore-not-found -o 'jsonpath={.data}' --namespace=demo)
if [ "$record" != "$done" ]; then
  oc '--context=a b' '--as=$(me)
touch x' apply --server-side --field-manager=ostoy-s3 --force-conflicts --namespace=demo -f - <<'EOF'
---
apiVersion: v1
data:
  objects: all of them
kind: ConfigMap
metadata:
  name: ostoy-s3
  namespace: demo
EOF
fi


# 3. The role
# Its trust policy names one service account, and its policy one bucket.

role='demo-ostoy-sa-7560009f8082'
arn='arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-7560009f8082'
tags='[
  {
    "Key": "ostoy-s3/bucket",
    "Value": "demo-bucket"
  },
  {
    "Key": "team",
    "Value": "blue"
  }
]'

if trouble=$(aws iam get-role --role-name="$role" 2>&1 >/dev/null); then
  tab=$(printf '\t')
  ours="$arn""$tab"'ostoy-s3'"$tab"'https://oidc.op1.openshiftapps.com/2abc'"$tab"'demo'
  found=$(aws iam get-role --role-name="$role" --output text \
    --query "Role.[Arn, Tags[?Key=='app.kubernetes.io/managed-by'] | [0].Value, Tags[?Key=='ostoy-s3/issuer'] | [0].Value, Tags[?Key=='ostoy-s3/namespace'] | [0].Value]")
  case $found in
    "$ours") ;;
    *) refuse "the role $arn is not ours, by its ARN and tags: $found" ;;
  esac
  aws iam tag-role \
    --role-name="$role" \
    --tags="$tags"
else
  printf '%s\n' "$trouble" >&2
  exit 1
fi
printf '%s\n' "$arn"


# 4. What the app needs, wave 0
# ConfigMap nasty, Bucket demo-bucket
# kubectl takes from Bucket demo-bucket what kubectl apply once put there: metadata.labels.team, spec.tagging

oc '--context=a b' '--as=$(me)
touch x' apply --server-side --field-manager=ostoy-s3 --namespace=demo -f - <<'EOF2'
---
apiVersion: v1
data:
  EOF: |
    EOF
    $(touch x) `touch x` ${HOME} \ "'
  a: "b\tc\r\n"
kind: ConfigMap
metadata:
  name: nasty
  namespace: demo
EOF2
oc '--context=a b' '--as=$(me)
touch x' apply --server-side --field-manager=ostoy-s3 --force-conflicts --namespace=demo -f - <<'EOF'
---
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata:
  name: demo-bucket
  namespace: demo
spec:
  name: demo-bucket
EOF


# 5. Wait for the bucket
# If it does not come, the conditions of the Bucket say why, and so does oc ostoy-s3 check.

oc '--context=a b' '--as=$(me)
touch x' wait --for=condition=ACK.ResourceSynced bucket.s3.services.k8s.aws/demo-bucket --timeout=1m0s --namespace=demo


# 6. The app, wave 2
# Deployment ostoy-frontend

oc '--context=a b' '--as=$(me)
touch x' patch deployment.apps/ostoy-frontend --type=merge --field-manager=ostoy-s3 -p '{"spec":{"strategy":{"rollingUpdate":null,"type":"it'\''s"}}}' --namespace=demo
oc '--context=a b' '--as=$(me)
touch x' apply --server-side --field-manager=ostoy-s3 --force-conflicts --namespace=demo -f - <<'EOF'
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ostoy-frontend
  namespace: demo
spec:
  replicas: 1
EOF


# 7. What is no longer wanted
# RoleBinding system:openshift:scc:restricted, Service old

uid=$(oc '--context=a b' '--as=$(me)
touch x' get rolebinding.rbac.authorization.k8s.io/system:openshift:scc:restricted --ignore-not-found -o 'jsonpath={.metadata.uid}' --namespace=demo)
if [ "$uid" = '6f1c' ]; then
  oc '--context=a b' '--as=$(me)
touch x' delete rolebinding.rbac.authorization.k8s.io/system:openshift:scc:restricted --wait=false --namespace=demo
fi
uid=$(oc '--context=a b' '--as=$(me)
touch x' get service/old --ignore-not-found -o 'jsonpath={.metadata.uid}' --namespace=demo)
if [ "$uid" = '6f1c' ]; then
  oc '--context=a b' '--as=$(me)
touch x' delete service/old --wait=false --namespace=demo
fi


# 8. The inventory, with what was done
# The next install, status, check and diff go by it.

oc '--context=a b' '--as=$(me)
touch x' apply --server-side --field-manager=ostoy-s3 --force-conflicts --namespace=demo -f - <<'EOF'
---
apiVersion: v1
data:
  objects: some of them
kind: ConfigMap
metadata:
  name: ostoy-s3
  namespace: demo
EOF


# 9. Wait for the pods

oc '--context=a b' '--as=$(me)
touch x' rollout status deployment.apps/ostoy-frontend --timeout=1m0s --namespace=demo


# 10. Look whether it works
# To verify the app's access to its bucket and that other access is refused:
#   oc ostoy-s3 verify -n demo '--context=a b' '--as=$(me) touch x' --profile 'it'\''s mine'

# for http://localhost:8080, until Ctrl-C:
# oc '--context=a b' '--as=$(me) touch x' port-forward service/ostoy-frontend-svc 8080:8080 --namespace=demo
