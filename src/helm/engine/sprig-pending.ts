import type { TemplateFunction } from '../../gotemplate/index.ts';
export type Providers = { readonly now: () => number };
export const defaultProviders: Providers = { now: () => 0 };
export function sprigFunctions(_providers: Providers): readonly (readonly [string, TemplateFunction])[] { return []; }
