# The IAM role ostoy-s3-controller/ack-s3-controller-82ac7e8b0493, as printed by: oc ostoy-s3 iam render --format ack
#
# Applying this takes over a role of that name if the account already has one, and
# removes inline policies that are not named here. ACK's IAM controller has to be
# installed; the role goes when this object is deleted.
apiVersion: iam.services.k8s.aws/v1alpha1
kind: Role
metadata:
  annotations:
    argocd.argoproj.io/sync-wave: "-1"
    services.k8s.aws/adoption-fields: '{"name":"ack-s3-controller-82ac7e8b0493"}'
    services.k8s.aws/adoption-policy: adopt-or-create
  name: ack-s3-controller
  namespace: ack-system
spec:
  assumeRolePolicyDocument: |-
    {
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
              "oidc.op1.openshiftapps.com/2abc:sub": "system:serviceaccount:ack-system:ack-s3-controller"
            }
          }
        }
      ]
    }
  description: The ACK S3 controller in namespace ack-system creates, configures and
    deletes buckets named *-bucket
  inlinePolicies:
    ostoy-s3: |-
      {
        "Version": "2012-10-17",
        "Statement": [
          {
            "Sid": "List",
            "Effect": "Allow",
            "Action": "s3:ListAllMyBuckets",
            "Resource": "*"
          },
          {
            "Sid": "Create",
            "Effect": "Allow",
            "Action": "s3:CreateBucket",
            "Resource": "arn:aws:s3:::*-bucket"
          },
          {
            "Sid": "CreateWith",
            "Effect": "Allow",
            "Action": [
              "s3:PutBucketAcl",
              "s3:PutBucketObjectLockConfiguration",
              "s3:PutBucketOwnershipControls",
              "s3:PutBucketVersioning",
              "s3:TagResource"
            ],
            "Resource": "arn:aws:s3:::*-bucket",
            "Condition": {
              "StringEqualsIfExists": {
                "aws:ResourceAccount": "123456789012"
              }
            }
          },
          {
            "Sid": "Manage",
            "Effect": "Allow",
            "Action": [
              "s3:DeleteBucket",
              "s3:DeleteBucketPolicy",
              "s3:DeleteBucketWebsite",
              "s3:GetBucket*",
              "s3:PutBucket*",
              "s3:ListTagsForResource",
              "s3:TagResource",
              "s3:UntagResource",
              "s3:GetAccelerateConfiguration",
              "s3:PutAccelerateConfiguration",
              "s3:GetAnalyticsConfiguration",
              "s3:PutAnalyticsConfiguration",
              "s3:GetEncryptionConfiguration",
              "s3:PutEncryptionConfiguration",
              "s3:GetIntelligentTieringConfiguration",
              "s3:PutIntelligentTieringConfiguration",
              "s3:GetInventoryConfiguration",
              "s3:PutInventoryConfiguration",
              "s3:GetLifecycleConfiguration",
              "s3:PutLifecycleConfiguration",
              "s3:GetMetricsConfiguration",
              "s3:PutMetricsConfiguration",
              "s3:GetReplicationConfiguration",
              "s3:PutReplicationConfiguration"
            ],
            "Resource": "arn:aws:s3:::*-bucket",
            "Condition": {
              "StringEquals": {
                "aws:ResourceAccount": "123456789012"
              }
            }
          }
        ]
      }
  name: ack-s3-controller-82ac7e8b0493
  path: /ostoy-s3-controller/
  tags:
  - key: app.kubernetes.io/managed-by
    value: ostoy-s3
  - key: ostoy-s3/cluster-id
    value: 11111111-aaaa-4bbb-8ccc-222222222222
  - key: ostoy-s3/issuer
    value: https://oidc.op1.openshiftapps.com/2abc
  - key: ostoy-s3/namespace
    value: ack-system
