{{/* Each of these prints a line `where: what is wrong; what to do` per mistake, and nothing without one.
     What a cluster says comes as an argument, so that a test can say it too. */}}

{{/* The argument is the version of Helm. */}}
{{- define "platform.checks.helm" -}}
{{- if semverCompare "<3.18.0-0" . }}
helm: {{ . }} does not read this chart's schema; use Helm 4, or 3.18 and newer
{{- end }}
{{- end -}}

{{- define "platform.checks.global" -}}
{{- range $key, $what := dict "clusterName" "the name of the EKS cluster" "region" "its AWS region, as in eu-west-1" "vpcId" "its VPC, as in vpc-0123456789abcdef0" }}
{{- if not (index $.Values.global $key) }}
global.{{ $key }}: missing; set it to {{ $what }}
{{- end }}
{{- end }}
{{- if hasPrefix "internal-" (lower .Values.global.clusterName) }}
global.clusterName: AWS keeps names of load balancers that start with "internal-" for itself; give the cluster another name
{{- end }}
{{- end -}}

{{/* What the edge needs of the other components. */}}
{{- define "platform.checks.components" -}}
{{- $lbc := index .Values "aws-load-balancer-controller" -}}
{{- if .Values.edge.enabled }}
{{- if not .Values.components.loadBalancerController }}
components.loadBalancerController: false, and nothing else makes or fills the edge's load balancers; set it to true, or edge.enabled to false
{{- end }}
{{- if not .Values.components.traefik }}
components.traefik: false, and the edge leads to it; set it to true, or edge.enabled to false
{{- end }}
{{- end }}
{{- if and .Values.components.loadBalancerController (lt (int $lbc.replicaCount) 2) }}
aws-load-balancer-controller.replicaCount: {{ $lbc.replicaCount }} is no pod to spare when a node goes; write 2
{{- end }}
{{- if .Values.components.traefik }}
{{- include "platform.checks.traefik" . }}
{{- end }}
{{- end -}}

{{- define "platform.checks.traefik" -}}
{{- with .Values.traefik }}
{{- $where := ternary "traefik.autoscaling.minReplicas" "traefik.deployment.replicas" .autoscaling.enabled -}}
{{- $pods := ternary .autoscaling.minReplicas .deployment.replicas .autoscaling.enabled -}}
{{- if lt (int $pods) 2 }}
{{ $where }}: {{ int $pods }} is no pod to spare when a node goes, and every instance is behind it; write 2 or more
{{- end }}
{{- $life := .ports.web.transport.lifeCycle -}}
{{- $accepts := include "platform.seconds" $life.requestAcceptGraceTimeout -}}
{{- $drains := include "platform.seconds" $life.graceTimeOut -}}
{{- $ends := int .deployment.terminationGracePeriodSeconds -}}
{{- if not (and $accepts $drains) }}
traefik.ports.web.transport.lifeCycle: {{ $life.requestAcceptGraceTimeout }} and {{ $life.graceTimeOut }} are not both seconds; write numbers, as in 20 and 300
{{- else }}
{{- $both := add (int $accepts) (int $drains) | int }}
{{- if le $ends $both }}
traefik.deployment.terminationGracePeriodSeconds: {{ $ends }} is not more than requestAcceptGraceTimeout and graceTimeOut together, {{ $both }}, so requests under way are cut off; write {{ add $both 10 }}
{{- end }}
{{- if lt $both (int $.Values.edge.deregistrationDelay) }}
edge.deregistrationDelay: the load balancer waits {{ $.Values.edge.deregistrationDelay }} s for a pod of Traefik that ends after {{ $both }} s; write no more than that, or raise traefik.ports.web.transport.lifeCycle.graceTimeOut and traefik.deployment.terminationGracePeriodSeconds
{{- end }}
{{- end }}
{{- if $.Values.edge.enabled }}
{{- $idle := include "platform.seconds" .ports.web.transport.respondingTimeouts.idleTimeout -}}
{{- if le (int $idle) (int $.Values.edge.idleTimeout) }}
traefik.ports.web.transport.respondingTimeouts.idleTimeout: {{ default "none" $idle }} is not more than edge.idleTimeout, {{ $.Values.edge.idleTimeout }}, so requests meet connections that close; write {{ add $.Values.edge.idleTimeout 10 }}
{{- end }}
{{- include "platform.checks.trusted" .ports.web.forwardedHeaders }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A duration as a number of seconds; nothing if it is in other units. */}}
{{- define "platform.seconds" -}}
{{- with toString . | trimSuffix "s" }}{{ if regexMatch "^[0-9]+$" . }}{{ . }}{{ end }}{{ end -}}
{{- end -}}

{{/* Who may say who a client is. */}}
{{- define "platform.checks.trusted" -}}
{{- $where := "traefik.ports.web.forwardedHeaders" -}}
{{- if .insecure }}
{{ $where }}.insecure: true lets everybody say who a client is; set it to false, and trustedIPs
{{- end }}
{{- if not .trustedIPs }}
{{ $where }}.trustedIPs: empty, so the load balancer counts as the only client there is; list the public subnets, as in [10.0.0.0/20, 10.0.16.0/20]
{{- end }}
{{- range .trustedIPs }}
{{- $parts := splitList "/" . -}}
{{- $length := ternary (last $parts) "128" (gt (len $parts) 1) -}}
{{- if not (regexMatch "^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}(/(3[0-2]|[12]?[0-9]))?|[0-9a-fA-F:]*:[0-9a-fA-F:]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$" .) }}
{{ $where }}.trustedIPs: {{ . }} is not an address range; write one as in 10.0.0.0/20
{{- /* As wide as a whole VPC. */}}
{{- else if le (int $length) (ternary 56 16 (contains ":" .)) }}
{{ $where }}.trustedIPs: {{ . }} is more than the subnets of load balancers, and whoever is in it may say who a client is; list the public subnets only
{{- end }}
{{- end }}
{{- end -}}
