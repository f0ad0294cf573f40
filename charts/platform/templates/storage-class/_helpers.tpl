{{/* Names of other classes that are for claims without one, as far as the cluster can be asked. */}}
{{- define "platform.otherDefaultClasses" -}}
{{- $own := .Values.storageClass.name -}}
{{- $names := list -}}
{{- if and .Values.storageClass.enabled .Values.storageClass.isDefault -}}
{{- range (lookup "storage.k8s.io/v1" "StorageClass" "" "").items -}}
{{- $annotations := .metadata.annotations | default dict -}}
{{- if and (ne .metadata.name $own) (eq "true" (index $annotations "storageclass.kubernetes.io/is-default-class" | default "")) -}}
{{- $names = append $names .metadata.name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- join ", " $names -}}
{{- end -}}
