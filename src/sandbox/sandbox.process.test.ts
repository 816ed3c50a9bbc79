import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { milliseconds } from '../std/index.ts';
import { type Sandbox, startSandbox } from './index.ts';

type Reply = { code: number; body: Record<string, unknown> };

function ask(sandbox: Sandbox, method: string, url: string, body?: string, type = 'application/json'): Reply {
  const { users } = JSON.parse(sandbox.kubeconfig) as { users: { user: { token: string } }[] };
  const answer = sandbox.api.handle({
    method,
    url,
    headers: { authorization: `Bearer ${users[0]?.user.token ?? ''}`, 'content-type': type },
    body: body === undefined ? undefined : Buffer.from(body),
  });
  assert.ok('body' in answer && 'json' in answer.body);
  return { code: answer.status, body: answer.body.json as Record<string, unknown> };
}

describe('a sandbox with a data folder', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-sandbox-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('has what was written when the process ends without a word', async () => {
    const first = await startSandbox({ data: folder, podStart: milliseconds(0) });
    const created = ask(
      first,
      'POST',
      '/api/v1/namespaces/default/configmaps',
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kept"},"data":{"a":"1"}}',
    );
    assert.equal(created.code, 201);
    // Not closed first: the log on disk is all a killed process leaves.
    const second = await startSandbox({ data: folder, podStart: milliseconds(0) });
    const read = ask(second, 'GET', '/api/v1/namespaces/default/configmaps/kept');
    assert.deepEqual(read.body, created.body);
    await second.close();
    await first.close();
  });
});

describe('a hostile client', () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await startSandbox();
  });
  after(async () => await sandbox.close());
  const path = '/api/v1/namespaces/default/configmaps';
  const deep = '['.repeat(100_000);
  for (const [name, body, type] of [
    ['broken JSON', '{', 'application/json'],
    ['deep JSON', deep, 'application/json'],
    ['deep YAML', deep, 'application/yaml'],
    ['a list', '[]', 'application/json'],
    ['null', 'null', 'application/json'],
    ['short protobuf', 'k8s\0\u00ff\u00ff', 'application/vnd.kubernetes.protobuf'],
  ] as const) {
    it(`is told what is wrong with ${name}`, () => {
      const { code } = ask(sandbox, 'POST', path, body, type);
      assert.ok(code >= 400 && code < 500, String(code));
    });
  }
});
