import { writeYamlFromJson } from '../../golang/index.ts';
import { notAcceptable, StatusError } from '../request/status.ts';
import { writeJson } from '../storage/json-text.ts';
import type { ApiReply } from './call.ts';

export type Form = 'object' | 'table' | 'metadata';

const TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** One clause of an `Accept` header. */
type Clause = { type: string; as: string; version: string; weight: number };

/** The clauses a client prefers first come first; weights are rarely sent and keep the order when equal. */
function clauses(accept: string): Clause[] {
  return accept
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((it) => it.trim());
      const named = new Map(parameters.map((it): [string, string] => [it.split('=')[0] ?? '', it.split('=')[1] ?? '']));
      return { type, as: named.get('as') ?? '', version: named.get('v') ?? 'v1', weight: Number(named.get('q') ?? 1) };
    })
    .sort((a, b) => b.weight - a.weight);
}

function matches(clause: Clause): boolean {
  return clause.type === '' || clause.type === '*/*' || clause.type === 'application/*' || TYPES.includes(clause.type);
}

const VERSIONS = ['v1', 'v1beta1'];
const TRANSFORMS = new Set(['', 'Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

/** @throws StatusError 406 when the client takes nothing that can be sent */
export function checkAccept(accept: string | undefined): void {
  if (accept === undefined || accept === '' || accept === 'application/json' || accept === '*/*') return;
  const known = clauses(accept).filter(matches);
  if (known.length === 0)
    throw new StatusError(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${TYPES.join(', ')}`, {});
  if (known.every(({ as, version }) => !TRANSFORMS.has(as) || (as !== '' && !VERSIONS.includes(version)))) throw notAcceptable(TYPES);
}

/** How the client wants objects (`Accept`): as themselves, as a table, or their metadata only. The first form we know wins. */
export function acceptedForm(accept: string | undefined): Form {
  if (accept === undefined || accept === '' || accept === 'application/json') return 'object';
  for (const { type, as } of clauses(accept)) {
    if (type !== 'application/json' && type !== 'application/yaml' && type !== '*/*' && type !== '') continue;
    if (as === 'Table') return 'table';
    if (as.startsWith('PartialObjectMetadata')) return 'metadata';
    if (as === '') return 'object';
  }
  return 'object';
}

/** The answer in YAML when that is what the client asks for first. */
export function asAccepted(reply: ApiReply, accept: string | undefined): ApiReply {
  if (accept === undefined || !accept.includes('yaml') || !('json' in reply.body)) return reply;
  const [first] = clauses(accept).filter((it) => TYPES.includes(it.type) && it.type !== 'application/vnd.kubernetes.protobuf');
  if (first?.type !== 'application/yaml') return reply;
  return {
    ...reply,
    headers: { ...reply.headers, 'content-type': 'application/yaml' },
    body: { text: writeYamlFromJson(writeJson(reply.body.json)) },
  };
}
