/* Where the position in a map is chosen: a large map, two numbers, and the value there. */
"use strict";

globalThis.networkPlace = (page) => {
  const { element, paragraph, number } = networkElements;
  const { layers, at } = page.sums;
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const HINT =
    "Click in the map, use the arrow keys, or type a position. Rows and columns count from 0.";

  const largeMap = (l, u) => {
    const attributes = { class: "map large", tabindex: "0", role: "application" };
    const label = `Position in the map of ${page.named(l, u)}: the arrow keys move it`;
    const frame = element("span", { class: "frame" });
    const map = element("div", { ...attributes, "aria-label": label }, page.mapOf(l, u), frame);
    const [height, width] = layers[l].y.shape;
    map.style.aspectRatio = `${width} / ${height}`;
    [frame.style.height, frame.style.width] = [`${100 / height}%`, `${100 / width}%`];
    return { map, frame };
  };

  /* The part for the unit of page.shown. moved() is called when the position changes. */
  return (moved) => {
    const { l, u } = page.shown, [height, width] = layers[l].y.shape;
    const value = element("p", { class: "value", "aria-live": "polite" });
    const tell = () => {
      const { r, s } = page.shown;
      const where = page.isScalar(l) ? "" : ` at row ${r}, column ${s}`;
      const text = number(at(page.values(l), r, s, u), 6);
      value.textContent = `${page.isBack() ? "Gradient" : "Value"}${where}: ${text}`;
    };
    if (page.isScalar(l)) {
      tell();
      return element("div", { class: "place" }, value);
    }
    const { map, frame } = largeMap(l, u);
    const field = (id, count) => element("input", { type: "number", min: 0, max: count - 1, id });
    const row = field("network-row", height), column = field("network-column", width);
    const update = () => {
      const { r, s } = page.shown;
      [frame.style.top, frame.style.left] = [`${(100 * r) / height}%`, `${(100 * s) / width}%`];
      [row.value, column.value] = [r, s];
      tell();
    };
    const go = (r, s) => {
      const clip = (place, count) => Math.max(0, Math.min(count - 1, Math.floor(place) || 0));
      page.shown = { ...page.shown, r: clip(r, height), s: clip(s, width) };
      update();
      moved();
    };
    map.addEventListener("click", ({ clientX, clientY }) => {
      const box = map.getBoundingClientRect();
      const [down, right] = [(clientY - box.top) / box.height, (clientX - box.left) / box.width];
      go(down * height, right * width);
    });
    map.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      go(page.shown.r + step[0], page.shown.s + step[1]);
    });
    for (const changed of [row, column])
      changed.addEventListener("change", () => go(Number(row.value), Number(column.value)));
    update();
    const labels = ["Row", "column"].map((name, index) =>
      element("label", { for: [row.id, column.id][index] }, name));
    const position = element("p", { class: "position" }, labels[0], row, labels[1], column);
    const hint = element("p", { class: "hint" }, HINT);
    return element("div", { class: "place" }, map, position, value, hint);
  };
};
