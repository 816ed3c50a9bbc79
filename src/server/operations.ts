import type { Metrics } from '../runtime/index.ts';
import type { Handler } from './listen.ts';

/** Whether the process does its work; asked by the probes. */
export type Health = { live: () => boolean; ready: () => boolean };

/** `/metrics` in the Prometheus text format. */
export function metricsHandler(metrics: Metrics): Handler {
  return async (request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    const { contentType, body } = await metrics.expose();
    response.writeHead(200, { 'content-type': contentType }).end(body);
  };
}

/** `/healthz` and `/readyz`: 200 with `ok`, or 503. */
export function healthHandler(health: Health): Handler {
  return (request, response) => {
    const path = request.url?.split('?')[0];
    const good = path === '/healthz' ? health.live() : path === '/readyz' ? health.ready() : undefined;
    if (good === undefined) response.writeHead(404).end();
    else response.writeHead(good ? 200 : 503, { 'content-type': 'text/plain; charset=utf-8' }).end(good ? 'ok' : 'not ready');
  };
}
