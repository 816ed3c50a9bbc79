export { artifactFiles } from './artifact-files.ts';
export { healthHandler, metricsHandler, type Health } from './operations.ts';
export { listen, parseAddress, type Handler, type Listening } from './listen.ts';
