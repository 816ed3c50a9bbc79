export { anyParams, FunctionTable, reflectValueType, type Execution, type TemplateFunction } from './function.ts';
export { TemplateSet, type MissingKey, type Template, type TemplateSetOptions } from './template-set.ts';
export { TemplateCache } from './template-cache.ts';
export { TemplateError, type TemplateErrorCode, type TemplateFrame } from './error.ts';
export { Budget } from './budget.ts';
export { defaultLimits, type Limits } from './limits.ts';
export { truth } from './value.ts';
export {
  defaultProviders,
  KeySource,
  sprigFunctions,
  systemProviders,
  type CertificateNames,
  type CertificatePair,
  type CryptoProvider,
  type DnsProvider,
  type Providers,
  type RandomProvider,
  type SystemProviderOptions,
} from './sprig/index.ts';
