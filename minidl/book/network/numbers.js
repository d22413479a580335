/* The numbers of one window, and those of a softmax. */
"use strict";

globalThis.networkNumbers = (page, { parts, words, sumCell }) => {
  const { element, link, scrolling, row, table, number, bracketed, largest, counted } =
    networkElements;
  const { layers, at } = page.sums;
  const WRITTEN = 9; // the most products that are written as one equation

  /* Numbers with a heading for each row and column. A number of null is padding. */
  const matrix = (caption, rows, columns, numbers) => {
    const most = largest(numbers.flat());
    const cell = (value) => {
      const made = element("td", {}, value === null ? "padding" : number(value, 3));
      made.style.background = page.maps.tint(value || 0, most);
      return made;
    };
    return table("window", caption, [element("td"), ...columns.map(String)],
      numbers.map((line, index) => row(String(rows[index]), line.map(cell))));
  };
  const sign = (text) => element("span", { class: "sign" }, text);

  const ofWindow = (window) => {
    const { layer: l, unit: u, rows, columns, cells, sum } = window, { x } = words();
    const own = (name) => [rows, columns].map((list) => list.map((one) => one[name]));
    const values = cells.map((line) => line.map((cell) => (cell.padding ? null : cell.x)));
    const title = page.isBack() ? "dy: gradients of the outputs" : "x: window of the input";
    const products = cells.flat().map((cell) => `${bracketed(cell.x)}·${bracketed(cell.w)}`);
    const equation = `${products.join(" + ")} = ${number(sum)}`;
    const attributes = { class: "numbers", id: "network-numbers", tabindex: "-1" };
    return element("section", { ...attributes, "aria-labelledby": "network-numbers-title" },
      element("h3", { id: "network-numbers-title" }, `The numbers of ${page.named(l, u)}`),
      scrolling("product", "Numbers",
        matrix(title, ...own("place"), values), sign("·"),
        matrix("w: weights, by row and column of the kernel", ...own("tap"), parts(window, "w")),
        sign("="), matrix(`${x}·w: their products`, ...own("place"), parts(window, "product"))),
      products.length > WRITTEN ? null : element("p", { class: "equation" }, equation));
  };

  /* The probabilities of the classes, of which u is shown, as shares of a sum of powers. */
  const ofSoftmax = (l, u) => {
    const layer = layers[l], score = (k) => at(layers[l - 1].y, 0, 0, k);
    const powers = layer.units.map((_, k) => Math.exp(score(k) - layer.largest));
    const total = powers.reduce((sum, power) => sum + power, layer.others);
    const left = layer.shape.at(-1) - layer.units.length;
    const heads = ["Class", "score z", `e^(z − ${number(layer.largest)})`, "its share of the sum",
      "p by minidl"];
    const line = (name, numbers, attributes) =>
      row(name, numbers.map((value) => sumCell(value === null ? "" : number(value))), attributes);
    const rows = layer.units.map((_, k) => line(
      link(page.address({ l: l - 1, u: k }), page.unitName(l, k)),
      [score(k), powers[k], powers[k] / total, at(layer.y, 0, 0, k)],
      k === u ? { class: "chosen" } : {}));
    const hidden = () =>
      line(`${counted(left, "class", "classes")} not shown`, [null, layer.others, null, null]);
    const sum = line("Sum", [null, total, 1, null], { class: "total" });
    return scrolling("scroll", "Shares", table(
      "terms", "The shares of the classes.", heads, left ? [...rows, hidden()] : rows, [sum]));
  };

  return { ofWindow, ofSoftmax };
};
