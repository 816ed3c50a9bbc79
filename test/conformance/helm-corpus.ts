import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { corpus } from '../corpus.ts';

/** The folder with cases.jsonl, charts/, values/ and golden/: `named` itself, or what `corpus` finds in it; undefined where it is absent. */
export function helmCorpus(named: string | undefined): string | undefined {
  if (named === undefined) return corpus('helm');
  if (existsSync(join(named, 'cases.jsonl'))) return named;
  process.env['SLUICE_CORPUS'] = named;
  return corpus('helm');
}
