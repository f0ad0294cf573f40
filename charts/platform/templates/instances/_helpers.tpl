{{/* An entry of `instances` over instanceDefaults, as JSON; the argument is [root, its name]. Not by
     merge, which takes 0 and null for nothing. */}}
{{- define "platform.instance" -}}
{{- $defaults := (index . 0).Values.instanceDefaults -}}
{{- $own := default dict (get (index . 0).Values.instances (index . 1)) -}}
{{- $all := dict "hosts" list "certificates" list "deployers" list "podSecurity" "baseline" "quota" nil "containerDefaults" nil -}}
{{- range $key := keys $all -}}
{{- range $source := list $defaults $own -}}
{{- if hasKey $source $key -}}
{{- $_ := set $all $key (include "platform.over" (list (get $all $key) (get $source $key)) | fromJson).value -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{/* The second value, or, of two mappings, their keys, the second's first; as JSON {value: …}. */}}
{{- define "platform.over" -}}
{{- $value := index . 1 -}}
{{- if and (kindIs "map" (index . 0)) (kindIs "map" (index . 1)) -}}
{{- $value = deepCopy (index . 0) -}}
{{- range $key, $over := index . 1 -}}
{{- $_ := set $value $key (include "platform.over" (list (get $value $key) $over) | fromJson).value -}}
{{- end -}}
{{- end -}}
{{- dict "value" $value | toJson -}}
{{- end -}}
