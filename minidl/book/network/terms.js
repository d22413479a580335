/* The terms of one number: a row for each window, with its map, its numbers and their factors. */
"use strict";

globalThis.networkTerms = (page) => {
  const { element, paragraph, link, scrolling, row, table, number, largest, breakable, counted } =
    networkElements;
  const { layers, at } = page.sums;
  const INLINE = 4; // the most numbers of a window that a row contains as text
  const FACTORS = {
    relu: "[x > 0]", max_pool: "[largest]", avg_pool: "1/n", norm: "γ/σ", scale: "1/std",
  };
  const wide = (words) => element("th", { scope: "row", colspan: "5" }, words);
  const sumCell = (...content) => element("td", { class: "sum" }, ...content);

  const parts = (window, name) => window.cells.map((line) => line.map((cell) => cell[name]));
  const isInline = ({ cells }) => cells.flat().length <= INLINE;
  const words = () => {
    const w = FACTORS[page.maker()?.kind] || "w";
    return page.isBack()
      ? { w, from: "Output", x: "dy", map: "Gradient", framed: "outputs that read this number" }
      : { w, from: "Input", x: "x", map: "Map", framed: "numbers that the output reads" };
  };

  /* A map with a frame around the places of some rows and columns. */
  const framed = (canvas, [height, width], rows, columns) => {
    const made = element("span", { class: "map" }, canvas);
    made.style.aspectRatio = `${width} / ${height}`;
    const extent = (places, length) => {
      const [first, last] = [places[0].place, places.at(-1).place];
      return [`${(100 * first) / length}%`, `${(100 * (last - first + 1)) / length}%`];
    };
    if (rows.length && columns.length) {
      const frame = element("span", { class: "frame" });
      [frame.style.top, frame.style.height] = extent(rows, height);
      [frame.style.left, frame.style.width] = extent(columns, width);
      made.append(frame);
    }
    return made;
  };
  const fewNumbers = (rows) => {
    const texts = rows.flat().map((value) => element("span", {}, number(value, 3), " "));
    const made = element("span", { class: "few" }, texts);
    made.style.setProperty("--across", rows[0]?.length || 1);
    return made;
  };
  const bar = (sum, most) => {
    const name = sum < 0 ? "amount negative" : "amount";
    const made = element("span", { class: name, "aria-hidden": "true" });
    made.style.setProperty("--share", `${(100 * Math.abs(sum)) / (most || 1)}%`);
    return made;
  };
  const middle = (places, length) =>
    Math.max(0, Math.min(length - 1, places[Math.floor(places.length / 2)]?.place ?? 0));

  const termRow = (window, index, sizes, isChosen) => {
    const { layer: l, unit: u, rows, columns, sum } = window, [height, width] = layers[l].y.shape;
    const [r, s] = [middle(rows, height), middle(columns, width)];
    const map = page.isScalar(l) ? "" : framed(page.mapOf(l, u), [height, width], rows, columns);
    const draw = (name, size) =>
      isInline(window) ? fewNumbers(parts(window, name)) : page.patch(parts(window, name), size);
    const choice = link(page.address({ ...page.shown, term: index }), "numbers");
    choice.setAttribute("aria-label", `numbers of ${page.named(l, u)}`);
    choice.setAttribute("class", "choice");
    const drawn = [draw("x", page.most(l)), draw("w", sizes.w), draw("product", sizes.product)];
    return row(
      link(page.address({ l, u, r, s }), breakable(page.named(l, u))),
      [map, ...drawn, sumCell(number(sum), bar(sum, sizes.sum), isInline(window) ? null : choice)],
      isChosen ? { class: "chosen" } : {},
    );
  };
  const otherRow = ({ name, left, sum }) => {
    const hidden = () => `${counted(left, "unit that is", "units that are")} not shown`;
    return element("tr", {}, wide(name || hidden()), sumCell(number(sum)));
  };
  const total = (name, value) =>
    element("tr", { class: "total" }, wide(name), sumCell(number(value, 6)));

  /* Why a factor is 0 or 1 on the way back. */
  const reason = ([window]) => {
    const { l, u, r, s } = page.shown, kind = page.maker()?.kind;
    const x = number(at(layers[l].y, r, s, u));
    if (page.isBack() && kind === "relu") {
      const isPositive = window.cells[0][0].w === 1;
      return [paragraph(`Here x = ${x}, which is ${isPositive ? "" : "not "}positive.`)];
    }
    if (page.isBack() && kind === "max_pool") {
      const cells = window.cells.flat(), windows = counted(cells.length, "window", "windows");
      const count = cells.filter((cell) => cell.w).length;
      return [paragraph(`Here x = ${x}. It is in ${windows}, and in ${count} of them it is the `,
        "largest number.")];
    }
    return [];
  };

  /* The terms as a table. chosen: the index of the window whose numbers are shown, or -1. */
  const terms = ({ windows, others, sum, truth }, chosen) => {
    const { from, x, w, map, framed: inFrames } = words();
    const all = (name) => largest(windows.flatMap((window) => parts(window, name).flat()));
    const sums = largest(windows.map((window) => window.sum));
    const sizes = { w: all("w"), product: all("product"), sum: sums };
    const heads = windows.length
      ? [from, map, x, w, w === "w" ? `${x}·w` : "product"]
      : [element("th", { scope: "col", colspan: "5" }, "Term")];
    const caption = windows.length ? ` The frames contain the ${inFrames}.` : "";
    return scrolling("scroll", "Terms", table(
      "terms", `The terms of the sum.${caption}`,
      [...heads, element("th", { scope: "col", class: "sum" }, "Sum")],
      [...windows.map((one, index) => termRow(one, index, sizes, index === chosen)),
        ...others.map(otherRow)],
      [total("Sum of these terms", sum), total("Computed by minidl", truth)],
    ));
  };

  return { terms, reason, parts, isInline, words, sumCell };
};
