import type { Difference, Skip } from './report.ts';

/** A case of one filter: its configuration, and what it makes of some resources. */
export type FilterCase = { filter: string; cfg: string; in: string; out: string; err?: string };

export function runFilterCase(each: FilterCase): Difference | Skip | undefined {
  return { skip: each.filter };
}
