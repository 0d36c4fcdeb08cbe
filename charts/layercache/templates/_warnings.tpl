{{/* What a person should know about the values chosen, a line each. */}}
{{- define "layercache.warnings" -}}
{{- $warnings := list -}}
{{- $wantsMonitors := or .Values.metrics.podMonitor.enabled .Values.metrics.serviceMonitor.enabled -}}
{{- if and (or $wantsMonitors .Values.alerts.enabled) (not (include "layercache.hasMonitoring" .)) -}}
{{- $warnings = append $warnings "Monitors or alerts are on, but this cluster does not know monitoring.coreos.com/v1: none was made. Install the Prometheus operator, then upgrade this release." -}}
{{- end -}}
{{- if and .Values.dashboards.enabled .Values.dashboards.grafanaOperator.enabled (not (include "layercache.hasGrafanaOperator" .)) -}}
{{- $warnings = append $warnings "dashboards.grafanaOperator.enabled is on, but this cluster does not know grafana.integreatly.org/v1beta1: only ConfigMaps were made." -}}
{{- end -}}
{{- if and .Values.crds.install (not .Values.crds.keep) -}}
{{- $warnings = append $warnings "crds.keep is off: uninstalling this release deletes both kinds and with them every service." -}}
{{- end -}}
{{- if not .Values.crds.install -}}
{{- $warnings = append $warnings "crds.install is off: apply crds.yaml of this version yourself before each upgrade." -}}
{{- end -}}
{{- if not .Values.rbac.create -}}
{{- $warnings = append $warnings "rbac.create is off: the operator can do nothing until its account has the rights in files/operator-rules.json." -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (eq (include "layercache.serviceAccountName" .) "default") -}}
{{- $warnings = append $warnings (printf "serviceAccount.create is off without serviceAccount.name: the rights go to account default, and so to every pod of namespace %s that names no account." .Release.Namespace) -}}
{{- end -}}
{{- if not (include "layercache.isRestricted" .) -}}
{{- $warnings = append $warnings "operator.podSecurityContext or operator.securityContext is weaker than Pod Security restricted: a namespace that enforces it refuses the pods." -}}
{{- end -}}
{{- if and .Values.alerts.enabled (not $wantsMonitors) (not .Values.metrics.annotations) -}}
{{- $warnings = append $warnings "Alerts are on, but metrics.podMonitor, metrics.serviceMonitor and metrics.annotations are off: unless something else scrapes the operator, LayercacheOperatorDown fires." -}}
{{- end -}}
{{- if eq (int .Values.operator.replicas) 0 -}}
{{- $warnings = append $warnings "operator.replicas is 0: model pods go on serving, nothing is trained, certified, rolled out or switched off by the operator." -}}
{{- end -}}
{{- if not .Values.trainer.enabled -}}
{{- $warnings = append $warnings "trainer.enabled is off: without heads of your own every service answers with its backbone alone." -}}
{{- end -}}
{{- range $name, $image := dict "operator.image" .Values.operator.image "server.image" .Values.server.image "server.gpuImage" .Values.server.gpuImage "server.tensorflowImage" .Values.server.tensorflowImage "server.tensorflowGpuImage" .Values.server.tensorflowGpuImage -}}
{{- if and (eq $image.tag "latest") (not $image.digest) -}}
{{- $warnings = append $warnings (printf "%s.tag is latest: pods of one service may then run different programs. Name a version or a digest." $name) -}}
{{- end -}}
{{- end -}}
{{- if hasKey .Values.server.defaults.allowedHosts "*" -}}
{{- $warnings = append $warnings "server.defaults.allowedHosts holds *: whoever may write a service makes its pods read from any address inside the cluster." -}}
{{- end -}}
{{- with $warnings }}

Warnings:
{{- range . }}
- {{ . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* "yes" when the contexts of the operator's pods are what Pod Security restricted demands. */}}
{{- define "layercache.isRestricted" -}}
{{- $pod := .Values.operator.podSecurityContext -}}
{{- $own := .Values.operator.securityContext -}}
{{- $seccomp := dig "seccompProfile" "type" (dig "seccompProfile" "type" "" $pod) $own -}}
{{- $isNobody := and (eq (toString (dig "runAsNonRoot" (dig "runAsNonRoot" false $pod) $own)) "true") (ne (toString (dig "runAsUser" (dig "runAsUser" 1 $pod) $own)) "0") -}}
{{- $isPlain := and (eq (toString (dig "allowPrivilegeEscalation" true $own)) "false") (ne (toString (dig "privileged" false $own)) "true") -}}
{{- $keeps := without (dig "capabilities" "add" list $own) "NET_BIND_SERVICE" -}}
{{- $isBare := and (has "ALL" (dig "capabilities" "drop" list $own)) (empty $keeps) -}}
{{- if and $isNobody $isPlain $isBare (has $seccomp (list "RuntimeDefault" "Localhost")) -}}yes{{- end -}}
{{- end -}}
