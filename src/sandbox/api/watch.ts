import { type Clock, seconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { apiVersionOf, type ServedKind } from '../catalog/kind.ts';
import type { Selector } from '../request/selector.ts';
import { expired, StatusError } from '../request/status.ts';
import { writeJson } from '../storage/json-text.ts';
import type { Change, Store } from '../storage/store.ts';
import type { Form } from './accept.ts';
import type { ApiStream } from './call.ts';
import { partialMetadata, tableOf } from './table.ts';

export type WatchCall = {
  store: Store;
  kind: ServedKind;
  clock: Clock;
  form: Form;
  query: URLSearchParams;
  include: string;
  present: (object: KubeObject) => KubeObject;
  selects: Selector;
};

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** How often a quiet watch that asked for bookmarks gets one. */
const BOOKMARK_INTERVAL = seconds(60);
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** A watch: initial objects when there is no revision to start from, then changes; an object that comes to match is ADDED, one that ceases DELETED. */
export function watchStream(call: WatchCall): ApiStream {
  const { query, store } = call;
  const wanted = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(wanted)) {
    const why = `strconv.ParseUint: parsing ${JSON.stringify(wanted)}: invalid syntax`;
    throw new StatusError(500, '', `resourceVersion: Invalid value: ${JSON.stringify(wanted)}: ${why}`);
  }
  const sendInitial = query.get('sendInitialEvents') === 'true';
  const bookmarks = query.get('allowWatchBookmarks') === 'true';
  const fresh = wanted === '' || wanted === '0' || sendInitial;
  const timeout = Number(query.get('timeoutSeconds') ?? 0) || 1800 + Math.floor(Math.random() * 1800);
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    start: (send, end) => {
      let isFirst = true;
      const emit = (type: EventType, object: KubeObject): void => {
        send(`{"type":"${type}","object":${textOf(shape(call, object, isFirst))}}\n`);
        isFirst = false;
      };
      const listener = (change: Change): void => announce(call, change, emit);
      const stop = store.watch(call.kind.collection, fresh ? undefined : Number(wanted), listener);
      if (stop === undefined) {
        send(`${JSON.stringify({ type: 'ERROR', object: expired(`too old resource version: ${wanted} (${store.revision})`).status })}\n`);
        end();
        return () => {};
      }
      if (fresh) for (const object of store.list(call.kind.collection)) if (call.selects(object)) emit('ADDED', object);
      const mark = (annotations?: Record<string, string>): void =>
        send(`${JSON.stringify({ type: 'BOOKMARK', object: bookmark(call, annotations) })}\n`);
      if (sendInitial) mark({ [INITIAL_EVENTS_END]: 'true' });
      const cancelTimeout = call.clock.after(seconds(timeout), () => {
        if (bookmarks) mark();
        end();
      });
      let cancelBookmark = (): void => {};
      const schedule = (): void => {
        cancelBookmark = call.clock.after(BOOKMARK_INTERVAL, () => {
          mark();
          schedule();
        });
      };
      if (bookmarks) schedule();
      return () => {
        stop();
        cancelTimeout();
        cancelBookmark();
      };
    },
  };
}

function announce(call: WatchCall, change: Change, emit: (type: EventType, object: KubeObject) => void): void {
  const { previous } = change;
  const matches = change.type !== 'deleted' && call.selects(change.object);
  if (previous === undefined || !call.selects(previous)) {
    if (matches) emit('ADDED', change.object);
  } else if (matches) {
    emit('MODIFIED', change.object);
  } else {
    emit(
      'DELETED',
      change.type === 'deleted'
        ? change.object
        : { ...previous, metadata: { ...previous.metadata, resourceVersion: String(change.revision) } },
    );
  }
}

/** An object as the watch tells it. Of the tables only the first says what its columns are. */
/** What was written last: the watches of a change come one after the other and mostly write the same. */
let last: { value: object; text: string } | undefined;

function textOf(value: object): string {
  if (last?.value !== value) last = { value, text: writeJson(value) };
  return last.text;
}

function shape(call: WatchCall, stored: KubeObject, isFirst: boolean): object {
  const object = call.present(stored);
  if (call.form === 'metadata') return partialMetadata(object);
  if (call.form === 'table') {
    const table = tableOf(call.kind, [object], { resourceVersion: object.metadata.resourceVersion }, call.clock.now(), call.include);
    return isFirst ? table : { ...table, columnDefinitions: null };
  }
  return object;
}

function bookmark(call: WatchCall, annotations: Record<string, string> | undefined): unknown {
  const metadata = {
    resourceVersion: String(call.store.revision),
    ...(annotations === undefined ? {} : { annotations }),
  };
  if (call.form === 'table') return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: [], rows: [] };
  if (call.form === 'metadata') return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
  return { kind: call.kind.kind, apiVersion: apiVersionOf(call.kind), metadata };
}
