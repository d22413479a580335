// The book: marked variables, moving figures, search, contents and colours. Plain script without
// modules, because browsers do not load modules from the disk.
"use strict";

// ---- variables: pointing at one marks it in the formulas and in the code beside them ----

const scopeOf = (element) => element.closest(".pair") ?? element.closest(".text") ?? document.body;

function mark(scope, name) {
  for (const element of scope.querySelectorAll(".marked")) element.classList.remove("marked");
  if (!name) return;
  for (const element of scope.querySelectorAll(`[data-name="${CSS.escape(name)}"]`)) {
    element.classList.add("marked");
  }
}

const pressed = (scope) => scope.querySelector('[data-mark][aria-pressed="true"]')?.dataset.mark;

document.addEventListener("pointerover", (event) => {
  const element = event.target.closest?.("[data-name]");
  if (element) mark(scopeOf(element), element.dataset.name);
});
document.addEventListener("pointerout", (event) => {
  const element = event.target.closest?.("[data-name]");
  if (element) mark(scopeOf(element), pressed(scopeOf(element)));
});
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-mark]");
  if (!button) return;
  const scope = scopeOf(button);
  const wasPressed = button.getAttribute("aria-pressed") === "true";
  for (const other of scope.querySelectorAll("[data-mark]")) other.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-pressed", String(!wasPressed));
  mark(scope, wasPressed ? "" : button.dataset.mark);
});

// ---- figures: a slider, buttons and the arrow keys choose the frame ----

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function animate(figure) {
  const variants = [...figure.querySelectorAll(".frames")];
  const title = figure.querySelector(".title").textContent;
  let frames = [];
  let timer = 0;
  const slider = element("input", { type: "range", min: 0, value: 0, "aria-label": `Frame of: ${title}` });
  const back = element("button", { type: "button", "aria-label": "Previous frame" }, "‹");
  const forward = element("button", { type: "button", "aria-label": "Next frame" }, "›");
  const play = element("button", { type: "button" }, "Play");
  const count = element("output", { "aria-live": "off" });

  function show(place) {
    const last = frames.length - 1;
    const shown = Math.max(0, Math.min(last, place));
    frames.forEach((frame, index) => (frame.hidden = index !== shown));
    slider.value = shown;
    slider.setAttribute("aria-valuetext", frames[shown].querySelector("p").textContent);
    count.textContent = `${shown + 1} of ${last + 1}`;
  }
  function choose(label) {
    for (const variant of variants) variant.hidden = variant.dataset.variant !== label;
    frames = [...variants.find((variant) => !variant.hidden).children];
    slider.max = frames.length - 1;
    show(0);
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }
  slider.addEventListener("input", () => (stop(), show(Number(slider.value))));
  back.addEventListener("click", () => (stop(), show(Number(slider.value) - 1)));
  forward.addEventListener("click", () => (stop(), show(Number(slider.value) + 1)));
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (Number(slider.value) === frames.length - 1) show(0);
    play.textContent = "Stop";
    timer = setInterval(() => {
      show(Number(slider.value) + 1);
      if (Number(slider.value) === frames.length - 1) stop();
    }, 900);
  });
  const controls = element("div", { class: "controls" }, back, slider, forward, play, count);
  variants[0].before(controls);
  if (variants.length > 1) controls.before(choices(figure, variants, (label) => (stop(), choose(label))));
  figure.classList.add("live");
  choose(variants[0].dataset.variant);
  if (frames.length === 1 && variants.length === 1) controls.remove();
}

function choices(figure, variants, choose) {
  const group = element("fieldset", { class: "choices" }, element("legend", {}, figure.dataset.choice));
  variants.forEach((variant, index) => {
    const input = element("input", { type: "radio", name: `${figure.id}-choice`, value: variant.dataset.variant });
    input.checked = index === 0;
    input.addEventListener("change", () => choose(input.value));
    group.append(element("label", {}, input, ` ${variant.dataset.variant}`));
  });
  return group;
}

for (const figure of document.querySelectorAll("figure.moving")) animate(figure);

// ---- what does not fit can be scrolled, with the keyboard too ----

function makeScrollable() {
  for (const box of document.querySelectorAll(".listing, .formulas, .table, .long, pre")) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    box.tabIndex = scrolls ? 0 : -1;
    if (!scrolls) box.removeAttribute("tabindex");
    else if (box.dataset.label) {
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.dataset.label);
    }
  }
}

makeScrollable();
addEventListener("resize", makeScrollable);
for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", makeScrollable);

// ---- search: the index is a script, because a page from the disk may not fetch files ----

const query = document.getElementById("query");
const results = document.getElementById("results");
let selected = -1;

function load() {
  if (window.SEARCH || document.getElementById("search-data")) return;
  const script = element("script", { id: "search-data", src: "search-data.js" });
  script.addEventListener("load", search);
  document.head.append(script);
}

function score(entry, words) {
  const title = entry.title.toLowerCase();
  const text = entry.text.toLowerCase();
  let sum = 0;
  for (const word of words) {
    if (title === word) sum += 12;
    else if (title.startsWith(word)) sum += 8;
    else if (title.includes(word)) sum += 5;
    else if (text.includes(word) || entry.words.includes(word)) sum += 1;
    else return 0;
  }
  return sum + entry.weight / 4;
}

function search() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length && window.SEARCH
    ? window.SEARCH.map((entry) => [score(entry, words), entry]).filter(([points]) => points > 0)
        .sort((a, b) => b[0] - a[0]).slice(0, 12).map(([, entry]) => entry)
    : [];
  const items = found.map((entry, index) => {
    const item = element("li", { role: "option", id: `result-${index}`, "data-url": entry.url },
      entry.title, element("small", {}, `${entry.kind} · ${entry.text}`.slice(0, 140)));
    item.addEventListener("pointerdown", (event) => (event.preventDefault(), open(index)));
    return item;
  });
  const none = words.length && window.SEARCH && !items.length
    ? [element("li", { role: "option", "aria-disabled": "true" }, "Nothing found")] : [];
  results.replaceChildren(...items, ...none);
  results.hidden = !results.children.length;
  query.setAttribute("aria-expanded", String(!results.hidden));
  select(items.length ? 0 : -1);
}

function select(index) {
  selected = index;
  [...results.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === index)));
  if (index < 0) return query.removeAttribute("aria-activedescendant");
  query.setAttribute("aria-activedescendant", `result-${index}`);
  results.children[index].scrollIntoView({ block: "nearest" });
}

function open(index) {
  const url = results.children[index]?.dataset.url;
  if (!url) return;
  close();
  query.value = "";
  location.href = url;
}

function close() {
  results.hidden = true;
  query.setAttribute("aria-expanded", "false");
}

query.addEventListener("focus", load);
query.addEventListener("input", () => (load(), search()));
query.addEventListener("blur", close);
query.addEventListener("keydown", (event) => {
  const count = results.querySelectorAll("[data-url]").length;
  if (event.key === "ArrowDown" && count) select((selected + 1) % count);
  else if (event.key === "ArrowUp" && count) select((selected + count - 1) % count);
  else if (event.key === "Enter") open(selected);
  else if (event.key === "Escape") (close(), query.blur());
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") (event.preventDefault(), query.focus());
});

// ---- contents on a phone, and the colours ----

const contents = document.getElementById("contents");
const contentsButton = document.getElementById("contents-button");
contentsButton.addEventListener("click", () => {
  const isOpen = contents.classList.toggle("open");
  contentsButton.setAttribute("aria-expanded", String(isOpen));
});
contents.addEventListener("click", (event) => {
  if (event.target.closest("a")) contents.classList.remove("open");
});

const theme = document.getElementById("theme");
const showTheme = () => (theme.textContent = document.documentElement.dataset.theme === "dark" ? "Light" : "Dark");
theme.addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("minidl-theme", root.dataset.theme);
  } catch {
    // the choice holds for this page only
  }
  showTheme();
});
showTheme();
contents.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
