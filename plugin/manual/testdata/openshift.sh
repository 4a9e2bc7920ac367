#!/usr/bin/env bash
# OSToy with its own S3 bucket in project demo, as printed by: oc ostoy-s3 install --mode manual
#
# Run all of it (bash FILE), or one step after the other in a bash of its own. It
# takes oc, and aws where there is a step for the role. It can be run again. It ends
# with code 4 if something is not what it was when this was printed.
#
# Whose the bucket of that name is, if anybody's, was looked at when this was printed.
# It is not looked at again.
#
# It holds what the Secrets hold.
set -euo pipefail

refuse() {
  printf '%s\n' "$1" "stopped here; what the steps before this one did stays" >&2
  exit 4
}

cluster='https://api.example.com:6443'
server=$(oc config view --minify -o 'jsonpath={.clusters[0].cluster.server}')
if [ "$server" != "$cluster" ]; then
  refuse "oc would change $server, this is for $cluster"
fi

export AWS_PAGER='' AWS_REGION='us-east-2' AWS_DEFAULT_REGION='us-east-2'

account='123456789012'

caller=$(aws sts get-caller-identity --query Account --output text)
if [ "$caller" != "$account" ]; then
  refuse "the AWS credentials are of account $caller, the role is for account $account"
fi


# 1. The project
# This is what oc new-project sends. Rights in the project follow a moment later.
# The mark in it says that it was made for this: uninstall --delete-namespace asks for it.

if mark=$(oc get namespace/demo -o 'jsonpath={.metadata.annotations.openshift\.io/description}' 2>/dev/null); then
  if [ "$mark" != 'made by it'\''s test' ]; then
    refuse "project demo is there already, and was not made by this"
  fi
else
  oc create --field-manager=ostoy-s3 -f - <<'EOF'
---
apiVersion: project.openshift.io/v1
description: made by it's test
kind: ProjectRequest
metadata:
  name: demo
EOF
fi
for _ in {1..20}; do
  if oc auth can-i create buckets.s3.services.k8s.aws --quiet --namespace=demo; then break; fi
  sleep 1
done


# 2. The inventory
# What belongs to the install, on record before the first of it is made: status and uninstall go by it.

oc apply --server-side --field-manager=ostoy-s3 --force-conflicts --namespace=demo -f - <<'EOF'
---
apiVersion: v1
data:
  objects: all of them
kind: ConfigMap
metadata:
  name: ostoy-s3
  namespace: demo
EOF


# 3. The role
# Its trust policy names one service account, and its policy one bucket.

role='demo-ostoy-sa-7560009f8082'
arn='arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-7560009f8082'
trust='{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.op1.openshiftapps.com/2abc"
      },
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": {
        "StringEquals": {
          "oidc.op1.openshiftapps.com/2abc:aud": "sts.amazonaws.com",
          "oidc.op1.openshiftapps.com/2abc:sub": "system:serviceaccount:demo:ostoy-sa"
        }
      }
    }
  ]
}'
policy='{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "List",
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::demo-bucket",
      "Condition": {
        "StringEquals": {
          "aws:ResourceAccount": "123456789012"
        }
      }
    },
    {
      "Sid": "ReadWrite",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject",
        "s3:PutObject"
      ],
      "Resource": "arn:aws:s3:::demo-bucket/*",
      "Condition": {
        "StringEquals": {
          "aws:ResourceAccount": "123456789012"
        }
      }
    }
  ]
}'
tags='[
  {
    "Key": "app.kubernetes.io/managed-by",
    "Value": "ostoy-s3"
  },
  {
    "Key": "ostoy-s3/bucket",
    "Value": "demo-bucket"
  },
  {
    "Key": "ostoy-s3/issuer",
    "Value": "https://oidc.op1.openshiftapps.com/2abc"
  },
  {
    "Key": "ostoy-s3/namespace",
    "Value": "demo"
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
  aws iam update-assume-role-policy \
    --role-name="$role" \
    --policy-document="$trust"
  aws iam tag-role \
    --role-name="$role" \
    --tags="$tags"
  aws iam put-role-policy \
    --role-name="$role" \
    --policy-name='ostoy-s3' \
    --policy-document="$policy"
else
  case $trouble in
    *NoSuchEntity*) ;;
    *)
      printf '%s\n' "$trouble" >&2
      exit 1
      ;;
  esac
  aws iam create-role \
    --role-name="$role" \
    --path='/ostoy-s3/' \
    --description='OSToy in namespace demo reads and writes its bucket demo-bucket' \
    --assume-role-policy-document="$trust" \
    --tags="$tags" >/dev/null
  aws iam wait role-exists --role-name="$role"
  aws iam put-role-policy \
    --role-name="$role" \
    --policy-name='ostoy-s3' \
    --policy-document="$policy"
fi
printf '%s\n' "$arn"


# 4. What the app needs, wave 0
# Secret ostoy-secret, Bucket demo-bucket

oc apply --server-side --field-manager=ostoy-s3 --namespace=demo -f - <<'EOF'
---
apiVersion: v1
data:
  secret.txt: eA==
kind: Secret
metadata:
  name: ostoy-secret
  namespace: demo
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

oc wait --for=condition=ACK.ResourceSynced bucket.s3.services.k8s.aws/demo-bucket --timeout=10m0s --namespace=demo


# 6. The app, wave 1
# Deployment ostoy-microservice

oc apply --server-side --field-manager=ostoy-s3 --namespace=demo -f - <<'EOF'
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ostoy-microservice
  namespace: demo
spec:
  replicas: 1
EOF


# 7. The app, wave 2
# Deployment ostoy-frontend

oc apply --server-side --field-manager=ostoy-s3 --namespace=demo -f - <<'EOF'
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ostoy-frontend
  namespace: demo
spec:
  replicas: 1
EOF


# 8. Wait for the pods

oc rollout status deployment.apps/ostoy-microservice --timeout=10m0s --namespace=demo
oc rollout status deployment.apps/ostoy-frontend --timeout=10m0s --namespace=demo


# 9. Look whether it works
# To verify the app's access to its bucket and that other access is refused:
#   oc ostoy-s3 verify -n demo

oc get route.route.openshift.io/ostoy-route -o 'jsonpath=http://{.spec.host}{"\n"}' --namespace=demo
