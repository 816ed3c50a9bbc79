import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf, systemClock, type Digest } from '../../std/index.ts';
import { createRegistryClient } from '../client.ts';
import type { RegistryClient, RegistryRequestEvent } from '../client-types.ts';
import type { Descriptor } from '../descriptor.ts';
import { artifactManifest, pushArtifact } from '../flux-artifact.ts';
import { isRegistryError } from '../errors.ts';
import { descriptorJson } from '../manifest.ts';
import { mediaTypes } from '../media-types.ts';

/** A registry under test. */
export type ContractRegistry = { host: string; referrersApi: boolean; deletes: boolean };

const signal = (): AbortSignal => AbortSignal.timeout(20_000);

function client(events: RegistryRequestEvent[] = []): RegistryClient & { close(): Promise<void> } {
  return createRegistryClient({ clock: systemClock, random: Math.random, onRequest: (event) => events.push(event) });
}

/** What the client must do with any registry that follows the distribution specification. */
export function registryContract(name: string, registry: () => ContractRegistry): void {
  describe(`client against ${name}`, () => {
    const repository = (path: string): { registry: string; path: string } => ({ registry: registry().host, path });
    const using = async (work: (own: RegistryClient) => Promise<void>): Promise<void> => {
      const own = client();
      try {
        await work(own);
      } finally {
        await own.close();
      }
    };
    const collect = async (source: AsyncIterable<Uint8Array>): Promise<Buffer> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const pushText = (
      own: RegistryClient,
      path: string,
      tag: string,
      text: string,
      annotations: Record<string, string> = {},
    ): Promise<Descriptor> =>
      pushArtifact(own, { ...repository(path), tag }, { layer: Buffer.from(text), mediaType: 'text/plain', annotations }, signal());

    it('pings', () => using((own) => own.ping(registry().host, signal())));

    it('pushes an artifact and pulls the same bytes by tag and by digest (OB12)', () =>
      using(async (own) => {
        const pushed = await pushText(own, 'contract/pull', 'v1', 'content', { a: 'b' });
        assert.deepEqual(await own.resolve({ ...repository('contract/pull'), tag: 'v1' }, signal()), pushed);
        const byTag = await own.fetchManifest({ ...repository('contract/pull'), tag: 'v1' }, signal());
        const byDigest = await own.fetchImage({ ...repository('contract/pull'), digest: pushed.digest }, signal());
        const expected = artifactManifest({ layer: Buffer.from('content'), mediaType: 'text/plain', annotations: { a: 'b' } }).bytes;
        assert.deepEqual(Buffer.from(byTag.bytes), Buffer.from(expected));
        assert.deepEqual(byDigest.bytes, byTag.bytes);
        const [layer] = byDigest.manifest.layers;
        assert.ok(layer !== undefined);
        assert.equal((await collect(own.fetchBlob(repository('contract/pull'), layer, signal()))).toString(), 'content');
      }));

    it('says NotFound for what is not there', () =>
      using(async (own) => {
        await pushText(own, 'contract/missing', 'v1', 'x');
        const missing = digestOf('nothing');
        await assert.rejects(own.resolve({ ...repository('contract/missing'), tag: 'v2' }, signal()), (error) =>
          isRegistryError(error, 'NotFound'),
        );
        await assert.rejects(own.fetchManifest({ ...repository('contract/missing'), digest: missing }, signal()), (error) =>
          isRegistryError(error, 'NotFound'),
        );
        await assert.rejects(
          collect(own.fetchBlob(repository('contract/missing'), { mediaType: '', digest: missing, size: 1 }, signal())),
          (error) => isRegistryError(error, 'NotFound'),
        );
        await assert.rejects(own.listTags(repository('contract/no-such-repository'), signal()), (error) =>
          isRegistryError(error, 'NotFound'),
        );
        assert.equal(await own.hasBlob(repository('contract/missing'), missing, signal()), false);
      }));

    it('lists every tag, page after page (OB10)', () =>
      using(async (own) => {
        const descriptor = await pushText(own, 'contract/tags', 'v0', 'x');
        const { bytes } = await own.fetchManifest({ ...repository('contract/tags'), digest: descriptor.digest }, signal());
        const tags = Array.from({ length: 25 }, (_, index) => `v${index}`);
        await Promise.all(
          tags.map((tag) =>
            own.pushManifest({ ...repository('contract/tags'), tag }, { mediaType: descriptor.mediaType, bytes }, signal()),
          ),
        );
        assert.deepEqual((await own.listTags(repository('contract/tags'), signal())).toSorted(), tags.toSorted());
      }));

    it('moves a tag', () =>
      using(async (own) => {
        const first = await pushText(own, 'contract/move', 'v1', 'one');
        await pushText(own, 'contract/move', 'latest', 'two');
        await own.tag({ ...repository('contract/move'), tag: 'v1' }, 'latest', signal());
        assert.equal((await own.resolve(repository('contract/move'), signal())).digest, first.digest);
      }));

    it('uploads a stream whole, and in pieces, and skips what is there', () => using((own) => uploads(own, repository('contract/upload'))));

    it('mounts a blob from a neighbour', async () => {
      const events: RegistryRequestEvent[] = [];
      const own = client(events);
      const bytes = Buffer.from(`mounted ${Date.now()} ${Math.random()}`);
      await own.pushBlob(repository('contract/mount-from'), { mediaType: 'text/plain', bytes }, signal());
      events.length = 0;
      await own.pushBlob(repository('contract/mount-to'), { mediaType: 'text/plain', bytes }, signal(), {
        mountFrom: repository('contract/mount-from'),
      });
      assert.ok(await own.hasBlob(repository('contract/mount-to'), digestOf(bytes), signal()));
      assert.ok(!events.some((event) => event.method === 'PUT'), 'nothing was uploaded');
      await own.close();
    });

    it('picks linux/amd64 from an index, and says when there is none (OB12)', () =>
      using((own) => platforms(own, repository('contract/index'))));

    it('finds referrers, by API or by tag', () => using((own) => referrersOf(own, repository('contract/referrers'))));

    it('deletes manifests', (t) => {
      if (!registry().deletes) return t.skip('this registry does not delete');
      return using(async (own) => {
        const descriptor = await pushText(own, 'contract/delete', 'v1', `gone ${Date.now()}`);
        await own.deleteManifest({ ...repository('contract/delete'), digest: descriptor.digest }, signal());
        await assert.rejects(own.resolve({ ...repository('contract/delete'), tag: 'v1' }, signal()), (error) =>
          isRegistryError(error, 'NotFound'),
        );
      });
    });
  });
}

async function uploads(own: RegistryClient, repository: { registry: string; path: string }): Promise<void> {
  const stamp = `${Date.now()} ${Math.random()}`;
  for (const [index, options] of [{}, { chunkBytes: 70_000 }].entries()) {
    const bytes = Buffer.alloc(300_000, `${stamp} ${index}`);
    const digest: Digest = digestOf(bytes);
    let opened = 0;
    const open = async function* (): AsyncGenerator<Uint8Array> {
      opened++;
      for (let at = 0; at < bytes.length; at += 33_333) yield bytes.subarray(at, at + 33_333);
    };
    const blob = { mediaType: 'application/octet-stream', digest, size: bytes.length, open };
    assert.deepEqual(await own.pushBlob(repository, blob, signal(), options), { mediaType: blob.mediaType, digest, size: bytes.length });
    assert.deepEqual(
      Buffer.from(await own.readBlob(repository, { mediaType: '', digest, size: bytes.length }, 1_000_000, signal())),
      bytes,
    );
    await own.pushBlob(repository, blob, signal(), options);
    assert.equal(opened, 1, 'the second push found it there');
  }
}

async function platforms(own: RegistryClient, repository: { registry: string; path: string }): Promise<void> {
  const arm = await pushArtifact(own, { ...repository, tag: 'arm' }, { layer: Buffer.from('arm') }, signal());
  const amd = await pushArtifact(own, { ...repository, tag: 'amd' }, { layer: Buffer.from('amd') }, signal());
  const entries = [
    { ...arm, platform: { os: 'linux', architecture: 'arm64' } },
    { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
  ];
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: entries.map(descriptorJson) }));
  const pushed = await own.pushManifest({ ...repository, tag: 'v1' }, { mediaType: mediaTypes.ociIndex, bytes: index }, signal());
  assert.equal((await own.resolve({ ...repository, tag: 'v1' }, signal())).digest, pushed.digest, 'the revision is the index');
  assert.equal((await own.fetchImage({ ...repository, tag: 'v1' }, signal())).descriptor.digest, amd.digest);
  assert.equal(
    (await own.fetchImage({ ...repository, tag: 'v1' }, signal(), { platform: { os: 'linux', architecture: 'arm64' } })).descriptor.digest,
    arm.digest,
  );
  await assert.rejects(
    own.fetchImage({ ...repository, tag: 'v1' }, signal(), { platform: { os: 'windows', architecture: 'amd64' } }),
    (error) => isRegistryError(error, 'PlatformNotFound'),
  );
}

async function referrersOf(own: RegistryClient, repository: { registry: string; path: string }): Promise<void> {
  const subject = await pushArtifact(own, { ...repository, tag: 'v1' }, { layer: Buffer.from('subject') }, signal());
  assert.deepEqual(await own.referrers(repository, subject.digest, signal()), []);
  const empty = { mediaType: mediaTypes.ociEmpty, digest: digestOf('{}'), size: 2 };
  await own.pushBlob(repository, { mediaType: empty.mediaType, bytes: Buffer.from('{}') }, signal());
  const digests: Digest[] = [];
  for (const artifactType of ['application/a', 'application/b']) {
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType,
      config: descriptorJson(empty),
      layers: [descriptorJson(empty)],
      subject: descriptorJson(subject),
      annotations: { type: artifactType },
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    digests.push(
      (await own.pushManifest({ ...repository, digest: digestOf(bytes) }, { mediaType: mediaTypes.ociManifest, bytes }, signal())).digest,
    );
  }
  const found = await own.referrers(repository, subject.digest, signal());
  assert.deepEqual(found.map((entry) => entry.digest).toSorted(), digests.toSorted());
  const filtered = await own.referrers(repository, subject.digest, signal(), 'application/b');
  assert.deepEqual(
    filtered.map((entry) => [entry.digest, entry.annotations?.['type']]),
    [[digests[1], 'application/b']],
  );
}
