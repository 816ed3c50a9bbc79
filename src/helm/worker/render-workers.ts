import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { YamlObject } from '../../golang/index.ts';
import { walkTree, type FileTree } from '../../manifest/index.ts';
import { seconds, type Duration } from '../../std/index.ts';
import { helmError } from '../errors.ts';
import type { Capabilities } from '../capabilities.ts';
import type { ManifestMetadata } from '../manifest-metadata.ts';
import type { PostRenderStrategy } from '../post-render.ts';
import {
  codedError,
  plainError,
  SAME,
  type Answer,
  type ChartSource,
  type RenderRequest,
  type WorkerMessage,
  type WorkerOptions,
  type WorkerRendered,
} from './protocol.ts';

export type RenderWorkersOptions = {
  /** Threads, started when first needed. Default 1. */
  size?: number;
  /** MiB of heap one thread may use before it is stopped. Default 1024. */
  memory?: number;
  /** Addresses of a host, for charts that may ask (`enableDns`). Default: knows none. */
  resolveHost?: ResolveHost;
};

/** Addresses of a host; none when it is not known. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

export type WorkerRenderOptions = WorkerOptions & {
  /** Reads cluster objects for `lookup`; the thread waits for the answer. */
  lookup?: (apiVersion: string, kind: string, namespace: string, name: string) => Promise<YamlObject | undefined>;
  postRender?: {
    strategy?: PostRenderStrategy;
    /** Changes the manifests; the thread waits for the answer. */
    run?: (manifests: string) => string | Promise<string>;
    /** Set on all objects after that, layer after layer, by the thread itself. */
    metadata?: readonly ManifestMetadata[];
  };
  /** The longest the render may take, waiting for a thread included. Default 30 s. */
  deadline?: Duration;
  signal?: AbortSignal;
};

/** Renders charts that nobody vouches for, each within its deadline and memory, on threads of their own. */
export interface RenderWorkers {
  /**
   * Like render, in a thread. Never takes longer than its deadline.
   * @throws CodedError what render throws, `DeadlineExceeded`, `WorkerFailed` when the thread ran out of memory
   */
  render(chart: FileTree | Uint8Array, options: WorkerRenderOptions): Promise<WorkerRendered>;
  /** Stops all threads; renders under way fail. */
  close(): Promise<void>;
}

/** Stack of a thread: templates that include each other a thousand deep need more than the usual one. */
const STACK_SIZE = 64;
const DEFAULT_MEMORY = 1024;
/** MiB of a thread's heap for what is young: a render's values are short-lived, and what is reserved for them is never given back. */
const YOUNG_MEMORY = 16;
const DEFAULT_DEADLINE: Duration = seconds(30);

/** Threads that render charts. */
export function createRenderWorkers(options: RenderWorkersOptions = {}): RenderWorkers {
  return new Pool(options);
}

/** Renders one chart in a thread of its own; see {@link RenderWorkers.render}. */
export async function renderInWorker(
  chart: FileTree | Uint8Array,
  { memory, ...options }: WorkerRenderOptions & Pick<RenderWorkersOptions, 'memory'>,
): Promise<WorkerRendered> {
  const workers = createRenderWorkers(memory === undefined ? {} : { memory });
  try {
    return await workers.render(chart, options);
  } finally {
    await workers.close();
  }
}

function knowsNone(): Promise<readonly string[]> {
  return Promise.resolve([]);
}

class Pool implements RenderWorkers {
  readonly #size: number;
  readonly #memory: number;
  readonly #resolveHost: ResolveHost;
  readonly #idle: RenderThread[] = [];
  readonly #waiting: ((thread: RenderThread) => void)[] = [];
  readonly #threads = new Set<RenderThread>();
  #closed = false;

  constructor({ size = 1, memory = DEFAULT_MEMORY, resolveHost = knowsNone }: RenderWorkersOptions) {
    this.#size = size;
    this.#memory = memory;
    this.#resolveHost = resolveHost;
  }

  async render(chart: FileTree | Uint8Array, options: WorkerRenderOptions): Promise<WorkerRendered> {
    const { deadline: most = DEFAULT_DEADLINE } = options;
    const deadline = AbortSignal.timeout(most);
    const stop: Stop = {
      signal: options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]),
      error: () => (deadline.aborted ? tooLate(most) : cancelled(options.signal?.reason)),
    };
    const thread = await this.#take(stop);
    try {
      return await thread.render(sourceOf(chart), options, stop);
    } finally {
      this.#give(thread);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map((thread) => thread.stop()));
  }

  #take({ signal, error }: Stop): Promise<RenderThread> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#threads.size < this.#size) {
      const thread = new RenderThread(this.#memory, this.#resolveHost);
      this.#threads.add(thread);
      return Promise.resolve(thread);
    }
    return new Promise((resolve, reject) => {
      const take = (thread: RenderThread): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(thread);
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(error());
      };
      this.#waiting.push(take);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  #give(thread: RenderThread): void {
    if (!thread.isAlive) {
      this.#threads.delete(thread);
      if (this.#waiting.length === 0 || this.#closed) return;
      const fresh = new RenderThread(this.#memory, this.#resolveHost);
      this.#threads.add(fresh);
      this.#give(fresh);
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(thread);
    else next(thread);
  }
}

/** What may end a render from outside, and the error that says so. */
type Stop = { readonly signal: AbortSignal; readonly error: () => Error };

function tooLate(deadline: Duration): Error {
  return helmError('DeadlineExceeded', `render chart: not done within ${deadline} ms`, {
    remedy: 'give the chart more time, or look for a template that does too much',
  });
}

function cancelled(reason: unknown): Error {
  return helmError('Cancelled', 'render chart: cancelled', { cause: reason });
}

/** One thread and the channel to it. Renders one chart at a time. */
class RenderThread {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #wake = new Int32Array(new SharedArrayBuffer(4));
  #alive = true;
  #failed: ((error: Error) => void) | undefined;
  /** What the thread was sent last, and has. */
  #sent: { source: ChartSource | undefined; capabilities: Capabilities | undefined } = { source: undefined, capabilities: undefined };
  readonly #resolveHost: ResolveHost;

  constructor(memory: number, resolveHost: ResolveHost) {
    this.#resolveHost = resolveHost;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const file = import.meta.url.endsWith('.ts') ? './render-worker.ts' : './render-worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData: { port: port2, wake: this.#wake },
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: memory, maxYoungGenerationSizeMb: YOUNG_MEMORY, stackSizeMb: STACK_SIZE },
    });
    this.#worker.unref();
    this.#worker.on('error', (error: Error & { code?: string }) => this.#died(workerFailure(error, memory)));
    this.#worker.on('exit', () => this.#died(helmError('WorkerFailed', 'render chart: the render thread ended')));
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  async render(source: ChartSource, options: WorkerRenderOptions, { signal, error }: Stop): Promise<WorkerRendered> {
    return await new Promise<WorkerRendered>((resolve, reject) => {
      const end = (): void => {
        signal.removeEventListener('abort', abort);
        this.#port.removeAllListeners('message');
        this.#failed = undefined;
      };
      const abort = (): void => {
        end();
        reject(error());
        void this.stop();
      };
      this.#failed = (failure) => {
        end();
        reject(failure);
      };
      this.#port.on('message', (message: WorkerMessage) => {
        if (message.kind === 'done') {
          end();
          resolve(message.rendered);
        } else if (message.kind === 'failed') {
          end();
          reject(codedError(message.error));
        } else void this.#answer(message, options);
      });
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      this.#port.postMessage(this.#request(source, options));
    });
  }

  #request(source: ChartSource, options: WorkerRenderOptions): RenderRequest {
    const { lookup, postRender, capabilities, deadline: _deadline, signal: _signal, ...plain } = options;
    const sent = this.#sent;
    this.#sent = { source, capabilities };
    return {
      source: sent.source === source ? SAME : source,
      options: plain,
      capabilities: sent.capabilities === capabilities ? SAME : capabilities,
      hasLookup: lookup !== undefined,
      postRender:
        postRender === undefined
          ? undefined
          : { strategy: postRender.strategy ?? 'combined', asks: postRender.run !== undefined, metadata: postRender.metadata ?? [] },
    };
  }

  async stop(): Promise<void> {
    this.#alive = false;
    this.#port.close();
    await this.#worker.terminate();
  }

  async #answer(question: WorkerMessage, { lookup, postRender }: WorkerRenderOptions): Promise<void> {
    let answer: Answer;
    try {
      if (question.kind === 'lookup') answer = { value: await lookup?.(...question.args) };
      else if (question.kind === 'resolve') answer = { value: await this.#resolveHost(question.host) };
      else if (question.kind === 'post-render') answer = { value: await postRender?.run?.(question.manifests) };
      else return;
    } catch (error) {
      answer = { error: plainError(error) };
    }
    if (!this.#alive) return;
    this.#port.postMessage(answer);
    Atomics.store(this.#wake, 0, 1);
    Atomics.notify(this.#wake, 0);
  }

  #died(error: Error): void {
    this.#alive = false;
    this.#failed?.(error);
  }
}

function workerFailure(error: Error & { code?: string }, memory: number): Error {
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return helmError('WorkerFailed', `render chart: needs more than ${memory} MiB of memory`, { cause: error });
  }
  return helmError('WorkerFailed', `render chart: ${error.message}`, { cause: error });
}

/** A chart as it can be sent to a thread. */
function sourceOf(chart: FileTree | Uint8Array): ChartSource {
  if (chart instanceof Uint8Array) return chart;
  const files = new Map<string, Uint8Array>();
  for (const path of walkTree(chart)) {
    const content = chart.read(path);
    if (content !== undefined) files.set(path, content);
  }
  return files;
}
