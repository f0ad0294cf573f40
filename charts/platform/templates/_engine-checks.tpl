{{/* What is wrong with the values of the engine room; as in _checks.tpl, a line per mistake. */}}
{{- define "platform.checks.engine" -}}
{{- $components := .Values.components -}}
{{- $secrets := index .Values "external-secrets" -}}
{{- if $components.clusterAutoscaler }}
{{- include "platform.checks.nodes" . }}
{{- end }}
{{- if $components.metricsServer }}
{{- include "platform.checks.metrics" (index .Values "metrics-server") }}
{{- end }}
{{- if $components.externalSecrets }}
{{- range $where, $pods := dict "replicaCount" $secrets.replicaCount "webhook.replicaCount" $secrets.webhook.replicaCount "certController.replicaCount" $secrets.certController.replicaCount }}
{{- include "platform.checks.pods" (list (print "external-secrets." $where) $pods) }}
{{- end }}
{{- end }}
{{- if $components.keda }}
{{- range $part := list "operator" "metricsServer" "webhooks" }}
{{- include "platform.checks.pods" (list (printf "keda.%s.replicaCount" $part) (index $.Values.keda $part).replicaCount) }}
{{- end }}
{{- end }}
{{- if $components.externalDns }}
{{- include "platform.checks.records" (index .Values "external-dns") }}
{{- end }}
{{- end -}}

{{/* The argument is [where, how many]. */}}
{{- define "platform.checks.pods" -}}
{{- if lt (int (index . 1)) 2 }}
{{ index . 0 }}: {{ int (index . 1) }} is no pod to spare when a node goes; write 2
{{- end }}
{{- end -}}

{{- define "platform.checks.nodes" -}}
{{- with index .Values "cluster-autoscaler" }}
{{- include "platform.checks.pods" (list "cluster-autoscaler.replicaCount" .replicaCount) }}
{{- $most := index .extraArgs "max-nodes-total" | int -}}
{{- if lt $most 1 }}
cluster-autoscaler.extraArgs.max-nodes-total: {{ $most }} is no limit, and a mistake may order nodes without end; write how many you would pay for
{{- end }}
{{- $cutoff := index .extraArgs "expendable-pods-priority-cutoff" | int -}}
{{- if and $.Values.overprovisioning.enabled (lt (int $.Values.overprovisioning.priority) $cutoff) }}
overprovisioning.priority: {{ int $.Values.overprovisioning.priority }} is below expendable-pods-priority-cutoff, {{ $cutoff }}, so no node comes for the room; write {{ $cutoff }} or more
{{- end }}
{{- end }}
{{- end -}}

{{- define "platform.checks.metrics" -}}
{{- include "platform.checks.pods" (list "metrics-server.replicas" .replicas) }}
{{- $unknown := eq .tls.type "metrics-server" -}}
{{- if and $unknown (not .apiService.insecureSkipTLSVerify) }}
metrics-server.apiService.insecureSkipTLSVerify: false, but with tls.type metrics-server nobody can know the certificate; write true, or tls.type helm
{{- else if and (not $unknown) .apiService.insecureSkipTLSVerify }}
metrics-server.apiService.insecureSkipTLSVerify: true, and the API server takes that only where no certificate is given; write false
{{- end }}
{{- end -}}

{{- define "platform.checks.records" -}}
{{- if not .domainFilters }}
external-dns.domainFilters: no domain; list those that it may write to, as in [acme.org], or set components.externalDns to false
{{- end }}
{{- if not (index .extraArgs "default-targets") }}
external-dns.extraArgs.default-targets: no target, and Ingress objects have no address; list the name of the CloudFront distribution or of the load balancer
{{- end }}
{{- end -}}
