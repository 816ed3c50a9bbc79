// Records the wire numbers of Kubernetes' protobuf messages, which its OpenAPI documents do not tell, from the `generated.proto` files of
// the Go modules that test/control-plane pins. Writes src/sandbox/data/protobuf.json.br. Needs Go.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

/** Field number → [name, type, repeated?]; a map's type is `map:KEY:VALUE`. */
type Message = Record<string, [name: string, type: string, repeated?: 1]>;

const root = join(import.meta.dirname, '..');
const MODULES = ['k8s.io/api', 'k8s.io/apimachinery', 'k8s.io/apiextensions-apiserver'];

/** The messages of one proto file. Types are full names, without a leading dot. */
export function messagesOf(text: string): Record<string, Message> {
  const messages: Record<string, Message> = {};
  const pack = /^package ([\w.]+);/m.exec(text)?.[1] ?? '';
  for (const [, name = '', body = ''] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const message: Message = {};
    for (const [, label, mapped, type = '', field = '', number = ''] of body.matchAll(
      /^\s*(optional|repeated)?\s*(?:map<(\w+,\s*[\w.]+)>|([\w.]+)) (\w+) = (\d+)/gm,
    )) {
      const full = (it: string): string =>
        /^(u?int(32|64)|bool|string|bytes|double|float)$/.test(it)
          ? it
          : it.startsWith('.')
            ? it.slice(1)
            : it.includes('.')
              ? it
              : `${pack}.${it}`;
      const [key = '', value = ''] = (mapped ?? '').split(',').map((part) => part.trim());
      const resolved = mapped === undefined ? full(type) : `map:${key}:${full(value)}`;
      message[number] = label === 'repeated' ? [field, resolved, 1] : [field, resolved];
    }
    messages[`${pack}.${name}`] = message;
  }
  return messages;
}

if (import.meta.main) {
  const listed = spawnSync('go', ['list', '-m', '-f', '{{.Dir}}', ...MODULES], { cwd: join(root, 'test/control-plane'), encoding: 'utf8' });
  if (listed.status !== 0) throw new Error(`go list: ${listed.stderr}`);
  const messages: Record<string, Message> = {};
  for (const folder of listed.stdout.trim().split('\n')) {
    for (const file of globSync('**/generated.proto', { cwd: folder }))
      Object.assign(messages, messagesOf(readFileSync(join(folder, file), 'utf8')));
  }
  const packed = brotliCompressSync(JSON.stringify(messages), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });
  writeFileSync(join(root, 'src/sandbox/data/protobuf.json.br'), packed);
  process.stdout.write(`protobuf: ${Object.keys(messages).length} messages, ${packed.length} bytes\n`);
}
