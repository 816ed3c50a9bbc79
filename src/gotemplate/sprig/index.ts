import type { TemplateFunction } from '../function.ts';
import { dateFunctions } from './dates.ts';
import { dictFunctions } from './dicts.ts';
import { flowFunctions } from './flow.ts';
import { listFunctions } from './lists.ts';
import { netFunctions } from './net.ts';
import { numberFunctions } from './numbers.ts';
import type { Providers } from './providers.ts';
import { secretFunctions } from './secrets.ts';
import { stringFunctions } from './strings.ts';
import { textFunctions } from './texts.ts';

export type { CertificateNames, CertificatePair, CryptoProvider, DnsProvider, Providers, RandomProvider } from './providers.ts';
export { defaultProviders, systemProviders, type SystemProviderOptions } from './system-providers.ts';
export { KeySource } from './crypto/key-source.ts';

const pureFunctions = Object.entries({
  ...stringFunctions,
  ...numberFunctions,
  ...listFunctions,
  ...dictFunctions,
  ...flowFunctions,
  ...textFunctions,
});

/**
 * The functions of sprig 3.3.0 by name, except `env` and `expandenv`, which would look at the process' environment. What they take from
 * the world comes from `providers`. Text/template's own functions are not among them; sprig's `slice` replaces that builtin.
 */
export function sprigFunctions(providers: Providers): (readonly [name: string, fn: TemplateFunction])[] {
  return [
    ...pureFunctions,
    ...Object.entries(dateFunctions(providers)),
    ...Object.entries(netFunctions(providers)),
    ...Object.entries(secretFunctions(providers)),
  ];
}
