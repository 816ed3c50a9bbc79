export {
  setFileValue,
  setJsonValue,
  setLiteralValue,
  setStringValue,
  setValue,
  type FileReader,
} from './values/strvals.ts';
