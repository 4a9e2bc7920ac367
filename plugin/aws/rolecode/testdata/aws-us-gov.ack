# The IAM role ostoy-s3/demo-ostoy-sa-7560009f8082, as printed by: oc ostoy-s3 iam render --format ack
#
# Applying this takes over a role of that name if the account already has one, and
# removes inline policies that are not named here. ACK's IAM controller has to be
# installed; the role goes when this object is deleted.
apiVersion: iam.services.k8s.aws/v1alpha1
kind: Role
metadata:
  annotations:
    argocd.argoproj.io/sync-wave: "-1"
    services.k8s.aws/adoption-fields: '{"name":"demo-ostoy-sa-7560009f8082"}'
    services.k8s.aws/adoption-policy: adopt-or-create
  name: ostoy-sa
  namespace: demo
spec:
  assumeRolePolicyDocument: |-
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Principal": {
            "Federated": "arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.op1.openshiftapps.com/2abc"
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
    }
  description: OSToy in namespace demo reads and writes its bucket demo-bucket
  inlinePolicies:
    ostoy-s3: |-
      {
        "Version": "2012-10-17",
        "Statement": [
          {
            "Sid": "List",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws-us-gov:s3:::demo-bucket",
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
            "Resource": "arn:aws-us-gov:s3:::demo-bucket/*",
            "Condition": {
              "StringEquals": {
                "aws:ResourceAccount": "123456789012"
              }
            }
          }
        ]
      }
  name: demo-ostoy-sa-7560009f8082
  path: /ostoy-s3/
  tags:
  - key: app.kubernetes.io/managed-by
    value: ostoy-s3
  - key: ostoy-s3/bucket
    value: demo-bucket
  - key: ostoy-s3/cluster-id
    value: 11111111-aaaa-4bbb-8ccc-222222222222
  - key: ostoy-s3/issuer
    value: https://oidc.op1.openshiftapps.com/2abc
  - key: ostoy-s3/namespace
    value: demo
