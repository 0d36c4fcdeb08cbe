{{/* A policy with its binding: dict "root" $ "name" text "spec" map. */}}
{{- define "layercache.admissionPolicy" }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ .name }}
  {{- include "layercache.metadata" (dict "root" .root) | nindent 2 }}
spec:
  {{- merge (dict "failurePolicy" "Fail") .spec | toYaml | nindent 2 }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  {{- include "layercache.metadata" (dict "root" .root) | nindent 2 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end }}

{{- define "layercache.onServices" -}}
resourceRules:
  - apiGroups: [layercache.io]
    apiVersions: ["*"]
    resources: [cachedmodelservices]
    operations: [CREATE, UPDATE]
{{- end -}}
