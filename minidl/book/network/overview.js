/* The overview of a network: each unit as a picture, or as a bar if it is one number. */
"use strict";

globalThis.networkOverview = (page) => {
  const { element, paragraph, link, number, largest, breakable } = networkElements;
  const { layers, at, range } = page.sums;
  const WIDE = 16; // the most layers that stand side by side

  const bar = (made, l, u) => {
    const value = at(page.values(l), 0, 0, u), share = Math.abs(value) / (page.most(l) || 1);
    made.classList.toggle("negative", value < 0);
    made.style.setProperty("--share", `${100 * share}%`);
    made.append(element("span", {}, page.unitName(l, u)), " ", element("b", {}, number(value, 3)));
  };
  const picture = (made, l, u) => {
    const { data, shape: [height, width, units] } = page.values(l);
    const size = largest(range(height * width).map((index) => data[index * units + u]));
    made.append(page.mapOf(l, u));
    made.title = page.unitName(l, u);
    made.setAttribute("aria-label", `${page.unitName(l, u)}: largest size ${number(size, 3)}`);
  };
  const tile = (l, u) => {
    const made = link(page.address({ l, u }));
    const isShown = l === page.shown.l && u === page.shown.u;
    Object.assign(made.dataset, { l, u });
    made.setAttribute("tabindex", "-1");
    if (isShown) made.setAttribute("aria-current", "true");
    (page.isScalar(l) ? bar : picture)(made, l, u);
    return element("li", {}, made);
  };

  /* Long words with the places at which a narrow column may divide them. */
  const hyphenated = (title) => title.replace(/(convo|normal|prepa)(?=[a-z])/g, "$1\u00ad");
  const small = (text) => element("small", {}, text);
  const layerOf = (layer, l) => {
    const name = page.isScalar(l) ? "layer scalars" : "layer";
    const left = layer.shape.at(-1) - layer.units.length;
    const size = page.isScalar(l) ? null : small(`±${number(page.most(l), 2)}`);
    return element("section", { class: name, "aria-label": layer.name },
      element("h3", {}, breakable(layer.name)),
      paragraph(hyphenated(layer.title), " ", small(layer.shape.join("×")), " ", size),
      element("ul", {}, layer.units.map((_, u) => tile(l, u))),
      left ? paragraph(`${left} more, not shown`) : null);
  };

  /* Arrow keys go to the unit before or after, and to the same unit of another layer. */
  const step = (event) => {
    const list = event.currentTarget, made = event.target.closest("a");
    const isAcross = getComputedStyle(list).gridAutoFlow.includes("column");
    const [before, after, up, down] = isAcross
      ? ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]
      : ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"];
    if (!made || ![before, after, up, down].includes(event.key)) return;
    event.preventDefault();
    const columns = [...list.children].map((section) => [...section.querySelectorAll("a")]);
    const x = columns.findIndex((links) => links.includes(made)), y = columns[x].indexOf(made);
    const next = columns[x + (event.key === after) - (event.key === before)] || columns[x];
    const wanted = y + (event.key === down) - (event.key === up);
    next[Math.max(0, Math.min(next.length - 1, wanted))].focus();
  };

  return () => {
    const shown = layers.flatMap((layer, l) => (page.has(l) ? [layerOf(layer, l)] : []));
    const list = element("div", { class: shown.length > WIDE ? "layers many" : "layers" }, shown);
    list.addEventListener("keydown", step);
    list.addEventListener("focusin", ({ target }) => {
      list.querySelector("a[tabindex='0']")?.setAttribute("tabindex", "-1");
      target.setAttribute("tabindex", "0");
    });
    const start = list.querySelector("[aria-current]") || list.querySelector("a");
    start.setAttribute("tabindex", "0");
    return list;
  };
};
