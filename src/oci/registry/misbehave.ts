import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from './faults.ts';
import { drained } from './send-body.ts';

/** Acts out a fault. True when the request has been dealt with; else the fault changes what will be sent. */
export async function misbehave(fault: Fault, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  switch (fault.kind) {
    case 'status':
      request.resume();
      response.writeHead(fault.status, fault.headers ?? {});
      response.end(fault.body ?? '');
      return true;
    case 'drop':
      request.socket.destroy();
      return true;
    case 'silent':
      request.resume();
      return true;
    case 'endless':
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      for (const chunk = Buffer.alloc(65_536, 'x'); !response.destroyed;) if (!response.write(chunk)) await drained(response);
      return true;
    case 'slow':
      await pause(fault.milliseconds);
      slowDown(response, fault.milliseconds);
      return false;
    case 'truncate':
      cutShort(response, fault.after);
      return false;
    case 'corrupt':
      corrupt(response);
      return false;
    default:
      return fault satisfies never;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

function slowDown(response: ServerResponse, milliseconds: number): void {
  const write = response.write.bind(response);
  response.write = (chunk: unknown): boolean => {
    setTimeout(() => {
      write(chunk);
      response.emit('drain');
    }, milliseconds);
    return false;
  };
}

function cutShort(response: ServerResponse, after: number): void {
  const write = response.write.bind(response);
  let left = after;
  const limited = (chunk: unknown): boolean => {
    const bytes = Buffer.from(chunk as Uint8Array);
    const part = bytes.subarray(0, left);
    left -= part.length;
    write(part, () => {
      if (left <= 0) response.socket?.destroy();
    });
    return true;
  };
  response.write = limited;
  const end = response.end.bind(response);
  response.end = ((chunk?: unknown) => {
    if (chunk instanceof Uint8Array && chunk.length > 0) limited(chunk);
    if (left <= 0) return response;
    return end();
  }) as ServerResponse['end'];
}

function corrupt(response: ServerResponse): void {
  const write = response.write.bind(response);
  let done = false;
  const changed = (chunk: unknown): Buffer => {
    const bytes = Buffer.from(chunk as Uint8Array);
    if (!done && bytes.length > 0) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    done ||= bytes.length > 0;
    return bytes;
  };
  response.write = (chunk: unknown): boolean => write(changed(chunk));
  const end = response.end.bind(response);
  response.end = ((chunk?: unknown) => (chunk instanceof Uint8Array ? end(changed(chunk)) : end())) as ServerResponse['end'];
}
