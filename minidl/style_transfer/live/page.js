// Shows the messages of the server: the words, the picture and the curves.

const TERMS = ["total", "content", "style", "total_variation"]; // also the classes in page.css
const SHARE = 0.05; // of the time, which loading pictures may take
const SMALLEST = 1e-4; // of the first total: smaller losses would take most of the scale
const LOST = "minidl does not answer. This page keeps the last picture that arrived.";

const at = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const rows = []; // the losses of each step
let state = null; // the newest message, or null without a connection
let received = 0; // when it came, in milliseconds
let shown = null; // the version of the picture on the page
let loading = false;
let end;
const ended = new Promise((resolve) => (end = resolve));

const events = new EventSource("events");
events.onmessage = ({ data }) => {
  state = JSON.parse(data);
  received = performance.now();
  rows.splice(state.done - state.rows.length, Infinity, ...state.rows);
  if (state.end) end();
  tell();
  draw();
  load();
};
events.onerror = () => {
  at("status").textContent = LOST;
  at("stop").disabled = true;
  state = null;
};

at("stop").onclick = () => {
  at("stop").disabled = true;
  fetch("stop", { method: "POST" });
};
at("save").onclick = save;
setInterval(() => state && clock(), 1000);
new ResizeObserver(() => state && draw()).observe(at("curves"));

// ---- words --------------------------------------------------------------------------------------

function tell() {
  const { title, steps, done, stopping, end } = state;
  document.title = end || !steps ? title : `${done}/${steps} ${title}`;
  at("title").textContent = title;
  const words = stopping ? "Stopping after this step" : "Painting";
  if (at("status").textContent !== (end || words)) at("status").textContent = end || words;
  at("steps").textContent = steps ? `Step ${done} of ${steps}` : "";
  at("progress").max = steps || 1;
  at("progress").value = done;
  at("stop").disabled = stopping || end !== "";
  for (const term of TERMS) {
    document.querySelector(`tr.${term} td`).textContent = done ? number(rows.at(-1)[term]) : "";
  }
  clock();
}

function clock() {
  const since = state.end ? 0 : (performance.now() - received) / 1000;
  const passed = duration(state.seconds + since);
  const left = state.end || state.left === null ? null : duration(Math.max(1, state.left - since));
  at("time").textContent = left ? `${passed}, about ${left} left` : passed;
}

function duration(seconds) {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

function number(loss) {
  if (loss === null) return "not finite";
  const [digits, exponent] = loss.toExponential(3).split("e");
  return loss ? `${digits} × ${power(Number(exponent))}` : "0";
}

function power(exponent) {
  return "10" + String(exponent).replace(/./g, (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻");
}

// ---- the picture --------------------------------------------------------------------------------

// Load pictures until the newest is shown, with pauses that leave the processor to the painting.
async function load() {
  if (loading) return;
  loading = true;
  while (state?.done && shown !== state.version) {
    const { version, end } = state;
    const begun = performance.now();
    try {
      await show(await (await fetch("picture.png")).blob());
    } catch {
      break; // the connection is lost; the first message of the next one tries again
    }
    shown = version;
    if (end) events.close(); // the server waits for this
    else await Promise.race([ended, pause((performance.now() - begun) * (1 / SHARE - 1))]);
  }
  loading = false;
}

async function show(blob) {
  const picture = at("picture");
  const old = picture.src;
  picture.src = URL.createObjectURL(blob);
  await new Promise((resolve) => (picture.onload = resolve));
  URL.revokeObjectURL(old);
  const ratio = picture.naturalWidth / picture.naturalHeight;
  picture.parentElement.style.setProperty("--ratio", ratio);
  picture.hidden = at("save").disabled = false;
  at("empty").hidden = true;
}

function save() {
  const link = document.createElement("a");
  link.href = at("picture").src;
  link.download = `painting-step-${state.done}.png`;
  link.click();
}

// ---- the curves ---------------------------------------------------------------------------------

// Draw the losses over the steps on a logarithmic scale, except the smallest, which may be 0.
function draw() {
  const svg = at("curves");
  svg.replaceChildren();
  const least = SMALLEST * (rows[0]?.total ?? 0);
  const losses = rows.flatMap((row) => TERMS.map((term) => row[term])).filter((loss) => loss > least);
  if (!losses.length) return;
  const [left, right, top, bottom] = [42, svg.clientWidth - 6, 18, svg.clientHeight - 20];
  const [low, high] = limits(losses);
  const x = (step) => left + ((step - 1) / Math.max(1, state.steps - 1)) * (right - left);
  const y = (loss) => bottom - ((Math.log10(loss) - low) / (high - low)) * (bottom - top);

  for (const [factor, exponent] of ticks(low, high)) {
    const height = y(factor * 10 ** exponent);
    add("line", { class: "grid", x1: left, x2: right, y1: height, y2: height });
    const label = (factor > 1 ? `${factor}·` : "") + power(exponent);
    add("text", { x: left - 6, y: height + 4, "text-anchor": "end" }, label);
  }
  add("text", { x: left, y: bottom + 18 }, "1");
  add("text", { x: (left + right) / 2, y: bottom + 18, "text-anchor": "middle" }, "step");
  add("text", { x: right, y: bottom + 18, "text-anchor": "end" }, state.steps);

  const changes = rows.filter((row, index) => row.size !== rows[index - 1]?.size);
  for (const { step, size } of changes.length > 1 ? changes : []) {
    add("line", { class: "size", x1: x(step), x2: x(step), y1: 4, y2: bottom });
    add("text", { x: x(step) + 4, y: 12 }, `${size} px`);
  }
  for (const term of [...TERMS].reverse()) {
    const seen = rows.filter((row) => row[term] > least);
    if (!seen.length) continue;
    const points = seen.map((row) => `${x(row.step).toFixed(1)} ${y(row[term]).toFixed(1)}`);
    add("path", { class: term, d: `M${points.join("L")}` });
    const newest = seen.at(-1);
    add("circle", { class: term, cx: x(newest.step), cy: y(newest[term]), r: 3 });
  }
}

// Return the decimal logarithms between which the axis extends, at least one decade.
function limits(losses) {
  const logarithms = losses.map(Math.log10);
  const [low, high] = [Math.min(...logarithms), Math.max(...logarithms)];
  const more = Math.max(0.05, (1 - (high - low)) / 2);
  return [low - more, high + more];
}

// Return the [factor, exponent] of the lines of the grid: powers of ten, and more if these are few.
function ticks(low, high) {
  const factors = high - low > 2.5 ? [1] : [1, 2, 5];
  const exponents = [];
  for (let exponent = Math.floor(low); exponent <= high; exponent++) exponents.push(exponent);
  return exponents
    .flatMap((exponent) => factors.map((factor) => [factor, exponent]))
    .filter(([factor, exponent]) => {
      const logarithm = exponent + Math.log10(factor);
      return low <= logarithm && logarithm <= high;
    });
}

function add(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  at("curves").append(element);
}
