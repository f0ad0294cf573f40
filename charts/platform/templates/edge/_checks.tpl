{{/* Mistakes in `edge`, in the form of templates/_checks.tpl. */}}
{{- define "platform.checks.edge" -}}
{{- $edge := .Values.edge -}}
{{- include "platform.checks.overlap" . }}
{{- range $name, $instance := .Values.instances }}
{{- include "platform.checks.arns" (list $.Values.global.region $edge.waf.arn (default list $instance.certificates) (printf "instances.%s.certificates" $name)) }}
{{- end }}
{{- include "platform.checks.pinned" . }}
{{- range $lb := $edge.loadBalancers }}
{{- $where := printf "edge.loadBalancers[%s]" .name -}}
{{- if eq $edge.mode "targetGroupBinding" }}
{{- include "platform.checks.targetGroup" (list $ . $where) }}
{{- else }}
{{- $own := hasKey . "waf" -}}
{{- include "platform.checks.waf" (list $ (ternary .waf $edge.waf $own) (ternary (print $where ".waf") "edge.waf" $own)) }}
{{- include "platform.checks.certificates" (list $ . $where) }}
{{- if not .ingressClass }}
{{ $where }}.ingressClass: missing; name the IngressClass that is to be made for it, as in alb-{{ .name }}
{{- else if or (has .ingressClass $.Values.policies.ingressClasses) (eq .ingressClass $.Values.traefik.ingressClass.name) }}
{{ $where }}.ingressClass: {{ .ingressClass }} is the class of the instances' routes, which lead through Traefik; write another, as in alb-{{ .name }}
{{- end }}
{{- if and (eq (default $edge.sources .sources) "cloudfront") (not $edge.cloudFrontPrefixList) }}
edge.cloudFrontPrefixList: missing, and only CloudFront may reach {{ $where }}; set it to what `aws ec2 describe-managed-prefix-lists --filters Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing` says, or edge.sources to internet
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Two load balancers may share a web ACL and certificates, but nothing by which they are told apart. */}}
{{- define "platform.checks.overlap" -}}
{{- $keys := list "name" (ternary "targetGroupArn" "ingressClass" (eq .Values.edge.mode "targetGroupBinding")) -}}
{{- range $key := $keys }}
{{- $seen := list -}}
{{- range $.Values.edge.loadBalancers }}
{{- $value := default "" (index . $key) -}}
{{- if and $value (has $value $seen) }}
edge.loadBalancers: two have the {{ $key }} {{ $value }}; give each its own
{{- end }}
{{- $seen = append $seen $value -}}
{{- end }}
{{- end }}
{{- $accounts := list -}}
{{- range .Values.edge.loadBalancers }}
{{- $accounts = append $accounts (regexFind ":[0-9]{12}:" (default "" .targetGroupArn)) -}}
{{- end }}
{{- if gt (len (compact $accounts | uniq)) 1 }}
edge.loadBalancers: target groups are of different accounts, and the controller knows one; take all from that of the cluster
{{- end }}
{{- end -}}

{{/* The argument is [root, {arn, name}, where]. */}}
{{- define "platform.checks.waf" -}}
{{- $region := (index . 0).Values.global.region -}}
{{- $where := index . 2 -}}
{{- with index . 1 }}
{{- $form := "^arn:aws[a-z-]*:wafv2:([a-z0-9-]+):[0-9]{12}:regional/webacl/([A-Za-z0-9_-]+)/[0-9a-f-]{36}$" -}}
{{- if not .arn }}
{{ $where }}.arn: missing, and without a web ACL every request passes; set it to an ARN that `aws wafv2 list-web-acls --scope REGIONAL --region {{ default "REGION" $region }}` prints
{{- else if regexMatch ":global/webacl/" .arn }}
{{ $where }}.arn: {{ .arn }} is of the scope CLOUDFRONT, which a load balancer cannot use; make one of the scope REGIONAL in {{ $region }}
{{- else if not (regexMatch $form .arn) }}
{{ $where }}.arn: {{ .arn }} is not the ARN of a web ACL; write one as in arn:aws:wafv2:{{ default "eu-west-1" $region }}:123456789012:regional/webacl/NAME/ID
{{- else if and $region (ne (regexReplaceAll $form .arn "${1}") $region) }}
{{ $where }}.arn: {{ .arn }} is not in {{ $region }}, where the load balancer is; make one there
{{- else if and .name (ne (regexReplaceAll $form .arn "${2}") .name) }}
{{ $where }}.name: {{ .name }} is not the name in {{ .arn }}; write {{ regexReplaceAll $form .arn "${2}" }}
{{- end }}
{{- if eq (lower .name) "none" }}
{{ $where }}.name: {{ .name }} is the controller's word for no web ACL; make one with another name
{{- end }}
{{- if not .name }}
{{ $where }}.name: missing, and with the ARN alone an annotation of any Ingress could switch the web ACL off; set it to the part of the ARN after webacl/
{{- end }}
{{- end }}
{{- end -}}

{{/* The argument is [root, load balancer, where], as below. */}}
{{- define "platform.checks.certificates" -}}
{{- $region := (index . 0).Values.global.region -}}
{{- $where := index . 2 -}}
{{- $waf := default (index . 0).Values.edge.waf (index . 1).waf -}}
{{- include "platform.checks.arns" (list $region $waf.arn (index . 1).certificateArns (print $where ".certificateArns")) }}
{{- if not (index . 1).certificateArns }}
{{ $where }}.certificateArns: empty, and HTTPS needs one; request a certificate of ACM for the platform's names (*.openedx.example.org), and write its ARN
{{- end }}
{{- end -}}

{{/* Of certificates, of the platform or an instance: one that is wrong stops all changes of the load balancer.
     The argument is [region, ARN of the web ACL, ARNs, where]. */}}
{{- define "platform.checks.arns" -}}
{{- $region := index . 0 -}}
{{- $waf := index . 1 -}}
{{- $where := index . 3 -}}
{{- $form := "^arn:aws[a-z-]*:acm:([a-z0-9-]+):([0-9]{12}):certificate/[0-9a-f-]{36}$" -}}
{{- range index . 2 }}
{{- if not (regexMatch $form .) }}
{{ $where }}: {{ . }} is not the ARN of a certificate; write one as in arn:aws:acm:{{ default "eu-west-1" $region }}:123456789012:certificate/ID
{{- else if and $region (ne (regexReplaceAll $form . "${1}") $region) }}
{{ $where }}: {{ . }} is not in {{ $region }}, where the load balancer is; request one there (that in us-east-1 is for CloudFront)
{{- else if and (regexMatch ":wafv2:" $waf) (not (contains (printf ":%s:" (regexReplaceAll $form . "${2}")) $waf)) }}
{{ $where }}: {{ . }} is of another account than the web ACL {{ $waf }}; take both from the account of the cluster
{{- end }}
{{- end }}
{{- end -}}

{{- define "platform.checks.targetGroup" -}}
{{- $region := (index . 0).Values.global.region -}}
{{- $arn := (index . 1).targetGroupArn -}}
{{- $where := print (index . 2) ".targetGroupArn" -}}
{{- $form := "^arn:aws[a-z-]*:elasticloadbalancing:([a-z0-9-]+):[0-9]{12}:targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}$" -}}
{{- if not $arn }}
{{ $where }}: missing, and edge.mode is targetGroupBinding; write the ARN of the target group that the load balancer sends to, or set edge.mode to ingress
{{- else if not (regexMatch $form $arn) }}
{{ $where }}: {{ $arn }} is not the ARN of a target group; write one as in arn:aws:elasticloadbalancing:{{ default "eu-west-1" $region }}:123456789012:targetgroup/edge/0123456789abcdef
{{- else if and $region (ne (regexReplaceAll $form $arn "${1}") $region) }}
{{ $where }}: {{ $arn }} is not in {{ $region }}, where the pods are; make one there
{{- end }}
{{- end -}}

{{/* What the edge and its policies rest on: with another value, a door opens, or nothing fits any more. */}}
{{- define "platform.checks.pinned" -}}
{{- $lbc := index .Values "aws-load-balancer-controller" -}}
{{- $traefik := .Values.traefik -}}
{{- $gates := $lbc.controllerConfig.featureGates -}}
{{- $pinned := list
    (list "traefik.fullnameOverride" $traefik.fullnameOverride "traefik")
    (list "traefik.service.spec.type" $traefik.service.spec.type "ClusterIP")
    (list "traefik.ports.web.port" (dig "port" 8000 $traefik.ports.web) 8000)
    (list "traefik.ports.web.asDefault" $traefik.ports.web.asDefault true)
    (list "traefik.providers.kubernetesCRD.enabled" $traefik.providers.kubernetesCRD.enabled false)
    (list "traefik.providers.kubernetesIngress.allowExternalNameServices" $traefik.providers.kubernetesIngress.allowExternalNameServices false)
    (list "traefik.providers.kubernetesIngress.ingressClass" $traefik.providers.kubernetesIngress.ingressClass $traefik.ingressClass.name)
    (list "aws-load-balancer-controller.enableWafv2" $lbc.enableWafv2 true)
    (list "aws-load-balancer-controller.enableServiceMutatorWebhook" $lbc.enableServiceMutatorWebhook false)
    (list "aws-load-balancer-controller.webhookConfig.ingressValdationFailurePolicy" $lbc.webhookConfig.ingressValdationFailurePolicy "Ignore")
    (list "aws-load-balancer-controller.disableIngressGroupNameAnnotation" $lbc.disableIngressGroupNameAnnotation true)
-}}
{{- range $gate := list "EnableServiceController" "ALBGatewayAPI" "NLBGatewayAPI" "GlobalAcceleratorController" }}
{{- $pinned = append $pinned (list (print "aws-load-balancer-controller.controllerConfig.featureGates." $gate) (get $gates $gate) false) }}
{{- end }}
{{- range $pinned }}
{{- if ne (toString (index . 1)) (toString (index . 2)) }}
{{ index . 0 }}: {{ index . 1 }} is not what the edge and its policies are made for; write {{ index . 2 }}
{{- end }}
{{- end }}
{{- if not (has .Values.traefik.ingressClass.name .Values.policies.ingressClasses) }}
policies.ingressClasses: {{ .Values.traefik.ingressClass.name }}, Traefik's class, is not in it, so that no instance can have a route; add it
{{- end }}
{{- end -}}
