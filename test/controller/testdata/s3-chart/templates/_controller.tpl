{{- /* The flags of the controller's own chart. A value whose variable is not set would stay
       as it is written, so env has one for each. */ -}}
{{- define "s3-chart.args" -}}
- --aws-region
- $(AWS_REGION)
- --aws-endpoint-url
- $(AWS_ENDPOINT_URL)
{{- if .Values.aws.identity_endpoint_url }}
- --aws-identity-endpoint-url
- $(AWS_IDENTITY_ENDPOINT_URL)
{{- end }}
{{- if .Values.aws.allow_unsafe_aws_endpoint_urls }}
- --allow-unsafe-aws-endpoint-urls
{{- end }}
{{- if .Values.aws.endpoint_use_path_style }}
- --aws-endpoint-use-path-style
{{- end }}
{{- if .Values.log.enable_development_logging }}
- --enable-development-logging
{{- end }}
- --log-level
- $(ACK_LOG_LEVEL)
- --resource-tags
- $(ACK_RESOURCE_TAGS)
- --watch-namespace
- $(ACK_WATCH_NAMESPACE)
- --watch-selectors
- $(ACK_WATCH_SELECTORS)
- --deletion-policy
- $(DELETION_POLICY)
{{- if .Values.leaderElection.enabled }}
- --enable-leader-election
- --leader-election-namespace
- $(LEADER_ELECTION_NAMESPACE)
{{- end }}
- --reconcile-default-resync-seconds
- $(RECONCILE_DEFAULT_RESYNC_SECONDS)
{{- range $resource, $seconds := .Values.reconcile.resourceResyncPeriods }}
- --reconcile-resource-resync-seconds
- {{ printf "%s=%v" $resource $seconds }}
{{- end }}
- --reconcile-default-max-concurrent-syncs
- $(RECONCILE_DEFAULT_MAX_CONCURRENT_SYNCS)
{{- range $resource, $syncs := .Values.reconcile.resourceMaxConcurrentSyncs }}
- --reconcile-resource-max-concurrent-syncs
- {{ printf "%s=%v" $resource $syncs }}
{{- end }}
{{- with .Values.reconcile.resources }}
- --reconcile-resources
- {{ join "," . }}
{{- end }}
- --feature-gates
- $(FEATURE_GATES)
- --enable-carm={{ .Values.enableCARM }}
- --enable-cross-namespace={{ .Values.enableCrossNamespace }}
{{- end -}}

{{- define "s3-chart.env" -}}
- name: ACK_SYSTEM_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- {name: AWS_REGION, value: {{ .Values.aws.region | quote }}}
- {name: AWS_ENDPOINT_URL, value: {{ .Values.aws.endpoint_url | quote }}}
{{- with .Values.aws.identity_endpoint_url }}
- {name: AWS_IDENTITY_ENDPOINT_URL, value: {{ . | quote }}}
{{- end }}
- {name: ACK_WATCH_NAMESPACE, value: {{ include "s3-chart.watched" . | quote }}}
- {name: ACK_WATCH_SELECTORS, value: {{ .Values.watchSelectors | quote }}}
- {name: DELETION_POLICY, value: {{ .Values.deletionPolicy }}}
- {name: LEADER_ELECTION_NAMESPACE, value: {{ .Values.leaderElection.namespace | quote }}}
- {name: ACK_LOG_LEVEL, value: {{ .Values.log.level | quote }}}
- {name: ACK_RESOURCE_TAGS, value: {{ join "," .Values.resourceTags | quote }}}
- {name: RECONCILE_DEFAULT_RESYNC_SECONDS, value: {{ .Values.reconcile.defaultResyncPeriod | quote }}}
- {name: RECONCILE_DEFAULT_MAX_CONCURRENT_SYNCS, value: {{ .Values.reconcile.defaultMaxConcurrentSyncs | quote }}}
- {name: FEATURE_GATES, value: {{ include "s3-chart.featureGates" . | quote }}}
{{- with .Values.aws.credentials }}
{{- if .secretName }}
- {name: AWS_SHARED_CREDENTIALS_FILE, value: /var/run/secrets/aws/{{ .secretKey }}}
- {name: AWS_PROFILE, value: {{ .profile }}}
{{- end }}
{{- end }}
{{- with .Values.deployment.extraEnvVars }}
{{ toYaml . }}
{{- end }}
{{- end -}}
