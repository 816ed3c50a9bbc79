import { anyType, anyMapType, GoError, GoMap, mapFromYaml, quote, stringType, type YamlObject } from '../../golang/index.ts';
import { TemplateError, type Budget, type TemplateFunction } from '../../gotemplate/index.ts';
import { errorMessage } from '../../std/index.ts';

/** Reads objects of a cluster for `lookup`: one by name, or a list when the name is empty; undefined when there is none. */
export type Lookup = (apiVersion: string, kind: string, namespace: string, name: string) => YamlObject | undefined;

/** What functions remember during one render. */
export type RenderState = {
  readonly lookup: Lookup | undefined;
  /** How often each template is being included right now. */
  readonly included: Map<string, number>;
};

/** Includes of one template within each other, as Helm bounds them. */
const MAX_INCLUDES = 1000;

/** Marks around the message of `required` and `fail`, so that it can be told from the chain of errors around it. */
export const MESSAGE_START = 'HELM_ERR_START';
export const MESSAGE_END = 'HELM_ERR_END';

const states = new WeakMap<Budget, RenderState>();

/** Ties a render's state to its budget, which every function call of that render carries. */
export function beginRender(budget: Budget, state: RenderState): void {
  states.set(budget, state);
}

function stateOf(budget: Budget): RenderState {
  const state = states.get(budget);
  if (state === undefined) throw new Error('a template function of Helm was called outside a render');
  return state;
}

const include: TemplateFunction = {
  params: [stringType, anyType],
  result: stringType,
  call: ([name, data], { set, budget }) => {
    const { included } = stateOf(budget);
    const template = String(name);
    const count = included.get(template) ?? 0;
    if (count > MAX_INCLUDES) throw new GoError(`rendering template has a nested reference name: ${template}: unable to execute template`);
    included.set(template, count + 1);
    try {
      return set.execute(template, data, budget);
    } finally {
      included.set(template, (included.get(template) ?? 1) - 1);
    }
  },
};

const tpl: TemplateFunction = {
  params: [stringType, anyType],
  result: stringType,
  call: ([source, data], { set, budget }) => {
    const text = String(source);
    if (!text.includes('{{')) return withoutNoValue(text);
    const clone = set.clone();
    const template = wrapping(`cannot parse template ${quote(text)}`, () => clone.parse(set.name, text));
    return wrapping(`error during tpl function execution for ${quote(text)}`, () =>
      withoutNoValue(clone.executeTemplate(template, data, budget)),
    );
  },
};

/** Puts Helm's words before the error of a template; anything else (a crossed budget) passes. */
function wrapping<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof TemplateError) throw new GoError(`${what}: ${errorMessage(error)}`, error);
    throw error;
  }
}

/** Go prints `<no value>` for what is missing; Helm takes that text out, wherever it comes from. */
export function withoutNoValue(text: string): string {
  return text.includes('<no value>') ? text.replaceAll('<no value>', '') : text;
}

const required: TemplateFunction = {
  params: [stringType, anyType],
  result: anyType,
  call: ([message, value]) => {
    if (value === null || value === undefined || value === '') throw new GoError(`${MESSAGE_START}${String(message)}${MESSAGE_END}`);
    return value;
  },
};

const fail: TemplateFunction = {
  params: [stringType],
  result: stringType,
  call: ([message]) => {
    throw new GoError(`${MESSAGE_START}${String(message)}${MESSAGE_END}`);
  },
};

const lookup: TemplateFunction = {
  params: [stringType, stringType, stringType, stringType],
  result: anyMapType,
  call: ([apiVersion, kind, namespace, name], { budget }) => {
    const found = ask(stateOf(budget).lookup, [String(apiVersion), String(kind), String(namespace), String(name)]);
    return found === undefined ? new GoMap() : mapFromYaml(found);
  },
};

/** A lookup that fails fails the template, as any function does. */
function ask(find: Lookup | undefined, args: Parameters<Lookup>): YamlObject | undefined {
  try {
    return find?.(...args);
  } catch (error) {
    throw new GoError(errorMessage(error), error);
  }
}

/** The functions that run templates, end them, or look around. */
export const templateFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['include', include],
  ['tpl', tpl],
  ['required', required],
  ['fail', fail],
  ['lookup', lookup],
];
