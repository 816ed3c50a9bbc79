import { accessCases } from './access.ts';
import { applyCases } from './apply.ts';
import type { Cases } from './case.ts';
import { crdCases } from './crds.ts';
import { definitionCases } from './definitions.ts';
import { kindCases } from './kinds.ts';
import { objectCases } from './objects.ts';
import { ownershipCases } from './ownership.ts';
import { readingCases } from './reading.ts';
import { validationCases } from './validations.ts';
import { writingCases } from './writing.ts';

/** Every case of the suite. */
export const cases: Cases = {
  ...objectCases,
  ...applyCases,
  ...kindCases,
  ...crdCases,
  ...ownershipCases,
  ...writingCases,
  ...readingCases,
  ...accessCases,
  ...definitionCases,
  ...validationCases,
};
export { sandboxClient, serverClient, type Client } from './client.ts';
export { knownDifferences } from './known.ts';
export { readRecording, writeRecording, type Recording } from './recording.ts';
export { runCase } from './run.ts';
