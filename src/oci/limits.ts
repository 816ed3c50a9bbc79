import { milliseconds, seconds } from '../std/index.ts';
import type { RegistryLimits } from './client-types.ts';

/** The bounds that hold when the caller names no other. */
export const defaultLimits: RegistryLimits = {
  manifestBytes: 4 * 1024 * 1024,
  pageBytes: 32 * 1024 * 1024,
  pages: 1000,
  listItems: 1_000_000,
  tokenBytes: 1024 * 1024,
  errorBytes: 8 * 1024,
  redirects: 5,
  attempts: 5,
  resumes: 5,
  idle: seconds(30),
  retryAfter: milliseconds(60_000),
};
