import { defaultProviders } from '../../src/helm/engine/sprig-pending.ts';
export const standInProviders = defaultProviders;
