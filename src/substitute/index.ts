export { SubstitutionError, type SubstitutionErrorCode } from './errors.ts';
export { isOptedOut, prepareVariables, substituteObject, substituteText, type SubstituteOptions, type Variables } from './substitute.ts';
