import { redact } from '../../std/index.ts';
import { RegistryError } from '../errors.ts';

/** Longest piece of a service's own words that is repeated. */
const MAX_WORDS = 400;

/** A login that failed, with what can be done about it. */
export function loginError(
  what: string,
  cause: string,
  options: { remedy?: string; cause?: unknown; retryable?: boolean } = {},
): RegistryError {
  return new RegistryError({
    code: 'AuthenticationFailed',
    message: `${what}: ${cause}`,
    cause: options.cause,
    retryable: options.retryable ?? true,
    ...(options.remedy === undefined ? {} : { remedy: options.remedy }),
  });
}

/** What a service says in the body of a refusal: AWS in XML or JSON, Entra ID and Google in JSON; bounded, without credentials. */
export function refusalWords(text: string): string {
  const words = jsonWords(text) ?? xmlWords(text) ?? '';
  return redact(words.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').slice(0, MAX_WORDS)).trim();
}

function jsonWords(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const fields = record(value);
  const inner = record(fields['error']);
  const name = [fields['__type'], fields['code'], fields['Code'], fields['error'], inner['status']].find(isText);
  const message = [fields['message'], fields['Message'], fields['error_description'], inner['message']].find(isText);
  return [name?.replace(/^.*#/, ''), message].filter(isText).join(': ');
}

function xmlWords(text: string): string | undefined {
  const parts = ['Code', 'Message'].flatMap((tag) => new RegExp(`<${tag}>([^<]{1,1000})</${tag}>`).exec(text)?.[1] ?? []);
  return parts.length === 0 ? undefined : parts.join(': ');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** The fields of a JSON object; none when it is something else. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** A text field of an answer. @throws RegistryError `AuthenticationFailed` when it is missing or empty */
export function textField(fields: Record<string, unknown>, key: string, what: string): string {
  const value = fields[key];
  if (isText(value)) return value;
  throw loginError(what, `the answer has no ${JSON.stringify(key)}`);
}

/** The JSON object of an answer. @throws RegistryError `AuthenticationFailed` */
export function parseAnswer(text: string, what: string): Record<string, unknown> {
  try {
    return record(JSON.parse(text));
  } catch {
    // The text itself may hold a secret: it is not repeated, and no cause quotes it.
    throw loginError(what, 'the answer is not JSON');
  }
}
