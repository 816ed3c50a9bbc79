// Charts that do what few charts do, each of which Helm installs. A release of one can be broken by `fate: unready`.
import { randomBytes } from 'node:crypto';

export type OddChart = {
  /** Its files below the chart's folder. */
  files: Readonly<Record<string, string>>;
  /** Values of the second revision; the first has none. */
  second?: Record<string, unknown>;
  /** What the third, which fails, has besides `fate: unready`. */
  bad?: Record<string, unknown>;
  /** Nothing of it ever gets ready here: nobody waits for it. */
  unwaited?: boolean;
  /** What helm is told besides: for lists it asks for the old OpenAPI document, which not every server has. */
  flags?: readonly string[];
  /** Objects that are there before it, without a namespace. */
  before?: readonly { apiVersion: string; kind: string; metadata: { name: string }; [field: string]: unknown }[];
};

const NAME = '{{ .Release.Name }}';
const MESSAGE = '{{ .Values.message | quote }}';

/** Waits for ever, in a revision that is to fail. */
const BROKEN = `{{ if .Values.fate }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: "${NAME}-broken"}
spec:
  selector: {matchLabels: {app: "${NAME}-broken"}}
  template:
    metadata: {labels: {app: "${NAME}-broken"}, annotations: {control-plane.test/fate: {{ .Values.fate }}}}
    spec: {containers: [{name: main, image: main}]}
{{ end }}
`;

function odd(templates: Readonly<Record<string, string>>, rest: Readonly<Record<string, string>> = {}, more = ''): Record<string, string> {
  return {
    'Chart.yaml': `apiVersion: v2\nname: odd\nversion: 1.0.0\nappVersion: "9"\n${more}`,
    'values.yaml': 'message: one\nfate: ""\n',
    'templates/broken.yaml': BROKEN,
    ...Object.fromEntries(Object.entries(templates).map(([path, text]) => [`templates/${path}`, text])),
    ...rest,
  };
}

const configMap = (data: string, name = NAME, metadata = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "${name}"\n${metadata}data:\n${data}\n`;

function hook(name: string, events: string, weight: number, more: Readonly<Record<string, string>> = {}, image = 'ok'): string {
  const annotations = { 'helm.sh/hook': events, 'helm.sh/hook-weight': String(weight), ...more };
  return `apiVersion: batch/v1
kind: Job
metadata: {name: "${NAME}-${name}", annotations: ${JSON.stringify(annotations)}}
spec:
  backoffLimit: 0
  template: {spec: {restartPolicy: Never, containers: [{name: main, image: "${image}"}]}}
`;
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: "${NAME}"}
spec:
  replicas: {{ .Values.replicas | default 1 }}
  selector: {matchLabels: {app: "${NAME}"}}
  template:
    metadata: {labels: {app: "${NAME}"}}
    spec:
      containers:
        - name: main
          image: "app:{{ .Values.tag | default 1 }}"
          env: [{name: B, value: b}, {name: A, value: ${MESSAGE}}]
          args: ["--x", "{{ .Values.message }}"]
`;

const statefulSet = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: "${NAME}"}
spec:
  serviceName: x
  replicas: 0
  selector: {matchLabels: {app: "${NAME}"}}
  template:
    metadata: {labels: {app: "${NAME}"}}
    spec: {containers: [{name: a, image: "b:{{ .Values.tag | default 1 }}", volumeMounts: [{name: d, mountPath: /d}]}]}
  volumeClaimTemplates:
    - metadata: {name: d}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: {{ .Values.size | default "1Gi" }}}}}
`;

const others = `apiVersion: batch/v1
kind: CronJob
metadata: {name: "${NAME}"}
spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: "${NAME}"}
spec:
  selector: {matchLabels: {ds: a}}
  template: {metadata: {labels: {ds: a}}, spec: {nodeSelector: {such: node}, containers: [{name: a, image: b}]}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: "${NAME}"}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: "${NAME}"}
spec: {rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: x, port: {number: 80}}}}]}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: "${NAME}"}
spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}
`;

const roles = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: "with.dots:and-colons:${NAME}"}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: "with.dots:${NAME}"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: "with.dots:and-colons:${NAME}"}
subjects: [{kind: ServiceAccount, name: default, namespace: "{{ .Release.Namespace }}"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "odd-{{ .Release.Namespace }}"}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, "{{ .Values.message }}"]}]
`;

const list = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: "${NAME}-a"}, data: {m: ${MESSAGE}}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: "${NAME}-b"}, data: {m: x}}
---
apiVersion: v1
kind: ConfigMapList
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: "${NAME}-c"}, data: {m: z}}
`;

const lookups = `{{- $old := lookup "v1" "ConfigMap" .Release.Namespace "odd-lookups-before" }}
{{- $service := lookup "v1" "Service" .Release.Namespace "odd-lookups-before" }}
{{- $port := (index $service.spec.ports 0).port }}
${configMap(`  m: ${MESSAGE}
  password: {{ $old.data.password | quote }}
  port: "{{ $port }} {{ kindOf $port }} {{ eq $port 8080 }} {{ add $port 1 }}"
  none: {{ lookup "v1" "ConfigMap" .Release.Namespace "nothing" | toJson | quote }}
  list: {{ (lookup "v1" "ConfigMap" .Release.Namespace "").kind | quote }}
  cluster: {{ (lookup "v1" "Namespace" "" "default").metadata.name | quote }}
  unknown: {{ lookup "apps/v1" "Nothing" "" "x" | toJson | quote }}
  self: {{ (lookup "v1" "ConfigMap" .Release.Namespace .Release.Name).data | default dict | keys | len | quote }}`)}`;

/** 600 KiB that do not get smaller. */
const blob = randomBytes(300 * 1024).toString('base64');

export const oddCharts: Readonly<Record<string, OddChart>> = {
  hooks: {
    files: odd({
      'a.yaml': configMap(`  m: ${MESSAGE}`),
      'hooks.yaml': [
        hook('pre', 'pre-install,pre-upgrade,pre-rollback', -5),
        configMap(
          '  x: text',
          `${NAME}-hook`,
          '  annotations: {"helm.sh/hook": "pre-install, pre-upgrade", "helm.sh/hook-weight": "-10", "helm.sh/hook-delete-policy": before-hook-creation}\n',
        ),
        hook('post', 'post-install,post-upgrade,post-rollback', 5, { 'helm.sh/hook-delete-policy': 'hook-succeeded,hook-failed' }),
        hook('gone', 'pre-delete,post-delete', 0, { 'helm.sh/hook-delete-policy': 'hook-succeeded' }),
        hook('both', 'pre-install,post-install,pre-upgrade,post-upgrade', 1),
        hook('test', 'test', 0),
      ].join('---\n'),
      'strange.yaml': [
        configMap('  x: text', `${NAME}-crd`, '  annotations: {"helm.sh/hook": crd-install}\n'),
        configMap('  x: text', `${NAME}-unknown`, '  annotations: {"helm.sh/hook": nonsense}\n'),
        configMap('  x: text', `${NAME}-empty`, '  annotations: {"helm.sh/hook": ""}\n'),
        configMap('  x: text', `${NAME}-weight`, '  annotations: {"helm.sh/hook": pre-install, "helm.sh/hook-weight": abc}\n'),
      ].join('---\n'),
    }),
  },
  'hook-fails': {
    files: odd({
      'a.yaml': configMap(`  m: ${MESSAGE}`),
      'hook.yaml': hook('pre', 'pre-upgrade', 0, {}, '{{ .Values.image | default "ok" }}'),
    }),
    bad: { image: 'control-plane.test/fail:1' },
  },
  keep: {
    files: odd({
      'a.yaml': configMap(`  m: ${MESSAGE}`),
      'keep.yaml': `{{ if ne .Values.message "two" }}${configMap('  x: text', `${NAME}-keep`, '  annotations: {helm.sh/resource-policy: keep}\n')}{{ end }}`,
    }),
  },
  lookups: {
    files: odd({ 'a.yaml': lookups }),
    before: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'odd-lookups-before' }, data: { password: 'sesame' } },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'odd-lookups-before' }, spec: { ports: [{ port: 8080 }] } },
    ],
  },
  subcharts: {
    files: odd(
      {
        'a.yaml': configMap(`  m: ${MESSAGE}
  imported: {{ .Values.imported | toJson | quote }}
  exported: {{ .Values.exported | default "none" | quote }}`),
        'NOTES.txt': 'main notes {{ .Values.message }}',
      },
      {
        'values.yaml':
          'message: one\nfate: ""\nglobal: {region: eu}\none: {enabled: true, x: parent}\ntwo: {enabled: false}\nal: {x: aliased}\ntags: {front: true}\n',
        'charts/one/Chart.yaml': 'apiVersion: v2\nname: one\nversion: 0.1.0\n',
        'charts/one/values.yaml': 'x: own\ndata: {imp: yes-imported}\nexports: {things: {exported: out}}\n',
        'charts/one/templates/a.yaml': configMap(
          '  x: {{ .Values.x | quote }}\n  g: {{ .Values.global.region | quote }}',
          `${NAME}-{{ .Chart.Name }}`,
        ),
        'charts/one/templates/NOTES.txt': 'notes of a subchart',
        'charts/two/Chart.yaml': 'apiVersion: v2\nname: two\nversion: 0.1.0\n',
        'charts/two/templates/a.yaml': configMap('  x: text', `${NAME}-two`),
        'charts/three/Chart.yaml': 'apiVersion: v2\nname: three\nversion: 0.1.0\n',
        'charts/three/templates/a.yaml': configMap('  x: text', `${NAME}-three`),
      },
      `dependencies:
  - {name: one, version: 0.1.0, condition: one.enabled, import-values: [{child: data, parent: imported}, things]}
  - {name: one, version: 0.1.0, alias: al}
  - {name: two, version: 0.1.0, condition: two.enabled}
  - {name: three, version: 0.1.0, tags: [front]}
`,
    ),
    second: { two: { enabled: true }, tags: { front: false }, one: { enabled: false } },
  },
  library: {
    files: odd(
      { 'a.yaml': '{{ include "common.config" (dict "ctx" . "text" .Values.message) }}' },
      {
        'charts/common/Chart.yaml': 'apiVersion: v2\nname: common\ntype: library\nversion: 0.1.0\n',
        'charts/common/templates/_config.tpl': `{{- define "common.config" -}}
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .ctx.Release.Name }}", labels: {revision: "{{ .ctx.Release.Revision }}", chart: {{ .ctx.Chart.Name }}}}
data: {m: {{ .text | quote }}}
{{- end -}}
`,
        'charts/common/templates/never.yaml': configMap('  never: rendered', `${NAME}-never`),
      },
      'dependencies: [{name: common, version: 0.1.0}]\n',
    ),
  },
  workloads: {
    files: odd({ 'a.yaml': deployment, 'b.yaml': statefulSet, 'c.yaml': others }),
    second: { tag: 2, replicas: 3 },
    bad: { size: '2Gi' },
    unwaited: true,
  },
  immutable: {
    files: odd({
      'job.yaml': `apiVersion: batch/v1
kind: Job
metadata: {name: "${NAME}"}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "b:{{ .Values.tag | default 1 }}"}]}}}
`,
      'a.yaml': configMap(`  m: ${MESSAGE}`),
    }),
    bad: { tag: 2 },
  },
  services: {
    files: odd(
      {
        'a.yaml': `apiVersion: v1
kind: Service
metadata: {name: "${NAME}"}
spec:
  {{- if .Values.fate }}
  clusterIP: None
  {{- end }}
  selector: {a: b}
  ports:
  {{- range .Values.ports }}
  - {name: p{{ . }}, port: {{ . | int }}}
  {{- end }}
`,
      },
      { 'values.yaml': 'message: one\nfate: ""\nports: [80, 443]\n' },
    ),
    second: { ports: [443, 8080] },
  },
  many: {
    files: odd({
      'a.yaml': `{{ range $i := until 300 }}---\n${configMap('  m: {{ $.Values.message | quote }}', '{{ $.Release.Name }}-{{ $i }}')}{{ end }}`,
    }),
  },
  big: { files: odd({ 'a.yaml': configMap(`  m: ${MESSAGE}`) }, { 'files/blob.txt': blob }) },
  'dotted.name': {
    files: odd({ 'a.yaml': configMap(`  m: ${MESSAGE}`, `a.b.${NAME}`), 'roles.yaml': roles }),
    second: { message: 'list' },
  },
  notes: {
    files: odd({
      'a.yaml': configMap(`  m: ${MESSAGE}`),
      'NOTES.txt': '\n  hello {{ .Values.message }}{{ if .Values.fate }}{{ fail "notes broke" }}{{ end }}\n\n',
    }),
  },
  unreadable: { files: odd({ 'a.yaml': configMap(`  m: ${MESSAGE}`), 'b.yaml': '{{ if .Values.fate }}\na: [\n  - b: c: d\n{{ end }}' }) },
  schema: {
    files: odd(
      { 'a.yaml': configMap(`  m: ${MESSAGE}`) },
      { 'values.schema.json': '{"properties": {"fate": {"type": "string", "maxLength": 3}}}' },
    ),
  },
  lists: { files: odd({ 'a.yaml': list }), flags: ['--disable-openapi-validation'] },
  elsewhere: {
    files: odd({ 'a.yaml': configMap(`  m: ${MESSAGE}`, `${NAME}-elsewhere`, '  namespace: "{{ .Release.Namespace }}-elsewhere"\n') }),
  },
  lines: {
    files: odd({
      'a.yaml': configMap(`  m: ${MESSAGE}\n  multi: |\n    a\n    b`).replaceAll('\n', '\r\n'),
      'b.yaml': `\uFEFF${configMap('  bom: x', `${NAME}-bom`)}`,
      'c.yaml': '# only a comment\n---\n---\n',
      'd.yaml': '',
      'e.yaml': '{{ if false }}x{{ end }}\n',
    }),
  },
  numbers: {
    files: odd(
      {
        'a.yaml': configMap(`  all: {{ omit .Values "fate" | toJson | quote }}
  yaml: {{ omit .Values "fate" | toYaml | quote }}
  big: "{{ .Values.big }} {{ .Values.big | int64 }} {{ .Values.huge }} {{ .Values.oct }} {{ .Values.f }} {{ .Values.exp }}"`),
      },
      {
        'values.yaml':
          'message: one\nfate: ""\nbig: 12345678\nhuge: 12345678901234567890\noct: 0755\nf: 1.10\nexp: 1e3\nhex: 0xff\ndate: 2020-01-02\nsexa: 1:30\nstr: "0123"\nyes: yes\n',
      },
    ),
    second: { big: 1_000_000, f: 2.5, neg: -1_000_000, small: 3 },
  },
  nulls: {
    files: odd({
      'a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "${NAME}"\n  labels:\n  annotations: null\ndata:\n  a: ${MESSAGE}\n  c: null\n`,
      'b.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "${NAME}-b"}\ndata: \n`,
    }),
  },
  files: {
    files: odd(
      {
        'a.yaml': configMap(`{{ (.Files.Glob "conf/*").AsConfig | indent 2 }}
  tpl: {{ tpl "{{ .Release.Name }}-{{ .Values.message }}" . | quote }}
  lines: {{ .Files.Lines "conf/b.yaml" | toJson | quote }}
  missing: {{ .Files.Get "none" | quote }}
  has: "{{ .Capabilities.APIVersions.Has "apps/v1/Deployment" }} {{ .Capabilities.APIVersions.Has "apps/v1beta1" }}"
  release: "{{ .Release.Service }} {{ .Release.Revision }} {{ .Release.IsUpgrade }} {{ .Release.IsInstall }}"
  chart: {{ .Chart | toJson | quote }}`),
      },
      { 'conf/a.txt': 'aaa', 'conf/b.yaml': 'k: v\n' },
    ),
  },
  secrets: {
    files: odd({ 'a.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: "${NAME}"}\nstringData: {a: ${MESSAGE}}\ndata: {b: eA==}\n` }),
  },
  'kind-changes': {
    files: odd({ 'a.yaml': `{{ if eq .Values.message "one" }}${deployment}{{ else }}${configMap(`  m: ${MESSAGE}`)}{{ end }}` }),
  },
};
