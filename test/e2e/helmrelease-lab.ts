// Small charts for the suites of HelmReleases.
import type { HelmReleaseStatus } from '../../src/api/index.ts';
import type { KindRef } from '../../src/kube/index.ts';
import type { KubeObject } from '../../src/manifest/index.ts';
import { until, type Lab } from './kustomization-lab.ts';

export const HR: KindRef = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease' };
export const SECRET: KindRef = { apiVersion: 'v1', kind: 'Secret' };

/** A chart of three objects whose Deployment's pods do what `values.fate` says; `extra` files go into its templates. */
export function chart(version = '1.0.0', extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    'app/Chart.yaml': `apiVersion: v2\nname: app\nversion: ${version}\nappVersion: "9"\n`,
    'app/values.yaml': 'replicas: 1\nfate: ""\nmessage: hello\n',
    'app/templates/all.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  message: {{ .Values.message | quote }}
  chart: {{ .Chart.Version | quote }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations: {control-plane.test/fate: {{ .Values.fate | quote }}}
    spec:
      containers: [{name: main, image: "app:{{ .Values.fate }}"}]
`,
    ...Object.fromEntries(Object.entries(extra).map(([name, text]) => [`app/templates/${name}`, text])),
  };
}

/** A HelmRelease of the OCIRepository of the same name. */
export function release(lab: Lab, name: string, spec: Record<string, unknown> = {}, source: string = name): Promise<KubeObject> {
  const chartRef = { kind: 'OCIRepository', name: source };
  return lab.apply({ ...HR, metadata: { name }, spec: { interval: '10m', chartRef, ...spec } });
}

/** Waits until the status of a HelmRelease satisfies a test, and gives it. */
export async function waitFor(
  lab: Lab,
  name: string,
  what: string,
  test: (status: HelmReleaseStatus) => boolean,
  timeout = 30_000,
): Promise<HelmReleaseStatus> {
  let last: HelmReleaseStatus = {};
  try {
    return await until(
      `HelmRelease ${name}: ${what}`,
      async () => {
        last = ((await lab.find(HR, name))?.['status'] ?? {}) as HelmReleaseStatus;
        return test(last) ? last : undefined;
      },
      timeout,
    );
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${JSON.stringify(last)}\n${lab.log.slice(-10).join('\n')}`, { cause: error });
  }
}

/** The status and reason of a condition, `True InstallSucceeded`. */
export function said(status: HelmReleaseStatus, type: string): string {
  const found = status.conditions?.find((it) => it.type === type);
  return found === undefined ? '' : `${found.status} ${found.reason}`;
}

/** Revisions and their status as the storage has them, `1 deployed`. */
export async function revisions(lab: Lab, name: string): Promise<string[]> {
  const { items } = await lab.kube.list(SECRET, { namespace: lab.namespace, labelSelector: `owner=helm,name=${name}` });
  return items
    .map(({ metadata }) => `${metadata.labels?.['version'] ?? ''} ${metadata.labels?.['status'] ?? ''}`)
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}
