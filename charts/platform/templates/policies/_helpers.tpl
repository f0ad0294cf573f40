{{/* Beginning of a policy; the argument is [root, its name]. */}}
{{- define "platform.policy" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ (index . 0).Release.Name }}-{{ index . 1 }}
  labels: {{- include "platform.labels" (list (index . 0) "policies") | nindent 4 }}
{{- end -}}

{{/* Namespaces that no policy is for, as a JSON list. */}}
{{- define "platform.exemptNamespaces" -}}
{{- $own := list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace -}}
{{- concat $own .Values.policies.exemptNamespaces | uniq | toJson -}}
{{- end -}}

{{/* Classes of the load balancers, as a JSON list; empty if somebody else makes those, or if the edge is
     switched off while the controller runs: of an anchor it would make a load balancer anew. */}}
{{- define "platform.albClasses" -}}
{{- $classes := list -}}
{{- range ternary .Values.edge.loadBalancers list (and (eq .Values.edge.mode "ingress") (or .Values.edge.enabled (not .Values.components.loadBalancerController))) -}}
{{- with .ingressClass -}}
{{- $classes = append $classes . -}}
{{- end -}}
{{- end -}}
{{- uniq $classes | toJson -}}
{{- end -}}

{{/* Annotations that Kubernetes' controllers and those of this chart read are called …kubernetes.io/….
     CEL, of an object's annotations: the names of those that it may not have. */}}
{{- define "platform.foreignAnnotations" -}}
object.metadata.?annotations.orValue({}).filter(name,
name.matches('^([^/]+[.])?kubernetes[.]io/') &&
!name.matches('^(app|kubectl)[.]kubernetes[.]io/') &&
!(name in {{ .Values.policies.allowedAnnotations | toJson }}))
{{- end -}}

{{/* What controllers write down does not count: what was there before a policy can still be deleted.
     Not so what is being deleted and changed: Traefik does not look at that. */}}
{{- define "platform.changed" -}}
- name: changed
  expression: >-
    request.operation == 'CREATE' || object.spec != oldObject.spec ||
    object.metadata.?annotations != oldObject.metadata.?annotations
{{- end -}}
