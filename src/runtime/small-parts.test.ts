import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { ResourceMetadata } from '../api/index.ts';
import { CodedError, FakeClock, systemClock } from '../std/index.ts';
import { changeTrigger, createLogger, httpEventSink, lineWriter, parseFeatureGates, type LogEncoding, type PostedEvent } from './index.ts';

const base: ResourceMetadata = { name: 'a', namespace: 'ns', uid: 'u', resourceVersion: '1', generation: 2 };
const REQUESTED = 'reconcile.fluxcd.io/requestedAt';

const changes: {
  name: string;
  now: Partial<ResourceMetadata>;
  before?: Partial<ResourceMetadata>;
  observed?: number;
  want: string | undefined;
}[] = [
  { name: 'found at the start, reconciled before', now: {}, observed: 2, want: 'start' },
  { name: 'found at the start, never reconciled', now: {}, observed: -1, want: 'changed' },
  { name: 'found at the start, being deleted', now: { deletionTimestamp: 't' }, observed: 2, want: 'changed' },
  { name: 'a new spec', now: { generation: 3 }, before: {}, want: 'changed' },
  { name: 'deleted', now: { deletionTimestamp: 't' }, before: {}, want: 'changed' },
  { name: 'asked for', now: { annotations: { [REQUESTED]: 'x' } }, before: {}, want: 'requested' },
  { name: 'asked for again', now: { annotations: { [REQUESTED]: 'y' } }, before: { annotations: { [REQUESTED]: 'x' } }, want: 'requested' },
  { name: 'the request taken back', now: {}, before: { annotations: { [REQUESTED]: 'x' } }, want: undefined },
  { name: 'only its status or labels', now: { resourceVersion: '2', labels: { a: 'b' } }, before: {}, want: undefined },
];
for (const { name, now, before, observed, want } of changes) {
  test(`C06: an object ${name}`, () => {
    assert.equal(changeTrigger({ ...base, ...now }, before === undefined ? undefined : { ...base, ...before }, observed), want);
  });
}

function logLines(encoding: LogEncoding, level: 'debug' | 'info' = 'info'): { lines: string[]; log: ReturnType<typeof createLogger> } {
  const lines: string[] = [];
  return { lines, log: createLogger({ clock: new FakeClock(), level, encoding, write: (line) => lines.push(line) }) };
}

test('logs are JSON in the shape the flux CLI reads, without secrets', () => {
  const { lines, log } = logLines('json');
  const named = log.with({ controllerKind: 'Kustomization', name: 'app', namespace: 'ns' });
  named.info('fetch https://user:hunter2@host/x', { revision: 'v1' });
  named.debug('not this');
  named.error('Reconciler error', new CodedError({ code: 'X', message: 'pull: Bearer abcdefghijkl', remedy: 'do that' }));
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(first, {
    level: 'info',
    ts: '2026-01-01T00:00:00.000Z',
    msg: 'fetch https://***@host/x',
    controllerKind: 'Kustomization',
    name: 'app',
    namespace: 'ns',
    revision: 'v1',
  });
  assert.equal(second?.['error'], 'pull: Bearer ***');
  assert.equal(second?.['code'], 'X');
  assert.equal(second?.['remedy'], 'do that');
  assert.equal(second?.['stacktrace'], undefined);
  assert.equal(lines.length, 2);
});

test('lines of one turn of the event loop are written at once, the last ones at the end', async () => {
  const written: string[] = [];
  const { line, flush } = lineWriter((text) => written.push(text));
  line('a');
  line('b');
  assert.deepEqual(written, []);
  await new Promise((resolve) => setImmediate(resolve));
  line('c');
  flush();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(written, ['a\nb\n', 'c\n']);
});

test('a bug is logged with its stack; console lines are for people', () => {
  const json = logLines('json');
  json.log.error('oops', new TypeError('x is undefined'));
  assert.match(json.lines[0] ?? '', /"stacktrace":"TypeError/);
  const console_ = logLines('console', 'debug');
  console_.log.debug('hello', { a: 1 });
  assert.equal(console_.lines[0], '2026-01-01T00:00:00.000Z\tDEBUG\thello\t{"a":1}');
});

test('feature gates: defaults, values, and what is unknown', () => {
  const gates = parseFeatureGates('ExternalArtifact=true, StrictPostBuildSubstitutions=false');
  assert.equal(gates.enabled('ExternalArtifact'), true);
  assert.equal(gates.enabled('StrictPostBuildSubstitutions'), false);
  assert.equal(parseFeatureGates('').enabled('StrictPostBuildSubstitutions'), true);
  assert.throws(() => parseFeatureGates('Typo=true'), { code: 'FeatureGatesInvalid', message: /unknown feature gate "Typo"/ });
  assert.throws(() => parseFeatureGates('ExternalArtifact=yes'), { code: 'FeatureGatesInvalid', message: /want true or false/ });
});

test('E06: 5xx is tried again, 429 is taken as done, other answers are not repeated', async () => {
  const answers: number[] = [];
  let received = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      received++;
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clock = { ...systemClock, after: (_: unknown, callback: () => void) => systemClock.after(1 as never, callback) };
  const sink = httpEventSink(`http://user:pw@127.0.0.1:${(server.address() as AddressInfo).port}/`.replace('user:pw@', ''), {
    clock,
    fetch: globalThis.fetch,
    signal: new AbortController().signal,
  });
  const event = { message: 'm' } as PostedEvent;
  const count = async (...plan: number[]): Promise<number> => {
    answers.splice(0, answers.length, ...plan);
    received = 0;
    await sink.post(event);
    return received;
  };
  assert.equal(await count(503, 500, 202), 3);
  assert.equal(await count(429), 1);
  await assert.rejects(count(400), { code: 'EventNotDelivered', message: /HTTP 400$/ });
  assert.equal(received, 1);
  await assert.rejects(count(500, 500, 500, 500), { code: 'EventNotDelivered' });
  server.close();
});
