import { type CancelTimer, type Clock, milliseconds, seconds } from '../std/index.ts';
import { isRegistryError, RegistryError, type RegistryErrorCode } from './errors.ts';
import type { Endpoint } from './mirror.ts';

/** How long a place that did not answer properly is asked last. */
const DOWN = seconds(30);
/** How long a place may take for something small while there is another one to ask. */
const PATIENCE = seconds(10);
/** Places remembered. */
const MAX_DOWN = 1000;

/** What says nothing about the content: the place is out of order, another one can stand in for it. */
const OUTAGES: readonly RegistryErrorCode[] = ['RegistryUnavailable', 'Timeout', 'TlsFailed', 'TooManyRequests', 'Truncated'];
/** What a mirror may lack or get wrong without stopping the next place from serving it. */
const ELSEWHERE: readonly RegistryErrorCode[] = [
  ...OUTAGES,
  'NotFound',
  'AuthenticationFailed',
  'DigestMismatch',
  'SizeMismatch',
  'ManifestInvalid',
];

/** True for failures of a place, not of what was asked for. */
export function isOutage(error: unknown): error is RegistryError {
  return isRegistryError(error, ...OUTAGES);
}

/** Asks the places that serve a repository one after the other; remembers those that are out of order, and asks them last for a while. */
export class Places {
  readonly #clock: Clock;
  readonly #down = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The places, those in order first. */
  order(places: readonly Endpoint[]): Endpoint[] {
    const isDown = ({ registry }: Endpoint): boolean => (this.#down.get(registry) ?? 0) > this.#clock.now();
    return [...places.filter((place) => !isDown(place)), ...places.filter(isDown)];
  }

  /**
   * The first answer, place by place. The error of the place that was wanted most is the one thrown; it names what the others said.
   * @param long true for what may take long by itself, such as a list of many pages: silence alone moves on to the next place
   * @throws RegistryError
   */
  async read<T>(
    places: readonly Endpoint[],
    signal: AbortSignal,
    work: (place: Endpoint, signal: AbortSignal) => Promise<T>,
    long = false,
  ): Promise<T> {
    const [only] = places;
    if (only !== undefined && places.length === 1) return work(only, signal);
    const failures: Failure[] = [];
    const ordered = this.order(places);
    for (const [index, place] of ordered.entries()) {
      try {
        return await (long || index === ordered.length - 1
          ? work(place, signal)
          : this.patiently(signal, (limited) => work(place, limited)));
      } catch (error) {
        this.failed(place, error);
        if (signal.aborted || !isRegistryError(error, ...ELSEWHERE)) throw error;
        failures.push({ place, error });
      }
    }
    throw summary(places, failures);
  }

  /** True when another place may have what this one did not give; remembers a place that is out of order. */
  failed(place: Endpoint, error: unknown): boolean {
    if (isRegistryError(error, ...OUTAGES, 'DigestMismatch', 'SizeMismatch')) {
      this.#down.delete(place.registry);
      this.#down.set(place.registry, this.#clock.now() + DOWN);
      if (this.#down.size > MAX_DOWN) this.#down.delete(this.#down.keys().next().value ?? '');
    }
    return isRegistryError(error, ...ELSEWHERE);
  }

  /** Runs work that may take only so long, because there is another place to ask. */
  async patiently<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const cancel: CancelTimer = this.#clock.after(milliseconds(PATIENCE), () => {
      limit.abort(new DOMException(`no answer within ${PATIENCE / 1000} s`, 'TimeoutError'));
    });
    try {
      return await work(AbortSignal.any([signal, limit.signal]));
    } finally {
      cancel();
    }
  }
}

type Failure = { place: Endpoint; error: RegistryError };

/** The failure of the place listed first, with those of the others. */
function summary(places: readonly Endpoint[], failures: readonly Failure[]): RegistryError {
  const [wanted] = places;
  const first = failures.find(({ place }) => place === wanted) ?? failures[0];
  if (first === undefined)
    throw new RegistryError({ code: 'RegistryUnavailable', message: 'read from registry: there is no place to ask' });
  const others = failures.filter((failure) => failure !== first).map(({ place, error }) => `; mirror ${place.registry}: ${error.message}`);
  const { error } = first;
  return new RegistryError({
    code: error.code,
    message: `${error.message}${others.join('')}`,
    cause: error,
    retryable: error.retryable,
    entries: error.entries,
    ...(error.subject === undefined ? {} : { subject: error.subject }),
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}
