import type { ChartNode } from './node.ts';

/** The manifests under crds/, the chart's own first. They are no templates. */
export function crdFiles(node: ChartNode): { path: string; name: string; content: string }[] {
  const own = node.files.filter(({ name }) => name.startsWith('crds/') && /\.(ya?ml|json)$/i.test(name));
  return [
    ...own.map((file) => ({ path: `${node.fullPath}/${file.name}`, name: file.name, content: file.text })),
    ...node.dependencies.flatMap(crdFiles),
  ];
}
