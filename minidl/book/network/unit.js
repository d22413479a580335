/* One unit of a network: its map, the terms of one number of it, and the numbers of one window. */
"use strict";

globalThis.networkUnit = (page) => {
  const { element, paragraph, link, typeset } = networkElements;
  const { layers, forward, back } = page.sums;
  const own = networkTerms(page), numbers = networkNumbers(page, own);
  const place = networkPlace(page), weights = networkWeights(page);

  /* What is beside the map for the position of page.shown, and what is below it. */
  const explained = () => {
    const { l, u, r, s, term } = page.shown, { kind } = layers[l], maker = page.maker();
    const said = [paragraph(page.sentence())];
    if (!page.isBack() && kind === "picture") return { beside: said, below: [] };
    if (maker) said.push(typeset(maker.formulas[page.isBack() ? "back" : "forward"]));
    if (kind === "softmax") return { beside: [...said, numbers.ofSoftmax(l, u)], below: [] };
    const result = page.isBack() ? back(page.target(), l, u, r, s) : forward(l, u, r, s);
    const sizes = result.windows.map(({ sum }) => Math.abs(sum));
    const chosen = term in result.windows ? term : sizes.indexOf(Math.max(...sizes));
    const window = result.windows[chosen], hasNumbers = window && !own.isInline(window);
    return {
      beside: [...said, ...own.reason(result.windows), own.terms(result, hasNumbers ? chosen : -1)],
      below: [...(hasNumbers ? [numbers.ofWindow(window)] : []), ...weights()],
    };
  };

  /* Links to the units beside this one, and to this number in the other directions. */
  const links = () => {
    const { l, u, direction } = page.shown, layer = layers[l];
    const units = [u - 1, u + 1].filter((other) => layer.units[other] !== undefined);
    const others = page.directions.filter(({ key }) => key !== direction && page.has(l, key));
    const here = ({ key }) => page.address({ ...page.shown, direction: key, term: undefined });
    return element("p", { class: "beside" }, `${layer.title}, ${layer.shape.join("×")}.`,
      link(page.address({}), "Overview"),
      units.map((other) => link(page.address({ l, u: other }), page.unitName(l, other))),
      others.map((other) => link(here(other), other.name)));
  };

  /* Fill a section with the unit of page.shown. moved() is called when the position changes. */
  return (section, moved) => {
    const { l, u } = page.shown;
    const above = element("div"), result = element("div"), rest = element("div");
    const update = () => {
      const { beside, below } = explained();
      above.replaceChildren(links());
      result.replaceChildren(...beside);
      rest.replaceChildren(...below);
      moved();
    };
    const target = page.isBack() ? page.data.targets[page.target()].name : "";
    const what = target ? `The gradient of ${target} with respect to ` : "";
    section.replaceChildren(
      element("h2", { id: "network-title" }, `${what}${page.named(l, u)}`), above,
      element("div", { class: "columns" }, place(update), result), rest);
    update();
  };
};
