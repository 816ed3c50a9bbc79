// The public-good root over the real TUF client and a repository on loopback that fails in every way.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { FakeClock, minutes } from '../std/index.ts';
import { publicGoodRoot, type RefreshingRoot, type TrustedRoot } from '../verify/index.ts';
import { FakeSigstore } from '../verify/testing/sigstore.ts';
import { newSigner, UpdateRepository } from '../verify/testing/update-repository.ts';
import { publicGoodSigstore } from './sigstore-root.ts';

const { signal } = new AbortController();
const [first, second] = [new FakeSigstore(new Date()), new FakeSigstore(new Date())];
const FILE = 'trusted_root.json';
/** Which of the roots it is. */
const nameOf = (root: TrustedRoot): string => {
  const id = root.material.tlogs[0]?.logID.toString('hex');
  if (root === publicGoodRoot()) return 'embedded';
  return id === first.rekor1.id.toString('hex') ? 'first' : id === second.rekor1.id.toString('hex') ? 'second' : 'another';
};

describe('the public-good root', () => {
  let folder: string;
  let repository: UpdateRepository;
  let mirrorURL: string;
  let errors: string[];
  let clock: FakeClock;
  const cache = (): string => join(folder, 'cache');
  /** A process that starts now. */
  const start = (cachePath = cache()): RefreshingRoot =>
    publicGoodSigstore(clock, (message) => errors.push(message), { cachePath, mirrorURL, rootPath: join(folder, 'root.json'), retry: 0 });
  const cached = (file: string): string => join(cache(), readdirSync(cache())[0] ?? '', file);

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-tuf-test-'));
    repository = new UpdateRepository();
    mirrorURL = await repository.listen();
    writeFileSync(join(folder, 'root.json'), repository.root());
    repository.publish(FILE, first.trustedRoot());
    [errors, clock] = [[], new FakeClock()];
  });
  afterEach(async () => {
    await repository.close();
    rmSync(folder, { recursive: true });
  });

  test('OB14: starts offline with the root of this build, and says why it is not renewed', async () => {
    await repository.close();
    const root = start();
    assert.equal(nameOf(root.current(signal)), 'embedded');
    assert.equal(nameOf(await root.refreshed(signal)), 'embedded');
    assert.match(errors.join(), /refresh trusted root "public-good": .*ECONNREFUSED.*\(cache ".*cache"\); the last one stays in use/);
  });

  test('OB14: is what the repository says after one refresh, follows keys that rotate, and survives an outage and a restart in one', async () => {
    const root = start();
    assert.equal(nameOf(await root.refreshed(signal)), 'first', errors.join());
    repository.rotate();
    repository.rotate();
    repository.publish(FILE, second.trustedRoot());
    clock.advance(minutes(24 * 60 + 1));
    assert.equal(nameOf(await root.refreshed(signal)), 'second', errors.join());
    await repository.close();
    clock.advance(minutes(24 * 60 + 1));
    assert.equal(nameOf(await root.refreshed(signal)), 'second');
    assert.equal(nameOf(await start().refreshed(signal)), 'second', 'from the cache');
    assert.deepEqual(errors, []);
  });

  /** What an attacker does, and what a process without a cache says of it. Such a one cannot see a rollback. */
  const attacks: Readonly<Record<string, [change: () => void, told?: RegExp]>> = {
    'rolled back': [() => repository.publish(FILE, second.trustedRoot(), { version: 1 })],
    'expired (frozen)': [() => repository.publish(FILE, second.trustedRoot(), { expires: '2020-01-01T00:00:00Z' }), /expired/],
    'signed by a stranger': [() => repository.publish(FILE, second.trustedRoot(), { signer: newSigner() }), /signed by 0\/1 keys/],
    'tampered with': [
      () => {
        repository.publish(FILE, second.trustedRoot());
        repository.tamper('/targets.json', (text) => text.replace('"length":', '"length":1'));
      },
      /signed by 0\/1 keys/,
    ],
    'tampered with in its target': [
      () => {
        repository.publish(FILE, first.trustedRoot());
        repository.tamper(`/targets/${FILE}`, () => second.trustedRoot().toString());
      },
      /hash|length/i,
    ],
    'under a forged root': [
      () => {
        const forger = newSigner();
        repository.rotate(forger);
        repository.publish(FILE, second.trustedRoot(), { signer: forger });
      },
      /signed by 0\/1 keys/,
    ],
    'without end': [() => repository.tamper('/timestamp.json', (text) => text + ' '.repeat(1_000_000)), /Max length reached/],
  };
  for (const [what, [attack, told]] of Object.entries(attacks)) {
    test(`an update that is ${what} is refused: the last good one stays, in this process and the next`, async () => {
      repository.publish(FILE, first.trustedRoot());
      const root = start();
      assert.equal(nameOf(await root.refreshed(signal)), 'first', errors.join());
      attack();
      clock.advance(minutes(24 * 60 + 1));
      assert.equal(nameOf(await root.refreshed(signal)), 'first');
      // A new timestamp whose targets cannot be had leaves the cache without either.
      const next = nameOf(await start().refreshed(signal));
      assert.ok(next === 'first' || (what === 'tampered with' && next === 'embedded'), next);
      if (told === undefined) return;
      rmSync(cache(), { recursive: true });
      assert.equal(nameOf(await start().refreshed(signal)), 'embedded');
      assert.match(errors.join('\n'), told);
    });
  }

  for (const [what, content] of [
    ['torn', '{"signed":'],
    ['empty', ''],
    ['zeroes', '\0'.repeat(100)],
  ] as const) {
    for (const file of ['root.json', 'timestamp.json', 'snapshot.json', 'targets.json', `targets/${FILE}`]) {
      test(`a cache whose ${file} is ${what} mends itself`, async () => {
        await start().refreshed(signal);
        writeFileSync(cached(file), content);
        assert.equal(nameOf(await start().refreshed(signal)), 'first', errors.join());
        assert.deepEqual(errors, []);
        assert.notEqual(readFileSync(cached(file), 'utf8'), content);
      });
    }
  }

  test('a cache that cannot be written to is replaced by a folder of this process', async () => {
    const cachePath = join(folder, 'root.json', 'tuf');
    assert.equal(nameOf(await start(cachePath).refreshed(signal)), 'first', errors.join());
    assert.deepEqual(errors, []);
  });

  test('goes through the proxy of the environment', { timeout: 30_000 }, async () => {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(404).end();
    });
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const program = `
      const { useEnvironmentProxies } = await import('./environment-proxy.ts');
      const { publicGoodSigstore } = await import('./sigstore-root.ts');
      const { systemClock } = await import('../std/index.ts');
      useEnvironmentProxies(process.env);
      await publicGoodSigstore(systemClock, () => {}, { cachePath: ${JSON.stringify(cache())} }).refreshed(AbortSignal.timeout(20000));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      env: { PATH: process.env['PATH'] ?? '', HTTPS_PROXY: url },
    });
    await new Promise((resolve) => child.once('close', resolve));
    proxy.close();
    assert.ok(asked.includes('tuf-repo-cdn.sigstore.dev:443'), asked.join());
  });
});
