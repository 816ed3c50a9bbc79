import type { Step } from './case.ts';
import type { Answer, Client } from './client.ts';
import { normalise } from './normalise.ts';

/** Longest wait for what a controller does. */
const UNTIL_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 20;

/** Runs a case in a namespace of its own and gives the answers that are to be compared, as text. */
export async function runCase(client: Client, namespace: string, steps: readonly Step[]): Promise<string[]> {
  await client({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  });
  const answers: Answer[] = [];
  const out: string[] = [];
  for (const step of steps) {
    const filled = fill(step, namespace, answers);
    const answer = await settled(client, filled);
    answers.push(answer);
    if (step.quiet !== true) out.push(JSON.stringify(normalise(answer, namespace), undefined, 1));
  }
  await client({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
  return out;
}

async function settled(client: Client, step: Step): Promise<Answer> {
  const deadline = Date.now() + UNTIL_MILLISECONDS;
  for (;;) {
    const answer = await client(step);
    const { until } = step;
    if (until === undefined || Date.now() > deadline) return answer;
    if (typeof until === 'number' ? answer.code === until : JSON.stringify(answer.body).includes(until)) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

function fill(step: Step, namespace: string, answers: readonly Answer[]): Step {
  const text = (value: string): string =>
    value
      .replaceAll('{ns}', namespace)
      .replaceAll(/\{(rv|uid|continue):(\d+)\}/g, (_, field: string, index: string) => metadataOf(answers[Number(index)], field));
  const body = step.body === undefined ? undefined : (JSON.parse(text(JSON.stringify(step.body))) as unknown);
  const headers = Object.fromEntries(Object.entries(step.headers ?? {}).map(([name, value]) => [name, text(value)]));
  return { ...step, path: text(step.path), headers, ...(body === undefined ? {} : { body }) };
}

const FIELDS: Readonly<Record<string, string>> = { rv: 'resourceVersion', uid: 'uid', continue: 'continue' };

function metadataOf(answer: Answer | undefined, field: string): string {
  const { metadata } = (answer?.body ?? {}) as { metadata?: Record<string, unknown> };
  return encodeURIComponent(String(metadata?.[FIELDS[field] ?? ''] ?? ''));
}
