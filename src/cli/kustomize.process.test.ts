import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { corpus } from '../../test/corpus.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-cli-'));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

function sluice(folder: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

describe('sluice kustomize build', () => {
  const folder = folderOf({
    'base/kustomization.yaml': 'resources: [a.yaml]\n',
    'base/a.yaml': MAP,
    'prod/kustomization.yaml': 'resources: [../base]\ncommonLabels: {env: prod}\n',
    'far/kustomization.yaml': 'resources: [../base/a.yaml]\n',
  });

  it('prints the objects, and warnings beside them', () => {
    const { code, out, err } = sluice(folder, 'kustomize', 'build', 'prod');
    assert.equal(out, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    env: prod\n  name: a\n');
    assert.match(err, /'commonLabels' is deprecated/);
    assert.equal(code, 0);
  });

  it('writes a file', () => {
    assert.equal(sluice(join(folder, 'base'), 'kustomize', 'build', '-o', '../out.yaml').code, 0);
    assert.equal(readFileSync(join(folder, 'out.yaml'), 'utf8'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n');
  });

  it('restricts loading unless told otherwise', () => {
    const { code, err } = sluice(folder, 'kustomize', 'build', 'far');
    assert.equal(code, 1);
    assert.match(err, /security; file '.*base\/a\.yaml' is not in or below '.*far'/);
    assert.equal(sluice(folder, 'kustomize', 'build', 'far', '--load-restrictor', 'LoadRestrictionsNone').code, 0);
  });

  it('is not fooled by links', () => {
    const linked = folderOf({ 'app/kustomization.yaml': 'configMapGenerator: [{name: x, files: [link]}]\n', secret: 'hidden' });
    symlinkSync('../secret', join(linked, 'app/link'));
    const { code, out, err } = sluice(linked, 'kustomize', 'build', 'app');
    assert.deepEqual({ code, out }, { code: 1, out: '' });
    assert.match(err, /security; file/);
  });
});

describe('sluice build kustomization', () => {
  const folder = folderOf({
    'app/a.yaml': `${MAP}data: {greeting: "hello \${who}", image: "x"}\n`,
    'app/skipped/b.yaml': MAP.replace('name: a', 'name: b'),
    'ks.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  targetNamespace: prod
  namePrefix: p-
  path: ./app
  postBuild: {substitute: {who: world}}
`,
  });

  it('prints what the Kustomization would apply: overlaid, substituted, labelled', () => {
    const args = ['build', 'kustomization', 'apps', '--path', 'app', '--kustomization-file', 'ks.yaml', '--ignore-paths', 'skipped/'];
    const { code, out, err } = sluice(folder, ...args);
    assert.equal(code, 0, err);
    assert.equal(
      out,
      `apiVersion: v1
data:
  greeting: hello world
  image: x
kind: ConfigMap
metadata:
  labels:
    kustomize.toolkit.fluxcd.io/name: apps
    kustomize.toolkit.fluxcd.io/namespace: flux-system
  name: p-a
  namespace: prod
---
`,
    );
  });

  it('builds the Kustomizations inside, masks what SOPS encrypted, adds common metadata', () => {
    const nested = folderOf({
      'clusters/app.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app}
spec: {path: ./apps, sourceRef: {kind: OCIRepository, name: repo}, commonMetadata: {labels: {team: red}}}
`,
      'apps/secret.yaml': `apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: "ENC[AES256_GCM,data:x]"}
sops: {mac: "ENC[AES256_GCM,data:y]"}
`,
    });
    const args = ['build', 'ks', 'root', '--path', 'clusters', '-r', '--local-sources', 'OCIRepository/flux-system/repo=.'];
    const { code, out, err } = sluice(nested, ...args);
    assert.equal(code, 0, err);
    assert.match(out, /^apiVersion: kustomize.toolkit.fluxcd.io\/v1\n/);
    assert.match(
      out,
      /\n---\napiVersion: v1\nkind: Secret\nmetadata:\n {2}labels:\n.*name: app\n.*namespace: flux-system\n {4}team: red\n/,
    );
    assert.match(out, /\nstringData:\n {2}password: '\*\*SOPS\*\*'\n---\n$/);
    assert.doesNotMatch(out, /ENC|sops:/);
    assert.match(
      sluice(nested, ...args.slice(0, 6)).err,
      /cannot get local path for OCIRepository\/flux-system\/repo of kustomization app/,
    );
  });

  it('wants a folder that is there', () => {
    assert.match(sluice(folder, 'build', 'kustomization', 'apps').err, /invalid resource path ""/);
    assert.match(sluice(folder, 'build', 'kustomization', 'apps', '--path', 'none').err, /invalid resource path "none"/);
    const wrong = ['build', 'kustomization', 'apps', '--path', 'app', '--kustomization-file', './none/'];
    assert.match(sluice(folder, ...wrong).err, /invalid kustomization file ".\/none\/"/);
  });
});

const recorded = corpus('flux');

it('prints what `flux build kustomization` prints', { skip: recorded === undefined ? 'needs the corpus' : false }, () => {
  const from = join(recorded ?? '', 'cli/build-kustomization');
  const folder = folderOf({});
  cpSync(from, folder, { recursive: true });
  const file = join(folder, 'podinfo-kustomization.yaml');
  const filled = (name: string): string => readFileSync(join(from, name), 'utf8').replaceAll('{{ .fluxns }}', 'flux-system');
  writeFileSync(file, filled('podinfo-kustomization.yaml'));
  const cases: readonly (readonly [path: string, result: string, ...flags: string[]])[] = [
    ['podinfo', 'podinfo-result.yaml'],
    ['delete-service', 'podinfo-without-service-result.yaml', '--dry-run'],
    ['var-substitution', 'podinfo-with-var-substitution-result.yaml'],
    ['ignore', 'podinfo-with-ignore-result.yaml', '--ignore-paths', '!configmap.yaml,!secret.yaml'],
    ['podinfo-with-my-app', 'podinfo-with-my-app-result.yaml', '--recursive', '--local-sources', 'GitRepository/default/podinfo=.'],
  ];
  for (const [path, result, ...flags] of cases) {
    const { out, err } = sluice(folder, 'build', 'kustomization', 'podinfo', '--path', path, '--kustomization-file', file, ...flags);
    assert.equal(out, filled(result), `${path}: ${err}`);
  }
});
