import { errorMessage } from '../../std/index.ts';
import { GoRegexp } from '../../golang/index.ts';
import { VerificationError } from '../verdict.ts';
import { MAX_IDENTITIES } from './limits.ts';

/** A Go regular expression that an issuer or a subject must match. */
export type Pattern = {
  readonly source: string;
  readonly anywhere: GoRegexp;
  /** The same expression, for the whole text. */
  readonly whole: GoRegexp;
};

/** One `matchOIDCIdentity`: both must match. */
export type IdentityPattern = { readonly issuer: Pattern; readonly subject: Pattern; readonly anchored: boolean };

export type ParseIdentitiesOptions = {
  /** Patterns must match the whole text. Default false, as Flux and cosign: anywhere in it. */
  anchored?: boolean;
};

/** How an identity fared: `part` says which texts matched only in a part. */
export type IdentityMatch = { pattern: IdentityPattern; part: readonly ('issuer' | 'subject')[] };

/**
 * Compiles `spec.verify.matchOIDCIdentity` (Go's RE2 syntax). Flux hands the patterns to cosign, which looks for them *anywhere* in the
 * text: `https://github.com/org/app` also lets `https://github.com/org/app-evil/…` in. That stays the default; a verdict that needed it
 * carries a warning, and `anchored` refuses it.
 * @throws VerificationError `TrustInvalid`, naming the entry
 */
export function parseIdentities(
  entries: Iterable<{ readonly issuer: string; readonly subject: string }>,
  options: ParseIdentitiesOptions = {},
): IdentityPattern[] {
  const patterns: IdentityPattern[] = [];
  for (const { issuer, subject } of entries) {
    const entry = `matchOIDCIdentity[${patterns.length}]`;
    if (patterns.length === MAX_IDENTITIES) throw invalid(entry, `more than ${MAX_IDENTITIES} identities`);
    patterns.push({
      issuer: parsePattern(`${entry}.issuer`, issuer),
      subject: parsePattern(`${entry}.subject`, subject),
      anchored: options.anchored ?? false,
    });
  }
  if (patterns.length === 0) throw invalid('matchOIDCIdentity', 'no identity');
  return patterns;
}

/** The first pattern an identity satisfies, one that matches it wholly before one that matches a part. */
export function matchIdentity(
  patterns: readonly IdentityPattern[],
  identity: { issuer: string; subject: string },
): IdentityMatch | undefined {
  const whole = patterns.find(({ issuer, subject }) => issuer.whole.test(identity.issuer) && subject.whole.test(identity.subject));
  if (whole !== undefined) return { pattern: whole, part: [] };
  const found = patterns.find(
    ({ issuer, subject, anchored }) => !anchored && issuer.anywhere.test(identity.issuer) && subject.anywhere.test(identity.subject),
  );
  if (found === undefined) return undefined;
  const texts = ['issuer', 'subject'] as const;
  return { pattern: found, part: texts.filter((text) => !found[text].whole.test(identity[text])) };
}

/** What a policy wants, for messages. */
export function describePatterns(patterns: readonly IdentityPattern[]): string {
  return patterns
    .map(({ issuer, subject, anchored }) => {
      const how = anchored ? 'wholly matching' : 'matching';
      return `subject ${how} ${JSON.stringify(subject.source)} of issuer ${how} ${JSON.stringify(issuer.source)}`;
    })
    .join(' or ');
}

function parsePattern(name: string, source: string): Pattern {
  // An empty expression matches everything: cosign takes it for "no constraint" in old signatures and refuses it for bundles.
  if (source === '') throw invalid(name, 'empty, want a regular expression; ".*" accepts every text');
  try {
    return { source, anywhere: GoRegexp.compile(source), whole: GoRegexp.compile(String.raw`\A(?:${source})\z`) };
  } catch (error) {
    throw invalid(name, errorMessage(error));
  }
}

function invalid(name: string, cause: string): VerificationError {
  return new VerificationError(
    'TrustInvalid',
    `read ${name}: ${cause}`,
    name,
    [],
    'give issuer and subject as Go regular expressions, such as ^https://token\\.actions\\.githubusercontent\\.com$',
  );
}
