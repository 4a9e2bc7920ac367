package check

// goodScene is an install in which little is wrong: what is poisoned is found by the
// check that looks at it.
const goodScene = `
# /api/v1/namespaces/demo
{apiVersion: v1, kind: Namespace, metadata: {name: demo, annotations: {services.k8s.aws/default-region: us-east-2}}}
# /apis/apps/v1/namespaces/demo/deployments
apiVersion: apps/v1
kind: DeploymentList
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: ostoy-frontend, namespace: demo, generation: 1}
  spec:
    replicas: 1
    strategy: {type: Recreate}
    selector: {matchLabels: {app: ostoy-frontend}}
    template:
      metadata: {labels: {app: ostoy-frontend}, annotations: {eks.amazonaws.com/skip-containers: sidecar}}
      spec:
        serviceAccountName: ostoy-sa
        containers: [{name: ostoy-frontend, image: quay.io/ostoy/frontend:1}]
        volumes: [{name: data, persistentVolumeClaim: {claimName: ostoy-pvc}}]
  status: {observedGeneration: 1, updatedReplicas: 1, replicas: 1, availableReplicas: 1}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: ostoy-microservice, namespace: demo, generation: 1}
  spec: {replicas: 1, selector: {matchLabels: {app: ostoy-microservice}}, template: {metadata: {labels: {app: ostoy-microservice}}, spec: {containers: [{name: m, image: m}]}}}
  status: {observedGeneration: 1, updatedReplicas: 1, replicas: 1, availableReplicas: 1}
# /api/v1/namespaces/demo/pods
apiVersion: v1
kind: PodList
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: ostoy-frontend-1, namespace: demo, labels: {app: ostoy-frontend, pod-template-hash: abc}}
  spec:
    serviceAccountName: ostoy-sa
    containers:
    - name: ostoy-frontend
      ports: [{name: http, containerPort: 8080}]
      env:
      - {name: AWS_ROLE_ARN, value: "arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-00000000"}
      - {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /tokens/token}
      - {name: AWS_REGION, value: us-east-2}
      - {name: AWS_STS_REGIONAL_ENDPOINTS, value: regional}
      envFrom: [{prefix: x, configMapRef: {name: settings}}]
      volumeMounts: [{name: aws-iam-token, mountPath: /tokens}]
    volumes: [{name: aws-iam-token, projected: {sources: [{serviceAccountToken: {audience: sts.amazonaws.com, path: token}}]}}]
  status:
    phase: Running
    conditions: [{type: Ready, status: "True"}]
    containerStatuses: [{name: ostoy-frontend, imageID: quay.io/ostoy/frontend@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}]
# /api/v1/namespaces/demo/pods/ostoy-frontend-1/log
Bucket accessible, enabling ACK feature.
# /api/v1/namespaces/demo/services
apiVersion: v1
kind: ServiceList
items:
- {apiVersion: v1, kind: Service, metadata: {name: ostoy-frontend-svc, namespace: demo}, spec: {selector: {app: ostoy-frontend}, ports: [{targetPort: http}]}}
- {apiVersion: v1, kind: Service, metadata: {name: ostoy-microservice-svc, namespace: demo}, spec: {selector: {app: ostoy-frontend}, ports: [{targetPort: 8080}]}}
# /api/v1/namespaces/demo/serviceaccounts
apiVersion: v1
kind: ServiceAccountList
items:
- apiVersion: v1
  kind: ServiceAccount
  metadata:
    name: ostoy-sa
    namespace: demo
    annotations:
      eks.amazonaws.com/role-arn: arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-00000000
      eks.amazonaws.com/audience: sts.amazonaws.com
      eks.amazonaws.com/token-expiration: "3600"
      eks.amazonaws.com/sts-regional-endpoints: "true"
# /api/v1/namespaces/demo/configmaps
{apiVersion: v1, kind: ConfigMapList, items: []}
# /api/v1/namespaces/demo/configmaps/ostoy-s3
apiVersion: v1
kind: ConfigMap
metadata: {name: ostoy-s3, namespace: demo, labels: {app.kubernetes.io/managed-by: oc-ostoy-s3}}
data:
  roleARN: arn:aws:iam::123456789012:role/mine/own
  roleOrigin: existing
  policyARN: arn:aws:iam::123456789012:policy/p
  bucket: demo-bucket
  bucketOrigin: created
  account: "123456789012"
  partition: aws
  region: us-east-2
  issuer: https://oidc.op1.openshiftapps.com/2abc
  clusterID: c
  version: "1"
  objects: "v1 Service ostoy-frontend-svc\n"
# /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets
apiVersion: s3.services.k8s.aws/v1alpha1
kind: BucketList
items:
- apiVersion: s3.services.k8s.aws/v1alpha1
  kind: Bucket
  metadata: {name: demo-bucket, namespace: demo, annotations: {services.k8s.aws/region: us-east-2, services.k8s.aws/deletion-policy: retain, services.k8s.aws/read-only: "false"}}
  spec: {name: demo-bucket}
  status: {ackResourceMetadata: {region: us-east-2, ownerAccountID: "123456789012"}, conditions: [{type: Ready, status: "True", message: ok}]}
# /apis/s3.services.k8s.aws/v1alpha1/buckets
apiVersion: s3.services.k8s.aws/v1alpha1
kind: BucketList
items:
- {apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: demo-bucket, namespace: demo}, spec: {name: demo-bucket}}
- {apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: finance, namespace: mallory}, spec: {name: finance-bucket}}
- {apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: again, namespace: mallory}, spec: {name: demo-bucket}}
# /apis/route.openshift.io/v1/namespaces/demo/routes
apiVersion: route.openshift.io/v1
kind: RouteList
items:
- apiVersion: route.openshift.io/v1
  kind: Route
  metadata: {name: ostoy-route, namespace: demo}
  spec: {host: ostoy.apps.example.com, tls: {termination: edge, insecureEdgeTerminationPolicy: Redirect}}
  status: {ingress: [{host: ostoy.apps.example.com, conditions: [{type: Admitted, status: "True"}]}]}
# /api/v1/namespaces/demo/persistentvolumeclaims
apiVersion: v1
kind: PersistentVolumeClaimList
items:
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ostoy-pvc, namespace: demo}, spec: {storageClassName: gp3, volumeName: pv-1}, status: {phase: Bound}}
# /api/v1/namespaces/demo/resourcequotas
apiVersion: v1
kind: ResourceQuotaList
items:
- {apiVersion: v1, kind: ResourceQuota, metadata: {name: small, namespace: demo}, spec: {hard: {pods: "1"}}, status: {used: {pods: "1"}}}
# /apis/storage.k8s.io/v1/storageclasses
{apiVersion: storage.k8s.io/v1, kind: StorageClassList, items: [{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: gp3}}]}
# /api/v1/namespaces/demo/events
{apiVersion: v1, kind: EventList, items: []}
# /apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:openshift:scc:restricted
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "system:openshift:scc:restricted"}
subjects: [{kind: ServiceAccount, namespace: demo, name: ostoy-sa}]
# /apis/apps/v1/deployments
{apiVersion: apps/v1, kind: DeploymentList, items: []}
# /api/v1/namespaces/demo/configmaps/settings
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: demo}, data: {other: x}}
`

// endScene is what is different where the project is being deleted.
const endScene = `
# /api/v1/namespaces/demo
apiVersion: v1
kind: Namespace
metadata: {name: demo, deletionTimestamp: "2026-01-01T00:00:00Z"}
status: {conditions: [{type: NamespaceFinalizersRemaining, status: "True", message: some content}]}
# /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets
apiVersion: s3.services.k8s.aws/v1alpha1
kind: BucketList
items:
- apiVersion: s3.services.k8s.aws/v1alpha1
  kind: Bucket
  metadata: {name: demo-bucket, namespace: demo, deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [finalizers.s3.services.k8s.aws/Bucket]}
  spec: {name: demo-bucket}
  status: {conditions: [{type: ACK.Recoverable, status: "True", message: BucketNotEmpty}]}
`

// badScene is what is different where much is wrong.
const badScene = `
# /apis/apps/v1/namespaces/demo/deployments
apiVersion: apps/v1
kind: DeploymentList
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: ostoy-frontend, namespace: demo, generation: 1}
  spec:
    paused: true
    strategy: {type: RollingUpdate}
    selector: {matchLabels: {app: ostoy-frontend}}
    template:
      metadata: {labels: {app: ostoy-frontend}}
      spec: {serviceAccountName: other, containers: [{name: ostoy-frontend, image: x}]}
  status: {observedGeneration: 1, updatedReplicas: 1, replicas: 1}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: ostoy-microservice, namespace: demo, generation: 1}
  spec: {replicas: 1, selector: {matchLabels: {app: ostoy-microservice}}}
  status: {observedGeneration: 1, conditions: [{type: ReplicaFailure, status: "True", reason: x, message: "forbidden: unable to validate against any security context constraint"}]}
# /api/v1/namespaces/demo/pods
apiVersion: v1
kind: PodList
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: ostoy-frontend-1, namespace: demo, labels: {app: ostoy-frontend, pod-template-hash: abc}}
  spec:
    serviceAccountName: other
    containers:
    - name: ostoy-frontend
      env: [{name: AWS_ACCESS_KEY_ID, value: x}, {name: AWS_ROLE_ARN, value: "arn:aws:iam::123456789012:role/other"}, {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /tokens/token}, {name: AWS_REGION, value: eu-west-1}]
      envFrom: [{configMapRef: {name: settings}}]
      volumeMounts: [{name: aws-iam-token, mountPath: /tokens}]
    volumes: [{name: aws-iam-token, projected: {defaultMode: 256, sources: [{serviceAccountToken: {audience: openshift, path: token}}]}}]
  status:
    phase: Pending
    initContainerStatuses: [{name: wait-for-bucket, state: {running: {}}, lastState: {terminated: {exitCode: 1, finishedAt: "2026-01-01T00:00:00Z", message: AccessDenied from GetObject}}}]
    containerStatuses: [{name: ostoy-frontend, image: x, state: {waiting: {reason: ImagePullBackOff, message: no such image}}}]
# /api/v1/namespaces/demo/pods/ostoy-frontend-1/log
ACK feature disabled.
# /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets
apiVersion: s3.services.k8s.aws/v1alpha1
kind: BucketList
items:
- apiVersion: s3.services.k8s.aws/v1alpha1
  kind: Bucket
  metadata:
    name: demo-bucket
    namespace: demo
    deletionTimestamp: "2026-01-01T00:00:00Z"
    finalizers: [finalizers.s3.services.k8s.aws/Bucket, another]
    annotations: {services.k8s.aws/region: us-west-2, services.k8s.aws/deletion-policy: odd, services.k8s.aws/read-only: "true"}
  spec: {name: other-bucket}
  status: {ackResourceMetadata: {region: us-east-2, ownerAccountID: "222222222222"}, conditions: [{type: ACK.Recoverable, status: "True", message: BucketNotEmpty}]}
# /apis/route.openshift.io/v1/namespaces/demo/routes
apiVersion: route.openshift.io/v1
kind: RouteList
items:
- apiVersion: route.openshift.io/v1
  kind: Route
  metadata: {name: ostoy-route, namespace: demo}
  spec: {host: ostoy.apps.example.com, tls: {termination: passthrough}}
  status: {ingress: [{host: h, conditions: [{type: Admitted, status: "False", reason: HostAlreadyClaimed, message: taken}]}]}
# /api/v1/namespaces/demo/persistentvolumeclaims
apiVersion: v1
kind: PersistentVolumeClaimList
items:
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ostoy-pvc, namespace: demo}, spec: {storageClassName: gp3}, status: {phase: Pending}}
# /api/v1/namespaces/demo/events
{apiVersion: v1, kind: EventList, items: [{apiVersion: v1, kind: Event, metadata: {name: e}, type: Warning, reason: ProvisioningFailed, message: no space}]}
# /api/v1/namespaces/demo/configmaps/ostoy-s3
apiVersion: v1
kind: ConfigMap
metadata: {name: ostoy-s3, namespace: demo}
data: {roleARN: "arn:aws:iam::123456789012:role/mine/own", bucket: other-bucket, account: "222222222222", region: eu-west-1, objects: "v1 Service\n"}
# /api/v1/namespaces/demo/serviceaccounts
apiVersion: v1
kind: ServiceAccountList
items:
- apiVersion: v1
  kind: ServiceAccount
  metadata:
    name: ostoy-sa
    namespace: demo
    annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::222222222222:role/x", eks.amazon.com/role-arn: x, eks.amazonaws.com/audience: openshift, eks.amazonaws.com/token-expiration: soon, eks.amazonaws.com/sts-regional-endpoints: "false"}
# /api/v1/namespaces/demo/configmaps/settings
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: demo}, data: {AWS_ACCESS_KEY_ID: x}}
`

// slowScene is what is different where the controller has not created the bucket.
const slowScene = `
# /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets
apiVersion: s3.services.k8s.aws/v1alpha1
kind: BucketList
items:
- apiVersion: s3.services.k8s.aws/v1alpha1
  kind: Bucket
  metadata: {name: demo-bucket, namespace: demo}
  spec: {name: demo-bucket}
  status: {conditions: [{type: ACK.Recoverable, status: "True", message: AccessDenied}]}
`

func goodSaid() map[string]string {
	const provider = "arn:aws:iam::123456789012:oidc-provider/oidc.op1.openshiftapps.com/2abc"
	return map[string]string{
		"role": goodARN, "role tag": "a", "role tag value": "b", "inline policy": "extra", "attached policy": "arn:aws:iam::123456789012:policy/p",
		"trust": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity",` +
			`"Condition":{"StringEquals":{"oidc.op1.openshiftapps.com/2abc:sub":"system:serviceaccount:demo:ostoy-sa","oidc.op1.openshiftapps.com/2abc:aud":"sts.amazonaws.com"}}}]}`,
		"client id": "sts.amazonaws.com", "issuer": "https://oidc.op1.openshiftapps.com/2abc",
		"tag": "team", "tag value": "a", "encryption": "AES256", "ownership": "BucketOwnerEnforced", "bucket policy": "{}",
		"plan key": "x", "plan before": "y", "plan manager": "kubectl-edit", "plan why": "its kind is not served",
	}
}
