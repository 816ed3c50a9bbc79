import { lifeSuite } from './life-suite.ts';
import { objectSuite } from './object-suite.ts';
import type { ReleaseWorld } from './release-world.ts';
import { waitSuite } from './wait-suite.ts';

/** What release actions do, on any cluster. */
export function actionSuite(open: () => Promise<ReleaseWorld>, options: { skip: string | false }): void {
  lifeSuite(open, options);
  waitSuite(open, options);
  objectSuite(open, options);
}
