import { create, quiet, remove, type Step, until } from './case.ts';

export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const CRD: string = `${CRDS}/widgets.{ns}.example.com`;
export const ROOT = '/apis/{ns}.example.com/v1/namespaces/{ns}';
export const WIDGETS: string = `${ROOT}/widgets`;
export const WIDGET: string = `${WIDGETS}/a`;
export const accepted = 'the initial names have been accepted';

export type Schema = Record<string, unknown>;

export function version(name: string, spec: Schema, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name,
    served: true,
    storage: name === 'v1',
    schema: {
      openAPIV3Schema: { type: 'object', properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } },
    },
    ...change,
  };
}

export function definition(versions: readonly Record<string, unknown>[], change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.{ns}.example.com' },
    spec: { group: '{ns}.example.com', scope: 'Namespaced', names: { kind: 'Widget', plural: 'widgets' }, versions, ...change },
  };
}

export const object = (properties: Record<string, unknown>, more: Schema = {}): Schema => ({ type: 'object', properties, ...more });

export function widget(spec: unknown, rest: Record<string, unknown> = {}): Record<string, unknown> {
  return { apiVersion: '{ns}.example.com/v1', kind: 'Widget', metadata: { name: 'a' }, spec, ...rest };
}

/** The steps on a kind with this schema of its spec. */
export function of(spec: Schema, ...steps: readonly Step[]): readonly Step[] {
  return ofVersions([version('v1', spec)], ...steps);
}

export function ofVersions(versions: readonly Record<string, unknown>[], ...steps: readonly Step[]): readonly Step[] {
  return [quiet(create(CRDS, definition(versions))), quiet(until(CRD, accepted)), quiet(until(WIDGETS, 200)), ...steps, quiet(remove(CRD))];
}

export const dry = (spec: unknown): Step => create(`${WIDGETS}?dryRun=All`, widget(spec));
export const refused = (spec: Schema, change: Record<string, unknown> = {}): readonly Step[] => [
  create(`${CRDS}?dryRun=All`, definition([version('v1', spec, change)])),
];
export const rule = (...rules: readonly Record<string, unknown>[]): Schema => ({ 'x-kubernetes-validations': rules });
export const int: Schema = { type: 'integer' };
export const text: Schema = { type: 'string' };
