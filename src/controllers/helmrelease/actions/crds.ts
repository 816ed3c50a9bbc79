import { writeRelease } from '../../../apply/index.ts';
import { targetOf } from '../../../kube/index.ts';
import { objectRef, parseApiVersion, type KubeObject } from '../../../manifest/index.ts';
import { minutes } from '../../../std/index.ts';
import { FIELD_MANAGER, type CrdPolicy } from './action.ts';
import { textOf, wrapped } from './errors.ts';
import { keyOf, withOwnerLabels } from './objects.ts';
import { awaitReady } from './readiness.ts';
import type { Run, Steps } from './run.ts';
import { TAKEOVER } from './write-objects.ts';

/** HB55 */
const ESTABLISHED_TIMEOUT = minutes(1);

/** The definitions among what a chart's crds/ folders hold. */
export function definitionsOf(crds: readonly KubeObject[]): KubeObject[] {
  return crds.filter(
    ({ apiVersion, kind }) => kind === 'CustomResourceDefinition' && parseApiVersion(apiVersion).group === 'apiextensions.k8s.io',
  );
}

/**
 * Applies the chart's definitions and waits until they are served (HB55): `Create` leaves alone what is there.
 * @throws CodedError `CrdsFailed`
 */
export async function* applyCrds(crds: readonly KubeObject[], policy: CrdPolicy, serverSide: boolean, run: Run): Steps<void> {
  const definitions = definitionsOf(crds).map((crd) => withOwnerLabels(withoutNamespace(crd), run.target.owner));
  const others = crds.length - definitions.length;
  if (others > 0) run.trace(`warning: ignoring ${others} non-CRD resources found in the chart's crds/ directory`);
  if (definitions.length === 0) return;
  if (policy === 'Skip') {
    run.trace('skipping CustomResourceDefinition apply: policy is set to Skip');
    return;
  }
  try {
    run.trace(`applying CustomResourceDefinition(s) with policy ${policy}`);
    const present = policy === 'Create' ? await findPresent(definitions, run) : new Map<string, Present>();
    const wanted = definitions.filter((crd) => !present.has(keyOf(crd)));
    const answers = new Map(await write(wanted, serverSide, run));
    for (const answer of answers.values()) run.target.client.mapper.learn(answer);
    // One that is there may be another release's, made a moment ago: it is waited for, too.
    for (const [key, found] of present) if (found !== 'watched') answers.set(key, found);
    const wait = { strategy: 'poller', resources: true, jobs: true, timeout: ESTABLISHED_TIMEOUT } as const;
    yield* awaitReady(definitions, answers, wait, run);
  } catch (error) {
    throw wrapped('CrdsFailed', 'failed to apply CustomResourceDefinitions: ', error);
  }
}

/** A definition that is there: in sight of the shared watches, or as it was read. */
type Present = 'watched' | KubeObject;

async function findPresent(definitions: readonly KubeObject[], { target, signal, trace }: Run): Promise<Map<string, Present>> {
  const present = new Map<string, Present>();
  await Promise.all(
    definitions.map(async (crd) => {
      const record = target.owned.find(objectRef(crd), crd.apiVersion);
      const watched = record !== undefined && record !== 'absent';
      const found = watched ? 'watched' : await target.client.find(targetOf(crd), { signal });
      if (found === undefined) return;
      present.set(keyOf(crd), found);
      trace(`CustomResourceDefinition ${crd.metadata.name} is already present. Skipping.`);
    }),
  );
  return present;
}

async function write(objects: readonly KubeObject[], serverSide: boolean, run: Run): Promise<ReadonlyMap<string, KubeObject>> {
  const { client, owned } = run.target;
  const result = await writeRelease({
    client,
    objects,
    method: serverSide ? 'server' : 'replace',
    fieldManager: FIELD_MANAGER,
    force: serverSide,
    previous: new Map(),
    takeover: TAKEOVER,
    known: run.memory,
    live: owned,
    clock: run.clock,
    signal: run.signal,
  });
  for (const [key, known] of result.known) run.memory.set(key, known);
  const [first] = result.failures;
  if (first !== undefined) {
    const verb = first.action === 'create' ? 'create' : 'update';
    throw wrapped(
      'CrdsFailed',
      `failed to ${verb} CustomResourceDefinition ${first.object.metadata.name}: `,
      new Error(textOf(first.cause)),
    );
  }
  const answers = new Map(result.applied);
  for (const object of objects) {
    // One that nothing changed of since we applied it is established already.
    if (!answers.has(keyOf(object))) run.trace(`CustomResourceDefinition ${object.metadata.name} is unchanged`);
  }
  return answers;
}

function withoutNamespace(object: KubeObject): KubeObject {
  const { namespace: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
