import type { OCIRepository } from '../../api/index.ts';
import {
  formatReference,
  isRegistryError,
  parseRepository,
  type RegistryAccess,
  type RegistryClient,
  type Repository,
} from '../../oci/index.ts';
import { supersedingTriggers, type Trigger } from '../../runtime/index.ts';
import { digestOf, isDigest, parseDuration, type Clock, type Digest, type Instant } from '../../std/index.ts';
import { SourceFailure, step, type TimeLimit } from './failure.ts';
import type { Question, Resolver } from './resolver.ts';
import { formatRevision, revisionDigest, wantedRef } from './revision.ts';
import { selectTag } from './select-tag.ts';

/** The revision an OCIRepository is at. */
export type Target = {
  repository: Repository;
  digest: Digest;
  /** `tag@sha256:…`, or the bare digest when the spec names one (OB12). */
  revision: string;
  /** The reference as people read it. */
  subject: string;
  /** Fingerprint of who asks: answers may be shared with whoever has the same. */
  access: string;
};

/** How the registry is asked. */
export type ResolveContext = {
  client: RegistryClient;
  access: RegistryAccess;
  resolver: Resolver;
  triggers: ReadonlySet<Trigger>;
  /** When the reconcile was asked for. */
  enqueued: Instant;
  clock: Clock;
  limit: TimeLimit;
};

/** Finds the revision `spec.url` and `spec.ref` name now (OB04, OB09–OB12). @throws SourceFailure */
export async function resolveRevision(object: OCIRepository, context: ResolveContext): Promise<Target> {
  const { spec, metadata } = object;
  const repository = parseUrl(spec.url);
  const access = accessId(context.access);
  const wanted = wantedRef(spec.ref);
  if (wanted.kind === 'digest') {
    if (!isDigest(wanted.digest)) {
      throw new SourceFailure(
        'OCIArtifactPullFailed',
        `failed to determine artifact digest: 'spec.ref.digest' ${JSON.stringify(wanted.digest)} is not a digest`,
        undefined,
        true,
      );
    }
    const { digest } = wanted;
    return { repository, digest, revision: formatRevision(undefined, digest), subject: formatReference({ ...repository, digest }), access };
  }
  const question = {
    access,
    client: context.client,
    notBefore: notBefore(object, context),
    signal: context.limit.signal,
  };
  const tag = wanted.kind === 'tag' ? wanted.tag : await selectSemverTag(object, repository, wanted, context, question);
  const reference = { ...repository, tag };
  const key = `${metadata.namespace}/${metadata.name}`;
  const digest = await step(
    'OCIArtifactPullFailed',
    'failed to determine artifact digest',
    () => context.resolver.resolve(key, reference, question, lastSeen(object, tag)),
    context.limit,
  );
  return { repository, digest, revision: formatRevision(tag, digest), subject: formatReference(reference), access };
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
  question: Question,
): Promise<string> {
  return step(
    'ReadOperationFailed',
    `failed to determine the artifact tag for '${object.spec.url}'`,
    async () => {
      const version = { ...wanted, mediaType: object.spec.layerSelector?.mediaType ?? '' };
      const tags = await context.resolver.tags(repository, question).catch((error: unknown) => {
        // No mirror says which versions there are. While the registry is out of order, the last one stands if mirrors may confirm it.
        const last = lastTag(object);
        const confirmable = isRegistryError(error, 'RegistryUnavailable', 'Timeout', 'TooManyRequests', 'TlsFailed');
        if (!confirmable || last === undefined || (context.access.ownMirrors ?? []).length === 0) throw error;
        return [last];
      });
      return selectTag(tags, version);
    },
    context.limit,
  );
}

/** The tag of the stored artifact. */
function lastTag({ status }: OCIRepository): string | undefined {
  const revision = status.artifact?.revision ?? '';
  const at = revision.lastIndexOf('@');
  return at > 0 ? revision.slice(0, at) : undefined;
}

/** Where the tag was when it was last seen; undefined when another one was followed. */
function lastSeen({ status }: OCIRepository, tag: string): Digest | undefined {
  const revision = status.artifact?.revision ?? '';
  return revision.startsWith(`${tag}@`) ? revisionDigest(revision) : undefined;
}

/** A fingerprint of who we are to the registry; nothing secret goes into it but hashed. */
function accessId(access: RegistryAccess): string {
  const { credentials, ...rest } = access;
  return digestOf(JSON.stringify([credentials?.id ?? '', rest]));
}

/**
 * How new an answer of the registry must be. A look because of the interval takes one that is nearly that old; one because somebody asked
 * takes what was asked of the registry after that.
 */
function notBefore(object: OCIRepository, { triggers, enqueued, clock }: ResolveContext): Instant {
  const asked = triggers.has('retry') || [...triggers].some((trigger) => supersedingTriggers.has(trigger) && trigger !== 'source');
  return asked ? enqueued : ((clock.now() - parseDuration(object.spec.interval) * 0.85) as Instant);
}
