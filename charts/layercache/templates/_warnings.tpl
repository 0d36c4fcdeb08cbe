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
{{- if eq (int .Values.operator.replicas) 0 -}}
{{- $warnings = append $warnings "operator.replicas is 0: model pods go on serving, nothing is trained, certified, rolled out or switched off by the operator." -}}
{{- end -}}
{{- if not .Values.trainer.enabled -}}
{{- $warnings = append $warnings "trainer.enabled is off: without heads of your own every service answers with its backbone alone." -}}
{{- end -}}
{{- range $name, $image := dict "operator.image" .Values.operator.image "server.image" .Values.server.image "server.gpuImage" .Values.server.gpuImage -}}
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
