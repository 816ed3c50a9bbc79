import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { loadChart, render, type Rendered } from '../helm/index.ts';
import { memoryTree } from '../manifest/index.ts';
import { MAX_SCHEMAS, renderWithSchemas } from './helm-schemas.ts';

describe('renderWithSchemas', () => {
  let server: Server;
  let url: string;
  let requests = 0;

  before(async () => {
    server = createServer((request, response) => {
      requests += 1;
      const [, name = '', number = '0'] = /^\/([a-z]+)(\d*)/.exec(request.url ?? '') ?? [];
      if (name === 'port') response.end('{"type": "integer"}');
      else if (name === 'chain') response.end(JSON.stringify({ allOf: [{ $ref: `${url}/chain${Number(number) + 1}` }] }));
      else if (name === 'huge') response.writeHead(200, { 'content-length': String(2 ** 30) }).flushHeaders();
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close().closeAllConnections());

  async function rendered(reference: string, port: number | string): Promise<Rendered> {
    requests = 0;
    const schema = JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', properties: { port: { $ref: reference } } });
    const chart = loadChart(memoryTree({ 'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\n', 'values.schema.json': schema }));
    const options = { release: { name: 'r', namespace: 'd' }, values: { port } };
    return await renderWithSchemas('5s', (schemaLoader) => render(chart, { ...options, schemaLoader }));
  }

  const rejected = "values don't meet the specifications of the schema(s) in the following chart(s):\ndemo:\n";

  it('fetches a schema once and checks the values by it', async () => {
    await rendered(`${url}/port`, 80);
    assert.equal(requests, 1);
    await assert.rejects(rendered(`${url}/port?2`, 'x'), { message: `${rejected}- at '/port': got string, want integer\n` });
  });

  it('says of one that is not there what Helm says', async () => {
    const missing = `${url}/missing`;
    const failing = `${rejected}failing loading`;
    await assert.rejects(rendered(missing, 80), {
      message: `${failing} "${missing}": HTTP request to ${missing} returned status 404 (Not Found)`,
    });
    const closed = 'http://127.0.0.1:1/x';
    const refused = `HTTP request failed for ${closed}: Get "${closed}": dial tcp 127.0.0.1:1: connect: connection refused`;
    await assert.rejects(rendered(closed, 80), { message: `${failing} "${closed}": ${refused}` });
  });

  it('fetches only so much', async () => {
    await assert.rejects(rendered(`${url}/huge`, 80), /more than 5242880 bytes/);
    await assert.rejects(rendered(`${url}/chain0`, 80), { code: 'SchemaReferenceRefused' });
    assert.equal(requests, MAX_SCHEMAS);
    await assert.rejects(rendered('file:///etc/passwd', 80), { code: 'SchemaReferenceRefused' });
  });
});
