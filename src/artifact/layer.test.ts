import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { artifactError } from './errors.ts';
import { hasWhiteouts, notAnArchive, selectLayer, type LayerInfo, type WantedLayer } from './layer.ts';

const FLUX = 'application/vnd.cncf.flux.content.v1.tar+gzip';
const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const PROVENANCE = 'application/vnd.cncf.helm.chart.provenance.v1.prov';
const TIMONI = 'application/vnd.timoni.content.v1.tar+gzip';
const layer = (mediaType: string, title?: string): LayerInfo => ({
  mediaType,
  size: 10,
  ...(title === undefined ? {} : { annotations: { 'org.opencontainers.image.title': title } }),
});

describe('selectLayer', () => {
  const cases: { name: string; layers: LayerInfo[]; wanted?: WantedLayer; want: string | RegExp }[] = [
    { name: 'the first', layers: [layer(FLUX), layer(TIMONI)], want: FLUX },
    { name: 'the first of a media type', layers: [layer(FLUX), layer(TIMONI), layer(TIMONI)], wanted: { mediaType: TIMONI }, want: TIMONI },
    { name: 'the chart, though its provenance comes first', layers: [layer(PROVENANCE), layer(CHART)], want: CHART },
    {
      name: 'the first as it is, when it is copied',
      layers: [layer(PROVENANCE), layer(CHART)],
      wanted: { operation: 'copy' },
      want: PROVENANCE,
    },
    {
      name: 'the first, when none says it is an archive',
      layers: [layer('application/yaml'), layer('text/plain')],
      want: 'application/yaml',
    },
    { name: 'an image layer', layers: [layer('application/vnd.oci.image.layer.v1.tar')], want: 'application/vnd.oci.image.layer.v1.tar' },
    { name: 'none', layers: [], want: /no layers found in artifact$/ },
    { name: 'only the empty one', layers: [layer('application/vnd.oci.empty.v1+json')], want: /it has no content, only an empty layer$/ },
    {
      name: 'a media type that is not there',
      layers: [layer(FLUX, 'a.tgz'), layer('application/yaml', 'b.yaml')],
      wanted: { mediaType: 'text/plain' },
      want: /failed to find layer with media type 'text\/plain' in artifact: it has 2 layers: \[1\] 'application\/vnd\.cncf\.flux\.content\.v1\.tar\+gzip' \(10 bytes, "a\.tgz"\), \[2\] 'application\/yaml' \(10 bytes, "b\.yaml"\); set spec\.layerSelector\.mediaType to one of them$/,
    },
    {
      name: 'a media type among very many',
      layers: Array.from({ length: 5000 }, (_, i) => layer(`a/${i}${'x'.repeat(1000)}`, 'y'.repeat(1000))),
      wanted: { mediaType: 'text/plain' },
      want: /^.{0,9000}, and 4980 more; set spec/,
    },
  ];
  for (const { name, layers, wanted = {}, want } of cases) {
    test(`OB18: ${name}`, () => {
      if (typeof want === 'string') assert.equal(selectLayer(layers, wanted, 'r/a').mediaType, want);
      else assert.throws(() => selectLayer(layers, wanted, 'r/a'), { code: 'LayerNotFound', message: want });
    });
  }

  test('OB18: what is no archive is told with the selectors that would do', () => {
    const file = layer('application/yaml', 'plain.yaml');
    const error = artifactError('ArchiveInvalid', 'unpack layer: requires gzip-compressed body: invalid header');
    assert.equal(
      notAnArchive(file, [file], error),
      `${error.message}; the layer is 'application/yaml' (10 bytes, "plain.yaml"): set spec.layerSelector to {mediaType: application/yaml, operation: copy} to publish it as it is`,
    );
    assert.match(
      notAnArchive(file, [file, layer(FLUX)], error),
      /or set spec\.layerSelector\.mediaType to another of its layers: 1 layer: \[1\] 'application/,
    );
  });

  test('only layers of images have whiteouts', () => {
    assert.ok(hasWhiteouts(layer('application/vnd.oci.image.layer.v1.tar+zstd')));
    assert.ok(hasWhiteouts(layer('application/vnd.docker.image.rootfs.diff.tar.gzip')));
    assert.ok(!hasWhiteouts(layer(FLUX)));
  });
});
