/*
 * How fast YAML is read and written, on a bundle of CRDs of about 3.5 MB:
 *
 *   node test/bench/yaml.ts [--json] [--go] [--runs N] [--file FILE]
 *
 * `--go` builds a small Go program with sigs.k8s.io/yaml in a temporary folder and runs it on the same bundle: it needs `go`
 * and the module proxy. `--file` takes another multi-document file instead of the repeated CRDs of deploy/crds.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readYaml, writeYaml, type YamlValue } from '../../src/golang/index.ts';
import { splitDocuments } from '../../src/manifest/index.ts';

type Row = { name: string; firstMs: number; medianMs: number; megabytesPerSecond: number };

const BUNDLE_BYTES = 3_500_000;

const GO_PROGRAM = `package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"sigs.k8s.io/yaml"
)

func main() {
	data, err := os.ReadFile(os.Args[1])
	check(err)
	var documents []string
	check(json.Unmarshal(data, &documents))
	runs, err := strconv.Atoi(os.Args[2])
	check(err)
	var reads, writes, both []float64
	for i := 0; i < runs; i++ {
		values := make([]interface{}, len(documents))
		start := time.Now()
		for k, text := range documents {
			check(yaml.Unmarshal([]byte(text), &values[k]))
		}
		middle := time.Now()
		for _, value := range values {
			_, err := yaml.Marshal(value)
			check(err)
		}
		end := time.Now()
		reads = append(reads, ms(middle.Sub(start)))
		writes = append(writes, ms(end.Sub(middle)))
		both = append(both, ms(end.Sub(start)))
	}
	fmt.Printf("{\\"readMs\\":%f,\\"writeMs\\":%f,\\"roundTripMs\\":%f}", median(reads), median(writes), median(both))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(times []float64) float64 {
	sort.Float64s(times)
	return times[len(times)/2]
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
`;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    go: { type: 'boolean', default: false },
    runs: { type: 'string', default: '15' },
    file: { type: 'string' },
  },
});
const runs = Number(options.runs);
const documents = splitDocuments(options.file === undefined ? repeatedCrds() : readFileSync(options.file, 'utf8')).map(({ text }) => text);
const bytes = documents.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

let values: YamlValue[] = [];
const read = measure('read (v2, as sigs.k8s.io/yaml)', () => {
  values = documents.map((text) => readYaml(text));
});
const write = measure('write (v2)', () => {
  for (const value of values) writeYaml(value);
});
const roundTrip = measure('read + write', () => {
  for (const text of documents) writeYaml(readYaml(text));
});
const modern = measure('read (v3, as kustomize)', () => {
  for (const text of documents) readYaml(text, { dialect: 'v3' });
});
const rows: Row[] = [read, write, roundTrip, modern];
const go = options.go ? measureGo() : undefined;
report();

function repeatedCrds(): string {
  const folder = join(import.meta.dirname, '../../deploy/crds');
  const once = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `---\n${readFileSync(join(folder, name), 'utf8').replace(/^---\n/, '')}`)
    .join('');
  return once.repeat(Math.ceil(BUNDLE_BYTES / Buffer.byteLength(once)));
}

function measure(name: string, work: () => void): Row {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    work();
    times.push(performance.now() - start);
  }
  const [firstMs = 0] = times;
  const medianMs = median(times);
  return { name, firstMs, medianMs, megabytesPerSecond: bytes / 1000 / medianMs };
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

/** What sigs.k8s.io/yaml takes for the same texts: medians of reading, writing and both, in milliseconds. */
function measureGo(): { readMs: number; writeMs: number; roundTripMs: number } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    writeFileSync(join(folder, 'main.go'), GO_PROGRAM);
    writeFileSync(join(folder, 'bundle.json'), JSON.stringify(documents));
    for (const args of [
      ['mod', 'init', 'bench'],
      ['get', 'sigs.k8s.io/yaml@v1.6.0'],
      ['build', '-o', 'bench', '.'],
    ])
      runIn(folder, 'go', args);
    return JSON.parse(runIn(folder, join(folder, 'bench'), ['bundle.json', String(runs)])) as ReturnType<typeof measureGo>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runIn(cwd: string, command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`run ${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function report(): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ bytes, documents: documents.length, runs, rows, go })}\n`);
    return;
  }
  process.stdout.write(`${documents.length} documents, ${(bytes / 1e6).toFixed(2)} MB, ${runs} runs\n`);
  for (const { name, firstMs, medianMs, megabytesPerSecond } of rows) {
    const figures = `median ${medianMs.toFixed(1).padStart(7)} ms  ${megabytesPerSecond.toFixed(0).padStart(4)} MB/s  first ${firstMs.toFixed(0)} ms`;
    process.stdout.write(`${name.padEnd(32)} ${figures}\n`);
  }
  if (go === undefined) return;
  const ratio = (name: string, ours: Row, theirs: number): string =>
    `${name.padEnd(32)} Go ${theirs.toFixed(1).padStart(7)} ms  ${(theirs / ours.medianMs).toFixed(1)} × ours\n`;
  process.stdout.write(
    ratio('read', read, go.readMs) + ratio('write', write, go.writeMs) + ratio('read + write', roundTrip, go.roundTripMs),
  );
}
