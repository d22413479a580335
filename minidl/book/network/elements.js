/* Elements and words of the page of a network. */
"use strict";

globalThis.networkElements = (() => {
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children.flat().filter((child) => child !== null));
    return made;
  };
  const paragraph = (...words) => element("p", {}, ...words);
  const link = (href, ...words) => element("a", { href }, ...words);

  /* A part that scrolls sideways on a narrow page, also with the keyboard. */
  const scrolling = (name, label, ...children) => {
    const attributes = { class: name, role: "group", "aria-label": label, tabindex: "0" };
    return element("div", attributes, ...children);
  };
  /* A formula that minidl typeset as MathML. */
  const typeset = (mathml) => {
    const made = scrolling("formula", "Formula");
    made.innerHTML = mathml;
    return made;
  };

  /* A row of a table: its heading, and cells that are elements or words. */
  const row = (heading, cells, attributes = {}) =>
    element("tr", attributes, element("th", { scope: "row" }, heading), cells.map(asCell));
  const asCell = (cell) => (cell instanceof HTMLTableCellElement ? cell : element("td", {}, cell));
  /* heads: words, or elements. rows, foot: of `row`. */
  const table = (name, caption, heads, rows, foot = []) => {
    const asHead = (head) =>
      head instanceof HTMLElement ? head : element("th", { scope: "col" }, head);
    const top = element("thead", {}, element("tr", {}, heads.map(asHead)));
    const bottom = foot.length ? element("tfoot", {}, foot) : null;
    const parts = [element("caption", {}, caption), top, element("tbody", {}, rows), bottom];
    return element("table", { class: name }, parts);
  };

  const raised = (exponent) =>
    [...String(exponent)].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("");
  /* A number of so many digits: 0.25, −1.2·10⁻⁵ */
  const number = (value, digits = 4) => {
    const size = Math.abs(value);
    if (!size) return "0";
    const [figures, exponent] = value.toExponential(digits - 1).split("e");
    const isPlain = size >= 1e-3 && size < 1e5;
    const scientific = `${Number(figures)}·10${raised(Number(exponent))}`;
    return (isPlain ? String(Number(value.toPrecision(digits))) : scientific).replace("-", "−");
  };
  /* A number as a factor or a term. */
  const bracketed = (value) => (value < 0 ? `(${number(value, 3)})` : number(value, 3));
  const largest = (numbers) => numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  /* A name that may break into lines after _ and /. */
  const breakable = (name) => name.split(/(?<=[_/])/).flatMap((part) => [element("wbr"), part]);
  const counted = (count, one, several) => `${count} ${count === 1 ? one : several}`;

  return {
    element, paragraph, link, scrolling, typeset, row, table, number, bracketed, largest, breakable,
    counted,
  };
})();
