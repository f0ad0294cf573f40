{{/* Mistakes that only the cluster shows, in the form of templates/_checks.tpl. */}}

{{/* The argument is [release, name, Namespace or {}]. Helm takes none that is not its own. Made to, it deletes
     it with all that is in it as soon as something fails and it rolls back: what it keeps, the live object says. */}}
{{- define "platform.checks.settled" -}}
{{- $release := index . 0 -}}
{{- $name := index . 1 -}}
{{- with index . 2 }}
{{- $said := default dict .metadata.annotations -}}
{{- if or (ne (get $said "meta.helm.sh/release-name") $release.Name) (ne (get $said "helm.sh/resource-policy") "keep") }}
instances.{{ $name }}: this namespace was there before, and Helm does not take it as it is; run `kubectl annotate --overwrite namespace {{ $name }} helm.sh/resource-policy=keep meta.helm.sh/release-name={{ $release.Name }} meta.helm.sh/release-namespace={{ $release.Namespace }}` and `kubectl label --overwrite namespace {{ $name }} app.kubernetes.io/managed-by=Helm`, then this
{{- end }}
{{- end }}
{{- end -}}

{{/* The same, asked of the cluster. */}}
{{- define "platform.checks.instances" -}}
{{- range $name := keys .Values.instances | sortAlpha }}
{{- include "platform.checks.settled" (list $.Release $name (lookup "v1" "Namespace" "" $name)) }}
{{- end }}
{{- end -}}
