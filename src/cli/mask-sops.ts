import type { KubeObject } from '../manifest/index.ts';

const MASK = '**SOPS**';
const JSON_MASK = JSON.stringify({ mask: MASK });
const DOCKER_CONFIG = 'kubernetes.io/dockerconfigjson';

type Fields = Record<string, unknown>;

/** An object that may be shown: what SOPS has encrypted in a Secret is masked, and its metadata left out, as Flux's CLI does. */
export function maskSops(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret') {
    if (object['sops'] === undefined) return object;
    const { sops: _, ...rest } = object;
    return rest as KubeObject;
  }
  return isEncrypted(object) ? maskAll(object) : maskEmbedded(object);
}

function isEncrypted({ sops }: KubeObject): boolean {
  const mac = typeof sops === 'object' && sops !== null && 'mac' in sops ? sops.mac : undefined;
  return typeof mac === 'string' && mac.startsWith('ENC[');
}

function maskAll(secret: KubeObject): KubeObject {
  const { sops: _, ...rest } = secret;
  const mask = rest['type'] === DOCKER_CONFIG ? JSON_MASK : MASK;
  return withFields(
    rest as KubeObject,
    () => toBase64(mask),
    () => mask,
  );
}

/** Files that SOPS has encrypted as a whole, each under a key. */
function maskEmbedded(secret: KubeObject): KubeObject {
  return withFields(
    secret,
    (value) => (isSopsFile(Buffer.from(value, 'base64').toString('latin1')) ? toBase64(MASK) : value),
    (value) => (isSopsFile(value) ? toBase64(MASK) : value),
  );
}

function isSopsFile(text: string): boolean {
  return text.includes('sops') && text.includes('ENC[');
}

type Change = (value: string) => string;

function withFields(secret: KubeObject, data: Change, stringData: Change): KubeObject {
  const result: Fields = { ...secret };
  for (const [field, change] of [
    ['data', data],
    ['stringData', stringData],
  ] as const) {
    const values = secret[field];
    if (typeof values !== 'object' || values === null) continue;
    result[field] = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(String(value))]));
  }
  return result as KubeObject;
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
