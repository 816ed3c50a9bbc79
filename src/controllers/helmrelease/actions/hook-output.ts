import type { ReleaseHook } from '../../../helm/index.ts';
import { isKubeError, type KubeClient } from '../../../kube/index.ts';
import { parseApiVersion, type KubeObject } from '../../../manifest/index.ts';
import { redact, seconds } from '../../../std/index.ts';
import { textOf } from './errors.ts';
import type { Run } from './run.ts';

/** Lines kept of a container's log. */
const LINES = 10;
/** Characters kept of one line. */
const LINE_LENGTH = 512;
/** Characters of one line that are looked at for secrets: those that begin further on are cut off with the rest. */
const LONGEST_LINE = 2 * LINE_LENGTH;
/** Characters kept of everything a hook has said. */
const OUTPUT_LENGTH = 2048;
/** Bytes the server may send of a container's log. */
const LOG_BYTES = 64 << 10;
/** Containers that are asked. */
const CONTAINERS = 3;
/** How long all of it may take: it is asked for on the way out of a failure. */
const PATIENCE = seconds(5);

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/**
 * Tells what the Pods of a hook have said: of one that failed always, of one that succeeded when it asks for it
 * (`helm.sh/hook-output-log-policy`). Best effort: without the right to read logs nothing is told but the state of the containers.
 * @param object the hook's object as it was created
 */
export async function tellOutput(hook: ReleaseHook, object: KubeObject, failed: boolean, run: Run): Promise<void> {
  if (run.hookOutput === undefined || (!failed && !hook.outputLogPolicies.includes('hook-succeeded'))) return;
  const late = new AbortController();
  const stopTimer = run.clock.after(PATIENCE, () => late.abort());
  const ended = AbortSignal.any([run.signal, late.signal]);
  try {
    const pods = await podsOf(object, run.target.client, ended);
    // The last one speaks: of a Job that was tried several times it is the last try.
    const pod = pods.toSorted((a, b) => rank(a).localeCompare(rank(b))).at(-1);
    if (pod === undefined) return;
    const text = await outputOf(pod, failed, run.target.client, ended);
    if (text !== '') run.hookOutput({ hook: hook.name, failed, text });
  } catch (error) {
    if (run.signal.aborted) throw error;
    run.trace(`cannot read what hook ${hook.path} said: ${textOf(error)}`);
  } finally {
    stopTimer();
  }
}

async function podsOf(object: KubeObject, client: KubeClient, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const { apiVersion, kind, metadata } = object;
  const { group } = parseApiVersion(apiVersion);
  const { name, namespace = '', uid } = metadata;
  if (group === '' && kind === 'Pod') {
    const pod = await client.find({ apiVersion: 'v1', kind: 'Pod', name, namespace }, { signal });
    return pod === undefined ? [] : [pod];
  }
  if (group !== 'batch' || kind !== 'Job') return [];
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector: `job-name=${name}`, signal });
  return items.filter((pod) => pod.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true);
}

function rank({ metadata }: KubeObject): string {
  return `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
}

type ContainerState = { name: string; isInit: boolean; exitCode: number | undefined; text: string };

async function outputOf(pod: KubeObject, failed: boolean, client: KubeClient, signal: AbortSignal): Promise<string> {
  const parts: string[] = [];
  for (const container of containersToAsk(pod, failed)) {
    const lines = await readLog(pod, container.name, client, signal);
    const who = `Pod/${pod.metadata.namespace ?? ''}/${pod.metadata.name} container ${container.name}${container.text}`;
    if (lines.length > 0) parts.push([`${who}:`, ...lines].join('\n'));
    else if (container.text !== '') parts.push(who);
  }
  const text = parts.join('\n');
  return text.length <= OUTPUT_LENGTH ? text : `…${text.slice(1 - OUTPUT_LENGTH)}`;
}

/** Those that failed or cannot start; without any, the main one. */
function containersToAsk(pod: KubeObject, failed: boolean): ContainerState[] {
  const states = containerStates(pod);
  const blamed = states.filter(({ exitCode, text }) => text !== '' && exitCode !== 0);
  if (failed && blamed.length > 0) return blamed.slice(0, CONTAINERS);
  const wanted = pod.metadata.annotations?.[DEFAULT_CONTAINER];
  const main = states.filter(({ isInit }) => !isInit);
  return (main.some(({ name }) => name === wanted) ? main.filter(({ name }) => name === wanted) : main).slice(0, 1);
}

function containerStates(pod: KubeObject): ContainerState[] {
  const status = mapOf(pod['status']);
  const read = (field: string, isInit: boolean): ContainerState[] =>
    listOf(status[field]).map((each) => ({ name: textAt(each, 'name'), isInit, ...describe(mapOf(each['state'])) }));
  return [...read('initContainerStatuses', true), ...read('containerStatuses', false)];
}

function describe(state: Record<string, unknown>): { exitCode: number | undefined; text: string } {
  const waiting = mapOf(state['waiting']);
  if (textAt(waiting, 'reason') !== '') {
    const message = textAt(waiting, 'message');
    return { exitCode: undefined, text: ` waits: ${clean(textAt(waiting, 'reason') + (message === '' ? '' : `: ${message}`))}` };
  }
  const terminated = mapOf(state['terminated']);
  const { exitCode } = terminated;
  if (typeof exitCode !== 'number') return { exitCode: undefined, text: '' };
  const reason = textAt(terminated, 'reason');
  const why = exitCode === 0 || reason === '' || reason === 'Error' ? '' : ` (${clean(reason)})`;
  return { exitCode, text: exitCode === 0 ? '' : ` ended with exit code ${exitCode}${why}` };
}

async function readLog({ metadata }: KubeObject, container: string, client: KubeClient, signal: AbortSignal): Promise<string[]> {
  const query = new URLSearchParams({ container, tailLines: String(LINES), limitBytes: String(LOG_BYTES) });
  const path = `/api/v1/namespaces/${metadata.namespace ?? ''}/pods/${metadata.name}/log?${query.toString()}`;
  try {
    const { text } = await client.raw({ method: 'GET', path, signal });
    const lines = text.slice(-LOG_BYTES).trimEnd().split('\n').slice(-LINES);
    return lines.map(clean).filter((line) => line !== '');
  } catch (error) {
    // No right to read it, a container that never started, a node that is away: its state says enough.
    if (isKubeError(error)) return [];
    throw error;
  }
}

/** A line fit for a condition: no secrets that can be told, no colours, not too long. */
function clean(line: string): string {
  const start = line.slice(0, LONGEST_LINE);
  // oxlint-disable-next-line no-control-regex -- they are what is to go
  const plain = redact(start.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '').replace(/[\u0000-\u001f\u007f]+/g, ' ')).trim();
  return plain.length <= LINE_LENGTH ? plain : `${plain.slice(0, LINE_LENGTH - 1)}…`;
}

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(mapOf) : [];
}

function textAt(map: Record<string, unknown>, key: string): string {
  const value = map[key];
  return typeof value === 'string' ? value : '';
}
