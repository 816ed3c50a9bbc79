// Speed of kustomize builds: `node tools/node24.mjs test/bench/kustomize.ts [--json] [--go PATH-TO-KUSTOMIZE] [--corpus FOLDER]`.
// With --go, the same inputs are built by that program in the same run, and the ratio is printed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { directoryTree } from '../../src/cli/directory-tree.ts';
import { build } from '../../src/kustomize/index.ts';
import { memoryTree } from '../../src/manifest/index.ts';

type Measure = { name: string; ms: number; goMs?: number; ratio?: number };

const FULL = `namespace: prod
labels:
- pairs: { team: a }
  includeSelectors: true
images:
- name: registry.example/app
  newTag: v2
namePrefix: p-
`;

/** `count` resources: Deployments that refer to ConfigMaps and Secrets, and those. */
function resources(count: number): string {
  const out: string[] = [];
  for (let i = 0; out.length < count; i++) {
    out.push(deployment(i), `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-${i}\ndata:\n  key: "${i}"\n`);
    out.push(`apiVersion: v1\nkind: Secret\nmetadata:\n  name: secret-${i}\nstringData:\n  key: "${i}"\n`);
    out.push(`apiVersion: v1\nkind: Service\nmetadata:\n  name: app-${i}\nspec:\n  selector:\n    app: app-${i}\n  ports:\n  - port: 80\n`);
  }
  return out.slice(0, count).join('---\n');
}

function deployment(i: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${i}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: app-${i}
  template:
    metadata:
      labels:
        app: app-${i}
    spec:
      containers:
      - name: app
        image: registry.example/app:v1
        ports:
        - containerPort: 8080
        env:
        - name: KEY
          valueFrom:
            configMapKeyRef:
              name: config-${i}
              key: key
        envFrom:
        - secretRef:
            name: secret-${i}
      volumes:
      - name: config
        configMap:
          name: config-${i}
`;
}

function files(count: number, full: boolean): Record<string, string> {
  return { 'kustomization.yaml': `resources:\n- all.yaml\n${full ? FULL : ''}`, 'all.yaml': resources(count) };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Milliseconds of one build with its text, the median of some runs. */
function measure(input: Record<string, string>, runs: number): number {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const tree = memoryTree(input);
    const start = performance.now();
    build(tree, '').text();
    times.push(performance.now() - start);
  }
  return median(times);
}

/** Milliseconds the Go program takes for the same files, process start included. */
function measureGo(program: string, input: Record<string, string>): number {
  const folder = mkdtempSync(join(tmpdir(), 'bench-kustomize-'));
  try {
    for (const [path, content] of Object.entries(input)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const start = performance.now();
    const { status } = spawnSync(program, ['build', folder], { stdio: 'ignore' });
    if (status !== 0) throw new Error(`${program} build failed`);
    return performance.now() - start;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function synthetic(go: string | undefined): Measure[] {
  const cases: [string, Record<string, string>, boolean][] = [
    ['1,000 resources, plain', files(1000, false), true],
    ...[500, 1000, 2000, 4000, 8000].map((count): [string, Record<string, string>, boolean] => [
      `${count.toLocaleString('en')} resources, namespace + labels + images + prefix`,
      files(count, true),
      count <= 2000,
    ]),
  ];
  measure(files(200, true), 5);
  return cases.map(([name, input, withGo]) => {
    const ms = measure(input, 5);
    if (go === undefined || !withGo) return { name, ms };
    const goMs = measureGo(go, input);
    return { name, ms, goMs, ratio: goMs / ms };
  });
}

/** Real overlays, warm: each is built three times and the last run counts. */
function real(corpus: string): Measure[] {
  const dirs = readFileSync(join(corpus, 'cases.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { dir: string }).dir);
  const tree = directoryTree(join(corpus, 'src'));
  const times: number[] = [];
  for (const round of [0, 1, 2]) {
    for (const dir of dirs) {
      const start = performance.now();
      build(tree, dir).text();
      if (round === 2) times.push(performance.now() - start);
    }
  }
  const total = times.reduce((sum, time) => sum + time, 0);
  const p95 = [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? 0;
  return [
    { name: `${times.length} real overlays, warm, p50`, ms: median(times) },
    { name: `${times.length} real overlays, warm, p95`, ms: p95 },
    { name: `${times.length} real overlays, warm, total`, ms: total },
  ];
}

const corpus = option('--corpus') ?? '../shared/corpus/kustomize';
const measures = [...synthetic(option('--go')), ...(existsSync(corpus) ? real(corpus) : [])];
if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify(measures, undefined, 2)}\n`);
} else {
  for (const { name, ms, goMs, ratio } of measures) {
    const compared = goMs === undefined ? '' : `   kustomize ${goMs.toFixed(0)} ms, ${(ratio ?? 0).toFixed(0)}×`;
    process.stdout.write(`${ms.toFixed(2).padStart(10)} ms  ${name}${compared}\n`);
  }
}
