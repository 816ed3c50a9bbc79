import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { archiveTree } from '../artifact/index.ts';
import { diffTrees } from './artifact-diff.ts';
import { filterTags } from './artifact-filter.ts';
import { artifactCommands } from './artifact.ts';
import { environmentProxy } from './artifact-registry.ts';

const source = ['--source=https://git.test/app', '--revision=main@sha1:abc'];

async function run(args: readonly string[]): Promise<void> {
  const program = new Command('sluice')
    .option('--timeout <duration>', '', '5s')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  artifactCommands(program);
  for (const command of program.commands)
    for (const child of command.commands) child.exitOverride().configureOutput({ writeErr: () => undefined });
  await program.parseAsync([...args], { from: 'user' });
}

describe('artifact commands', () => {
  const wrong: [string, readonly string[], RegExp][] = [
    ['no URL', ['push', 'artifact'], /artifact URL is required/],
    ['no source', ['push', 'artifact', 'oci://x.test/a/b:v1', '-f', '.'], /--source is required/],
    ['no path', ['push', 'artifact', 'oci://x.test/a/b:v1', ...source], /invalid path ""/],
    [
      'a path that is not there',
      ['push', 'artifact', 'oci://x.test/a/b:v1', ...source, '-f', '/nope'],
      /invalid path '\/nope', must point to an existing directory or file/,
    ],
    ['no oci://', ['push', 'artifact', 'x.test/a/b:v1', ...source, '-f', '.'], /URL must be in format 'oci:\/\/<domain>\/<org>\/<repo>'/],
    [
      'a bad annotation',
      ['push', 'artifact', 'oci://x.test/a/b:v1', ...source, '-f', '.', '-a', 'x'],
      /invalid annotation x, must be in the format key=value/,
    ],
    ['no output', ['pull', 'artifact', 'oci://x.test/a/b:v1'], /output path cannot be empty/],
    ['an output that is no folder', ['pull', 'artifact', 'oci://x.test/a/b:v1', '-o', '/nope'], /invalid output path "\/nope"/],
    ['no tag', ['tag', 'artifact', 'oci://x.test/a/b:v1'], /--tag is required/],
    [
      'a provider whose registry it is not',
      ['list', 'artifacts', 'oci://x.test/a/b', '--provider', 'aws'],
      /could not login to provider aws: "x.test" is none of its registries/,
    ],
    ['an unknown provider', ['list', 'artifacts', 'oci://x.test/a/b', '--provider', 'ibm'], /ibm/],
  ];
  for (const [name, args, text] of wrong) {
    it(`refuses ${name}`, () => assert.rejects(run(args), text));
  }

  it('finds the files that differ, permissions included', () => {
    const before = archiveTree({ a: '1', b: '2', c: '3' });
    const after = archiveTree({ a: '1', b: 'x', d: '4' });
    assert.deepEqual(diffTrees(before, after), [
      { path: 'b', kind: 'changed' },
      { path: 'c', kind: 'removed' },
      { path: 'd', kind: 'added' },
    ]);
    assert.deepEqual(diffTrees(archiveTree({ a: '1' }), archiveTree({ a: '1' }, 0o755)), [{ path: 'a', kind: 'mode' }]);
  });

  it('filters tags by version and pattern (A09)', () => {
    const tags = ['v1.10.0', 'v1.9.0', '1.2.3-rc.1', '2.0.0', 'latest', '1.0', '01.2.3'];
    assert.deepEqual(filterTags(tags, { semver: '1.x' }), ['v1.10.0', 'v1.9.0', '01.2.3']);
    assert.deepEqual(filterTags(tags, { semver: '>=1.0.0-0', regex: 'rc|^v' }), ['v1.10.0', 'v1.9.0', '1.2.3-rc.1']);
    assert.deepEqual(filterTags(tags, { regex: '^[a-z]+$' }), ['latest']);
    assert.throws(() => filterTags(tags, { regex: '(' }), /regex '\(' parse error: error parsing regexp/);
    assert.throws(() => filterTags(tags, { semver: 'x y z' }), /semver 'x y z' parse error/);
  });

  it('takes proxy settings from the environment', () => {
    assert.deepEqual(environmentProxy({ HTTPS_PROXY: 'http://a', https_proxy: 'http://b', NO_PROXY: 'c', http_proxy: '' }), {
      httpsProxy: 'http://b',
      noProxy: 'c',
    });
    assert.deepEqual(environmentProxy({}), {});
  });
});
