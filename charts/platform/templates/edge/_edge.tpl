{{/* Whether the controller makes the load balancers, and so needs their classes. These stay when the
     edge goes: with its class an Ingress that is left would lose the way to be removed. */}}
{{- define "platform.edge.classes" -}}
{{- $edge := .Values.edge -}}
{{- if and .Values.components.loadBalancerController (eq $edge.mode "ingress") (or $edge.enabled $edge.waf.arn) -}}
true
{{- end -}}
{{- end -}}

{{/* A load balancer's name in AWS, which knows no "_"; the argument is [root, load balancer, longest]. */}}
{{- define "platform.edge.name" -}}
{{- $wanted := printf "%s-%s" (index . 0).Values.global.clusterName (index . 1).name -}}
{{- $name := $wanted | lower | replace "_" "-" -}}
{{- if and (eq $name $wanted) (le (len $name) (index . 2)) -}}
{{- $name -}}
{{- else -}}
{{- /* What is cut off or replaced still tells two clusters apart. */ -}}
{{- $name | trunc (int (sub (index . 2) 9)) | trimSuffix "-" }}-{{ $wanted | sha256sum | trunc 8 -}}
{{- end -}}
{{- end -}}

{{/* Attributes of a load balancer; the argument is [edge, load balancer]. */}}
{{- define "platform.edge.attributes" -}}
{{- $edge := index . 0 -}}
# Values that say nothing new of it must not switch it on again just before the Ingress goes.
deletion_protection.enabled: {{ and $edge.enabled $edge.deletionProtection | quote }}
idle_timeout.timeout_seconds: {{ $edge.idleTimeout | quote }}
# It adds the client to the right of X-Forwarded-For, without a port: so everybody behind it counts.
routing.http.xff_header_processing.mode: append
routing.http.xff_client_port.enabled: "false"
# Names with "_" among them, which uWSGI takes for those with "-".
routing.http.drop_invalid_header_fields.enabled: "true"
routing.http.desync_mitigation_mode: defensive
# Nothing passes while the WAF does not answer.
waf.fail_open.enabled: "false"
access_logs.s3.enabled: {{ ternary "true" "false" (ne $edge.accessLogs.bucket "") | quote }}
{{- with $edge.accessLogs }}
{{- if .bucket }}
access_logs.s3.bucket: {{ .bucket }}
access_logs.s3.prefix: {{ list .prefix (index $ 1).name | compact | join "/" }}
{{- end }}
{{- end }}
{{- end -}}
