import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../manifest/index.ts';
import { build, KustomizeError, type BuildOptions, type KustomizeErrorCode, type RemoteLoader, type RepoUrl } from './index.ts';
import { parseRepoUrl } from './remote.ts';

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';

function names(files: Record<string, string>, path: string, options?: BuildOptions): string[] {
  return build(memoryTree(files), path, options).objects.map(({ metadata }) => metadata.name);
}

function codeOf(files: Record<string, string>, path: string, options?: BuildOptions): KustomizeErrorCode | 'none' {
  try {
    build(memoryTree(files), path, options);
  } catch (error) {
    if (error instanceof KustomizeError) return error.code;
    throw error;
  }
  return 'none';
}

describe('load restrictions', () => {
  const files = { 'app/kustomization.yaml': 'resources: [../a.yaml]\n', 'a.yaml': MAP };

  it('keep files in or below the folder, unless lifted', () => {
    assert.equal(codeOf(files, 'app'), 'PathDenied');
    assert.deepEqual(names(files, 'app', { loadRestrictions: 'none' }), ['a']);
  });

  it('hold for patches, generators and configurations too', () => {
    const others = ['patches: [{path: ../a.yaml}]', 'configMapGenerator: [{name: x, files: [../a.yaml]}]', 'configurations: [../a.yaml]'];
    for (const field of others) assert.equal(codeOf({ ...files, 'app/kustomization.yaml': `${field}\n` }, 'app'), 'PathDenied', field);
  });

  it('follow links before they judge', () => {
    const linked = { 'app/kustomization.yaml': 'resources: [link.yaml]\n', 'app/link.yaml': MAP };
    const realPath = (path: string): string => (path === 'app/link.yaml' ? 'elsewhere/a.yaml' : path);
    assert.deepEqual(names(linked, 'app'), ['a']);
    assert.equal(codeOf(linked, 'app', { realPath }), 'PathDenied');
  });

  it('let nothing leave the tree, however the path is written', () => {
    for (const path of ['../../x.yaml', 'b/../../../x.yaml', '../../etc/passwd', '/../x.yaml', '../..']) {
      const escaping = { ...files, 'app/kustomization.yaml': `resources: [${path}]\n` };
      assert.equal(codeOf(escaping, 'app', { loadRestrictions: 'none' }), 'PathDenied', path);
    }
    assert.equal(codeOf(files, '../x'), 'PathDenied');
  });

  it('take an absolute path of a file as one of the tree, and of a folder not at all', () => {
    assert.deepEqual(names({ 'app/kustomization.yaml': 'resources: [/app/a.yaml]\n', 'app/a.yaml': MAP }, 'app'), ['a']);
    const absolute = {
      'app/kustomization.yaml': 'resources: [/base]\n',
      'base/kustomization.yaml': 'resources: [a.yaml]\n',
      'base/a.yaml': MAP,
    };
    assert.equal(codeOf(absolute, 'app'), 'PathDenied');
  });
});

describe('bases', () => {
  it('may not include themselves or what includes them', () => {
    assert.equal(codeOf({ 'kustomization.yaml': 'resources: [.]\n' }, ''), 'BaseCycle');
    assert.equal(
      codeOf({ 'a/kustomization.yaml': 'resources: [../b]\n', 'b/kustomization.yaml': 'resources: [../a]\n' }, 'a'),
      'BaseCycle',
    );
    assert.equal(codeOf({ 'a/kustomization.yaml': 'resources: [b]\n', 'a/b/kustomization.yaml': 'resources: [..]\n' }, 'a'), 'BaseCycle');
    assert.equal(
      codeOf({ 'a/kustomization.yaml': 'components: [../b]\n', 'b/kustomization.yaml': 'kind: Component\nresources: [../a]\n' }, 'a'),
      'BaseCycle',
    );
  });

  it('may be missing a kustomization, which is an error of its own', () => {
    assert.equal(codeOf({ 'kustomization.yaml': 'resources: [base]\n', 'base/a.yaml': MAP }, ''), 'KustomizationMissing');
    assert.equal(codeOf({ 'kustomization.yaml': 'resources: [none]\n' }, ''), 'FileMissing');
    assert.equal(codeOf({ 'kustomization.yaml': '', kustomization: '' }, ''), 'KustomizationInvalid');
    assert.equal(codeOf({ 'kustomization.yaml': 'resources: []\n', 'kustomization.yml': '' }, ''), 'KustomizationInvalid');
  });
});

describe('remote bases and files', () => {
  const files = { 'kustomization.yaml': 'resources:\n- https://github.com/org/repo//deploy?ref=v1\n- https://example.com/one.yaml\n' };
  const asked: (RepoUrl | string)[] = [];
  const remote: RemoteLoader = {
    repository: (url) => {
      asked.push(url);
      return { tree: memoryTree({ 'deploy/kustomization.yaml': 'resources: [a.yaml]\n', 'deploy/a.yaml': MAP }), path: url.path };
    },
    file: (url) => {
      asked.push(url);
      return url.endsWith('.yaml') ? new TextEncoder().encode(MAP.replace('name: a', 'name: one')) : undefined;
    },
  };

  it('are refused without a loader', () => {
    assert.equal(codeOf(files, ''), 'RemoteDenied');
    assert.equal(codeOf({ 'kustomization.yaml': 'resources: ["git@github.com:org/repo.git"]\n' }, ''), 'RemoteDenied');
    assert.equal(codeOf({ 'kustomization.yaml': 'patches: [{path: "https://example.com/p.yaml"}]\n' }, ''), 'RemoteDenied');
  });

  it('come from the loader, and are not among the files read', () => {
    const built = build(memoryTree(files), '', { remote });
    assert.deepEqual(
      built.objects.map(({ metadata }) => metadata.name),
      ['a', 'one'],
    );
    assert.deepEqual([...built.reads], ['kustomization.yaml']);
    assert.deepEqual(
      asked.filter((url) => typeof url !== 'string').map(({ clone, path, ref }) => ({ clone, path, ref })),
      [{ clone: 'https://github.com/org/repo', path: 'deploy', ref: 'v1' }],
    );
  });

  it('may not read outside of their repository', () => {
    const escaping: RemoteLoader = {
      ...remote,
      repository: () => ({ tree: memoryTree({ 'kustomization.yaml': 'resources: [../../a.yaml]\n' }), path: '' }),
    };
    assert.equal(
      codeOf({ 'kustomization.yaml': 'resources: ["git@host.xz:org/repo.git"]\n', 'a.yaml': MAP }, '', { remote: escaping }),
      'PathDenied',
    );
  });
});

describe('parseRepoUrl', () => {
  const parsed = (raw: string): string | undefined => {
    const url = parseRepoUrl(raw);
    return url === undefined ? undefined : [url.clone, url.path, url.ref].join(' | ');
  };

  it('reads the forms kustomize knows', () => {
    assert.equal(parsed('https://github.com/org/repo/path/in?ref=main'), 'https://github.com/org/repo | path/in | main');
    assert.equal(parsed('github.com/org/repo'), 'https://github.com/org/repo |  | ');
    assert.equal(parsed('git@github.com:org/repo.git/path'), 'git@github.com:org/repo.git | path | ');
    assert.equal(parsed('ssh://git@host.xz:22/org/repo//path?version=v2'), 'ssh://git@host.xz:22/org/repo | path | v2');
    assert.equal(parsed('https://host.xz/deep/down/repo.git/path'), 'https://host.xz/deep/down/repo.git | path | ');
  });

  it('takes local paths for what they are', () => {
    for (const path of ['base', '../base', './github.com', '/org/repo', 'a/b/c', 'c:\\x']) assert.equal(parsed(path), undefined, path);
  });
});
