export { CodedError, errorMessage, isCodedError, type ErrorDetails } from './coded-error.ts';
export { Digester, digestAlgorithm, digestHex, digestOf, isDigest, parseDigest, type Digest } from './digest.ts';
export { formatDuration, milliseconds, minutes, parseDuration, seconds, type Duration } from './duration.ts';
export { FakeClock, sleep, systemClock, type CancelTimer, type Clock, type Instant } from './clock.ts';
export { backoffDelay, jitter, type Backoff } from './backoff.ts';
export { bounded, limitExceeded, readBounded } from './bounded.ts';
export { redact } from './redact.ts';
export { Lru } from './lru.ts';
export { compareUtf8 } from './utf8-order.ts';
