import { CodedError } from '../../std/index.ts';

/** The versions a tag must have to be taken. */
export type WantedVersion = { range: string; filter: string | undefined; mediaType: string };

/** The highest tag within the range (OB10, OB11). @throws CodedError when none fits */
export function selectTag(_tags: readonly string[], wanted: WantedVersion): string {
  throw new CodedError({ code: 'NoTagMatches', message: `no match found for semver: ${wanted.range}` });
}
