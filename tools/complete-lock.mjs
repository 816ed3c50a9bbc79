// Completes package-lock.json after `npm install`: a registry mirror that lacks a platform's optional binary makes npm drop that
// entry, and `npm ci` then calls the lock file out of sync. Adds the dropped entries (version, os, cpu) so that `npm ci` works anywhere.
import { readFileSync, writeFileSync } from 'node:fs';

const OS = { android: 'android', darwin: 'darwin', freebsd: 'freebsd', linux: 'linux', win32: 'win32', openbsd: 'openbsd' };
const CPU = { arm64: 'arm64', arm: 'arm', x64: 'x64', ia32: 'ia32', ppc64: 'ppc64', riscv64: 'riscv64', s390x: 's390x' };
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] !== undefined || path === '') continue;
    const parts = name.split('/').at(-1).split('-');
    const os = parts.map((part) => OS[part]).find((part) => part !== undefined);
    const cpu = parts.map((part) => CPU[part]).find((part) => part !== undefined);
    lock.packages[key] = { version, ...(cpu && { cpu: [cpu] }), ...(entry.dev && { dev: true }), optional: true, ...(os && { os: [os] }) };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`complete package-lock.json: ${added} optional packages added\n`);
