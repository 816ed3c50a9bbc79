import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { milliseconds } from '../../src/std/index.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import { cases, knownDifferences, readRecording, runCase, sandboxClient } from './api/index.ts';

describe('the sandbox answers as the recorded API server', () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await startSandbox({ podStart: milliseconds(0) });
  });
  after(async () => await sandbox.close());
  const recording = readRecording();
  for (const [index, [name, steps]] of Object.entries(cases).entries()) {
    const reason = knownDifferences[name];
    it(reason === undefined ? name : `${name} (known difference: ${reason})`, async () => {
      const answers = await runCase(sandboxClient(sandbox), `conformance-${index}`, steps);
      if (reason === undefined) assert.equal(answers.join('\n'), (recording[name] ?? []).join('\n'));
      else assert.notEqual(answers.join('\n'), (recording[name] ?? []).join('\n'), 'it is equal now: take it off the list');
    });
  }
});
