import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { seconds } from '../../std/index.ts';
import { WATCH_WINDOW } from '../storage/store.ts';
import { type Lab, openLab } from '../workloads/testing/lab.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
type Event = {
  type: string;
  object: { kind: string; code?: number; reason?: string; metadata: { name?: string; resourceVersion: string; annotations?: object } };
};

describe('watches', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = openLab();
  });
  afterEach(() => lab.close());

  function watch(query: string): { events: Event[]; told: () => string[]; ended: () => boolean; stop: () => void } {
    const answer = lab.api.handle({ method: 'GET', url: `${MAPS}?watch=true&${query}`, headers: {}, body: undefined });
    assert.ok('start' in answer);
    const events: Event[] = [];
    let over = false;
    const stop = answer.start(
      (line) => events.push(JSON.parse(line) as Event),
      () => (over = true),
    );
    return { events, told: () => events.map(({ type, object }) => `${type} ${object.metadata.name}`), ended: () => over, stop };
  }
  const create = (name: string, labels: Record<string, string> = {}): string => {
    const reply = lab.ask('POST', MAPS, { metadata: { name, labels } });
    assert.ok(reply.status === 201 && 'json' in reply.body);
    return (reply.body.json as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
  };

  it('begin after a revision and tell every change in order', () => {
    const revision = create('a');
    create('b');
    const { told } = watch(`resourceVersion=${revision}`);
    lab.ask('DELETE', `${MAPS}/a`);
    assert.deepEqual(told(), ['ADDED b', 'DELETED a']);
  });

  it('from nowhere begin with what is there', async () => {
    await lab.settle();
    create('a');
    assert.deepEqual(watch('').told(), ['ADDED a', 'ADDED kube-root-ca.crt']);
    const { events } = watch('sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan');
    const mark = events.at(-1);
    assert.deepEqual([mark?.type, mark?.object.metadata.annotations], ['BOOKMARK', { 'k8s.io/initial-events-end': 'true' }]);
    assert.equal(mark?.object.metadata.resourceVersion, String(lab.store.revision));
  });

  it('tell what comes to match a selector as added and what ceases to as deleted', () => {
    const { told } = watch(`resourceVersion=${lab.store.revision}&labelSelector=app%3Dweb`);
    create('a');
    const label = (app: string): unknown =>
      lab.ask('PATCH', `${MAPS}/a`, { metadata: { labels: { app } } }, 'application/merge-patch+json');
    label('web');
    label('db');
    assert.deepEqual(told(), ['ADDED a', 'DELETED a']);
  });

  it('from a revision that is forgotten end with 410 Expired', () => {
    const revision = create('first');
    for (let i = 0; i < WATCH_WINDOW * 2; i++)
      lab.store.create('/events', { apiVersion: 'v1', kind: 'Event', metadata: { name: `e${i}`, namespace: 'default' } });
    const { events, ended } = watch(`resourceVersion=${revision}`);
    assert.deepEqual([events[0]?.type, events[0]?.object.code, events[0]?.object.reason], ['ERROR', 410, 'Expired']);
    assert.equal(ended(), true);
    const list = lab.ask('GET', MAPS);
    assert.ok('json' in list.body);
    const { metadata } = list.body.json as { metadata: { resourceVersion: string } };
    assert.equal(watch(`resourceVersion=${metadata.resourceVersion}`).ended(), false, 'a new list is where to go on from');
  });

  it('that ask for bookmarks get one a minute, at the revision of everything', () => {
    const { events } = watch(`resourceVersion=${lab.store.revision}&allowWatchBookmarks=true`);
    lab.ask('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 's' } });
    lab.clock.advance(seconds(59));
    assert.equal(events.length, 0);
    lab.clock.advance(seconds(1));
    const [mark, ...more] = events;
    assert.deepEqual([mark?.type, mark?.object.kind, more], ['BOOKMARK', 'ConfigMap', []]);
    assert.equal(mark?.object.metadata.resourceVersion, String(lab.store.revision));
  });

  it('end when their time is over, and tell nothing once they are stopped', () => {
    const timed = watch(`resourceVersion=${lab.store.revision}&timeoutSeconds=10`);
    lab.clock.advance(seconds(10));
    assert.equal(timed.ended(), true);
    const { told, stop } = watch(`resourceVersion=${lab.store.revision}`);
    stop();
    create('late');
    assert.deepEqual(told(), []);
  });
});
