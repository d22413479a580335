/* The gradient of the parameters of one unit: each is a sum over the positions of its output. */
"use strict";

globalThis.networkWeights = (page) => {
  const { element, paragraph, scrolling, typeset, row, table, number, largest } = networkElements;
  const { layers, at, weight, reaches, parameter, range } = page.sums;
  const SYMBOLS = { kernel: "dw", gamma: "dγ", beta: "dβ", bias: "db" };
  const FACTORS = { kernel: "x under this weight", gamma: "(x − μ)/σ" };
  let chosen = {}; // {name, c, i, j} of a parameter of the unit with the address `of`
  let of = "";

  const single = (layer) => ["gamma", "beta", "bias"].filter((name) => layer[name]);
  /* The parameter of a unit with the largest gradient. */
  const first = (layer, l, u, t) => {
    if (!layer.kernel) return { name: single(layer)[0] };
    const [height, width, inputs] = layer.kernel.shape;
    const all = range(height * width * inputs).map((index) => ({
      name: "kernel", c: index % inputs, j: Math.floor(index / inputs) % width,
      i: Math.floor(index / inputs / width),
    })).filter(({ c }) => reaches(l, c, u));
    const size = ({ i, j, c }) => Math.abs(weight(layer.dkernel[t], i, j, c, u));
    return all.reduce((best, one) => (size(one) > size(best) ? one : best));
  };

  const button = (which, content, redraw, name) => {
    const isChosen = Object.entries(which).every(([key, value]) => chosen[key] === value);
    const made = element("button", { type: "button", "aria-pressed": String(isChosen) }, content);
    if (name) made.setAttribute("aria-label", name);
    made.dataset.which = Object.values(which).join();
    made.addEventListener("click", () => {
      chosen = which.name === "kernel" ? { i: 0, j: 0, ...chosen, ...which } : which;
      redraw();
    });
    return made;
  };

  /* The gradients of the kernel over each input as pictures, and the numbers of one of them. */
  const kernels = (layer, l, u, t, redraw) => {
    const [height, width, count] = layer.kernel.shape, name = "kernel";
    const inputs = range(count).filter((c) => reaches(l, c, u));
    const rows = (c) =>
      range(height).map((i) => range(width).map((j) => weight(layer.dkernel[t], i, j, c, u)));
    const all = largest(inputs.flatMap((c) => rows(c).flat()));
    const pictures = inputs.map((c) => {
      const label = element("small", {}, page.unitName(l - 1, c));
      return button({ name, c }, [page.patch(rows(c), all), label], redraw);
    });
    const options = element("p", { class: "options" }, pictures);
    if (chosen.name !== name) return [options];
    const { c } = chosen;
    const cell = (i) => (value, j) => {
      const text = number(value, 3);
      return button({ name, c, i, j }, text, redraw, `${text}, row ${i}, column ${j}`);
    };
    const numbers = table("window", `dw over ${page.named(l - 1, c)}`,
      [element("td"), ...range(width).map(String)],
      rows(c).map((line, i) => row(String(i), line.map(cell(i)))));
    return [options, scrolling("scroll", "Gradients of the kernel", numbers)];
  };

  /* The maps whose products are the terms of the chosen gradient, and their sum. */
  const sum = (layer, l, u, t) => {
    const { products, truth, sum: total, factor } = parameter(t, l, u, chosen);
    const [height, width] = layer.y.shape, isMap = height * width > 1;
    const grid = (value) => range(height).map((r) => range(width).map((s) => value(r, s)));
    const dy = grid((r, s) => at(layer.dy[t], r, s, u)), factors = FACTORS[chosen.name];
    const picture = (title, rows) => element("figure", {},
      page.patch(rows, largest(rows.flat())), element("figcaption", {}, title));
    const sign = (text) => element("span", { class: "sign" }, text);
    const own = picture("gradient dy of this unit", dy);
    const maps = factors
      ? [picture(factors, grid(factor)), sign("·"), own, sign("="), picture("products", products)]
      : [own];
    const written = isMap ? `Σ over ${height * width} positions`
      : `${number(factor(0, 0))} · ${number(dy[0][0])}`;
    return [
      ...(isMap ? [scrolling("product", "Maps", maps)] : []),
      element("p", { class: "equation" }, `${written} = ${number(total, 6)}`, element("br"),
        `computed by minidl: ${number(truth, 6)}`),
    ];
  };

  const title = (l) => {
    const { name, c, i, j } = chosen;
    const where = ` at row ${i}, column ${j} of the kernel over `;
    return name === "kernel" ? `dw${where}${page.named(l - 1, c)}` : SYMBOLS[name];
  };

  return () => {
    const { l, u } = page.shown, layer = layers[l], t = page.target();
    if (!page.isBack() || !(layer.kernel || single(layer).length)) return [];
    if (of !== page.address({ l, u })) [of, chosen] = [page.address({ l, u }), first(layer, l, u, t)];
    const name = "network-weights-title";
    const section = element("section", { class: "weights", "aria-labelledby": name });
    const redraw = () => {
      const focused = section.contains(document.activeElement) && document.activeElement.dataset;
      const others = single(layer).map((one) => {
        const text = `${SYMBOLS[one]} = ${number(layer[`d${one}`][t].data[u], 3)}`;
        return button({ name: one }, text, redraw);
      });
      section.replaceChildren(
        element("h3", { id: name }, "The gradient of the parameters of this unit"),
        paragraph("Each parameter of this unit has a part in its outputs at all positions. Its ",
          "gradient is therefore a sum over all positions. Choose a parameter."),
        ...layer.formulas.weights.map(typeset),
        ...(layer.kernel ? kernels(layer, l, u, t, redraw) : []),
        element("p", { class: "options" }, others),
        element("h4", {}, title(l)),
        ...sum(layer, l, u, t));
      if (focused) section.querySelector(`[data-which="${focused.which}"]`).focus();
    };
    redraw();
    return [section];
  };
};
