/* The terms of each number of the page. Every factor is minidl's; JavaScript only multiplies and
   adds, finds the largest number of a window, and computes the powers of a softmax. */
"use strict";

globalThis.networkSums = (data) => {
  const unpack = (value) => {
    if (Array.isArray(value)) return value.map(unpack);
    if (!value || !value.base64) return value;
    const bytes = Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0));
    return { shape: value.shape, data: new Float32Array(bytes.buffer) };
  };
  const layers = data.layers.map((layer) =>
    Object.fromEntries(Object.entries(layer).map(([name, value]) => [name, unpack(value)])));

  const inside = ({ shape: [height, width] }, r, s) => r >= 0 && s >= 0 && r < height && s < width;
  const at = (map, r, s, u) =>
    inside(map, r, s) ? map.data[(r * map.shape[1] + s) * map.shape[2] + u] : 0;
  const weight = ({ shape: [, width, inputs, units], data }, i, j, c, k) =>
    data[((i * width + j) * inputs + c) * units + k];
  const add = (numbers) => numbers.reduce((total, number) => total + number, 0);
  const range = (count) => Array.from({ length: count }, (_, index) => index);

  /* The places that output o reads along an axis, each through a tap of the window. */
  const reads = (layer, axis, o) => range(layer.size[axis]).map((tap) => ({
    tap, place: o * layer.stride[axis] + tap * layer.dilation[axis] - layer.before[axis],
  }));
  /* The outputs along an axis that read place p, each through a tap. */
  const readers = (layer, axis, p) => range(layer.size[axis]).map((tap) => ({
    tap, place: (p + layer.before[axis] - tap * layer.dilation[axis]) / layer.stride[axis],
  })).filter(({ place }) => Number.isInteger(place) && place >= 0 && place < layer.y.shape[axis])
    .sort((a, b) => a.place - b.place);
  const here = (r, s) => [[{ place: r, tap: 0 }], [{ place: s, tap: 0 }]];

  /* The numbers of a map at these places, their factors and the products. */
  const window = (layer, map, unit, [rows, columns], factor) => {
    const cells = rows.map((r) => columns.map((s) => {
      const x = at(map, r.place, s.place, unit), w = factor(r, s);
      return { x, w, product: x * w, padding: !inside(map, r.place, s.place) };
    }));
    return { layer, unit, rows, columns, cells, sum: add(cells.flat().map((c) => c.product)) };
  };
  const summed = (windows, others, truth) =>
    ({ windows, others, truth, sum: add([...windows, ...others].map((term) => term.sum)) });

  /* The first largest number of a window of max-pooling, as [row, column]. */
  const largest = (l, unit, r, s) => {
    const map = layers[l - 1].y, places = [];
    for (const { place: i } of reads(layers[l], 0, r))
      for (const { place: j } of reads(layers[l], 1, s))
        if (inside(map, i, j)) places.push([i, j]);
    return places.reduce((best, place) =>
      at(map, ...place, unit) > at(map, ...best, unit) ? place : best);
  };
  const count = (layer, r, s) => layer.counts.data[r * layer.counts.shape[1] + s];
  const slope = (layer, u) => (layer.gamma ? layer.gamma.data[u] : 1) / layer.std.data[u];
  const same = ([i, j], r, s) => Number(i === r && j === s);

  /* Whether unit u of layer l reads unit c of the layer before it. */
  const reaches = (l, c, u) => {
    const [inputs, outputs] = layers[l].groups;
    const group = Math.floor(layers[l].units[u] / outputs);
    return Math.floor(layers[l - 1].units[c] / inputs) === group || layers[l].flattens;
  };

  /* The terms of output u of layer l at (r, s). */
  const forward = (l, u, r, s) => {
    const layer = layers[l], x = layers[l - 1].y, truth = at(layer.y, r, s, u);
    const over = () => [reads(layer, 0, r), reads(layer, 1, s)];
    const one = (places, factor) => [window(l - 1, x, u, places, factor)];
    switch (layer.kind) {
      case "convolution": case "dense": {
        const inputs = range(layers[l - 1].units.length).filter((c) => reaches(l, c, u));
        const windows = inputs.map((c) =>
          window(l - 1, x, c, over(), (i, j) => weight(layer.kernel, i.tap, j.tap, c, u)));
        const others = [];
        if (layer.rest) others.push({ left: layer.inputs_left_out, sum: at(layer.rest, r, s, u) });
        if (layer.bias) others.push({ name: "bias b", sum: layer.bias.data[u] });
        return summed(windows, others, truth);
      }
      case "max_pool": {
        const best = largest(l, u, r, s);
        return summed(one(over(), (i, j) => same(best, i.place, j.place)), [], truth);
      }
      case "avg_pool":
        return summed(one(over(), () => 1 / count(layer, r, s)), [], truth);
      case "relu":
        return summed(one(here(r, s), () => Number(at(x, r, s, u) > 0)), [], truth);
      case "scale": case "norm": {
        const others = [{ name: "−mean · w", sum: -layer.mean.data[u] * slope(layer, u) }];
        if (layer.beta) others.push({ name: "β", sum: layer.beta.data[u] });
        return summed(one(here(r, s), () => slope(layer, u)), others, truth);
      }
      default: return summed(one(here(r, s), () => 1), [], truth);
    }
  };

  /* The terms of the gradient of target t with respect to output u of layer l at (r, s). They come
     from the layer after it. */
  const back = (t, l, u, r, s) => {
    const truth = at(layers[l].dy[t], r, s, u), layer = layers[l + 1];
    if (!layer || layer.kind === "softmax") {
      const chosen = Number(layers[l].units[u] === data.chosen);
      const terms = data.targets[t].key === "score"
        ? [{ name: chosen ? "the score that is differentiated" : "another score", sum: chosen }]
        : [{ name: "probability p", sum: at(layer.y, 0, 0, u) },
          ...(chosen ? [{ name: "−1 for the chosen class", sum: -1 }] : [])];
      return summed([], terms, truth);
    }
    const dy = layer.dy[t], x = layers[l].y;
    const over = () => [readers(layer, 0, r), readers(layer, 1, s)];
    const one = (places, factor) => summed([window(l + 1, dy, u, places, factor)], [], truth);
    switch (layer.kind) {
      case "convolution": case "dense": {
        const outputs = range(layer.units.length).filter((k) => reaches(l + 1, u, k));
        const windows = outputs.map((k) =>
          window(l + 1, dy, k, over(), (i, j) => weight(layer.kernel, i.tap, j.tap, u, k)));
        const rest = layer.back_rest && layer.back_rest[t];
        const others = rest ? [{ left: layer.outputs_left_out, sum: at(rest, r, s, u) }] : [];
        return summed(windows, others, truth);
      }
      case "max_pool":
        return one(over(), (i, j) => same(largest(l + 1, u, i.place, j.place), r, s));
      case "avg_pool": return one(over(), (i, j) => 1 / count(layer, i.place, j.place));
      case "relu": return one(here(r, s), () => Number(at(x, r, s, u) > 0));
      case "scale": case "norm": return one(here(r, s), () => slope(layer, u));
      default: return one(here(r, s), () => 1);
    }
  };

  /* The products, one for each output position of layer l, whose sum is the gradient of target t
     with respect to a parameter of unit u. which: {name, c, i, j} of a parameter. */
  const parameter = (t, l, u, { name, c, i, j }) => {
    const layer = layers[l], x = layers[l - 1].y, [height, width] = layer.y.shape;
    const place = (axis, o, tap) => reads(layer, axis, o)[tap].place;
    const factor = {
      kernel: (r, s) => at(x, place(0, r, i), place(1, s, j), c),
      gamma: (r, s) => (at(x, r, s, u) - layer.mean.data[u]) / layer.std.data[u],
    }[name] || (() => 1);
    const products = range(height).map((r) => range(width).map((s) =>
      factor(r, s) * at(layer.dy[t], r, s, u)));
    const truth = name === "kernel"
      ? weight(layer.dkernel[t], i, j, c, u) : layer[`d${name}`][t].data[u];
    return { factor, products, truth, sum: add(products.flat()) };
  };

  return { layers, at, weight, reaches, forward, back, parameter, range };
};
