export { FieldTypes, refName, type FieldType, type KeyField, type OpenApiSchema } from './field-type.ts';
export { EMPTY, FieldSet, fieldSetFromJson, formatPath, type PathElement } from './field-set.ts';
export { fieldFaults } from './validate.ts';
export { goText } from './go-text.ts';
export { fieldSetOf } from './field-set-of.ts';
export { FieldsError, isList, isMap, sameJson, type Json, type JsonMap } from './element.ts';
export { compareFields, type Comparison } from './compare.ts';
export { mergeFields } from './merge.ts';
export { removeFields } from './remove.ts';
export {
  applyConfiguration,
  decodeManagers,
  encodeManagers,
  managerKey,
  takeField,
  trackUpdate,
  type Conflict,
  type Managed,
  type Manager,
  type Managers,
} from './managers.ts';
