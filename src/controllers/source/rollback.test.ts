import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseOCIRepository } from '../../api/index.ts';
import { digestOf } from '../../std/index.ts';
import { artifactTime, formatMark, judgeRollback, newestAnnotation, readMark, type Mark } from './rollback.ts';

const url = 'oci://registry.test/app';
const [one, two] = [digestOf('1'), digestOf('2')];
const [january, february] = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'];
const tag = (digest: typeof one, time?: string): Mark => ({ url, ref: { tag: 'stable' }, digest, ...(time === undefined ? {} : { time }) });
const version = (digest: typeof one, tagged: string, time?: string): Mark => ({
  url,
  ref: { semver: '>=1.0.0' },
  digest,
  version: tagged,
  ...(time === undefined ? {} : { time }),
});

describe('rollback', () => {
  for (const [name, newest, next, expected] of [
    ['the first artifact', undefined, tag(one, january), 'accepted'],
    ['a newer one under the tag', tag(one, january), tag(two, february), 'accepted'],
    ['an older one under the tag', tag(one, february), tag(two, january), 'refused'],
    ['one of the same time', tag(one, january), tag(two, january), 'accepted'],
    ['one whose time cannot be told, after one whose time can', tag(one, january), tag(two), 'refused'],
    ['one whose time can be told, after one whose time cannot', tag(one), tag(two, january), 'accepted'],
    ['times that nobody tells', tag(one), tag(two), 'accepted'],
    ['the same digest, whatever its time', tag(one, february), tag(one), 'kept'],
    ['the same time in another zone', tag(one, '2026-01-01T01:00:00+01:00'), tag(two, january), 'accepted'],
    ['a higher version', version(one, '1.0.0', january), version(two, '1.1.0', february), 'accepted'],
    [
      'a higher version whose artifact is older: tags are not signed',
      version(one, '1.0.0', february),
      version(two, '9.0.0', january),
      'refused',
    ],
    ['a higher version without a time, after one that had one', version(one, '1.0.0', february), version(two, '9.0.0'), 'refused'],
    ['a lower version, however new', version(one, '1.1.0', january), version(two, '1.0.9', february), 'refused'],
    ['ten is more than nine', version(one, '1.9.0'), version(two, '1.10.0'), 'accepted'],
    ['a prerelease of what was accepted', version(one, '1.1.0'), version(two, '1.1.0-rc.1'), 'refused'],
    ['a lower version of the same content', version(one, '1.1.0'), version(one, '1.0.0'), 'kept'],
    ['the same version, newer', version(one, '1.0.0', january), version(two, '1.0.0', february), 'accepted'],
    ['the same version, older', version(one, '1.0.0', february), version(two, '1.0.0', january), 'refused'],
    ['the same version of another build, older', version(one, '1.0.0_b2', february), version(two, 'v1.0.0_b1', january), 'refused'],
    ['another tag was asked for', tag(one, february), { ...tag(two, january), ref: { tag: 'old' } }, 'accepted'],
    ['another range was asked for', version(one, '1.1.0'), { ...version(two, '1.0.0'), ref: { semver: '1.0.x' } }, 'accepted'],
    ['another repository was asked for', tag(one, february), { ...tag(two, january), url: `${url}-2` }, 'accepted'],
    [
      'the digest was asked for',
      { ...tag(one, february), ref: { digest: two } },
      { ...tag(two, january), ref: { digest: two } },
      'accepted',
    ],
  ] as const)
    test(`${name}: ${expected}`, () => {
      const decision = judgeRollback(newest, next);
      assert.equal(decision.kind, expected === 'refused' ? 'refused' : 'accepted', JSON.stringify(decision));
      if (decision.kind === 'accepted') assert.deepEqual(decision.mark, expected === 'kept' ? newest : next);
      else assert.ok(decision.found !== '' && decision.wanted.includes('accepted before'));
    });

  test('what was passed over once stays passed over, in whatever order artifacts come', () => {
    const artifact = fc.record({ major: fc.nat(3), minor: fc.nat(3), content: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(artifact, { maxLength: 20 }), (artifacts) => {
        let mark: Mark | undefined;
        let highest = -1;
        for (const { major, minor, content } of artifacts) {
          const rank = major * 10 + minor;
          const decision = judgeRollback(mark, version(digestOf(`${rank} ${content}`), `${major}.${minor}.0`));
          assert.equal(decision.kind, rank < highest ? 'refused' : 'accepted');
          if (decision.kind === 'accepted') mark = decision.mark;
          highest = Math.max(highest, rank);
        }
      }),
    );
  });

  test('the time is what the manifest says, else what is vouched for, and never one to come', () => {
    const now = new Date('2026-03-01T00:00:00Z');
    const vouched = new Date(february);
    for (const [created, signed, expected] of [
      ['2026-01-01T00:00:00Z', vouched, january],
      ['2026-01-01T01:00:00+01:00', undefined, january],
      [undefined, vouched, february],
      [undefined, undefined, undefined],
      ['yesterday', undefined, undefined],
      ['2026', vouched, february],
      ['2099-01-01T00:00:00Z', vouched, february],
      ['2099-01-01T00:00:00Z', undefined, undefined],
      ['2026-03-01T12:00:00Z', undefined, '2026-03-01T12:00:00.000Z'],
    ] as const)
      assert.equal(artifactTime(created, signed, now), expected, String(created));
  });

  test('the mark comes back from its annotation; anything else there is told', () => {
    const object = (text: string): Parameters<typeof readMark>[0] =>
      parseOCIRepository({
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'OCIRepository',
        metadata: { name: 'app', annotations: { [newestAnnotation]: text } },
        spec: { url, interval: '1m' },
      });
    for (const mark of [tag(one), tag(one, january), version(two, '1.0.0', february)])
      assert.deepEqual(readMark(object(formatMark(mark))), mark);
    assert.equal(readMark(object('')), undefined);
    const broken = ['{', 'null', '[]', '{}', JSON.stringify({ ...tag(one), digest: 'x' }), JSON.stringify({ ...tag(one), time: 'x' })];
    const hostile = [JSON.stringify({ ...version(one, 'x') }), JSON.stringify({ ...tag(one), url: 'x'.repeat(5000) })];
    for (const text of [...broken, ...hostile]) assert.equal(readMark(object(text)), 'unreadable', text.slice(0, 80));
  });
});
