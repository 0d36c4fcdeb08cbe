{{/* Names end before 41 characters, so that with every suffix of ours they stay below 64. */}}
{{- define "layercache.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "layercache.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "layercache.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What a selector of the operator's pods holds; it can never change. */}}
{{- define "layercache.selectorLabels" -}}
app.kubernetes.io/name: {{ include "layercache.name" . }}-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "layercache.labels" -}}
{{- $own := include "layercache.selectorLabels" . | fromYaml -}}
{{- $own = set $own "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_") -}}
{{- $own = set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $own = set $own "app.kubernetes.io/part-of" "layercache" -}}
{{- $own = set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{/* Labels and annotations of an object: dict "root" $ ["labels" map] ["annotations" map]. */}}
{{- define "layercache.metadata" -}}
labels:
  {{- merge (include "layercache.labels" .root | fromYaml) (.labels | default dict) | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "layercache.operatorName" -}}
{{- printf "%s-operator" (include "layercache.fullname" .) -}}
{{- end -}}

{{- define "layercache.serviceAccountName" -}}
{{- $standard := ternary (include "layercache.operatorName" .) "default" .Values.serviceAccount.create -}}
{{- default $standard .Values.serviceAccount.name -}}
{{- end -}}

{{/* An image with the registry of the installation, by digest if there is one: dict "root" $ "image" block. */}}
{{- define "layercache.image" -}}
{{- $repository := .image.repository -}}
{{- with .root.Values.global.imageRegistry -}}
{{- $parts := splitList "/" $repository -}}
{{- $first := first $parts -}}
{{- if and (gt (len $parts) 1) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) -}}
{{- $repository = join "/" (rest $parts) -}}
{{- end -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) $repository -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Names of a map of switches that are on, sorted, joined by commas. */}}
{{- define "layercache.switchedOn" -}}
{{- $names := list -}}
{{- range $name, $isOn := . -}}
{{- if $isOn -}}{{- $names = append $names $name -}}{{- end -}}
{{- end -}}
{{- $names | sortAlpha | join "," -}}
{{- end -}}

{{/* Namespaces with services, joined by commas; nothing: all. */}}
{{- define "layercache.watchedNamespaces" -}}
{{- $named := include "layercache.switchedOn" .Values.watchNamespaces -}}
{{- if and (not $named) (eq .Values.rbac.scope "Namespaced") -}}
{{- .Release.Namespace -}}
{{- else -}}
{{- $named -}}
{{- end -}}
{{- end -}}

{{- define "layercache.pullSecrets" -}}
{{- with include "layercache.switchedOn" .Values.global.imagePullSecrets -}}
imagePullSecrets:
{{- range splitList "," . }}
  - name: {{ . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The values of a map as a list, in the order of its keys. */}}
{{- define "layercache.listOf" -}}
{{- $items := list -}}
{{- range $item := . -}}{{- $items = append $items $item -}}{{- end -}}
{{- toYaml $items -}}
{{- end -}}

{{/* Three quarters of the memory limit in MiB, the rest is for what lies outside the heap; nothing without a limit in Mi or Gi. */}}
{{- define "layercache.heapMiB" -}}
{{- $limit := dig "memory" "" .Values.operator.resources.limits | toString -}}
{{- if regexMatch "^[0-9]+(Mi|Gi)$" $limit -}}
{{- $amount := regexFind "^[0-9]+" $limit | int -}}
{{- $mebi := ternary (mul $amount 1024) $amount (hasSuffix "Gi" $limit) -}}
{{- div (mul $mebi 3) 4 -}}
{{- end -}}
{{- end -}}

{{/* "yes" where the cluster knows a kind of monitoring. */}}
{{- define "layercache.hasMonitoring" -}}
{{- if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" -}}yes{{- end -}}
{{- end -}}

{{- define "layercache.hasGrafanaOperator" -}}
{{- if .Capabilities.APIVersions.Has "grafana.integreatly.org/v1beta1" -}}yes{{- end -}}
{{- end -}}

{{/* The kind of monitor that scrapes the operator; nothing: annotations. */}}
{{- define "layercache.operatorMonitor" -}}
{{- if include "layercache.hasMonitoring" . -}}
{{- if .Values.metrics.serviceMonitor.enabled -}}ServiceMonitor
{{- else if .Values.metrics.podMonitor.enabled -}}PodMonitor
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where `helm test` makes its service: where the operator looks. */}}
{{- define "layercache.testNamespace" -}}
{{- $watched := splitList "," (include "layercache.watchedNamespaces" .) | compact -}}
{{- if or (empty $watched) (has .Release.Namespace $watched) -}}
{{- .Release.Namespace -}}
{{- else -}}
{{- first $watched -}}
{{- end -}}
{{- end -}}

{{/* "yes" when any admission policy is asked for. */}}
{{- define "layercache.hasAdmissionPolicies" -}}
{{- $policies := .Values.admissionPolicies -}}
{{- if or $policies.protectState $policies.imagePrefix $policies.forbidPodOverrides $policies.maxDisagreement $policies.protectCrds -}}yes{{- end -}}
{{- end -}}

{{/* What values cannot mean together, each with the way out. */}}
{{- define "layercache.validate" -}}
{{- if and .Values.metrics.podMonitor.enabled .Values.metrics.serviceMonitor.enabled -}}
{{- fail "metrics.podMonitor.enabled and metrics.serviceMonitor.enabled would scrape the operator twice: leave one of them on. Model pods have a PodMonitor with either." -}}
{{- end -}}
{{- if include "layercache.hasAdmissionPolicies" . -}}
{{- if eq .Values.rbac.scope "Namespaced" -}}
{{- fail "admissionPolicies are cluster-wide objects and rbac.scope is Namespaced: set rbac.scope=Cluster, or leave all admissionPolicies off." -}}
{{- end -}}
{{- if semverCompare "<1.30.0-0" .Capabilities.KubeVersion.Version -}}
{{- fail (printf "admissionPolicies need Kubernetes 1.30 and this is %s: leave them off." .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- end -}}
{{- if and (gt (int .Values.operator.replicas) 0) (lt (int .Values.operator.replicas) (int .Values.operator.shards)) -}}
{{- fail (printf "operator.shards is %d and operator.replicas %d, so some namespaces would have no leader: set replicas to the number of shards, or one more that stands by." (int .Values.operator.shards) (int .Values.operator.replicas)) -}}
{{- end -}}
{{- if and (gt (int .Values.operator.replicas) 1) .Values.operator.pdb.enabled (ge (int .Values.operator.pdb.minAvailable) (int .Values.operator.replicas)) -}}
{{- fail (printf "operator.pdb.minAvailable is %d of %d replicas, so no node could ever be drained: set it below operator.replicas." (int .Values.operator.pdb.minAvailable) (int .Values.operator.replicas)) -}}
{{- end -}}
{{- end -}}
