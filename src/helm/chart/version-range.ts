import { checkConstraint, parseConstraint, parseVersion } from '../../golang/index.ts';
import { isCodedError } from '../../std/index.ts';

/** True when a version lies in a range (Masterminds/semver); false also when one of them is none. */
export function isInRange(range: string, version: string): boolean {
  return parses(() => checkConstraint(parseConstraint(range), parseVersion(version)));
}

/** True for a semantic version, in Masterminds' lenient sense (`1`, `v1.2`). */
export function isVersion(text: string): boolean {
  return parses(() => {
    parseVersion(text);
    return true;
  });
}

function parses(read: () => boolean): boolean {
  try {
    return read();
  } catch (error) {
    // Text that does not parse is in no range; the callers name the field.
    if (isCodedError(error, 'GoError')) return false;
    throw error;
  }
}
