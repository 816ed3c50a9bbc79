// A reporter of node:test: one line of JSON for each test that ran, with whether it passed. docs/compatibility.md is made of them.
import { relative } from 'node:path';

const root = new URL('..', import.meta.url).pathname;

/** @param {AsyncIterable<{ type: string; data: { name: string; file?: string; skip?: unknown; todo?: unknown } }>} events */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter from the default export
export default async function* recordResults(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // What was skipped proves nothing; what is to do neither.
    if (data.file === undefined || data.skip !== undefined || data.todo !== undefined) continue;
    yield `${JSON.stringify({ file: relative(root, data.file), title: data.name, passed: type === 'test:pass' })}\n`;
  }
}
