{{- define "concerto.name" -}}
{{- .Release.Name }}{{ if not (contains "concerto" .Release.Name) }}-concerto{{ end }}
{{- end }}

{{- define "concerto.selector" -}}
app.kubernetes.io/name: concerto
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "concerto.labels" -}}
{{ include "concerto.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The environment of a coordinator: the store's keys, then the others. */}}
{{- define "concerto.env" -}}
- name: STORE_DRIVER
  value: {{ .Values.store.driver }}
{{- if ne .Values.store.driver "leveldb" }}
- name: STORE_HOST
  value: {{ required "store.host is needed for a store on a server" .Values.store.host | quote }}
- name: STORE_PORT
  {{- $ports := dict "postgres" 5432 "mysql" 3306 "redis" 6379 }}
  value: {{ .Values.store.port | default (get $ports .Values.store.driver) | quote }}
- name: STORE_USER
  value: {{ .Values.store.user | quote }}
{{- if ne .Values.store.driver "redis" }}
- name: STORE_DB
  value: {{ .Values.store.db | quote }}
{{- end }}
{{- with .Values.store.existingSecret }}
- name: STORE_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.store.secretKey }}
{{- end }}
{{- end }}
- name: SHUTDOWN_DELAY
  value: {{ .Values.shutdown.delay | quote }}
- name: SHUTDOWN_GRACE
  value: {{ .Values.shutdown.grace | quote }}
{{- with .Values.registry.target }}
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: MICRO_SERVICE_DRIVER
  value: dtm-driver-gozero
- name: MICRO_SERVICE_TARGET
  value: {{ . | quote }}
- name: MICRO_SERVICE_END_POINT
  value: $(POD_IP):36790
{{- end }}
{{- range $key, $value := .Values.config }}
- name: {{ $key }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* The pods, the same in both kinds of workload. */}}
{{- define "concerto.pod" -}}
metadata:
  labels:
    {{- include "concerto.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/port: "36789"
    prometheus.io/path: /api/metrics
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .Values.serviceAccount }}
  serviceAccountName: {{ . }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  # The two times of a stop, and some seconds to close the store.
  terminationGracePeriodSeconds: {{ add .Values.shutdown.delay .Values.shutdown.grace 5 }}
  containers:
    - name: concertod
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      env:
        {{- include "concerto.env" . | nindent 8 }}
      {{- with .Values.envFrom }}
      envFrom: {{ toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - {name: http, containerPort: 36789}
        - {name: grpc, containerPort: 36790}
      # A large store is read before the ports are open.
      startupProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 2
        failureThreshold: 150
      livenessProbe:
        httpGet: {path: /livez, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 2
        timeoutSeconds: 3
        failureThreshold: 2
      resources: {{ toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: data, mountPath: /var/lib/concerto}
  {{- if ne .Values.store.driver "leveldb" }}
  volumes:
    - name: data
      emptyDir: {}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
