import { receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import type { YamlObject } from '../../golang/index.ts';
import { systemProviders } from '../../gotemplate/index.ts';
import { memoryTree } from '../../manifest/index.ts';
import { loadChart } from '../chart/load-chart.ts';
import { recordChart } from '../release/release.ts';
import { setManifestMetadata } from '../manifest-metadata.ts';
import { render } from '../render.ts';
import type { Capabilities } from '../capabilities.ts';
import type { PostRender } from '../post-render.ts';
import {
  codedError,
  plainError,
  SAME,
  type Answer,
  type ChartSource,
  type PostRenderRequest,
  type RenderRequest,
  type WorkerMessage,
  type WorkerRendered,
} from './protocol.ts';

/** What a worker is started with: its port, and a flag that wakes it while it waits for an answer. */
export type WorkerStart = { readonly port: MessagePort; readonly wake: Int32Array };

const { port, wake } = workerData as WorkerStart;

port.on('message', (request: RenderRequest) => {
  try {
    tell({ kind: 'done', rendered: run(request) });
  } catch (error) {
    tell({ kind: 'failed', error: plainError(error) });
  }
});

function tell(message: WorkerMessage): void {
  port.postMessage(message);
}

/** Providers whose DNS is the parent's: a thread cannot wait for an answer of its own. */
const asking = systemProviders({ dns: { lookup: (host) => ask({ kind: 'resolve', host }) as string[] } });

/** What came with the request before. */
let last: { source: ChartSource; capabilities: Capabilities | undefined } = { source: new Map(), capabilities: undefined };

function run({ options: { record, ...options }, hasLookup, postRender, ...request }: RenderRequest): WorkerRendered {
  const source = request.source === SAME ? last.source : request.source;
  const capabilities = request.capabilities === SAME ? last.capabilities : request.capabilities;
  last = { source, capabilities };
  const chart = loadChart(source instanceof Uint8Array ? source : memoryTree(source));
  const rendered = render(chart, {
    ...options,
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(options.enableDns === true ? { providers: asking } : {}),
    ...(hasLookup ? { lookup: (...args) => ask({ kind: 'lookup', args }) as YamlObject | undefined } : {}),
    ...(postRender === undefined ? {} : { postRender: toPostRender(postRender) }),
  });
  const { manifests, hooks, crds, notes, warnings } = rendered;
  return { manifests, hooks, crds, notes, warnings, recordedChart: record === true ? recordChart(rendered.chart) : undefined };
}

function toPostRender({ strategy, asks, metadata }: PostRenderRequest): PostRender {
  return {
    strategy,
    run: (manifests) => {
      const changed = asks ? (ask({ kind: 'post-render', manifests }) as string) : manifests;
      return metadata.length === 0 ? changed : setManifestMetadata(changed, metadata);
    },
  };
}

/** Asks the parent and waits: templates cannot. The parent's deadline ends the wait if the answer never comes. */
function ask(question: WorkerMessage): unknown {
  Atomics.store(wake, 0, 0);
  tell(question);
  for (;;) {
    Atomics.wait(wake, 0, 0);
    const received = receiveMessageOnPort(port) as { message: Answer } | undefined;
    if (received === undefined) continue;
    if ('error' in received.message) throw codedError(received.message.error);
    return received.message.value;
  }
}
