import type { TemplateError } from '../../gotemplate/index.ts';
import type { Rules } from '../profile.ts';
import { helmError } from '../errors.ts';
import { MESSAGE_END, MESSAGE_START } from './template-functions.ts';

/** The error of a template that does not parse, in Helm's words. */
export function parseFailure(file: string, error: TemplateError): Error {
  const tokens = error.message.split(': ');
  const message =
    tokens.length === 1 ? `parse error in (${file}): ${error.message}` : `parse error at (${tokens[1] ?? ''}): ${tokens.at(-1) ?? ''}`;
  return helmError('TemplateInvalid', message, { subject: file, cause: error });
}

/**
 * The error of a template that failed, in Helm's words: the message of `required` and `fail` alone, else one paragraph for each
 * template on the way (Helm 4), else Go's text as it is.
 */
export function renderFailure(file: string, error: TemplateError, rules: Rules): Error {
  return helmError('RenderFailed', failureText(file, error, rules), { subject: file, cause: error });
}

function failureText(file: string, error: TemplateError, { tracedErrors }: Rules): string {
  const { message } = error;
  if (error.code !== 'TemplateExecution') return message;
  const first = message.indexOf(': ');
  const second = message.indexOf(': ', first + 2);
  if (first < 0 || second < 0) return `execution error in (${file}): ${message}`;
  const location = message.slice(first + 2, second);
  const rest = message.slice(second + 2);
  const start = rest.indexOf(MESSAGE_START);
  const end = rest.lastIndexOf(MESSAGE_END);
  if (start >= 0 && end >= start + MESSAGE_START.length) {
    return `execution error at (${location}): ${rest.slice(start + MESSAGE_START.length, end)}`;
  }
  return tracedErrors ? (trace(error) ?? message) : message;
}

/** One paragraph for each error of the chain; undefined when one of them is no template error in form. */
function trace(error: TemplateError): string | undefined {
  const paragraphs: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null; at = at instanceof Error ? at.cause : undefined) {
    const next = at instanceof Error ? paragraphOf(at.message) : undefined;
    if (next === undefined) return undefined;
    if (paragraphs.at(-1) !== next) paragraphs.push(next);
  }
  return paragraphs.join('').trim();
}

/** `file:line:column`, what was executed, what went wrong: each line deeper than the one before. */
function paragraphOf(text: string): string | undefined {
  const prefix = 'template: ';
  if (!text.startsWith(prefix)) return undefined;
  const rest = text.slice(prefix.length);
  if (rest.startsWith('no template ')) return `${text}\n`;
  const marker = ': executing ';
  const cut = rest.indexOf(marker);
  if (cut >= 0) {
    const parsed = /^"([^"]*)" at <([^]*?)>: ([^]*)$/.exec(rest.slice(cut + marker.length));
    if (parsed === null) return simpleParagraph(rest);
    const [, name, node, problem = ''] = parsed;
    return paragraph(rest.slice(0, cut), problem, `executing "${name}" at <${node}>:`);
  }
  return simpleParagraph(rest);
}

function simpleParagraph(rest: string): string | undefined {
  const colon = rest.lastIndexOf(': ');
  return colon < 0 ? undefined : paragraph(rest.slice(0, colon), rest.slice(colon + 2), '');
}

function paragraph(location: string, problem: string, executing: string): string {
  const chained = problem.indexOf(' template:');
  const message = chained < 0 ? problem : problem.slice(0, chained);
  return (
    (location === '' ? '' : `${location}\n  `) + (executing === '' ? '' : `${executing}\n    `) + (message === '' ? '' : `${message}\n`)
  );
}
