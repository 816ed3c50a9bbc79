/*
 * Milliseconds for one verification of a notation signature, by key and format:
 *
 *   node test/bench/notation.ts [--runs N]
 *
 * The chain has a signer and a root; level strict; nothing is kept from one verification to the next.
 */
import { parseArgs } from 'node:util';
import { verifyNotation } from '../../src/verify/index.ts';
import { issue, keyPair, PRESENT } from '../../src/verify/notation/testing/authority.ts';
import { policyOf, ROOT, STORES, SUBJECT, TSA } from '../../src/verify/notation/testing/scene.ts';
import { signEnvelope } from '../../src/verify/notation/testing/signer.ts';
import { timestampToken } from '../../src/verify/notation/testing/timestamper.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000' } } });
const runs = Number(values.runs);
const timestamp = (signature: Buffer): Buffer => timestampToken(signature, TSA, []);
const rows: Record<string, { format: string; bytes: number; medianMs: string; p99Ms: string; perSecond: number }> = {};

for (const kind of ['P-256', 'P-384', 'RSA 2048', 'RSA 3072'] as const) {
  for (const format of ['JWS', 'COSE'] as const) {
    for (const timestamped of [false, true]) {
      const chain = [issue({ key: keyPair(kind) }, ROOT), ROOT] as const;
      const material = signEnvelope(format, { subject: SUBJECT, chain, ...(timestamped ? { timestamp } : {}) });
      const options = { policy: policyOf({ stores: timestamped ? ['ca:test', 'tsa:test'] : ['ca:test'] }), stores: STORES, now: PRESENT };
      const times: number[] = [];
      for (let run = 0; run < runs; run++) {
        const started = performance.now();
        await verifyNotation(SUBJECT, [material], options);
        times.push(performance.now() - started);
      }
      const sorted = times.slice(Math.min(50, runs >> 1)).toSorted((a, b) => a - b);
      const quantile = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
      rows[`${kind}${timestamped ? ', timestamped' : ''}, ${format}`] = {
        format,
        bytes: material.envelope.length,
        medianMs: quantile(0.5).toFixed(3),
        p99Ms: quantile(0.99).toFixed(3),
        perSecond: Math.round((1000 * sorted.length) / sorted.reduce((sum, time) => sum + time, 0)),
      };
    }
  }
}
console.table(rows);
