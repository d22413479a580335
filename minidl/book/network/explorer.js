/* The page of a network: what is shown, and its address #DIRECTION/LAYER/UNIT/ROW,COLUMN/TERM. */
"use strict";

(() => {
  const data = globalThis.minidlNetwork, place = document.getElementById("network-explorer");
  if (!data || !place) return;
  const { element, link, largest } = networkElements;
  const sums = networkSums(data), maps = networkMaps(), { layers, at, range } = sums;
  const SCALE = "positive. The strength of a colour is the square root of the share of a number " +
    "in the largest one of its layer (±).";

  /* What the parts of the page know: `shown` is {direction, l, u, r, s, term}, with indices of a
     layer, of a shown unit, of a row and column, and of a term. In the overview only the direction
     is defined. */
  const page = { data, sums, maps, shown: { direction: "forward" } };
  page.directions = [
    { key: "forward", name: "Forward: the activations" },
    ...data.targets.map(({ key, name }) => ({ key, name: `Back: the gradient of ${name}` })),
  ];
  const targetOf = (direction) => page.directions.findIndex(({ key }) => key === direction) - 1;
  page.target = () => targetOf(page.shown.direction);
  page.isBack = () => page.target() >= 0;
  page.has = (l, direction = page.shown.direction) =>
    direction === "forward" || layers[l].dy[targetOf(direction)] !== undefined;
  page.values = (l) => (page.isBack() ? layers[l].dy[page.target()] : layers[l].y);
  const sizes = new Map(); // of maps, which are computed once
  page.most = (l) => {
    const map = page.values(l);
    if (!sizes.has(map)) sizes.set(map, largest(map.data));
    return sizes.get(map);
  };
  page.isScalar = (l) => layers[l].y.shape[0] * layers[l].y.shape[1] === 1;
  page.unitName = (l, u) => (layers[l].names ? layers[l].names[u] : `unit ${layers[l].units[u]}`);
  page.named = (l, u) => `${layers[l].name}, ${page.unitName(l, u)}`;
  /* The layer that computed the numbers of the shown layer. */
  page.maker = () => layers[page.shown.l + Number(page.isBack())];
  page.sentence = () => {
    if (!page.isBack()) return data.sentences[page.maker().kind].forward;
    const isLast = !page.maker() || page.maker().kind === "softmax";
    return data.sentences[isLast ? page.shown.direction : page.maker().kind].back;
  };

  const canvas = (name) => element("canvas", { class: name, "aria-hidden": "true" });
  page.patch = (rows, most) => maps.draw(
    canvas("patch"), rows.length, rows[0]?.length || 0, (r, s) => rows[r][s], maps.signed(most));
  page.mapOf = (l, u) => {
    const map = page.values(l), isPicture = layers[l].kind === "picture" && !page.isBack();
    const paint = isPicture ? maps.channel(page.unitName(l, u)) : maps.signed(page.most(l));
    return maps.draw(canvas("whole"), ...map.shape.slice(0, 2), (r, s) => at(map, r, s, u), paint);
  };

  page.address = ({ direction = page.shown.direction, l, u, r, s, term }) => {
    const parts = [direction];
    if (l !== undefined) parts.push(layers[l].name, layers[l].units[u]);
    if (r !== undefined) parts.push(`${r},${s}`);
    if (term !== undefined) parts.push(term);
    return `#${parts.map(encodeURIComponent).join("/").replaceAll("%2C", ",")}`;
  };
  /* The parts of an address, or null if it is of another part of the page. */
  const partsOf = (hash) => {
    try {
      const parts = hash.slice(1).split("/").map(decodeURIComponent);
      return page.directions.some(({ key }) => key === parts[0]) ? parts : null;
    } catch {
      return null;
    }
  };
  /* The position of the largest number of a unit. */
  const strongest = (l, u) => {
    const { shape: [height, width], data: own } = page.values(l), units = layers[l].units.length;
    const sizes = range(height * width).map((index) => Math.abs(own[index * units + u]));
    const best = sizes.indexOf(Math.max(...sizes));
    return [Math.floor(best / width), best % width];
  };
  /* Set what is shown. A part of the address that does not exist is left out. */
  const read = ([direction = "forward", name, unit, position = "", term]) => {
    page.shown = { direction };
    const l = layers.findIndex((layer) => layer.name === name);
    const u = l < 0 ? -1 : layers[l].units.indexOf(Number(unit));
    if (u < 0 || !page.has(l)) return;
    const [height, width] = layers[l].y.shape;
    let [r, s] = position.split(",").map(Number);
    const isInside = range(height).includes(r) && range(width).includes(s);
    if (!position || !isInside) [r, s] = strongest(l, u);
    page.shown = { direction, l, u, r, s, ...(term ? { term: Number(term) } : {}) };
  };

  const overview = networkOverview(page), drawUnit = networkUnit(page);
  const choice = element("nav", { "aria-label": "Direction", class: "directions" });
  const bar = element("span", { class: "bar", "aria-hidden": "true" });
  const units = element("div");
  const named = { "aria-labelledby": "network-title" };
  const unit = element("section", { class: "unit", tabindex: "-1", ...named });

  const drawChoice = () => {
    const { l, u, r, s } = page.shown;
    const made = page.directions.map(({ key, name }) => {
      const isThere = l !== undefined && page.has(l, key);
      return link(page.address({ direction: key, ...(isThere ? { l, u, r, s } : {}) }), name);
    });
    made[page.target() + 1].setAttribute("aria-current", "true");
    choice.replaceChildren(...made);
  };
  const draw = () => {
    drawChoice();
    units.replaceChildren(overview());
    unit.hidden = page.shown.l === undefined;
    if (!unit.hidden) drawUnit(unit, () => {
      history.replaceState(null, "", page.address(page.shown));
      drawChoice();
    });
  };

  /* Move the focus to what a link led to: from the choice of the direction nowhere, else to the
     numbers, to the unit, or back to the picture of the unit in the overview. */
  const focus = (before, isChoice) => {
    const { l, term } = page.shown;
    const same = ["direction", "l", "u", "r", "s"].every((key) => before[key] === page.shown[key]);
    const tile = () => units.querySelector(`[data-l="${before.l}"][data-u="${before.u}"]`);
    if (isChoice) choice.querySelector("[aria-current]").focus();
    else if (l === undefined) (tile() || units.querySelector("a")).focus();
    else {
      const numbers = document.getElementById("network-numbers");
      const found = (same && term !== undefined && numbers) || unit;
      found.focus({ preventScroll: true });
      found.scrollIntoView({ block: "start" });
    }
  };
  addEventListener("hashchange", () => {
    const parts = location.hash ? partsOf(location.hash) : [];
    if (!parts) return;
    const before = page.shown, isChoice = choice.contains(document.activeElement);
    read(parts);
    draw();
    focus(before, isChoice);
  });
  const repaint = () => {
    maps.refresh();
    draw();
  };
  for (const media of ["(prefers-color-scheme: dark)", "print"])
    matchMedia(media).addEventListener("change", repaint);
  new MutationObserver(repaint).observe(document.documentElement, {
    attributeFilter: ["class", "data-theme"],
  });

  const scale = element("p", { class: "scale" }, "negative", bar, SCALE);
  place.replaceChildren(choice, scale, units, unit);
  read(partsOf(location.hash) || []);
  draw();
  if (!unit.hidden) focus({}, false);
})();
