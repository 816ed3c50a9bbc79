import { PatchError } from '../patch/json-patch.ts';
import { StatusError } from '../request/status.ts';
import { type ApiReply, json } from './call.ts';

/** The Status answer of whatever went wrong. */
export function failure(error: unknown): ApiReply {
  if (error instanceof StatusError) {
    const retry = error.status.details?.retryAfterSeconds;
    return json(error.status, error.status.code, retry === undefined ? {} : { 'retry-after': String(retry) });
  }
  if (error instanceof PatchError) return patchFailure(error);
  const message = error instanceof Error ? error.message : String(error);
  const { status } = new StatusError(500, 'InternalError', `Internal error occurred: ${message}`);
  return json({ ...status, details: { causes: [{ message }] } }, 500);
}

function patchFailure(error: PatchError): ApiReply {
  if (error.code === 'PatchMalformed') return json(new StatusError(400, 'BadRequest', error.message).status, 400);
  if (error.code === 'PatchUnmergeable') return json(new StatusError(500, '', error.message).status, 500);
  // The API server says no more than this of a patch that does not fit.
  const { status } = new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  return json(status, 422);
}
