// A process that writes to a journal until it is killed: `node writer.ts FOLDER FIRST`. It tells each write once it has happened, as
// `name value` (or `name -` for a deletion), values counting on from FIRST.
import { writeSync } from 'node:fs';
import { Journal } from '../journal.ts';
import { isWriteFailure, Store } from '../store.ts';

const [folder = '', first = '0'] = process.argv.slice(2);
const MAPS = '/configmaps';
const NAMES = 40;

const store = new Store();
new Journal(folder, store, { compactBytes: 32_768, flushEvery: 64 }).open();
for (let value = Number(first); ; value++) {
  const name = `map-${Math.floor(Math.random() * NAMES)}`;
  const present = store.get(MAPS, 'a', name);
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'a' },
    data: { value: String(value), text: 'ä'.repeat(200) },
  };
  const revision = present?.metadata.resourceVersion ?? '';
  const gone = present !== undefined && value % 5 === 0;
  const written =
    present === undefined
      ? store.create(MAPS, object)
      : gone
        ? store.delete(MAPS, 'a', name, revision)
        : store.update(MAPS, object, revision);
  if (isWriteFailure(written)) throw new Error(`write ${name}: ${written.failure}`);
  writeSync(1, `${name} ${gone ? '-' : value}\n`);
}
