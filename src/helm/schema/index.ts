export { validateAgainstSchema, validatorFor, type SchemaValidator } from './validator.ts';
export { validateValues } from './chart-values.ts';
export type { SchemaLoader } from './store.ts';
export { parseSchema } from './document.ts';
