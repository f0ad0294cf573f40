{{/* Mistakes that only the cluster shows, in the form of templates/_checks.tpl. The arguments are what
     `lookup` found; `helm template` finds nothing. */}}

{{/* The argument is the CustomResourceDefinition of IngressClassParams. A field that it does not know is dropped without
     a word by Helm 3: the web ACL, for example. */}}
{{- define "platform.checks.stale" -}}
{{- range .spec.versions }}
{{- if eq .name "v1beta1" }}
{{- $known := .schema.openAPIV3Schema.properties.spec.properties -}}
{{- $missing := list -}}
{{- range list "wafv2AclArn" "wafv2AclName" "prefixListsIDs" "inboundCIDRs" "loadBalancerName" "sslRedirectPort" "targetType" }}
{{- if not (hasKey $known .) }}{{ $missing = append $missing . }}{{ end }}
{{- end }}
{{- with $missing }}
CustomResourceDefinition ingressclassparams.elbv2.k8s.aws: does not know {{ join ", " . }}, since Helm never upgrades CRDs; run `helm show crds charts/platform | kubectl apply --server-side --force-conflicts -f -`, then this again
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The argument is [name of the namespace, Namespace or {}]. */}}
{{- define "platform.checks.namespace" -}}
{{- $labels := dig "metadata" "labels" dict (index . 1) | default dict -}}
{{- if ne (get $labels "openedx-platform/edge") "allowed" }}
namespace {{ index . 0 }}: without the label openedx-platform/edge=allowed the controller ignores the edge's Ingress; run `kubectl create namespace {{ index . 0 }}` if there is none, then `kubectl label namespace {{ index . 0 }} openedx-platform/edge=allowed pod-security.kubernetes.io/enforce=restricted`
{{- end }}
{{- end -}}

{{/* The argument is [release, names of IngressClassParams that stay, all that are there]. */}}
{{- define "platform.checks.protected" -}}
{{- $release := index . 0 -}}
{{- $stay := index . 1 -}}
{{- range index . 2 }}
{{- if and (eq (dig "metadata" "labels" "app.kubernetes.io/instance" "" .) $release) (not (has .metadata.name $stay)) }}
{{- $name := .metadata.name }}
{{- range dig "spec" "loadBalancerAttributes" list . }}
{{- if and (eq .key "deletion_protection.enabled") (eq .value "true") }}
edge: the load balancer of {{ $name }} is to go, and AWS refuses while it is protected; first upgrade with edge.deletionProtection=false and nothing else changed, wait until `aws elbv2 describe-load-balancer-attributes` says so too, then this
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The argument is [own namespace, classes whose load balancers are to go, all Ingress objects]. */}}
{{- define "platform.checks.anchors" -}}
{{- $own := index . 0 -}}
{{- $going := index . 1 -}}
{{- range index . 2 }}
{{- if and (has (dig "spec" "ingressClassName" "" .) $going) (ne .metadata.namespace $own) }}
edge: Ingress {{ .metadata.namespace }}/{{ .metadata.name }} is of class {{ .spec.ingressClassName }}, and would keep its load balancer with nothing behind it; first run `kubectl delete ingress --namespace {{ .metadata.namespace }} {{ .metadata.name }}`
{{- end }}
{{- end }}
{{- end -}}

{{/* The argument is the controller's Deployment, or {}. The API server asks it about each TargetGroupBinding. */}}
{{- define "platform.checks.webhook" -}}
{{- if lt (int (dig "status" "readyReplicas" 0 .)) 1 }}
edge.mode: targetGroupBinding needs the controller while it is installed, and none of its pods is ready; install with edge.enabled=false and --wait first, then this
{{- end }}
{{- end -}}

{{/* All of these, asked of the cluster. */}}
{{- define "platform.checks.live" -}}
{{- $edge := .Values.edge -}}
{{- $made := and $edge.enabled (eq $edge.mode "ingress") -}}
{{- if $made }}
{{- with lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "ingressclassparams.elbv2.k8s.aws" }}
{{- include "platform.checks.stale" . }}
{{- end }}
{{- include "platform.checks.namespace" (list .Release.Namespace (lookup "v1" "Namespace" "" .Release.Namespace)) }}
{{- else if $edge.enabled }}
{{- include "platform.checks.webhook" (lookup "apps/v1" "Deployment" .Release.Namespace "aws-load-balancer-controller") }}
{{- end }}
{{- $params := list -}}
{{- $going := list -}}
{{- range (lookup "networking.k8s.io/v1" "IngressClass" "" "").items }}
{{- if eq (dig "labels" "app.kubernetes.io/name" "" .metadata) "edge" }}{{ $going = append $going .metadata.name }}{{ end -}}
{{- end }}
{{- if $made }}
{{- range $edge.loadBalancers }}
{{- $params = append $params (printf "edge-%s" .name) -}}
{{- $going = without $going .ingressClass -}}
{{- end }}
{{- end }}
{{- include "platform.checks.anchors" (list .Release.Namespace $going (lookup "networking.k8s.io/v1" "Ingress" "" "").items) }}
{{- if .Capabilities.APIVersions.Has "elbv2.k8s.aws/v1beta1/IngressClassParams" }}
{{- include "platform.checks.protected" (list .Release.Name $params (lookup "elbv2.k8s.aws/v1beta1" "IngressClassParams" "" "").items) }}
{{- end }}
{{- end -}}
