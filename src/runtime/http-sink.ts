import { CodedError, errorMessage, milliseconds, redact, sleep, type Clock } from '../std/index.ts';
import type { EventSink } from './events.ts';

const ATTEMPTS = 4;
const FIRST_PAUSE = 500;
const ANSWER_TIMEOUT = 5000;

/** Posts events as JSON over HTTP: five seconds for an answer, 5xx and refused connections tried again, 429 taken as done (E06). */
export function httpEventSink(address: string, options: { clock: Clock; fetch: typeof globalThis.fetch; signal: AbortSignal }): EventSink {
  const post = async (body: string): Promise<number> => {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(ANSWER_TIMEOUT)]);
    const answer = await options.fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal });
    await answer.body?.cancel();
    return answer.status;
  };
  return {
    post: async (event) => {
      const body = JSON.stringify(event);
      let cause = '';
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt > 0) await sleep(options.clock, milliseconds(FIRST_PAUSE * 2 ** (attempt - 1)), options.signal);
        try {
          const status = await post(body);
          if (status < 300 || status === 429) return;
          cause = `HTTP ${status}`;
          if (status < 500) break;
        } catch (error) {
          cause = errorMessage(error);
        }
      }
      throw new CodedError({ code: 'EventNotDelivered', message: `post event to ${redact(address)}: ${cause}`, subject: redact(address) });
    },
  };
}
