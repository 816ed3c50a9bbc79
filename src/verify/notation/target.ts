import type { Subject } from '../verdict.ts';
import { fail, shown } from './failure.ts';

/**
 * Checks that a payload is about the subject: digest, media type and size (signature-specification.md, Payload).
 * @throws CheckFailure `SignatureInvalid`
 */
export function checkTarget(payload: Uint8Array, subject: Subject): void {
  const { digest, mediaType, size } = readTarget(payload);
  const wanted = (text: string): string => `${text}, as of ${subject.repository}`;
  if (digest !== subject.digest) fail('SignatureInvalid', `a signature for digest ${shownPart(digest)}`, wanted(shown(subject.digest)));
  if (mediaType !== subject.mediaType)
    fail('SignatureInvalid', `a signature for media type ${shownPart(mediaType)}`, wanted(shown(subject.mediaType)));
  if (size !== subject.size) fail('SignatureInvalid', `a signature for ${shownPart(size)} bytes`, wanted(`${subject.size} bytes`));
}

function shownPart(value: unknown): string {
  return typeof value === 'string' ? shown(value) : typeof value === 'number' ? String(value) : `a ${typeof value}`;
}

function readTarget(payload: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (error) {
    fail('SignatureInvalid', 'a payload that is not JSON', 'a descriptor in "targetArtifact"', error);
  }
  const target = isObject(value) && Object.hasOwn(value, 'targetArtifact') ? value['targetArtifact'] : undefined;
  if (!isObject(target)) fail('SignatureInvalid', 'a payload without "targetArtifact"', 'a descriptor in "targetArtifact"');
  return target;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
