import type { OCIRepository } from '../../api/index.ts';
import { formatReference, parseRepository, type RegistryAccess, type RegistryClient, type Repository } from '../../oci/index.ts';
import { supersedingTriggers, type Trigger } from '../../runtime/index.ts';
import { digestOf, isDigest, milliseconds, parseDuration, type Digest, type Duration } from '../../std/index.ts';
import { SourceFailure, step, type TimeLimit } from './failure.ts';
import type { Resolver } from './resolver.ts';
import { formatRevision, wantedRef } from './revision.ts';
import { selectTag } from './select-tag.ts';

/** The revision an OCIRepository is at. */
export type Target = {
  repository: Repository;
  digest: Digest;
  /** `tag@sha256:…`, or the bare digest when the spec names one (OB12). */
  revision: string;
  /** The reference as people read it. */
  subject: string;
};

/** How the registry is asked. */
export type ResolveContext = {
  client: RegistryClient;
  access: RegistryAccess;
  resolver: Resolver;
  triggers: ReadonlySet<Trigger>;
  limit: TimeLimit;
};

/** Finds the revision `spec.url` and `spec.ref` name now (OB04, OB09–OB12). @throws SourceFailure */
export async function resolveRevision(object: OCIRepository, context: ResolveContext): Promise<Target> {
  const { spec, metadata } = object;
  const repository = parseUrl(spec.url);
  const wanted = wantedRef(spec.ref);
  if (wanted.kind === 'digest') {
    if (!isDigest(wanted.digest)) {
      throw new SourceFailure('OCIArtifactPullFailed', `failed to determine artifact digest: 'spec.ref.digest' ${JSON.stringify(wanted.digest)} is not a digest`, undefined, true);
    }
    const { digest } = wanted;
    return { repository, digest, revision: formatRevision(undefined, digest), subject: formatReference({ ...repository, digest }) };
  }
  const tag = wanted.kind === 'tag' ? wanted.tag : await selectSemverTag(object, repository, wanted, context);
  const reference = { ...repository, tag };
  const key = `${metadata.namespace}/${metadata.name}`;
  const digest = await step('OCIArtifactPullFailed', 'failed to determine artifact digest', () =>
    context.resolver.resolve(key, accessId(context.access), context.client, reference, maxAge(object, context.triggers), context.limit.signal),
    context.limit,
  );
  return { repository, digest, revision: formatRevision(tag, digest), subject: formatReference(reference) };
}

function parseUrl(url: string): Repository {
  try {
    return parseRepository(url);
  } catch (error) {
    throw new SourceFailure('URLInvalid', `URL validation failed for '${url}'`, error, true);
  }
}

function selectSemverTag(
  object: OCIRepository,
  repository: Repository,
  wanted: { range: string; filter: string | undefined },
  context: ResolveContext,
): Promise<string> {
  return step('ReadOperationFailed', `failed to determine the artifact tag for '${object.spec.url}'`, async () => {
    const tags = await context.client.listTags(repository, context.limit.signal);
    return selectTag(tags, { ...wanted, mediaType: object.spec.layerSelector?.mediaType ?? '' });
  }, context.limit);
}

/** A fingerprint of who we are to the registry; nothing secret goes into it but hashed. */
function accessId(access: RegistryAccess): string {
  const { credentials, ...rest } = access;
  return digestOf(JSON.stringify([credentials?.id ?? '', rest]));
}

/** A look because of the interval takes an answer that is nearly as old; one because of a change asks the registry. */
function maxAge(object: OCIRepository, triggers: ReadonlySet<Trigger>): Duration {
  const changed = triggers.has('retry') || [...triggers].some((trigger) => supersedingTriggers.has(trigger) && trigger !== 'source');
  return milliseconds(changed ? 0 : parseDuration(object.spec.interval) * 0.85);
}
