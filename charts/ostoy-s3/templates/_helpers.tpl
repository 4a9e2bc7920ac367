{{/*
Labels. None of them depends on the release or on who applies the objects, so
that `helm install`, a GitOps engine and `oc ostoy-s3 install` agree; for the
same reason app.kubernetes.io/managed-by is left to the tool that applies.
The instance is the namespace: all names are fixed, so there is one per namespace.

Call with (dict "root" $ "component" "frontend" or "backend"), for a pod also "of" "pod".
*/}}
{{- define "ostoy.labels" -}}
{{- $workload := eq .component "frontend" | ternary "ostoy-frontend" "ostoy-microservice" -}}
{{- $values := eq .component "frontend" | ternary .root.Values.frontend .root.Values.microservice -}}
app.kubernetes.io/name: {{ $workload }}
app.kubernetes.io/instance: {{ .root.Release.Namespace | quote }}
app.kubernetes.io/version: {{ $values.image.tag | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: ostoy
{{- with include "ostoy.extra" (dict "root" .root "what" "Labels" "of" .of) }}
{{ . }}
{{- end }}
{{- end -}}

{{/*
The labels or annotations that the user adds to all objects and, "of" "pod", to the
pods: call with (dict "root" $ "what" "Labels" or "Annotations"). The schema refuses
keys that the chart sets. The values are missing if Helm reuses those of an older
release.
*/}}
{{- define "ostoy.extra" -}}
{{- $extra := dict -}}
{{- if eq (.of | default "") "pod" -}}
{{- $extra = merge $extra (get .root.Values (print "pod" .what) | default dict) -}}
{{- end -}}
{{- with merge $extra (get .root.Values (print "common" .what) | default dict) -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{/* The bucket's name is OSToy's own rule: it knows no other. */}}
{{- define "ostoy.bucket" -}}
{{ .Release.Namespace }}-bucket
{{- end -}}

{{/* Where the object stands in the order. Argo CD and `install` read the same line. */}}
{{- define "ostoy.wave" -}}
argocd.argoproj.io/sync-wave: {{ . | quote }}
{{- end -}}

{{/* The annotations of an object: call with (dict "root" $ "wave" 0). */}}
{{- define "ostoy.annotations" -}}
{{- include "ostoy.wave" .wave -}}
{{- with include "ostoy.extra" (dict "root" .root "what" "Annotations") }}
{{ . }}
{{- end }}
{{- end -}}

{{/* What holds data outlives the release, the application and a prune. Without
IgnoreExtraneous an object with Prune=false that left Git keeps its Application
OutOfSync, and Argo CD's selfHeal starts one sync after the other. */}}
{{- define "ostoy.keep" -}}
helm.sh/resource-policy: keep
argocd.argoproj.io/sync-options: Prune=false,Delete=false
argocd.argoproj.io/compare-options: IgnoreExtraneous
kustomize.toolkit.fluxcd.io/prune: disabled
{{- end -}}

{{- define "ostoy.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{/*
What Pod Security "restricted" and OpenShift's restricted-v2 ask for. No user is
named, so that OpenShift can choose one from the project's range.
*/}}
{{- define "ostoy.podSecurityContext" -}}
{{- merge (dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault")) .Values.podSecurityContext | toYaml -}}
{{- end -}}

{{- define "ostoy.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
{{- /* The value is missing if Helm reuses the values of an older release (--reuse-values): then it counts as true. */}}
readOnlyRootFilesystem: {{ ne (toString .Values.readOnlyRootFilesystem) "false" }}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/*
What OSToy and the wait before it need to know of AWS. Region and regional STS
are given in every mode: old webhooks add neither, and the global STS endpoint
is out of reach in private clusters.
*/}}
{{- define "ostoy.identityEnv" -}}
- name: NAMESPACE
  valueFrom:
    fieldRef:
      apiVersion: v1
      fieldPath: metadata.namespace
- name: AWS_REGION
  value: {{ required "aws.region is not set: the region the bucket is made in, for example us-east-2" .Values.aws.region | quote }}
- name: AWS_STS_REGIONAL_ENDPOINTS
  value: regional
{{- if eq .Values.podIdentity "projected" }}
- name: AWS_ROLE_ARN
  value: {{ .Values.aws.roleARN | quote }}
- name: AWS_WEB_IDENTITY_TOKEN_FILE
  value: /var/run/secrets/eks.amazonaws.com/serviceaccount/token
{{- end }}
{{- end -}}

{{- define "ostoy.tokenMount" -}}
{{- if eq .Values.podIdentity "projected" -}}
- name: aws-iam-token
  mountPath: /var/run/secrets/eks.amazonaws.com/serviceaccount
  readOnly: true
{{- end -}}
{{- end -}}

{{/* Programs expect a /tmp that they can write to. */}}
{{- define "ostoy.tmpMount" -}}
- name: tmp
  mountPath: /tmp
{{- end -}}

{{/* Without this annotation the cluster autoscaler keeps the node of a pod that has
an emptyDir. /tmp holds nothing that the app needs in another pod. */}}
{{- define "ostoy.tmpAnnotation" -}}
cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes: tmp
{{- end -}}

{{- define "ostoy.tmpVolume" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- end -}}

{{/*
Whether a NetworkPolicy restricts "ingress" or "egress": call with (dict "root" $
"of" "ingress"). The result is "true" or empty. The values are missing if Helm
reuses those of an older release. "auto" keeps an Ingress of another class than
OpenShift's reachable: its controller can be in any namespace. render/policy.go
decides the same.
*/}}
{{- define "ostoy.restricted" -}}
{{- $values := .root.Values.networkPolicy | default dict -}}
{{- $apis := .root.Capabilities.APIVersions -}}
{{- $openshift := or ($apis.Has "route.openshift.io/v1") ($apis.Has "route.openshift.io/v1/Route") -}}
{{- if eq .of "ingress" -}}
{{- $value := $values.ingress | default "auto" -}}
{{- $by := .root.Values.ingress | default dict -}}
{{- $class := $by.className | default (get ($by.annotations | default dict) "kubernetes.io/ingress.class") | default "openshift-default" -}}
{{- $other := and (eq .root.Values.expose "ingress") (ne $class "openshift-default") -}}
{{- if or (eq $value "restricted") (and (eq $value "auto") $openshift (not $other)) -}}true{{- end -}}
{{- else if eq ($values.egress | default "open") "restricted" -}}true{{- end -}}
{{- end -}}

{{- define "ostoy.policyTypes" -}}
policyTypes:
{{- if .ingress }}
  - Ingress
{{- end }}
{{- if .egress }}
  - Egress
{{- end }}
{{- end -}}

{{/*
A policy applies to the port of the pod, not to the port of the Service: the DNS
pods of OpenShift listen on 5353.
*/}}
{{- define "ostoy.egressDNS" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
    - port: 5353
      protocol: UDP
    - port: 5353
      protocol: TCP
{{- end -}}

{{- define "ostoy.pullSecrets" -}}
{{- with .Values.imagePullSecrets -}}
imagePullSecrets:
{{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
What the schema cannot say: values that contradict each other. Empty values are
reported where they are used.
*/}}
{{- define "ostoy.validate" -}}
{{- if gt (len .Release.Namespace) 56 -}}
{{- fail (printf "namespace %s has %d characters, at most 56 are possible: OSToy's bucket is called <namespace>-bucket and S3 allows 63" .Release.Namespace (len .Release.Namespace)) -}}
{{- end -}}
{{- $tags := merge (dict) .Values.tags .Values.bucket.tags -}}
{{- range $key, $_ := $tags -}}
{{- if hasPrefix "aws:" (lower $key) -}}
{{- fail (printf "tag %s: AWS keeps keys that begin with aws: to itself" $key) -}}
{{- end -}}
{{- end -}}
{{- if gt (len $tags) 48 -}}
{{- fail (printf "tags and bucket.tags are %d together: S3 allows 50 on a bucket, and the controller adds two" (len $tags)) -}}
{{- end -}}
{{- with .Values.aws -}}
{{- if and .roleARN .accountID -}}
{{- $want := printf "arn:%s:iam::%s:role/" .partition .accountID -}}
{{- if not (hasPrefix $want .roleARN) -}}
{{- fail (printf "aws.roleARN %s does not begin with %s, which follows from aws.partition and aws.accountID" .roleARN $want) -}}
{{- end -}}
{{- end -}}
{{- if .region -}}
{{- $of := "aws" -}}
{{- if hasPrefix "us-gov-" .region -}}{{- $of = "aws-us-gov" -}}{{- end -}}
{{- if hasPrefix "cn-" .region -}}{{- $of = "aws-cn" -}}{{- end -}}
{{- if hasPrefix "eusc-" .region -}}{{- $of = "aws-eusc" -}}{{- end -}}
{{- if ne $of .partition -}}
{{- fail (printf "aws.region %s belongs to the partition %s, but aws.partition is %s" .region $of .partition) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
