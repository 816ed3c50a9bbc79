export { validateAgainstSchema, validatorFor, type SchemaValidator } from './validator.ts';
export { type SchemaLoader } from './store.ts';
