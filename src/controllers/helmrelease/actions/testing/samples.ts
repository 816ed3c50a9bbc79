import assert from 'node:assert/strict';
import type { Chart, ReleaseHook } from '../../../../helm/index.ts';
import { chartOf, type TestedRelease } from './release-world.ts';

export const CONFIG = `
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data:
  colour: {{ .Values.colour | default "blue" }}
{{- if .Values.extra }}
  extra: {{ .Values.extra | quote }}
{{- end }}
`;
export const WEB = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ .Values.replicas | default 1 }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: {{ .Values.image | default "nginx:1" }}
          env: [{name: COLOUR, value: {{ .Values.colour | default "blue" | quote }}}]
`;
export const SERVICE = `
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

export function hookJob(name: string, annotations: Record<string, string>, image = 'job:1'): string {
  const lines = Object.entries(annotations).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}`);
  return [
    'apiVersion: batch/v1',
    'kind: Job',
    'metadata:',
    `  name: ${name}`,
    '  annotations:',
    ...lines,
    'spec:',
    '  backoffLimit: 0',
    '  template:',
    '    spec:',
    '      restartPolicy: Never',
    `      containers: [{name: main, image: ${JSON.stringify(image)}}]`,
    '',
  ].join('\n');
}

export const FAIL = 'control-plane.test/fail:1';
export const HANG = 'control-plane.test/hang:1';
export const APP: Chart = chartOf({ 'templates/config.yaml': CONFIG, 'templates/web.yaml': WEB, 'templates/service.yaml': SERVICE });

export function failure(result: { kind: string; error?: Error }): string {
  assert.equal(result.kind, 'failed');
  return result.error?.message ?? '';
}

export function phases(hooks: readonly ReleaseHook[]): Record<string, string> {
  return Object.fromEntries(hooks.map(({ name, lastRun }) => [name, lastRun.phase]));
}

export function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}

/** Waits until the shared watches show what the release applied. */
export async function settled(release: TestedRelease): Promise<void> {
  const { owned } = release.world;
  const kinds = [
    ['v1', 'ConfigMap'],
    ['apps/v1', 'Deployment'],
    ['v1', 'Service'],
  ] as const;
  for (const [apiVersion, kind] of kinds) await owned.watch({ apiVersion, kind });
  for (let still = 0, last = ''; still < 5;) {
    await pause(50);
    const seen = owned
      .ownedBy(release.owner)
      .map(({ ref, resourceVersion }) => `${ref.kind}@${resourceVersion}`)
      .sort()
      .join();
    still = seen !== '' && seen === last ? still + 1 : 0;
    last = seen;
  }
}
