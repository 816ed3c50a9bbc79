export { parseExpression, type CelErrorCode, type Expression, type Variables } from './expression.ts';
