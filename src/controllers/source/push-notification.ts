import { isTag, parseReference, parseRepository, type Repository } from '../../oci/index.ts';
import { isDigest, type Digest } from '../../std/index.ts';

/** Something that was pushed to a registry. Without a tag, only content was pushed, which moves nothing that is followed by name. */
export type Push = Repository & { tag?: string; digest?: Digest };

/** Pushes taken from one notification. */
const MAX_PUSHES = 1000;
/** Envelopes within envelopes (CloudEvents, Pub/Sub, Event Grid). */
const MAX_DEPTH = 4;
/** Longest text that can be part of a reference. */
const MAX_TEXT = 2048;
/** Longest message of Pub/Sub that is unpacked. */
const MAX_MESSAGE = 64 * 1024;

type Fields = Readonly<Record<string, unknown>>;
type Reader = (fields: Fields) => readonly (Push | undefined)[] | undefined;

/**
 * What a registry's notification says was pushed: distribution (and GitLab), Harbor, ECR by EventBridge, GCR and Artifact Registry by
 * Pub/Sub, ACR, GHCR, Quay, Docker Hub, zot, Artifactory, Gitea and Forgejo, each also inside CloudEvents, and CDEvents. Anything else, and
 * anything but a push, gives nothing. Who sent it is for the receiver to check.
 * @param body the parsed JSON, from anybody
 * @param headers of the request, names in lower case: a CloudEvent in binary mode says there what it is and where it comes from
 */
export function parsePushNotification(body: unknown, headers: Readonly<Record<string, string | undefined>> = {}): readonly Push[] {
  const type = headers['ce-type'];
  const event =
    type === undefined ? body : { specversion: headers['ce-specversion'] ?? '1.0', type, source: headers['ce-source'], data: body };
  const seen = new Map<string, Push>();
  for (const push of readEnvelope(event, 0, { left: 2 * MAX_PUSHES })) {
    if (push === undefined) continue;
    seen.set(JSON.stringify([push.registry, push.path, push.tag, push.digest]), push);
    if (seen.size >= MAX_PUSHES) break;
  }
  return [...seen.values()];
}

/** How many envelopes and pushes are still looked at, however they are nested. */
type Budget = { left: number };

function readEnvelope(value: unknown, depth: number, budget: Budget): readonly (Push | undefined)[] {
  if (depth > MAX_DEPTH || budget.left <= 0) return [];
  budget.left -= 1;
  // Event Grid sends lists.
  if (Array.isArray(value)) return value.slice(0, MAX_PUSHES).flatMap((item) => readEnvelope(item, depth + 1, budget));
  const fields = toFields(value);
  for (const read of READERS) {
    const pushes = read(fields);
    if (pushes === undefined) continue;
    budget.left -= pushes.length;
    return pushes;
  }
  const inner = unwrap(fields);
  return inner === undefined ? [] : readEnvelope(inner, depth + 1, budget);
}

/** What is inside a CloudEvent, an Event Grid event or a Pub/Sub message. */
function unwrap(fields: Fields): unknown {
  const message = toFields(fields['message'])['data'];
  const text = typeof message === 'string' ? message : fields['data_base64'];
  if (typeof text === 'string') return text.length > MAX_MESSAGE ? undefined : parseJson(Buffer.from(text, 'base64').toString('utf8'));
  return typeof fields['data'] === 'object' ? fields['data'] : undefined;
}

/** distribution (its notifications come in envelopes of several events; ACR sends such an event alone). */
const readDistribution: Reader = (fields) => {
  const { events } = fields;
  if (Array.isArray(events)) return events.slice(0, MAX_PUSHES).flatMap((event) => distributionPushes(toFields(event)));
  const isEvent = typeof fields['action'] === 'string' && 'repository' in toFields(fields['target']);
  return isEvent ? distributionPushes(fields) : undefined;
};

function distributionPushes(event: Fields): (Push | undefined)[] {
  if (event['action'] !== 'push') return [];
  const target = toFields(event['target']);
  // Blobs are pushed too; only manifests can be meant by a reference.
  const mediaType = textOf(target['mediaType']) ?? '';
  if (mediaType !== '' && !/manifest|index/.test(mediaType)) return [];
  // Behind a proxy the host that was asked may differ from the one the registry knows itself by.
  const hosts = new Set([textOf(toFields(event['request'])['host']), URL.parse(textOf(target['url']) ?? '')?.host]);
  return [...hosts].map((host) => pushOf(host, target['repository'], target['tag'], target['digest']));
}

/** Harbor, in its own form and in the data of its CloudEvents. */
const readHarbor: Reader = (fields) => {
  const data = 'event_data' in fields ? toFields(fields['event_data']) : fields;
  const { resources } = data;
  if (!Array.isArray(resources) || !('repository' in data)) return undefined;
  if ('type' in fields && !/^(PUSH_ARTIFACT|pushImage)$/.test(textOf(fields['type']) ?? '')) return [];
  return resources.slice(0, MAX_PUSHES).map((item) => {
    const resource = toFields(item);
    return referencePush(resource['resource_url'], resource['tag'], resource['digest']);
  });
};

/** Domains of the partitions of AWS, by how the names of their regions begin. */
const PARTITIONS: readonly [string, string][] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['us-iso-', 'c2s.ic.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
];

/** ECR by EventBridge: the registry is named by account and region; of a replication, those it goes to. */
const readEcr: Reader = (fields) => {
  if (fields['source'] !== 'aws.ecr') return undefined;
  const detail = toFields(fields['detail']);
  if (!/^(PUSH|REPLICATE)$/.test(textOf(detail['action-type']) ?? '') || textOf(detail['result'])?.startsWith('FAIL') === true) return [];
  return [pushOf(ecrRegistry(fields), detail['repository-name'], detail['image-tag'], detail['image-digest'])];
};

function ecrRegistry({ account, region }: Fields): string | undefined {
  const [owner, place] = [textOf(account) ?? '', textOf(region) ?? ''];
  if (!/^[0-9]{1,30}$/.test(owner) || !/^[a-z0-9-]{1,40}$/.test(place)) return undefined;
  const domain = PARTITIONS.find(([prefix]) => place.startsWith(prefix))?.[1] ?? 'amazonaws.com';
  return `${owner}.dkr.ecr.${place}.${domain}`;
}

/** GCR and Artifact Registry: whole references. */
const readGoogle: Reader = (fields) => {
  const { action, digest, tag } = fields;
  if ((action !== 'INSERT' && action !== 'DELETE') || (typeof digest !== 'string' && typeof tag !== 'string')) return undefined;
  if (action === 'DELETE') return [];
  const content = typeof digest === 'string' ? referencePush(digest) : undefined;
  const named = typeof tag === 'string' ? referencePush(tag) : undefined;
  if (named === undefined) return [content];
  return [content?.digest === undefined ? named : { ...named, digest: content.digest }];
};

/** GHCR: GitHub's `package` and `registry_package` events. */
const readGitHub: Reader = (fields) => {
  const found = toFields(fields['registry_package'] ?? fields['package']);
  if (!('package_version' in found)) return undefined;
  if (!/^(published|updated)$/.test(textOf(fields['action']) ?? '')) return [];
  if (!/^container$/i.test(textOf(found['package_type'] ?? found['ecosystem']) ?? '')) return [];
  const version = toFields(found['package_version']);
  const tag = toFields(toFields(version['container_metadata'])['tag']);
  const namespace = textOf(found['namespace']) ?? textOf(toFields(found['owner'])['login']);
  const digest = tag['digest'] ?? version['version'];
  const push = referencePush(textOf(version['package_url'])?.toLowerCase().replace(/:$/, ''), tag['name'], digest);
  return [push ?? pushOf('ghcr.io', `${namespace ?? ''}/${textOf(found['name']) ?? ''}`.toLowerCase(), tag['name'], digest)];
};

/** Quay: one repository, the tags that moved as a list or as the keys of an object. */
const readQuay: Reader = (fields) => {
  const tags = fields['updated_tags'];
  if (typeof fields['docker_url'] !== 'string' || typeof tags !== 'object' || tags === null) return undefined;
  const names: unknown[] = Array.isArray(tags) ? tags : Object.keys(tags);
  return names.slice(0, MAX_PUSHES).map((tag) => referencePush(fields['docker_url'], tag));
};

/** Docker Hub names its repositories without a host. */
const readDockerHub: Reader = (fields) => {
  const { tag } = toFields(fields['push_data']);
  const name = toFields(fields['repository'])['repo_name'];
  return tag === undefined || name === undefined ? undefined : [pushOf('index.docker.io', name, tag)];
};

/** zot: a CloudEvent that names the repository; the registry is what is configured as `source` of its events. The prefix of the type is configured too. */
const readZot: Reader = (fields) => {
  if (fields['specversion'] === undefined || !/(^|\.)image\.updated$/.test(textOf(fields['type']) ?? '')) return undefined;
  const { name, reference, digest } = toFields(fields['data']);
  const source = textOf(fields['source']) ?? '';
  return [pushOf(URL.parse(source)?.host || source, name, reference, digest)];
};

/** Artifactory: a repository of a platform, reached below its host or at a host of its own. */
const readArtifactory: Reader = (fields) => {
  if (fields['domain'] !== 'docker' || typeof fields['event_type'] !== 'string') return undefined;
  if (!/^(pushed|promoted)$/.test(fields['event_type'])) return [];
  const { repo_key: key, image_name: image, tag, sha256 } = toFields(fields['data']);
  const host = URL.parse(textOf(fields['jpd_origin']) ?? '')?.host ?? '';
  const [repository, name] = [textOf(key), textOf(image)];
  if (host === '' || repository === undefined || name === undefined) return [];
  const digest = `sha256:${textOf(sha256) ?? ''}`;
  return [pushOf(host, `${repository}/${name}`, tag, digest), pushOf(`${repository}.${host}`, name, tag, digest)];
};

/** Gitea and Forgejo: a package of the type container, whose version is its tag. */
const readGitea: Reader = (fields) => {
  const found = toFields(fields['package']);
  if (typeof found['html_url'] !== 'string' || typeof found['version'] !== 'string' || 'package_version' in found) return undefined;
  if (fields['action'] !== 'created' || found['type'] !== 'container') return [];
  const owner = toFields(found['owner']);
  const path = `${textOf(owner['login']) ?? textOf(owner['username']) ?? ''}/${textOf(found['name']) ?? ''}`.toLowerCase();
  return [pushOf(URL.parse(textOf(found['html_url']) ?? '')?.host, path, found['version'], found['version'])];
};

/** CDEvents `artifact published`: a package URL of type `oci`. */
const readCdEvents: Reader = (fields) => {
  const type = textOf(toFields(fields['context'])['type']);
  if (type === undefined || !type.startsWith('dev.cdevents.')) return undefined;
  if (!/^dev\.cdevents\.artifact\.(published|packaged)\./.test(type)) return [];
  const purl = URL.parse(textOf(toFields(fields['subject'])['id']) ?? '');
  const [, digest] = /^oci\/[^@]*(?:@(.*))?$/.exec(purl?.protocol === 'pkg:' ? purl.pathname : '') ?? [];
  const repository = purl?.searchParams.get('repository_url');
  if (repository === null || repository === undefined) return [];
  return [referencePush(repository, purl?.searchParams.get('tag') ?? undefined, digest === undefined ? undefined : decodeText(digest))];
};

const READERS: readonly Reader[] = [
  readZot,
  readDistribution,
  readHarbor,
  readEcr,
  readArtifactory,
  readGitHub,
  readGitea,
  readQuay,
  readDockerHub,
  readCdEvents,
  readGoogle,
];

/** A push to a repository of a host; undefined when the parts are not what they should be. */
function pushOf(host: unknown, path: unknown, tag: unknown, digest?: unknown): Push | undefined {
  const [where, name] = [textOf(host), textOf(path)];
  if (where === undefined || name === undefined) return undefined;
  return complete(
    quietly(() => parseRepository(`${where.toLowerCase()}/${name}`)),
    tag,
    digest,
  );
}

/** A push to `host/path`, which may carry tag and digest itself. */
function referencePush(reference: unknown, tag?: unknown, digest?: unknown): Push | undefined {
  const text = textOf(reference);
  if (text === undefined) return undefined;
  return complete(
    quietly(() => parseReference(text)),
    tag,
    digest,
  );
}

function complete(found: Push | undefined, tag: unknown, digest: unknown): Push | undefined {
  if (found === undefined) return undefined;
  const [name, content] = [textOf(tag), textOf(digest)];
  return {
    ...found,
    ...(name !== undefined && isTag(name) ? { tag: name } : {}),
    ...(content !== undefined && isDigest(content) ? { digest: content } : {}),
  };
}

/** Names from outside may be no references at all: then they can be nobody's. */
function quietly(parse: () => Push): Push | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function decodeText(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TEXT ? value : undefined;
}
