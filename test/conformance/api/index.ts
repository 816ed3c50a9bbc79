import { applyCases } from './apply.ts';
import type { Cases } from './case.ts';
import { crdCases } from './crds.ts';
import { kindCases } from './kinds.ts';
import { objectCases } from './objects.ts';

/** Every case of the suite. */
export const cases: Cases = { ...objectCases, ...applyCases, ...kindCases, ...crdCases };
export { sandboxClient, serverClient, type Client } from './client.ts';
export { knownDifferences } from './known.ts';
export { readRecording, writeRecording, type Recording } from './recording.ts';
export { runCase } from './run.ts';
