{{/* Metadata and pods of one; the argument is [root, name, app.kubernetes.io/name of the pods]. */}}
{{- define "platform.networkPolicy" -}}
{{- $root := index . 0 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ index . 1 }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "platform.labels" (list $root "network-policies") | nindent 4 }}
spec:
  podSelector:
    matchLabels: {app.kubernetes.io/name: {{ index . 2 }}}
{{- end -}}

{{/* From where metrics are asked for; the argument is [root, port]. Empty without such a namespace. */}}
{{- define "platform.fromMetrics" -}}
{{- with (index . 0).Values.networkPolicies.metricsFrom -}}
- from:
    - namespaceSelector:
        matchExpressions:
          - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }}}
  ports: [{port: {{ index $ 1 }}}]
{{- end -}}
{{- end -}}

{{/* Where EKS Pod Identity hands out credentials: an address of the node itself. */}}
{{- define "platform.toPodIdentity" -}}
- to:
    - ipBlock: {cidr: 169.254.170.23/32}
    - ipBlock: {cidr: "fd00:ec2::23/128"}
  ports: [{port: 80}]
{{- end -}}
